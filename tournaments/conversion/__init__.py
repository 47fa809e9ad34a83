"""Conversion: how often agents win positions that are proven won, against perfect play.

>>> from bttt import Board
>>> from tournaments.conversion.won_starts import empty_starts
>>> boards = [Board.parse("3x3x3:B2"), Board.parse("4x4x3:A1")]
>>> [(str(start.board), start.winner) for start in empty_starts(boards)]  # seat 0 moves first
[('4x4x3:A1', 0)]

Rooms: `won_starts` finds the positions, `table` counts the results, and `command` is `bttt conversion`.
"""
