"""Tally: how the layouts of one size and number of bricks end under best play."""

from __future__ import annotations

from dataclasses import dataclass

from bttt.board import Board
from bttt.runs import wilson


@dataclass(frozen=True)
class LayoutTally:
    """How the layouts of one size and number of bricks end under best play.

    Attributes:
        board: A board of the size, without bricks.
        bricks: Number of bricks.
        layouts: Layouts counted.
        different: How many of them are different when mirror images count as one.
        exhaustive: Whether these are all the layouts there are.
        win: Starts proven to be won by the first player.
        draw: Starts proven to be drawn.
        loss: Starts proven to be lost by the first player.
    """

    board: Board
    bricks: int
    layouts: int
    different: int
    exhaustive: bool
    win: int
    draw: int
    loss: int

    @property
    def unproven(self) -> int:
        """Layouts whose value is not proven."""
        return self.layouts - self.win - self.draw - self.loss

    def interval(self, count: int) -> tuple[float, float]:
        """Returns a 95% interval of the share of an outcome proven `count` times, whatever the unproven are.

        It reaches from the lower end where none of these has the outcome to the upper end where all have.
        """
        most = count + self.unproven
        if self.exhaustive:
            return count / self.layouts, most / self.layouts
        return wilson(count / self.layouts, self.layouts)[0], wilson(most / self.layouts, self.layouts)[1]
