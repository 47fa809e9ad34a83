"""`LayoutTally`: the outcomes of layouts with one size and number of bricks, under best play."""

from __future__ import annotations

from dataclasses import dataclass

from bttt.board import Board
from bttt.runs import wilson


@dataclass(frozen=True)
class LayoutTally:
    """Outcomes of layouts with one size and number of bricks, under best play.

    Attributes:
        board: A board of this size, without bricks.
        bricks: Number of bricks.
        layouts: Layouts counted.
        different: Unique layouts among them; mirror images count once.
        exhaustive: Whether all possible layouts were counted.
        win: Starts that are proven wins of the first player.
        draw: Starts that are proven draws.
        loss: Starts that are proven losses of the first player.
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
        """Returns a 95% interval of the fraction of layouts with an outcome that is proven `count` times.

        Its lower end assumes that no unproven layout has this outcome, its upper end that all have it.
        """
        most = count + self.unproven
        if self.exhaustive:
            return count / self.layouts, most / self.layouts
        return wilson(count / self.layouts, self.layouts)[0], wilson(most / self.layouts, self.layouts)[1]
