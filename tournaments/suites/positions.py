"""Positions for the suites: played by a mixture of agents, labelled by the solver, one of all mirror images.

Boards that are mirror images of each other share their games, played on one of them; the positions are dealt
to the boards in turn and moved there by a symmetry, so none can come twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from agents import Agent, ask_by_name, make_agent
from bttt import SUITES_RECORD, Board, Position, Symmetry, canonical_board, symmetries
from bttt.solver import Solver

MOST_GAMES = 200
"""Games played for each position wanted before it is said that there are too few; about 2 are enough."""
TABLE_MB = 64
"""Size of the solver's table. It is no option: what hits the limit of nodes depends on it."""


@dataclass(frozen=True)
class Mixture:
    """Which positions are taken.

    Attributes:
        seed: Seed of all random numbers; each game has its own.
        players: Specs of the agents; each side of a game is one of them, drawn independently and uniformly.
        most_opening_plies: The first plies of a game, 0 to that many with equal probability, are random.
        first_ply: Stones on the board of the earliest position taken; earlier ones are mostly too hard.
        positions_a_game: How many different positions of a game are taken at most, uniformly drawn.
        node_limit: Nodes that the solver may search to label a position; harder ones are left out.
    """

    seed: int = 0
    players: tuple[str, ...] = (
        "random",
        "minimax:depth=1",
        "minimax:depth=2",
        "minimax:depth=3",
        "mcts:iterations=100",
        "mcts:iterations=1000",
    )
    most_opening_plies: int = 6
    first_ply: int = 4
    positions_a_game: int = 3
    node_limit: int = 300_000


@dataclass(frozen=True)
class Labelled:
    """A position with the cells that win and the cells that draw; the others lose."""

    position: Position
    wins: tuple[int, ...]
    draws: tuple[int, ...]

    def record(self, move: Symmetry) -> tuple[int, ...]:
        """Returns the words of a `SUITES_RECORD`, moved by a symmetry."""
        board = self.position.board
        words = (self.position.first, self.position.second)
        stones = [board.word_cells(word) for word in words]
        return tuple(
            sum(board.bit(move.cell(cell)) for cell in cells)
            for cells in (board.bricks, *stones, self.wins, self.draws)
        )


def collect(boards: Sequence[Board], per_board: int, mixture: Mixture) -> tuple[np.ndarray, Counter]:
    """Returns labelled positions of boards that are all mirror images of the first.

    Returns:
        Records `[boards, per_board] RECORD`, the first and the second player to move in turn; and counts of
        the games, and of the positions that were taken or left out, by the reason (see `_judge`).

    Raises:
        ValueError: There are too few such positions.
    """
    home = canonical_board(boards[0])
    moves = [next(each for each in _symmetries(home) if each.board(home) == board) for board in boards]
    records = np.zeros((len(boards), per_board), SUITES_RECORD)
    open_slots = [
        [(board, slot) for slot in range(side, per_board, 2) for board in range(len(boards))]
        for side in (0, 1)
    ]
    counts: Counter = Counter()
    seen: set[Position] = set()
    solver = Solver(TABLE_MB)
    for position in _played(home, mixture, MOST_GAMES * records.size, counts):
        slots = open_slots[position.to_move]
        found = _judge(position, seen, solver, mixture.node_limit) if slots else "enough"
        counts["taken" if isinstance(found, Labelled) else found] += 1
        if isinstance(found, Labelled):
            board, slot = slots.pop(0)
            records[board, slot] = found.record(moves[board])
        if not any(open_slots):
            return records, counts
    raise ValueError(
        f"{counts['games']} games on {home} gave {counts['taken']} of {records.size} positions: ask for fewer"
    )


def _played(board: Board, mixture: Mixture, games: int, counts: Counter) -> Iterator[Position]:
    """Yields the positions taken from each of `games` games, which it counts."""
    agents = {spec: make_agent(spec) for spec in mixture.players}
    for game in range(games):
        counts["games"] += 1
        rng = np.random.default_rng(np.random.SeedSequence(mixture.seed, spawn_key=(*board.bricks, game)))
        late = _game(board, agents, mixture.most_opening_plies, rng)[mixture.first_ply :]
        count = min(mixture.positions_a_game, len(late))
        yield from (late[index] for index in sorted(rng.choice(len(late), count, replace=False)))


def _game(
    board: Board, agents: Mapping[str, Agent], most_opening_plies: int, rng: np.random.Generator
) -> list[Position]:
    """Returns the unfinished positions of a game."""
    opening_plies = rng.integers(most_opening_plies + 1)
    specs = rng.choice(list(agents), 2)
    positions = []
    position = Position.start(board)
    while not position.outcome:
        positions.append(position)
        if position.plies < opening_plies:
            cell = rng.choice(position.legal_cells())
        else:
            spec = specs[position.to_move]
            cell = ask_by_name(spec, agents[spec], position, rng).cell
        position = position.play(cell)
    return positions


def _judge(position: Position, seen: set[Position], solver: Solver, node_limit: int) -> Labelled | str:
    """Returns the labelled mirror image of a position that is added to those `seen`, or why it is left out.

    The reasons: "repeated", "unproven" within the limit, "lost" whatever is played, and "idle": whatever is
    played keeps the value.
    """
    position = _canonical(position)
    if position in seen:
        return "repeated"
    seen.add(position)
    verdicts = solver.classify(position, node_limit, plies=False)
    values = {cell: verdict.value for cell, verdict in verdicts.items() if verdict.value is not None}
    if len(values) < len(verdicts):
        return "unproven"
    best, worst = max(values.values()), min(values.values())
    if best == worst:
        return "lost" if best == -1 else "idle"
    wins, draws = (tuple(cell for cell in values if values[cell] == value) for value in (1, 0))
    return Labelled(position, wins, draws)


def _canonical(position: Position) -> Position:
    """Returns the mirror image with the smallest bricks, and of those the one with the smallest words."""
    images = (each.position(position) for each in _symmetries(position.board))
    return min(images, key=lambda image: (image.board.bricks, image.first, image.second))


def _symmetries(board: Board) -> tuple[Symmetry, ...]:
    return symmetries(board.rows, board.cols)
