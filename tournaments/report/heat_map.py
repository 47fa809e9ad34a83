"""Heat maps of the first player's score by brick cell, as inline SVG.

Colours are CSS classes, from `s0` (every game lost) to `s10` (every game won), so that light and dark schemes
can differ. A cell without games has the class `none`. The page must contain `HATCH` once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import isnan

from bttt import Board, row_name
from tournaments.standings import Tally

SCORE_STEPS = 10
GUTTER = 10
"""Width of the margin for row letters and column numbers, in pixels."""
HATCH = (
    '<svg class="defs" width="0" height="0" aria-hidden="true"><defs>'
    '<pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect class="hatch-ground" width="5" height="5"/><line class="hatch-line" y2="5"/>'
    "</pattern></defs></svg>"
)


def score_class(score: float) -> str:
    """Returns the colour class of a score in [0, 1], or "none" for nan."""
    return "none" if isnan(score) else f"s{round(SCORE_STEPS * score)}"


def heat_map(
    shape: Board,
    tallies: Mapping[int, Tally],
    board_numbers: Mapping[int, int],
    *,
    cell_size: int = 11,
    values: bool = False,
    framed: Collection[int] = (),
    attributes: str = "",
) -> str:
    """Returns the SVG of one map.

    Args:
        shape: A board of the size to draw; its bricks are ignored.
        tallies: The first player's tally by brick cell; missing cells have no games.
        board_numbers: By brick cell, the number of the board; it becomes the drawn cell's `data-board`.
        cell_size: Side of a cell, in pixels.
        values: Whether to print the score in per cent in each cell.
        framed: Cells with a frame, for example the training cells of a player.
        attributes: Additional attributes of the svg element, as HTML.
    """
    width, height = GUTTER + shape.cols * cell_size, GUTTER + shape.rows * cell_size
    parts = [
        f'<svg class="map" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img"'
        f"{' ' if attributes else ''}{attributes}>"
    ]
    for col in range(shape.cols):
        parts.append(f'<text class="tick" x="{GUTTER + (col + 0.5) * cell_size:g}" y="7">{col + 1}</text>')
    for row in range(shape.rows):
        y = GUTTER + (row + 0.5) * cell_size + 2.5
        parts.append(f'<text class="tick" x="4" y="{y:g}">{row_name(row)}</text>')
    for cell in range(shape.cells):
        tally = tallies.get(cell, Tally())
        parts.append(_cell(shape, cell, tally, board_numbers.get(cell), cell_size, values))
    parts += [_frame(*divmod(cell, shape.cols), cell_size) for cell in sorted(framed)]
    return "".join([*parts, "</svg>"])


def _frame(row: int, col: int, size: int) -> str:
    x, y = GUTTER + col * size + 0.5, GUTTER + row * size + 0.5
    return f'<rect class="frame" x="{x}" y="{y}" width="{size - 2}" height="{size - 2}"/>'


def _cell(shape: Board, cell: int, tally: Tally, board: int | None, size: int, values: bool) -> str:
    row, col = divmod(cell, shape.cols)
    x, y = GUTTER + col * size, GUTTER + row * size
    place = f'x="{x}" y="{y}" width="{size - 1}" height="{size - 1}"'
    name = shape.cell_name(cell)
    if not tally.games:
        return f'<rect class="none" {place}><title>{name}: no games</title></rect>'
    percent = f"{100 * tally.score:.0f}"
    title = f"<title>{name}: {tally}, score {percent}%, {tally.distinct} unique</title>"
    kind = score_class(tally.score)
    rect = f'<rect class="{kind}" data-board="{board}" {place}>{title}</rect>'
    if values:
        middle = f'x="{x + (size - 1) / 2:g}" y="{y + size / 2 + 3:g}"'
        rect += f'<text class="value on-{kind}" {middle}>{percent}</text>'
    return rect
