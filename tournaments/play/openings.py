"""Openings: the plies of a game that the players do not choose.

An opening is drawn from the seed, the board's number and the repeat alone: both seats, all pairs and any
number of processes get the same. Those of kind "random" are uniform. Those of kind "balanced" are drawn
until the exact solver proves that perfect play ends as wanted: for the boards' numbers and repeats in turn,
the first and the second player wins, so that of any run of games about half are won from each seat. On a
board that is proven drawn from the start, every balanced opening is proven drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

import numpy as np

from bttt import OUTCOME_TEXT, Board, Outcome, Position
from tournaments.play.proven import proven_outcome
from tournaments.play.schedule import ScheduledGame

OpeningKind = Literal["random", "balanced"]
DEFAULT_PLIES: dict[OpeningKind, int] = {"random": 0, "balanced": 5}
"""After an odd number of random plies the second player is to move and wins often enough: of random openings
on one-brick 7x7 boards about 70% after 5 plies, but 2% after 4."""
MAX_DRAWS = 1000
NODE_LIMIT = 20_000
"""Of a proof, some milliseconds: an opening that needs more is drawn anew."""
START_NODE_LIMIT = 1_000_000
"""Of the proof that a board is drawn from the start; without one, wins are wanted."""
WINS = (Outcome.FIRST_WINS, Outcome.SECOND_WINS)


def opening(seed: int, game: ScheduledGame, plies: int, kind: OpeningKind = "random") -> tuple[int, ...]:
    """Returns the cells that a game begins with, `plies` or as given; the game is unfinished after them.

    Raises:
        ValueError: None of `MAX_DRAWS` random openings is as wanted: where they are too long for the board,
            or, of balanced ones, hardly ever proven won for the player wanted.
    """
    if game.given is not None:
        return game.given
    if kind == "balanced":
        return _balanced(seed, game.opening_key, game.board, plies)
    return next(_random_openings(seed, game.opening_key, game.board, plies))[0]


def _random_openings(
    seed: int, key: tuple[int, int], board: Board, plies: int
) -> Iterator[tuple[tuple[int, ...], Position]]:
    """Yields uniform random cells, and the position after them, wherever that is unfinished."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
    found = 0
    for _ in range(MAX_DRAWS):
        position = Position.start(board)
        cells: list[int] = []
        while len(cells) < plies and not position.outcome:
            cells.append(int(rng.choice(position.legal_cells())))
            position = position.play(cells[-1])
        if not position.outcome:
            found += 1
            yield tuple(cells), position
    if not found:
        raise ValueError(
            f"opening_plies={plies} is too long for board {board}: "
            f"{MAX_DRAWS} random openings all ended the game"
        )


@lru_cache(maxsize=2**14)
def _balanced(seed: int, key: tuple[int, int], board: Board, plies: int) -> tuple[int, ...]:
    wanted = Outcome.DRAW if _is_drawn(board) else WINS[sum(key) % 2]
    for cells, position in _random_openings(seed, key, board, plies):
        if proven_outcome(position, NODE_LIMIT) == wanted:
            return cells
    raise ValueError(
        f"no balanced opening with opening_plies={plies} on board {board}: of none of {MAX_DRAWS} random "
        f"openings it is proven that perfect play ends as wanted ({OUTCOME_TEXT[wanted]}); try another "
        "number, or leave the board out"
    )


@lru_cache(maxsize=2**14)
def _is_drawn(board: Board) -> bool:
    return proven_outcome(Position.start(board), START_NODE_LIMIT) == Outcome.DRAW
