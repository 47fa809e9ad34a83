"""The report of a tournament: tables on the terminal, CSV files, and one self-contained HTML page.

>>> from tournaments.report import report_html
>>> from tournaments.standings import fit_ratings
>>> page = report_html("No games", {"seed": 0}, fit_ratings(["random"], []), [])
>>> "<h1>No games</h1>" in page
True

Modules: `publishing` prints the tables and writes the files, and `page` fills page.html. `sections`, `boards`
and `novelty` build its tables from the pieces in `parts`, `heat_map` and `interval_plot`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from tournaments.report.page import report_html
    from tournaments.report.publishing import publish

__all__ = [
    "publish",
    "report_html",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("publishing", "page"))
