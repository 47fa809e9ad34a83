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
outcomes of layouts; the other two modules draw the pictures.
"""
