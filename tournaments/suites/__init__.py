"""Suites of positions in which the exact solver knows the best moves: building the bundled suites again.

>>> from bttt import Board
>>> from tournaments.suites.positions import Mixture, collect
>>> mixture = Mixture(players=("random",), first_ply=2)
>>> records, counts = collect([Board.parse("4x4x3:A1")], 2, mixture)
>>> records.shape, counts["taken"]  # two positions on one board
((1, 2), 2)

Rooms: `positions` plays games and labels positions from them; `command` is `bttt suites`.
"""
