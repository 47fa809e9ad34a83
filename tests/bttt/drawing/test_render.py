import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from oracle import positions

from bttt import Board, Position
from bttt.drawing.raster import rgb
from bttt.drawing.render import BRICK, CELL, LAST_MOVE, LINE, STONE_COLORS, ansi, draw, rgb_array, svg

SVG = "{http://www.w3.org/2000/svg}"


def play(board: Board, cells: str) -> Position:
    position = Position.start(board)
    for cell in cells.split():
        position = position.play(cell)
    return position


def colors(image: np.ndarray, position: Position, cell: str, cell_size: int) -> set[tuple[int, ...]]:
    """The colours in a cell."""
    row, col = divmod(position.board.cell(cell), position.board.cols)
    top, left = int((row + 0.5) * cell_size), int((col + 0.5) * cell_size)
    part = image[top : top + cell_size, left : left + cell_size]
    return set(map(tuple, part.reshape(-1, 3).tolist()))


def color(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in rgb(text))


def test_ansi_shows_stones_bricks_the_last_move_and_who_moves():
    position = play(Board(3, 4, 3, "B2"), "A1 C4 A3")
    assert ansi(position).split("\n") == [
        "   1  2  3  4",
        "A  O  . [O] .",
        "B  .  #  .  .",
        "C  .  .  .  X",
        "X to move",
    ]


def test_ansi_tells_the_end():
    assert ansi(play(Board(3, 3, 3), "A1 B1 A2 B2 A3")).endswith("\nO wins: A1 A2 A3")
    assert ansi(play(Board(3, 3, 3), "A1 B1 A2 B2 C3 B3")).endswith("\nX wins: B1 B2 B3")
    assert ansi(play(Board(1, 2, 3), "A1 A2")).endswith("\ndraw")


def test_ansi_keeps_columns_straight_where_names_are_long():
    wide = ansi(play(Board(2, 20, 3), "A1 B20")).split("\n")
    assert wide[0].rstrip().endswith("19  20")
    assert wide[0].index("20") + 1 == wide[2].index("X")
    tall = ansi(Position.start(Board(28, 1, 3))).split("\n")
    assert {line.index(".") for line in tall[1:-1]} == {4}
    assert tall[28].startswith("AB ")


@settings(max_examples=25)
@given(positions())
def test_svg_is_well_formed_and_shows_each_stone(position):
    root = ElementTree.fromstring(svg(position))
    rings = root.findall(f"{SVG}circle")
    arms = [line for line in root.findall(f"{SVG}line") if line.get("stroke") == STONE_COLORS[1]]
    assert len(rings) == position.first.bit_count()
    assert len(arms) == 2 * position.second.bit_count()
    marked = [part for part in root.findall(f"{SVG}rect") if part.get("fill") == LAST_MOVE]
    assert len(marked) == (position.last_move is not None)
    assert bool(root.findall(f"{SVG}g/{SVG}line")) == bool(position.winning_line())
    assert "href" not in svg(position)


def test_svg_draws_the_winning_line_through_its_stones():
    root = ElementTree.fromstring(svg(play(Board(3, 3, 3), "A1 A2 B2 B1 C3")))
    (line,) = root.findall(f"{SVG}g/{SVG}line")
    assert [line.get(name) for name in ("x1", "y1", "x2", "y2")] == ["1", "1", "3", "3"]


def test_notebooks_show_a_position_as_svg():
    position = Position.start(Board(3, 3, 3))
    assert position._repr_svg_() == svg(position)


def test_rgb_array_draws_what_is_on_each_cell():
    position = play(Board(5, 6, 4, "B2,E6"), "A1 C3 A2")
    size = 40
    image = rgb_array(position, cell_size=size)
    assert image.shape == (240, 280, 3)
    assert image.dtype == np.uint8
    seen = {name: colors(image, position, name, size) for name in ("A1", "A2", "B2", "C3", "D4", "E6")}
    first, second, brick, plain, last = map(color, (*STONE_COLORS, BRICK, CELL, LAST_MOVE))
    assert {name for name in seen if first in seen[name]} == {"A1", "A2"}
    assert {name for name in seen if second in seen[name]} == {"C3"}
    assert {name for name in seen if brick in seen[name]} == {"B2", "E6"}
    assert {name for name in seen if last in seen[name]} == {"A2"}
    assert {name for name in seen if plain in seen[name]} == {"A1", "C3", "D4"}


def test_rgb_array_draws_the_winning_line():
    before = rgb_array(play(Board(3, 3, 3), "A1 A2 B2 B1"))
    after = rgb_array(play(Board(3, 3, 3), "A1 A2 B2 B1 C3"))
    dark = np.abs(after.astype(int) - rgb(LINE)).max(axis=2) < 60
    rows, cols = np.nonzero(dark)
    assert rows.min() == pytest.approx(48, abs=3)
    assert rows.max() == pytest.approx(144, abs=3)
    assert np.abs(rows - cols).max() <= 4
    assert not (np.abs(before.astype(int) - rgb(LINE)).max(axis=2) < 60).any()


def test_rgb_array_is_smooth_and_the_same_each_time():
    position = play(Board(3, 3, 3), "B2")
    image = rgb_array(position)
    assert np.array_equal(image, rgb_array(position))
    assert len(colors(image, position, "B2", 48)) > 20  # edges are blended


def test_too_small_a_picture_is_refused():
    with pytest.raises(ValueError, match="at least 8 pixels, got 7"):
        rgb_array(Position.start(), cell_size=7)


def test_draw_knows_its_modes(capsys):
    position = Position.start(Board(3, 3, 3))
    assert draw(position, "ansi") == ansi(position)
    assert np.array_equal(draw(position, "rgb_array"), rgb_array(position))
    assert capsys.readouterr().out == ""
    assert draw(position, "human") is None
    assert capsys.readouterr().out == ansi(position) + "\n"
    with pytest.raises(ValueError, match="'ansi', 'human', 'rgb_array' to draw, got None"):
        draw(position, None)
