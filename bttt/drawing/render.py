"""Pictures of a position: as text, as SVG, and as pixels.

SVG and pixels show the same picture: O is a ring, X a cross, a brick a wall. The cell of the last move is
coloured, a line crosses the winning stones, and the margin has row letters and column numbers. The constants
of this module set colours, and lengths as fractions of a cell's side.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from bttt.board import row_name
from bttt.drawing.raster import Canvas, Coordinates, Segment
from bttt.position import FIRST, OUTCOME_TEXT, SECOND, SYMBOLS, Outcome, Position

RENDER_MODES = ("ansi", "human", "rgb_array")
"""The render modes of the environments."""

PAPER, CELL, LAST_MOVE, TEXT = "#e9e4d8", "#fbf9f4", "#ffe48a", "#6b6558"
STONE_COLORS = ("#1f6feb", "#d9480f")
BRICK, MORTAR, LINE = "#a65a42", "#e3cfc0", "#22262e"
GAP, CORNER = 0.03, 0.10
RING_RADIUS, CROSS_REACH, STONE_WIDTH, LINE_WIDTH = 0.27, 0.23, 0.11, 0.07
TEXT_HEIGHT, MARGIN = 0.24, 0.5
LINE_OPACITY = 0.85
BRICK_COURSES = 4
SVG_CELL = 48
MIN_CELL_SIZE = 8


def draw(position: Position, mode: str | None) -> str | np.ndarray | None:
    """Returns the position drawn in one of `RENDER_MODES`; "human" prints the text and returns None.

    Raises:
        ValueError: The mode is not one of `RENDER_MODES`.
    """
    if mode == "human":
        print(ansi(position), flush=True)
        return None
    return frame(position, mode)


def frame(position: Position, mode: str | None) -> str | np.ndarray:
    """Returns the position as text ("ansi") or as an image `[H, W, 3] uint8` ("rgb_array").

    Raises:
        ValueError: The mode is neither "ansi" nor "rgb_array".
    """
    if mode == "ansi":
        return ansi(position)
    if mode == "rgb_array":
        return rgb_array(position)
    raise ValueError(f"render_mode must be one of {', '.join(map(repr, RENDER_MODES))} to draw, got {mode!r}")


def ansi(position: Position, marks: Mapping[int, str] | None = None) -> str:
    """Returns the position as text: stones O and X, bricks #, the last move in brackets, and a caption.

    Args:
        position: The position.
        marks: Short strings by cell, shown instead of the cell's symbol; default: none.
    """
    marks = marks or {}
    board = position.board
    labels = [row_name(row) for row in range(board.rows)]
    margin = max(map(len, labels)) + 1
    width = max(map(len, [str(board.cols), *marks.values()]))
    header = " " * margin + "".join(f" {col + 1:>{width}} " for col in range(board.cols))
    lines = [header.rstrip()]
    for row, codes in enumerate(position.cells.reshape(board.rows, board.cols)):
        cells = []
        for col, code in enumerate(codes):
            last = position.last_move == row * board.cols + col
            before, after = "[]" if last else "  "
            text = marks.get(row * board.cols + col, SYMBOLS[code])
            cells.append(f"{before}{text}{after}".rjust(width + 2))
        lines.append(f"{labels[row]:<{margin}}" + "".join(cells).rstrip())
    return "\n".join([*lines, caption(position)])


def caption(position: Position) -> str:
    """Returns the state of the game in one line: who is to move, or who has won and how."""
    name = position.board.cell_name
    if position.outcome == Outcome.UNFINISHED:
        return f"{SYMBOLS[1 + position.to_move]} to move"
    winner = position.outcome.winner
    if winner is None:
        return OUTCOME_TEXT[Outcome.DRAW]
    line = " ".join(map(name, position.winning_line()))
    return f"{SYMBOLS[1 + winner]} wins: {line}"


def _center(position: Position, cell: int) -> Coordinates:
    """Returns the centre of a cell, (x, y) from the picture's top left corner, in units of a cell's side."""
    row, col = divmod(cell, position.board.cols)
    return MARGIN + col + 0.5, MARGIN + row + 0.5


def _labels(position: Position) -> list[tuple[str, Coordinates]]:
    """Returns the row letters and column numbers, each with its centre."""
    rows = [(row_name(row), (MARGIN / 2, MARGIN + row + 0.5)) for row in range(position.board.rows)]
    cols = [(str(col + 1), (MARGIN + col + 0.5, MARGIN / 2)) for col in range(position.board.cols)]
    return rows + cols


def _cross(x: float, y: float) -> list[Segment]:
    """Returns the arms of an X around a point."""
    reach = CROSS_REACH
    return [
        ((x - reach, y - reach), (x + reach, y + reach)),
        ((x - reach, y + reach), (x + reach, y - reach)),
    ]


def _winning_segments(position: Position) -> list[Segment]:
    """Returns a segment from the first to the last stone of each winning window; usually there is one."""
    line = set(position.winning_line())
    board = position.board
    windows = [board.word_cells(word) for word in board.windows] if line else []
    return [
        (_center(position, window[0]), _center(position, window[-1]))
        for window in windows
        if line.issuperset(window)
    ]


def _brick_faces() -> list[tuple[float, float, float, float]]:
    """Returns the bricks of the wall in a brick cell as (left, top, width, height), fractions of its side."""
    inner = 1 - 2 * GAP
    height = inner / BRICK_COURSES
    faces = []
    for course in range(BRICK_COURSES):
        joints = [0, 0.5, 1] if course % 2 == 0 else [0, 0.25, 0.75, 1]
        for left, right in pairwise(joints):
            faces.append(
                (
                    GAP + left * inner + GAP / 2,
                    GAP + course * height + GAP / 2,
                    (right - left) * inner - GAP,
                    height - GAP,
                )
            )
    return faces


def svg(position: Position) -> str:
    """Returns the position as a self-contained SVG picture, for notebooks and reports."""
    board = position.board
    width, height = board.cols + 2 * MARGIN, board.rows + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width * SVG_CELL:g}" height="{height * SVG_CELL:g}" role="img">',
        f"<title>{board}: {caption(position)}</title>",
        _svg_rectangle(0, 0, width, height, PAPER, CORNER),
    ]
    style = f'font-family="sans-serif" font-size="{1.2 * TEXT_HEIGHT:g}" fill="{TEXT}" text-anchor="middle"'
    parts += [
        f'<text x="{x:g}" y="{y:g}" {style} dominant-baseline="central">{label}</text>'
        for label, (x, y) in _labels(position)
    ]
    for cell, code in enumerate(position.cells):
        parts += _svg_cell(position, cell, SYMBOLS[code])
    lines = _svg_lines(_winning_segments(position), LINE, LINE_WIDTH)
    return "".join([*parts, f'<g opacity="{LINE_OPACITY}">', *lines, "</g></svg>"])


def _svg_cell(position: Position, cell: int, symbol: str) -> list[str]:
    x, y = _center(position, cell)
    left, top, side = x - 0.5, y - 0.5, 1 - 2 * GAP
    parts = [_svg_rectangle(left + GAP, top + GAP, side, side, _cell_color(position, cell, symbol), CORNER)]
    if symbol == "#":
        parts += [
            _svg_rectangle(left + face_left, top + face_top, width, height, BRICK, GAP)
            for face_left, face_top, width, height in _brick_faces()
        ]
    elif symbol == "O":
        parts.append(
            f'<circle cx="{x:g}" cy="{y:g}" r="{RING_RADIUS}" fill="none" '
            f'stroke="{STONE_COLORS[FIRST]}" stroke-width="{STONE_WIDTH}"/>'
        )
    elif symbol == "X":
        parts += _svg_lines(_cross(x, y), STONE_COLORS[SECOND], STONE_WIDTH)
    return parts


def _svg_rectangle(left: float, top: float, width: float, height: float, color: str, radius: float) -> str:
    return (
        f'<rect x="{left:.4g}" y="{top:.4g}" width="{width:.4g}" height="{height:.4g}" '
        f'rx="{radius}" fill="{color}"/>'
    )


def _svg_lines(segments: list[Segment], color: str, width: float) -> list[str]:
    return [
        f'<line x1="{x1:.4g}" y1="{y1:.4g}" x2="{x2:.4g}" y2="{y2:.4g}" '
        f'stroke="{color}" stroke-width="{width}" stroke-linecap="round"/>'
        for (x1, y1), (x2, y2) in segments
    ]


def _cell_color(position: Position, cell: int, symbol: str) -> str:
    if symbol == "#":
        return MORTAR
    return LAST_MOVE if cell == position.last_move else CELL


def rgb_array(position: Position, *, cell_size: int = 48) -> np.ndarray:
    """Returns the position as an image, `[H, W, 3] uint8`.

    Args:
        position: The position.
        cell_size: Pixels of a cell's side, at least 8; H is `(rows + 1) * cell_size`, W likewise.

    Raises:
        ValueError: The cells are too small.
    """
    if cell_size < MIN_CELL_SIZE:
        raise ValueError(f"cell_size must be at least {MIN_CELL_SIZE} pixels, got {cell_size}")
    board = position.board
    canvas = Canvas(board.cols + 2 * MARGIN, board.rows + 2 * MARGIN, scale=cell_size, color=PAPER)
    for label, center in _labels(position):
        canvas.text(label, center, height=TEXT_HEIGHT, color=TEXT)
    for cell, code in enumerate(position.cells):
        _paint_cell(canvas, position, cell, SYMBOLS[code])
    canvas.lines(_winning_segments(position), width=LINE_WIDTH, color=LINE, opacity=LINE_OPACITY)
    return canvas.pixels()


def _paint_cell(canvas: Canvas, position: Position, cell: int, symbol: str) -> None:
    x, y = _center(position, cell)
    left, top, side = x - 0.5, y - 0.5, 1 - 2 * GAP
    color = _cell_color(position, cell, symbol)
    canvas.rectangle((left + GAP, top + GAP), (side, side), radius=CORNER, color=color)
    if symbol == "#":
        for face_left, face_top, width, height in _brick_faces():
            canvas.rectangle((left + face_left, top + face_top), (width, height), radius=GAP, color=BRICK)
    elif symbol == "O":
        canvas.ring((x, y), RING_RADIUS, width=STONE_WIDTH, color=STONE_COLORS[FIRST])
    elif symbol == "X":
        canvas.lines(_cross(x, y), width=STONE_WIDTH, color=STONE_COLORS[SECOND])
