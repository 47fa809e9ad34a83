"""Pictures of a position: text for the terminal, SVG for notebooks, pixels for environments.

>>> from bttt import Position
>>> from bttt.drawing import ansi
>>> print(ansi(Position.parse("3x3x3:A1 #O./.X./...")))
   1  2  3
A  #  O  .
B  .  X  .
C  .  .  .
O to move

Modules: `render` draws text and SVG, `raster` fills pixels.
"""

from bttt.drawing.render import RENDER_MODES, ansi, caption, draw, frame, svg

__all__ = [
    "RENDER_MODES",
    "ansi",
    "caption",
    "draw",
    "frame",
    "svg",
]
