"""The picture of `bttt starts`: a small board for each brick placement, coloured by its first moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from bttt.board import Board, row_name
from bttt.solver import Verdict

GAP = 1
"""Cells between two small boards."""
MARGIN = 2
"""Cells around all small boards, for the labels; twice that at the bottom, for the legend."""
INCHES_A_CELL, DOTS_AN_INCH, FONT_SIZE = 0.21, 150, 6.5
BRICK, DRAW, UNPROVEN = "#22262e", "#f2c14e", "#c9c9c9"
LETTER_CELLS = 0.33
"""Width of a letter in the legend, in cells."""
SHADES = {1: ("#0d5c54", "#d3efe1"), -1: ("#9e1b1b", "#fbd9d0")}
"""Colours of the fastest and of the slowest wins and losses."""
DARK = 0.5
"""Brightness of a colour below which the numbers on it are white."""


def draw_starts(starts: Mapping[Board, Mapping[int, Verdict]], path: Path) -> None:
    """Writes a PNG of the first moves' verdicts, given by board (with one brick) and cell."""
    board = next(iter(starts))
    high, wide = board.rows + GAP, board.cols + GAP
    size = board.cols * wide - GAP + 2 * MARGIN, board.rows * high - GAP + 3 * MARGIN
    figure = Figure(figsize=(INCHES_A_CELL * size[0], INCHES_A_CELL * size[1]), dpi=DOTS_AN_INCH)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-MARGIN, size[0] - MARGIN), ylim=(size[1] - MARGIN, -MARGIN), aspect="equal")
    axes.set_axis_off()
    colors = _colors([verdict for moves in starts.values() for verdict in moves.values()])
    for each, moves in starts.items():
        row, col = divmod(each.bricks[0], board.cols)
        _draw_board(axes, each, moves, colors, (col * wide, row * high))
    for row in range(board.rows):
        axes.text(-MARGIN / 2, row * high + board.rows / 2, row_name(row), ha="center", va="center")
    for col in range(board.cols):
        axes.text(col * wide + board.cols / 2, -MARGIN / 2, str(col + 1), ha="center", va="center")
    _draw_legend(axes, colors, size[1] - 2 * MARGIN)
    figure.savefig(path)


def _colors(verdicts: Sequence[Verdict]) -> dict[Verdict, tuple[float, ...]]:
    """Returns a colour for each verdict, from dark for the fewest plies to light for the most."""
    colors = {}
    for value, shades in SHADES.items():
        fast, slow = map(np.array, map(to_rgb, shades))
        found = sorted({each.plies for each in verdicts if each.value == value and each.plies is not None})
        for plies, share in zip(found, np.linspace(0, 1, len(found)), strict=True):
            colors[Verdict(value, plies)] = tuple(fast + share * (slow - fast))
        colors[Verdict(value)] = to_rgb(shades[1])
    for verdict in verdicts:
        colors.setdefault(verdict, to_rgb(UNPROVEN if verdict.value is None else DRAW))
    return colors


def _draw_board(
    axes: Axes,
    board: Board,
    moves: Mapping[int, Verdict],
    colors: Mapping[Verdict, tuple[float, ...]],
    corner: tuple[int, int],
) -> None:
    """Draws one small board with its top left corner at `corner`."""
    left, top = corner
    image = np.empty((board.cells, 3))
    image[list(board.bricks)] = to_rgb(BRICK)
    for cell, verdict in moves.items():
        image[cell] = colors[verdict]
        row, col = divmod(cell, board.cols)
        _write(axes, (left + col, top + row), verdict, colors[verdict])
    extent = (left, left + board.cols, top + board.rows, top)
    axes.imshow(image.reshape(board.rows, board.cols, 3), extent=extent, interpolation="nearest")


def _write(axes: Axes, corner: tuple[float, float], verdict: Verdict, color: tuple[float, ...]) -> None:
    """Writes the verdict into a cell: the plies of a win or loss, = for a draw, or ?."""
    text = {None: "?", 0: "="}.get(verdict.value, "" if verdict.plies is None else str(verdict.plies))
    ink = "white" if np.mean(color) < DARK else "black"
    x, y = corner[0] + 0.5, corner[1] + 0.55
    axes.text(x, y, text, ha="center", va="center", fontsize=FONT_SIZE, color=ink)


def _draw_legend(axes: Axes, colors: Mapping[Verdict, tuple[float, ...]], top: float) -> None:
    """Draws, for each value that occurs, patches of its shortest and longest verdicts and their meaning."""
    left = 0.0
    for value, meaning in (
        (1, "wins after these plies"),
        (0, "draws"),
        (-1, "loses"),
        (None, "not proven (no number: plies not proven)"),
    ):
        known = [each for each in colors if each.value == value and (not value or each.plies is not None)]
        known.sort(key=lambda each: each.plies or 0)
        patches = [known[0], known[-1]] if value and len(known) > 1 else known[:1]
        for verdict in patches:
            axes.add_patch(Rectangle((left, top), 1, 1, color=colors[verdict], linewidth=0))
            _write(axes, (left, top), verdict, colors[verdict])
            left += 1
        if patches:
            axes.text(left + 0.3, top + 0.55, meaning, va="center", fontsize=FONT_SIZE + 2)
            left += 2 + LETTER_CELLS * len(meaning)
