"""Positions for the suites: from games of a mixture of agents, labelled by the solver.

Boards that are mirror images of each other share their games, which are played on one of the boards. A
symmetry moves each position to the next board in turn. At most one of a position's mirror images is taken, so
no position repeats.
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
"""Maximum games per position wanted, before an error reports too few positions; about 2 are enough."""
TABLE_MB = 64
"""Size of the solver's table, in MiB. It is a constant because it affects which positions hit the limit."""


@dataclass(frozen=True)
class Mixture:
    """The rules by which positions are taken.

    Attributes:
        seed: Seed of all random numbers; each game has its own random stream.
        players: Specs of the agents; each side of a game is one of them, drawn independently and uniformly.
        most_opening_plies: Maximum random plies at the start of a game; the number is uniform from 0.
        first_ply: Number of stones in the earliest position taken; earlier positions are mostly too hard.
        positions_a_game: Maximum positions taken from a game; they are drawn uniformly and differ.
        node_limit: Maximum nodes that the solver searches to label a position; harder positions are skipped.
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
    """A position with its winning cells and its drawing cells; all other free cells lose."""

    position: Position
    wins: tuple[int, ...]
    draws: tuple[int, ...]

    def record(self, move: Symmetry) -> tuple[int, ...]:
        """Returns the words of a `SUITES_RECORD`, moved by the symmetry `move`."""
        board = self.position.board
        words = (self.position.first, self.position.second)
        stones = [board.word_cells(word) for word in words]
        return tuple(
            sum(board.bit(move.cell(cell)) for cell in cells)
            for cells in (board.bricks, *stones, self.wins, self.draws)
        )


def collect(boards: Sequence[Board], per_board: int, mixture: Mixture) -> tuple[np.ndarray, Counter[str]]:
    """Returns labelled positions for boards that are all mirror images of the first board.

    Returns:
        Records `[boards, per_board] SUITES_RECORD`, in which the first and the second player alternate as the
        player to move. Counts of the games, of the positions taken, and of the positions skipped by reason
        (see `_judge`).

    Raises:
        ValueError: The games yield too few such positions.
    """
    home = canonical_board(boards[0])
    moves = [next(each for each in _symmetries(home) if each.board(home) == board) for board in boards]
    records = np.zeros((len(boards), per_board), SUITES_RECORD)
    open_slots = [
        [(board, slot) for slot in range(side, per_board, 2) for board in range(len(boards))]
        for side in (0, 1)
    ]
    counts: Counter[str] = Counter()
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
        f"{counts['games']} games on {home} gave {counts['taken']} of {records.size} positions: "
        "ask for fewer positions per board"
    )


def _played(board: Board, mixture: Mixture, games: int, counts: Counter[str]) -> Iterator[Position]:
    """Yields the positions taken from each of `games` games, and counts the games."""
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
    """Returns the labelled mirror image of a position, or the reason to skip it; adds the image to `seen`.

    The reasons are "repeated", "unproven" within the node limit, "lost" (every move loses) and "idle" (every
    move keeps the value).
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
    """Returns the mirror image with the smallest bricks; ties are broken by the smallest words."""
    images = (each.position(position) for each in _symmetries(position.board))
    return min(images, key=lambda image: (image.board.bricks, image.first, image.second))


def _symmetries(board: Board) -> tuple[Symmetry, ...]:
    return symmetries(board.rows, board.cols)
