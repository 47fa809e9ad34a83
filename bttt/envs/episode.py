"""Shared parts of the environments: an episode's boards, seats, reset options and spaces."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
from gymnasium import logger, spaces

from bttt.board import Board
from bttt.bricks import brick_sets
from bttt.observation import PLANES
from bttt.runs import nearest

Bricks = str | Board | Iterable[str | Board | Mapping[str, Any]]
"""Brick placements: the name of a brick set (see `bttt.bricks`), a board, or several of either.

In a list a board may be a mapping of its fields: this is what Gymnasium's `spec.to_json` makes of it.
"""

SEATS = ("first", "second", "alternating")
"""The learner's seat. With "alternating" it moves first in the first episode after a seed."""
ILLEGAL = ("loss", "raise")
"""Effect of an illegal action: "loss" ends the episode as a loss, "raise" raises ValueError."""
PLANES_ALONE, WITH_MASK = "planes", "dict"
OBSERVATIONS = (PLANES_ALONE, WITH_MASK)
"""Form of an observation: the planes alone, or a dict with `observation` (the planes) and `action_mask`."""


def episode_boards(bricks: Bricks, size: Board) -> tuple[Board, ...]:
    """Returns the boards an episode draws from, each once, in order.

    Args:
        bricks: The brick placements.
        size: A board that gives the size and win length of the brick sets.

    Raises:
        ValueError: No brick set has the given name, or a board has a different size or win length.
    """
    if not isinstance(bricks, str | Board | Mapping | Iterable):
        raise ValueError(f"bricks must be the name of a brick set, a Board or a list of them, got {bricks!r}")
    boards: dict[Board, None] = {}
    for entry in [bricks] if isinstance(bricks, str | Board | Mapping) else bricks:
        board = Board(**entry) if isinstance(entry, Mapping) else entry
        boards |= dict.fromkeys([board] if isinstance(board, Board) else brick_sets(board, size))
    if not boards:
        raise ValueError("bricks is empty: give at least one brick set or board")
    for board in boards:
        if board.with_bricks(()) != size.with_bricks(()):
            raise ValueError(
                f"board {board} does not have the environment's size {size.with_bricks(())}: "
                "set rows, cols and win_length, or leave this board out"
            )
    return tuple(boards)


def bricks_option(options: Mapping[str, Any] | None, *others: str) -> Bricks | None:
    """Returns the brick placements in the options of `reset`, `{"bricks": ...}`, or None.

    Args:
        options: The options.
        *others: The other options that are allowed.

    Raises:
        ValueError: The options are no dict, or one of them is not allowed.
    """
    if not isinstance(options, Mapping | None):
        raise ValueError(f"options must be a dict or None, got {options!r}")
    unknown = set(options or ()) - {"bricks", *others}
    if unknown:
        only = " and ".join(map(repr, ("bricks", *others)))
        verb = "ones are" if others else "one is"
        raise ValueError(f"unknown reset options {sorted(unknown)}; the only {verb} {only}")
    return (options or {}).get("bricks")


def check_choice(name: str, value: Any, allowed: Collection[Any]) -> None:
    """Raises ValueError unless an argument's value is allowed."""
    if value not in allowed:
        hint = nearest(str(value), list(map(str, allowed)))
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {value!r}{hint}")


def check_seat(seat: str, boards: Iterable[Board]) -> None:
    """Raises ValueError unless the seat is known and leaves the learner a move on each board."""
    check_choice("seat", seat, SEATS)
    for board in boards:
        if seat != "first" and board.playable.bit_count() == 1:
            raise ValueError(
                f"board {board} has only one free cell: with seat={seat!r} the learner cannot move"
            )


def observation_space(board: Board, form: str) -> spaces.Box | spaces.Dict:
    """Returns the space of observations in one of the `OBSERVATIONS`.

    The planes are `[4, rows, cols] int8`, the action mask is `[cells] int8`.
    """
    planes = spaces.Box(0, 1, (PLANES, board.rows, board.cols), np.int8)
    if form == PLANES_ALONE:
        return planes
    mask = spaces.Box(0, 1, (board.cells,), np.int8)
    return spaces.Dict({"observation": planes, "action_mask": mask})


def brick_mask(board: Board) -> np.ndarray:
    """Returns where a board has bricks, `[cells] int8` of zeros and ones."""
    mask = np.zeros(board.cells, np.int8)
    mask[list(board.bricks)] = 1
    return mask


def episode_size(rows: int, cols: int, win_length: int) -> Board:
    """Returns the board without bricks of an environment; warns if no winning line fits on it.

    Raises:
        ValueError: There is no such board.
    """
    size = Board(rows, cols, win_length)
    if size.size_warning:
        logger.warn(size.size_warning)
    return size


def warn_without_render_mode() -> None:
    """Warns, as Gymnasium's environments do, that `render` was called without a `render_mode`."""
    logger.warn(
        "render() was called without a render mode and draws nothing: choose one when the environment is "
        'made, for example render_mode="ansi"'
    )


def action_space(board: Board) -> spaces.Discrete:
    """Returns the space of actions: all cells, `row * cols + col`, including blocked and taken cells."""
    return spaces.Discrete(board.cells)
