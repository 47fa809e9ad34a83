"""report.html: one self-contained file that shows a tournament and steps through its games.

The page is page.html, filled with the tables of `sections`, `boards` and `novelty`. It includes page.css,
page.js and the games as JSON, so it needs neither a network connection nor a server. The same input gives the
same bytes.

The JSON has three keys:

- "players": the names.
- "boards": each `[rows, cols, win_length, bricks]`.
- "games": each `[index, first, second, board, repeat, opening_plies, cells, outcome, forfeit, milliseconds,
  values, nodes]`. Players and boards are indices, a cell is one character of `CELL_ALPHABET`, and values are
  in hundredths. A list without any known value is 0.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from math import isfinite
from string import Template
from typing import Any

from bttt import Board
from tournaments.play import GameRecord
from tournaments.report import boards, novelty, sections
from tournaments.report.heat_map import HATCH
from tournaments.report.parts import Tournament
from tournaments.standings import Ratings

CELL_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"


def report_html(
    title: str,
    settings: Mapping[str, object],
    ratings: Ratings,
    games: Sequence[GameRecord],
    trained_on: Mapping[str, Sequence[Board]] | None = None,
    *,
    unrated: int = 0,
    tracebacks: Mapping[str, str] | None = None,
) -> str:
    """Returns the report of `games` as one HTML page.

    Args:
        title: Heading of the page.
        settings: The settings of the games (seed, date, ...), shown as given.
        ratings: The ratings fitted to the games.
        games: The finished games; there may be none.
        trained_on: The players' training boards, if known.
        unrated: Number of the games that the ratings leave out, because they were forfeited by an exception.
        tracebacks: The first traceback of each player that raised an exception.
    """
    tournament = Tournament.of(ratings, games, trained_on, unrated=unrated, tracebacks=tracebacks)
    total = tournament.total
    return Template(_resource("page.html")).substitute(
        title=escape(title),
        css=_resource("page.css"),
        script=_resource("page.js"),
        data=_script_json(_viewer_data(tournament)),
        hatch=HATCH,
        summary=sections.summary(tournament),
        origin=sections.origin(settings),
        settings=sections.settings_table(settings),
        ratings=sections.ratings(tournament),
        superiority=sections.superiority(tournament),
        crosstable=sections.crosstable(tournament),
        head_to_head=sections.head_to_head(tournament),
        scale=sections.score_scale(),
        novelty_link=novelty.link(tournament),
        novelty=novelty.novelty(tournament),
        boards=boards.boards(tournament),
        orbits=boards.orbits(tournament),
        times=sections.times(tournament),
        forfeits=sections.forfeits(tournament),
        prior_sd=f"{tournament.ratings.prior_sd:.0f}",
        games=f"{total.games:,}",
        repeats=f"{total.games - total.distinct:,}",
    )


def _resource(name: str) -> str:
    return files("tournaments.report").joinpath(name).read_text(encoding="utf-8")


def _script_json(value: Any) -> str:
    """Returns JSON without HTML markup, even if names contain "</script>" or "<!--"."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _viewer_data(tournament: Tournament) -> dict[str, Any]:
    players = {player: number for number, player in enumerate(tournament.players)}
    return {
        "players": tournament.players,
        "boards": [[board.rows, board.cols, board.win_length, board.bricks] for board in tournament.boards],
        "games": [
            [
                game.index,
                players[game.first],
                players[game.second],
                tournament.boards[game.board],
                game.repeat,
                game.opening_plies,
                "".join(CELL_ALPHABET[cell] for cell in game.cells),
                int(game.outcome),
                game.forfeit,
                _compact(float(f"{1000 * seconds:.3g}") or None for seconds in game.seconds),
                _compact(map(_hundredths, game.values)),
                _compact(game.nodes),
            ]
            for game in tournament.games
        ],
    }


def _hundredths(value: float | None) -> int | None:
    return None if value is None or not isfinite(100 * value) else round(100 * value)


def _compact(values: Iterable[float | None]) -> list[float | None] | int:
    """Returns the values as a list, or 0 if all values are None."""
    values = list(values)
    return values if any(value is not None for value in values) else 0
