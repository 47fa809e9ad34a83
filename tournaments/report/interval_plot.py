"""Interval plots: ratings with 95% intervals on a common axis, one small SVG per table row."""

from __future__ import annotations

from math import ceil, floor, isnan

from tournaments.standings import Ratings

WIDTH, HEIGHT, MARGIN = 250, 30, 20
STEPS = (20, 50, 100, 200, 500, 1000, 2000, 5000)
MOST_TICKS = 6


class IntervalPlot:
    """The common axis of all rows; it spans all intervals and zero."""

    def __init__(self, ratings: Ratings):
        rated = [
            (elo, margin) for elo, margin in zip(ratings.elo, ratings.margin, strict=True) if not isnan(elo)
        ]
        low = min([0.0, *(elo - margin for elo, margin in rated)])
        high = max([0.0, *(elo + margin for elo, margin in rated)])
        step = next((step for step in STEPS if (high - low) / step <= MOST_TICKS - 1), STEPS[-1])
        first, last = floor(low / step), ceil(high / step)
        self.ticks = [step * number for number in range(first, max(last, first + 1) + 1)]

    def _x(self, elo: float) -> str:
        fraction = (elo - self.ticks[0]) / (self.ticks[-1] - self.ticks[0])
        return f"{MARGIN + fraction * (WIDTH - 2 * MARGIN):.1f}"

    def axis(self) -> str:
        """Returns the SVG of the axis labels."""
        return _svg([f'<text x="{self._x(tick)}" y="{HEIGHT - 5}">{tick}</text>' for tick in self.ticks])

    def row(self, elo: float, margin: float) -> str:
        """Returns the SVG of one rating and its interval; only grid lines for nan."""
        marks = []
        for tick in self.ticks:
            x, kind = self._x(tick), "grid" if tick else "grid zero"
            marks.append(f'<line class="{kind}" x1="{x}" x2="{x}" y2="{HEIGHT}"/>')
        if not isnan(elo):
            y = HEIGHT // 2
            ends = f'x1="{self._x(elo - margin)}" x2="{self._x(elo + margin)}"'
            marks.append(f'<line class="interval" {ends} y1="{y}" y2="{y}"/>')
            marks.append(f'<circle class="point" cx="{self._x(elo)}" cy="{y}" r="4.5"/>')
        return _svg(marks)


def _svg(marks: list[str]) -> str:
    opening = f'<svg width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
    return opening + "".join(marks) + "</svg>"
