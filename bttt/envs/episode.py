"""What the environments share: the boards an episode may be played on, seats, options and spaces."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from bttt.board import Board
from bttt.bricks import brick_sets
from bttt.observation import PLANES

Bricks = str | Board | Iterable[str | Board]
"""Brick placements: the text of a brick set (see `bttt.bricks`), a board, or several of either."""

SEATS = ("first", "second", "alternating")
"""The learner's seat; where it alternates, the first episode after a seed is played first."""
ILLEGAL = ("loss", "raise")
"""What an illegal action does: it ends the episode as a loss, or raises ValueError."""


def episode_boards(bricks: Bricks, size: Board) -> tuple[Board, ...]:
    """Returns the boards an episode draws from, each once, in order.

    Args:
        bricks: The brick placements.
        size: A board whose size and win length the brick sets' texts are for.

    Raises:
        ValueError: A text is not a brick set, or a board has another size or win length.
    """
    boards: dict[Board, None] = {}
    for entry in [bricks] if isinstance(bricks, str | Board) else bricks:
        boards |= dict.fromkeys([entry] if isinstance(entry, Board) else brick_sets(entry, size))
    if not boards:
        raise ValueError("bricks is empty: give at least one brick set or board")
    for board in boards:
        if board.with_bricks(()) != size.with_bricks(()):
            raise ValueError(
                f"board {board} is not of the environment's size {size.with_bricks(())}: "
                "set rows, cols and win_length, or leave that board out"
            )
    return tuple(boards)


def bricks_option(options: Mapping[str, Any] | None) -> Bricks | None:
    """Returns the brick placements that `reset(options={"bricks": ...})` asks for, or None."""
    unknown = set(options or ()) - {"bricks"}
    if unknown:
        raise ValueError(f"unknown reset options {sorted(unknown)}; the only one is 'bricks'")
    return (options or {}).get("bricks")


def check_choice(name: str, value: Any, allowed: Collection[Any]) -> None:
    """Raises ValueError unless an argument's value is one of those allowed."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}")


def check_seat(seat: str, boards: Iterable[Board]) -> None:
    """Raises ValueError unless the seat is known and leaves the learner a move on each board."""
    check_choice("seat", seat, SEATS)
    for board in boards:
        if seat != "first" and board.playable.bit_count() == 1:
            raise ValueError(f"board {board} has one free cell, so seat={seat!r} leaves the learner no move")


def observation_space(board: Board) -> spaces.Box:
    """Returns the space of the observation planes, `[4, rows, cols] int8`."""
    return spaces.Box(0, 1, (PLANES, board.rows, board.cols), np.int8)


def mask_space(board: Board) -> spaces.Box:
    """Returns the space of action masks, `[cells] int8`."""
    return spaces.Box(0, 1, (board.cells,), np.int8)


def action_space(board: Board) -> spaces.Discrete:
    """Returns the space of actions: the cells, `row * cols + col`, bricks and taken ones included."""
    return spaces.Discrete(board.cells)
