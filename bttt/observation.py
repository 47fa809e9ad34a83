"""The observation planes: a position as an environment shows it to a player.

An observation is `[4, rows, cols] int8`, zeros and ones, from one player's point of view (the viewer):

| plane | ones mark |
|---|---|
| 0 | the viewer's stones |
| 1 | the other player's stones |
| 2 | bricks |
| 3 | every cell if the viewer is the second player, no cell if it is the first |

Unless a seat is named, the viewer is the player to move, the *mover*. In a finished game it is the player
whose turn it would be: the one who did not place the last stone.
"""

from __future__ import annotations

import numpy as np

from bttt.board import WORD_BITS
from bttt.position import FIRST, SECOND, Position, word_planes

PLANES = 4
ALL_BITS = 2**WORD_BITS - 1


def observe(position: Position, seat: int | None = None) -> np.ndarray:
    """Returns the observation of `position`, `[4, rows, cols] int8`, from one seat.

    Args:
        position: The position.
        seat: The viewer, FIRST or SECOND; None for the player to move.

    Raises:
        ValueError: The seat is neither FIRST nor SECOND.
    """
    if seat is None:
        seat = position.to_move
    elif seat not in (FIRST, SECOND):
        raise ValueError(f"seat must be {FIRST} (first) or {SECOND} (second), got {seat!r}")
    stones = (position.first, position.second)
    board = position.board
    planes = np.empty((PLANES, board.rows, board.cols), np.int8)
    planes[:3] = word_planes(board, stones[seat], stones[1 - seat], ALL_BITS & ~board.playable)
    planes[3] = seat
    return planes
