"""Anti-aliased drawing on numpy arrays: distances to simple shapes, and a small stroke font.

A shape's edge is drawn by its signed distance to each pixel's centre. A pixel is fully covered if its centre
is half a pixel inside, and not at all if it is half a pixel outside. Points are (x, y) from the top left
corner. Lengths and points are in units of `scale` pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

Coordinates = tuple[float, float]
Segment = tuple[Coordinates, Coordinates]
Color = str
"""A colour as "#rrggbb"."""

# Each character consists of strokes through the points of a lattice with 3 columns and 5 rows:
#   a b c / d e f / g h i / j k l / m n o
STROKES = {
    "A": "mdbfo gi", "B": "mabfhg hlnm", "C": "fbdjnl", "D": "mabflnm", "E": "camo gh", "F": "cam gh",
    "G": "fbdjnlih", "H": "am co gi", "I": "ac bn mo", "J": "clnj", "K": "am cgo", "L": "amo",
    "M": "maeco", "N": "maoc", "O": "bdjnlfb", "P": "mabfhg", "Q": "bdjnlfb ko", "R": "mabfhg ho",
    "S": "fbdhlnj", "T": "ac bn", "U": "ajnlc", "V": "anc", "W": "amkoc", "X": "ao cm", "Y": "ahc hn",
    "Z": "acmo", "0": "bdjnlfb", "1": "dbn mo", "2": "dbfmo", "3": "dbfhlnj", "4": "nbjl",
    "5": "caghlnm", "6": "cbdjnlhg", "7": "acn", "8": "bdhlnjhfb", "9": "mnlfbdhi",
}  # fmt: skip


def rgb(color: Color) -> np.ndarray:
    """Returns a "#rrggbb" colour as `[3] float32` in [0, 255]."""
    return np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)], np.float32)


class Canvas:
    """An image to draw on; later shapes cover earlier ones."""

    def __init__(self, width: float, height: float, *, scale: int, color: Color):
        self.scale = scale
        self._image = np.empty((round(height * scale), round(width * scale), 3), np.float32)
        self._image[:] = rgb(color)

    def pixels(self) -> np.ndarray:
        """Returns the picture, `[H, W, 3] uint8`."""
        return np.rint(self._image).astype(np.uint8)

    def rectangle(
        self, corner: Coordinates, size: tuple[float, float], *, radius: float, color: Color
    ) -> None:
        """Draws a filled rectangle with round corners, given its top left corner, width and height."""
        right, bottom = corner[0] + size[0], corner[1] + size[1]
        area, x, y = self._area(*corner, right, bottom)
        from_x = np.abs(x - (corner[0] + right) / 2) - size[0] / 2 + radius
        from_y = np.abs(y - (corner[1] + bottom) / 2) - size[1] / 2 + radius
        outside = np.hypot(np.maximum(from_x, 0), np.maximum(from_y, 0))
        self._paint(area, outside + np.minimum(np.maximum(from_x, from_y), 0) - radius, color)

    def ring(self, center: Coordinates, radius: float, *, width: float, color: Color) -> None:
        """Draws the outline of a circle."""
        x, y = center
        reach = radius + width
        area, xs, ys = self._area(x - reach, y - reach, x + reach, y + reach)
        self._paint(area, np.abs(np.hypot(xs - x, ys - y) - radius) - width / 2, color)

    def lines(self, segments: Sequence[Segment], *, width: float, color: Color, opacity: float = 1) -> None:
        """Draws straight lines with round ends; a pixel covered by several lines is drawn once."""
        if not segments:
            return
        xs, ys = zip(*(point for segment in segments for point in segment), strict=True)
        area, x, y = self._area(min(xs) - width, min(ys) - width, max(xs) + width, max(ys) + width)
        distances = [_distance(x, y, *segment) for segment in segments]
        self._paint(area, np.min(distances, axis=0) - width / 2, color, opacity)

    def text(self, text: str, center: Coordinates, *, height: float, color: Color) -> None:
        """Draws capital letters and digits around a centre."""
        spacing = height / 4
        left = center[0] - (3 * len(text) - 1) * spacing / 2
        segments: list[Segment] = []
        for number, character in enumerate(text):
            for stroke in STROKES[character].split():
                lattice = [divmod(ord(letter) - ord("a"), 3) for letter in stroke]
                points = [
                    (left + (3 * number + col) * spacing, center[1] + (row - 2) * spacing)
                    for row, col in lattice
                ]
                segments += pairwise(points)
        self.lines(segments, width=height / 7, color=color)

    def _area(
        self, left: float, top: float, right: float, bottom: float
    ) -> tuple[tuple[slice, slice], np.ndarray, np.ndarray]:
        """Returns the pixels near a rectangle, and the x `[1, w]` and y `[h, 1]` of their centres."""
        height, width = self._image.shape[:2]
        scale = self.scale
        rows = slice(max(int(top * scale) - 1, 0), min(int(bottom * scale) + 2, height))
        cols = slice(max(int(left * scale) - 1, 0), min(int(right * scale) + 2, width))
        x = (np.arange(cols.start, cols.stop, dtype=np.float32) + 0.5) / scale
        y = (np.arange(rows.start, rows.stop, dtype=np.float32) + 0.5) / scale
        return (rows, cols), x[None, :], y[:, None]

    def _paint(
        self, area: tuple[slice, slice], distance: np.ndarray, color: Color, opacity: float = 1
    ) -> None:
        cover = np.clip(0.5 - distance * self.scale, 0, 1)[..., None] * opacity
        self._image[area] += cover * (rgb(color) - self._image[area])


def _distance(x: np.ndarray, y: np.ndarray, start: Coordinates, end: Coordinates) -> np.ndarray:
    """Returns the distances of points to the segment from `start` to `end`."""
    along_x, along_y = end[0] - start[0], end[1] - start[1]
    x, y = x - start[0], y - start[1]
    part = np.clip((x * along_x + y * along_y) / (along_x**2 + along_y**2), 0, 1)
    return np.hypot(x - part * along_x, y - part * along_y)
