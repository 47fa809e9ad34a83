"""Pictures of a position."""

from bttt.drawing.render import RENDER_MODES, ansi, caption, draw, svg

__all__ = [
    "RENDER_MODES",
    "ansi",
    "caption",
    "draw",
    "svg",
]
