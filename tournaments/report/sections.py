"""The report's headline figures and tables of players, as HTML for `tournaments.report.page`."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from math import nan

from bttt import FIRST, SECOND
from bttt.runs import number_text
from tournaments.report.heat_map import SCORE_STEPS
from tournaments.report.interval_plot import IntervalPlot
from tournaments.report.parts import (
    Tournament,
    head_cells,
    html_table,
    percent,
    player_label,
    player_matrix,
    plural,
    score_cell,
    score_text,
    value_cells,
)
from tournaments.standings import (
    Tally,
    by_pair,
    by_player,
    by_seats,
    milliseconds_text,
    move_times,
    score_intervals,
)

ORIGIN_SETTINGS = ("seed", "date", "created", "sequential test")
FORFEIT_ROWS = 100
GAME_LINKS = 8
ALL = -1
"""Both seats."""


def summary(tournament: Tournament) -> str:
    """Returns the headline figures."""
    total = tournament.total
    shapes = dict.fromkeys(board.with_bricks(()) for board in tournament.boards)
    forfeits = total.forfeits + total.forfeit_wins
    adjudicated = sum(game.adjudicated for game in tournament.games)
    figures = [
        (
            "Games",
            f"{total.games:,}",
            f"{total.distinct:,} unique" + (f", {adjudicated:,} adjudicated" if adjudicated else ""),
        ),
        ("Players", f"{len(tournament.players)}", plural(len(tournament.seats), "ordered pair")),
        ("Boards", f"{len(tournament.boards)}", ", ".join(map(str, shapes)) or "none"),
        ("First player scores", percent(total.score, 1), str(total)),
        ("Forfeits", f"{forfeits:,}", "listed below" if forfeits else "none"),
    ]
    return "\n".join(
        f"<div><dt>{name}</dt><dd><b>{value}</b><small>{note}</small></dd></div>"
        for name, value, note in figures
    )


def origin(settings: Mapping[str, object]) -> str:
    """Returns the seed and the date, if the settings have them."""
    found = [f"{name} {escape(str(settings[name]))}" for name in ORIGIN_SETTINGS if name in settings]
    return " · ".join(found)


def settings_table(settings: Mapping[str, object]) -> str:
    """Returns a table of the settings, in the order given."""
    rows = [
        [f'<th scope="row">{escape(str(name))}</th>', f"<td>{escape(_setting_text(value))}</td>"]
        for name, value in settings.items()
    ]
    return html_table([], rows, css="settings") if rows else ""


def _setting_text(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


def ratings(tournament: Tournament) -> str:
    """Returns the ratings table with an interval plot, and the first-move statement below it."""
    fitted = tournament.ratings
    tallies = by_player(tournament.players, tournament.tallies)
    intervals = _player_intervals(tournament)
    plot = IntervalPlot(fitted)
    rows = []
    for player in tournament.players:
        at = fitted.players.index(player)
        first, second = tallies[player]
        both = first + second
        rows.append(
            [
                f'<th scope="row">{player_label(tournament, player)}</th>',
                *value_cells(f"<b>{number_text(fitted.elo[at])}</b>", number_text(fitted.margin[at])),
                f'<td class="plot">{plot.row(fitted.elo[at], fitted.margin[at])}</td>',
                *value_cells(f"{both.games:,}", f"{both.distinct:,}", str(both)),
                *value_cells(
                    *(
                        score_text(tally.score, intervals.get((player, games), (nan, nan)))
                        for games, tally in ((ALL, both), (FIRST, first), (SECOND, second))
                    ),
                    str(both.forfeits),
                ),
            ]
        )
    head = head_cells("Player", "Elo", "±&#8239;95&#8239;%")
    head.append(f'<th scope="col" class="plot">{plot.axis()}</th>')
    head += head_cells("Games", "Unique", "W-D-L", "Score", "as first", "as second", "Forfeits")
    left_out = ""
    if tournament.unrated:
        games = plural(tournament.unrated, "game")
        left_out = f"\n<p>Not rated: {games} forfeited by an exception, which says little about strength.</p>"
    return html_table(head, rows, css="ratings") + f"\n<p>{_first_move_statement(tournament)}</p>{left_out}"


def _player_intervals(tournament: Tournament) -> dict[tuple[str, int], tuple[float, float]]:
    """Returns the interval of each player's score in `ALL` its games, and in those from each seat."""
    sides = [(game, game.players, (game.first_score, 1 - game.first_score)) for game in tournament.games]
    return score_intervals(
        ((players[seat], games), game, points[seat])
        for game, players, points in sides
        for seat in (FIRST, SECOND)
        for games in (ALL, seat)
    )


