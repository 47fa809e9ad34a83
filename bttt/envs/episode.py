"""Shared parts of the environments: an episode's boards, seats, reset options and spaces."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from bttt.board import Board
from bttt.bricks import brick_sets
from bttt.observation import PLANES

Bricks = str | Board | Iterable[str | Board]
"""Brick placements: the name of a brick set (see `bttt.bricks`), a board, or several of either."""

SEATS = ("first", "second", "alternating")
"""The learner's seat. With "alternating" it moves first in the first episode after a seed."""
ILLEGAL = ("loss", "raise")
"""Effect of an illegal action: "loss" ends the episode as a loss, "raise" raises ValueError."""


def episode_boards(bricks: Bricks, size: Board) -> tuple[Board, ...]:
    """Returns the boards an episode draws from, each once, in order.

    Args:
        bricks: The brick placements.
        size: A board that gives the size and win length of the brick sets.

    Raises:
        ValueError: No brick set has the given name, or a board has a different size or win length.
    """
    boards: dict[Board, None] = {}
    for entry in [bricks] if isinstance(bricks, str | Board) else bricks:
        boards |= dict.fromkeys([entry] if isinstance(entry, Board) else brick_sets(entry, size))
    if not boards:
        raise ValueError("bricks is empty: give at least one brick set or board")
    for board in boards:
        if board.with_bricks(()) != size.with_bricks(()):
            raise ValueError(
                f"board {board} does not have the environment's size {size.with_bricks(())}: "
                "set rows, cols and win_length, or leave this board out"
            )
    return tuple(boards)


def bricks_option(options: Mapping[str, Any] | None) -> Bricks | None:
    """Returns the brick placements in the options of `reset`, `{"bricks": ...}`, or None."""
    unknown = set(options or ()) - {"bricks"}
    if unknown:
        raise ValueError(f"unknown reset options {sorted(unknown)}; the only one is 'bricks'")
    return (options or {}).get("bricks")


def check_choice(name: str, value: Any, allowed: Collection[Any]) -> None:
    """Raises ValueError unless an argument's value is allowed."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}")


def check_seat(seat: str, boards: Iterable[Board]) -> None:
    """Raises ValueError unless the seat is known and leaves the learner a move on each board."""
    check_choice("seat", seat, SEATS)
    for board in boards:
        if seat != "first" and board.playable.bit_count() == 1:
            raise ValueError(
                f"board {board} has only one free cell: with seat={seat!r} the learner cannot move"
            )


def observation_space(board: Board) -> spaces.Box:
    """Returns the space of the observation planes, `[4, rows, cols] int8`."""
    return spaces.Box(0, 1, (PLANES, board.rows, board.cols), np.int8)


def mask_space(board: Board) -> spaces.Box:
    """Returns the space of action masks, `[cells] int8`."""
    return spaces.Box(0, 1, (board.cells,), np.int8)


def action_space(board: Board) -> spaces.Discrete:
    """Returns the space of actions: all cells, `row * cols + col`, including blocked and taken cells."""
    return spaces.Discrete(board.cells)
