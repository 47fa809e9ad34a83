"""Positions that are proven won for one side, and the games in which agents play the winning side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from bttt import FIRST, Board, Position, Suite
from tournaments.play import ScheduledGame, proven_outcome

NODE_LIMIT = 20_000_000
"""Maximum nodes of the proof that a board is won from the start."""


@dataclass(frozen=True, slots=True)
class WonStart:
    """A position from which one side wins.

    Attributes:
        board: The board.
        cells: Cells that lead to the position.
        winner: Seat of the side that wins, FIRST or SECOND.
    """

    board: Board
    cells: tuple[int, ...]
    winner: int


def empty_starts(boards: Sequence[Board]) -> list[WonStart]:
    """Returns the starts on the empty `boards` that are proven won."""
    outcomes = [proven_outcome(Position.start(board), NODE_LIMIT) for board in boards]
    return [
        WonStart(board, (), outcome.winner)
        for board, outcome in zip(boards, outcomes, strict=True)
        if outcome is not None and outcome.winner is not None
    ]


def suite_starts(suite: Suite, boards: Container[Board], count: int) -> list[WonStart]:
    """Returns, for each of `boards`, the first `count` positions of a suite that the player to move wins."""
    taken: Counter[Board] = Counter()
    starts = []
    for position, value in zip(suite.positions(), suite.values.tolist(), strict=True):
        board = position.board
        if value == 1 and board in boards and taken[board] < count:
            taken[board] += 1
            starts.append(WonStart(board, cells_to(position), position.to_move))
    return starts


def cells_to(position: Position) -> tuple[int, ...]:
    """Returns cells that lead to an unfinished position. It has no line, so any order of its stones works."""
    sides = (position.board.word_cells(stones) for stones in (position.first, position.second))
    return tuple(cell for cell in chain.from_iterable(zip_longest(*sides)) if cell is not None)


def conversion_schedule(
    agents: Sequence[str], opponent: str, starts: Sequence[WonStart], repeats: int
) -> tuple[list[ScheduledGame], list[int]]:
    """Returns the games of each agent from each start, and the agent's seat: the winning side's."""
    games: list[ScheduledGame] = []
    seats: list[int] = []
    for repeat in range(repeats):
        for agent in agents:
            for number, start in enumerate(starts):
                pair = (agent, opponent) if start.winner == FIRST else (opponent, agent)
                key = (number, repeat)
                games.append(ScheduledGame(len(games), *pair, start.board, repeat, key, given=start.cells))
                seats.append(start.winner)
    return games, seats
