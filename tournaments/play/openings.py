"""Openings: the first plies of a game, which the players do not choose.

An opening depends only on the seed and the opening key: the board and the repeat. Both seats, all pairs and
any number of processes therefore play the same openings.

- "random" openings are uniform.
- "balanced" openings are redrawn until the exact solver proves the required result of perfect play. The
  required winner alternates between the seats from board to board and from repeat to repeat, so each seat
  wins about half of the openings. On a board that is proven drawn from the start, every balanced opening is a
  proven draw.
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
"""Opening plies by kind. After an odd number of random plies the second player is to move, and wins often
enough: on 7x7 boards with one brick about 70% of random openings after 5 plies, but 2% after 4."""
MAX_DRAWS = 1000
NODE_LIMIT = 20_000
"""Maximum nodes of a proof, which take some milliseconds; an opening that needs more is redrawn."""
START_NODE_LIMIT = 1_000_000
"""Maximum nodes of the proof that a board is drawn from the start. If it fails, openings must be wins."""
WINS = (Outcome.FIRST_WINS, Outcome.SECOND_WINS)


def opening(seed: int, game: ScheduledGame, plies: int, kind: OpeningKind = "random") -> tuple[int, ...]:
    """Returns the opening's cells: `game.given`, or `plies` drawn cells that leave the game unfinished.

    Raises:
        ValueError: None of `MAX_DRAWS` random openings qualifies. They are too long for the board, or none
            is proven to have the result that a balanced opening requires.
    """
    if game.given is not None:
        return game.given
    if kind == "balanced":
        return _balanced(seed, game.opening_key, game.board, plies)
    return next(_random_openings(seed, game.opening_key, game.board, plies))[0]


def _random_openings(
    seed: int, key: tuple[int, ...], board: Board, plies: int
) -> Iterator[tuple[tuple[int, ...], Position]]:
    """Yields openings of uniform random cells with the position after them, if it is unfinished."""
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
def _balanced(seed: int, key: tuple[int, ...], board: Board, plies: int) -> tuple[int, ...]:
    wanted = Outcome.DRAW if _is_drawn(board) else WINS[sum(key) % 2]
    for cells, position in _random_openings(seed, key, board, plies):
        if proven_outcome(position, NODE_LIMIT) == wanted:
            return cells
    raise ValueError(
        f"no balanced opening with opening_plies={plies} on board {board}: none of {MAX_DRAWS} random "
        f"openings is proven to have the required result ({OUTCOME_TEXT[wanted]}); try another number of "
        "plies, or exclude the board"
    )


@lru_cache(maxsize=2**14)
def _is_drawn(board: Board) -> bool:
    return proven_outcome(Position.start(board), START_NODE_LIMIT) == Outcome.DRAW
