"""The style of the figures of all experiments."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


DOTS_AN_INCH = 200


COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c8c8c")
"""Colours that the colour-blind tell apart; dashes and markers tell more arms apart, and print in grey."""


DASHES = ("-", (0, (4, 1.5)), (0, (1, 1.2)))


SMALL = 7.5
