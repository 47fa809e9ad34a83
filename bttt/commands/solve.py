"""The command `bttt solve`: the value of a position and of each free cell, and a line of best play."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import tyro
from tqdm import tqdm

from bttt.board import Board
from bttt.bricks import name_of
from bttt.command_line import suggest, warn_of_sizes
from bttt.commands.verdicts import mark
from bttt.drawing import ansi, caption
from bttt.position import SYMBOLS, Position
from bttt.runs import require_at_least
from bttt.solver import DEFAULT_TABLE_MB, Solution, Solver, Verdict, before_move
from bttt.symmetry import move_orbits

VERBS = {1: "wins", 0: "draws", -1: "loses"}


@dataclass(frozen=True)
class SolveConfig:
    """Print the proven value of every move in a position, and a line of best play.

    Under best play, W9 wins with the 9th stone from here, L12 loses to the 12th, and D draws; ? is not
    proven.
    """

    position: Annotated[str, tyro.conf.Positional]
    """A board, for example 7x7x4:D4, or a board and its stones, for example "3x3x3:A1 #O./.X./..."."""
    moves: str = ""
    """Moves played from that position, for example "D3 C3"."""
    nodes: int = 5_000_000
    """Maximum positions searched for the position itself, and for each move of the line."""
    cell_nodes: int = 100_000
    """Maximum positions searched for each free cell. Most cells need a few thousand; a cell near the edge of
    a nearly empty board may need millions."""
    table_mb: int = DEFAULT_TABLE_MB
    """Size of the transposition table in MiB."""


def run(config: SolveConfig) -> int:
    """Prints the solved position and returns 0.

    Raises:
        ValueError: The board, a move or a number is wrong, or the game is over.
    """
    require_at_least(1, nodes=config.nodes, cell_nodes=config.cell_nodes)
    position = read_position(config.position, config.moves)
    warn_of_sizes([position.board])
    solver = Solver(config.table_mb)
    solution = solver.solve(position, config.nodes, cells=False)
    verdicts = move_verdicts(solver, position, config.cell_nodes, progress=True)
    print(ansi(position, {cell: mark(verdict) for cell, verdict in verdicts.items()}))
    print(in_words(position, solution))
    if unproven := sum(verdict.value is None for verdict in verdicts.values()):
        print(f"? {unproven} cells not proven within {config.cell_nodes:,} nodes: see --cell-nodes")
    line = best_line(solver, position, config.nodes)
    print("best play: " + (" ".join(map(position.board.cell_name, line)) or "not proven"))
    _suggest_next(config, position, line)
    return 0


def _suggest_next(config: SolveConfig, position: Position, line: list[int]) -> None:
    """Suggests following best play; at its end, playing a game; without a proof, searching more."""
    if len(line) > 1:
        moves = f"{config.moves} {position.board.cell_name(line[0])}".strip()
        suggest("solve", config.position, "--moves", moves, why="after the best move")
    elif line:
        size = position.board.with_bricks(())
        suggest("play", "--bricks", name_of(position.board), "--board", size, why="play on this board")
    else:
        played = ("--moves", config.moves) if config.moves else ()
        more = ("--nodes", 10 * config.nodes)
        suggest("solve", config.position, *played, *more, why="search ten times as many positions")


def read_position(text: str, moves: str = "") -> Position:
    """Returns the unfinished position given by a text and further moves.

    Args:
        text: A board, or a position in the form of `Position.parse`.
        moves: Names of cells, separated by spaces or commas.

    Raises:
        ValueError: The text or a move is wrong, or the game is over.
    """
    position = Position.parse(text) if len(text.split()) > 1 else Position.start(Board.parse(text))
    for move in moves.replace(",", " ").split():
        try:
            position = position.play(move)
        except ValueError as error:
            raise ValueError(f"move {move!r}: {error}") from None
    if position.outcome:
        raise ValueError(f"the game is over: {caption(position)}")
    return position


def move_verdicts(
    solver: Solver, position: Position, node_limit: int | None = None, *, progress: bool = False
) -> dict[int, Verdict]:
    """Returns the verdict on each legal cell for the mover; cells that mirror each other share a search.

    Unlike in `Solver.classify`, the node limit applies to each search, so a hard cell leaves the others their
    full limit. `progress` shows a bar on stderr if the searches take longer than half a second.
    """
    verdicts = {}
    orbits = tqdm(move_orbits(position), "cells", unit="cell", leave=False, delay=0.5, disable=not progress)
    for cells in orbits:
        after = solver.solve(position.play(cells[0]), node_limit, cells=False)
        verdicts.update(dict.fromkeys(cells, before_move(after.value, after.plies)))
    return dict(sorted(verdicts.items()))


def in_words(position: Position, solution: Solution) -> str:
    """Returns the solution as one line: who wins, and in how many plies."""
    searched = f"({solution.nodes:,} nodes)"
    if solution.value is None:
        return f"not proven within the node limit {searched}"
    player = SYMBOLS[1 + position.to_move]
    if solution.value == 0:
        return f"{player} draws {searched}"
    length = ", number of plies not proven" if solution.plies is None else f" in {solution.plies} plies"
    return f"{player} {VERBS[solution.value]}{length} {searched}"


def best_line(solver: Solver, position: Position, node_limit: int | None = None) -> list[int]:
    """Returns the cells of best play for both players as far as proven; among equal cells, the lowest."""
    line: list[int] = []
    while not position.outcome:
        cells, solution = solver.best_cells(position, node_limit)
        if not cells or solution.plies is None:
            break
        line.append(cells[0])
        position = position.play(cells[0])
    return line
