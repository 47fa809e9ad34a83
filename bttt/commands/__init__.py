"""The commands of `bttt` about the game itself: `solve`, `starts`, `layouts` and `drawn`.

>>> from bttt.__main__ import main
>>> main(["solve", "3x3x3:A1 #O./.X./..."])
    1   2   3
A   #   O   D
B   D   X   D
C   D  L6   D
O to move
O draws (2 nodes)
best play: A3 B1 B3 C3 C1 C2
0

Each command is one module: a configuration class, whose fields are the options, and `run`. `tally` counts the
outcomes of layouts, `verdicts` writes a solved move as a letter, and the pictures have modules of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from bttt.commands.random_layouts import random_layout
    from bttt.commands.tally import LayoutTally

__all__ = [
    "LayoutTally",
    "random_layout",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("tally", "random_layouts"))
