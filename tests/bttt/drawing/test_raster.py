import numpy as np
import pytest

from bttt.drawing.raster import STROKES, Canvas


def test_each_character_has_its_own_shape_inside_the_margin():
    pictures = set()
    for character in STROKES:
        canvas = Canvas(1, 1, scale=24, color="#ffffff")
        canvas.text(character, (0.5, 0.5), height=0.6, color="#000000")
        image = canvas.pixels()
        assert image[:3].min() == image[-3:].min() == image[:, :3].min() == image[:, -3:].min() == 255
        assert image.min() < 100
        pictures.add(image.tobytes())
    assert len(pictures) == len(STROKES) - 1  # O and 0 look the same


def test_a_filled_rectangle_covers_its_area():
    canvas = Canvas(4, 4, scale=8, color="#000000")
    canvas.rectangle((1, 1), (2, 1.5), radius=0, color="#ffffff")
    assert canvas.pixels()[..., 0].sum() / 255 == pytest.approx(2 * 1.5 * 64, rel=0.02)


def test_a_ring_and_a_line_cover_their_areas():
    canvas = Canvas(4, 4, scale=16, color="#000000")
    canvas.ring((2, 2), 1, width=0.25, color="#ffffff")
    assert canvas.pixels()[..., 0].sum() / 255 == pytest.approx(2 * np.pi * 0.25 * 256, rel=0.02)
    canvas = Canvas(4, 4, scale=16, color="#000000")
    line = ((1.0, 1.0), (3.0, 2.0))
    canvas.lines([line, line], width=0.5, color="#ffffff")
    area = np.hypot(2, 1) * 0.5 + np.pi * 0.25**2
    assert canvas.pixels()[..., 0].sum() / 255 == pytest.approx(area * 256, rel=0.02)