def _first_move_statement(tournament: Tournament) -> str:
    fitted = tournament.ratings
    if not fitted.games:
        return "No games have been played yet, so there are no ratings."
    win, draw, loss = fitted.outcome_probabilities()
    zero = "the mean of the players" if fitted.anchor is None else escape(fitted.anchor)
    return (
        f"0 Elo is {zero}. <b>Moving first is worth {fitted.first_move:z.0f}&#8239;±&#8239;"
        f"{fitted.first_move_margin:.0f} Elo:</b> between equal players, the first player wins "
        f"{percent(win)} of the games, draws {percent(draw)} and loses {percent(loss)} (fitted; draw "
        f"parameter &nu; = {fitted.draw:.3g}). In the games played, the first player scored "
        f"{percent(tournament.total.score, 1)} ({tournament.total.games:,} games, "
        f"{tournament.total.distinct:,} unique)."
    )


def superiority(tournament: Tournament) -> str:
    """Returns a table of the likelihoods that the row's player is stronger than the column's."""
    fitted = tournament.ratings

    def cell(player: str, opponent: str) -> str:
        if player == opponent:
            return "<td></td>"
        likelihood = fitted.superiority[fitted.players.index(player), fitted.players.index(opponent)]
        return f"<td>{_likelihood_text(likelihood)}</td>"

    return player_matrix(tournament, "Stronger than, %", cell)


def _likelihood_text(likelihood: float) -> str:
    """Returns the likelihood in per cent with one decimal, never rounded to 0 or 100."""
    if likelihood > 0.999:
        return "&gt;99.9"
    return "&lt;0.1" if likelihood < 0.001 else number_text(100 * likelihood, 1)


def crosstable(tournament: Tournament) -> str:
    """Returns the crosstable: row = first player, column = second player."""
    numbers = {player: number for number, player in enumerate(tournament.players)}
    met = by_seats(tournament.tallies)

    def cell(first: str, second: str) -> str:
        link = f"#first={numbers[first]}&amp;second={numbers[second]}"
        return score_cell(met.get((first, second), Tally()), link)

    return player_matrix(tournament, "First player", cell)


def head_to_head(tournament: Tournament) -> str:
    """Returns the results of the row's player against the column's, summed over both seats."""
    pairs = by_pair(tournament.players, tournament.tallies)
    pairs |= {(opponent, player): tally.opposite for (player, opponent), tally in pairs.items()}

    def cell(player: str, opponent: str) -> str:
        return score_cell(pairs.get((player, opponent), Tally()))

    return player_matrix(tournament, "Player", cell)


def score_scale() -> str:
    """Returns the legend of the score colours."""
    swatches = "".join(f'<i class="s{step}"></i>' for step in range(SCORE_STEPS + 1))
    return (
        f'<p class="scale">Score of the first player: <span>0&#8239;%</span> {swatches} '
        '<span>100&#8239;%</span> <i class="none"></i> <span>no games</span></p>'
    )


def times(tournament: Tournament) -> str:
    """Returns a table of the players' thinking times."""
    found = move_times(tournament.players, tournament.games)
    rows = [
        [
            f'<th scope="row">{player_label(tournament, player)}</th>',
            *value_cells(
                f"{found[player].moves:,}",
                milliseconds_text(found[player].seconds),
                milliseconds_text(found[player].first_move_seconds),
            ),
        ]
        for player in tournament.players
    ]
    return html_table(
        head_cells("Player", "Moves", "ms per move", "ms for the first move"), rows, css="times"
    )


def forfeits(tournament: Tournament) -> str:
    """Returns a table of the forfeits by player and reason."""
    found: dict[tuple[str, str], list[int]] = {}
    for game in tournament.games:
        if game.forfeit is not None and game.winner is not None:
            found.setdefault((game.players[1 - game.winner], game.forfeit), []).append(game.index)
    if not found:
        return "<p>No game was forfeited.</p>"
    rows = []
    for (player, reason), games in list(found.items())[:FORFEIT_ROWS]:
        links = ", ".join(f'<a href="#game={index}">{index}</a>' for index in games[:GAME_LINKS])
        more = ", …" if len(games) > GAME_LINKS else ""
        rows.append(
            [
                f'<th scope="row">{player_label(tournament, player)}</th>',
                *value_cells(str(len(games)), escape(reason), links + more),
            ]
        )
    left_out = len(found) - len(rows)
    note = f"<p>{plural(left_out, 'further reason')} not shown.</p>" if left_out else ""
    table = html_table(head_cells("Player", "Games", "Reason", "Game"), rows, css="forfeits")
    return table + note + _tracebacks(tournament)


def _tracebacks(tournament: Tournament) -> str:
    """Returns the first traceback of each player that raised an exception."""
    return "".join(
        f"\n<details><summary>First traceback of {escape(player)}</summary>\n"
        f"<pre>{escape(text)}</pre>\n</details>"
        for player, text in tournament.tracebacks.items()
    )
