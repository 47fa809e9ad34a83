"""The tables of the report, as HTML; `tournaments.report` puts them on the page.

Players are shown from strongest to weakest in every table, by the number they have in the ratings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from bttt.board import Board
from bttt.symmetry import canonical_board
from tournaments.crosstable import (
    Tallies,
    Tally,
    by_board,
    by_pair,
    by_player,
    by_seats,
    milliseconds_text,
    move_times,
    number_text,
    orbit_name,
    sum_tallies,
    tally_games,
)
from tournaments.game_record import GameRecord
from tournaments.heat_map import SCORE_STEPS, heat_map, score_class
from tournaments.interval_plot import IntervalPlot
from tournaments.ratings import Ratings

ORIGIN_SETTINGS = ("seed", "date", "created")
FORFEIT_ROWS = 100
GAME_LINKS = 8


@dataclass(frozen=True, eq=False)
class Tournament:
    """What all tables are made from.

    Attributes:
        players: The players, strongest first.
        games: The games.
        ratings: Their ratings.
        tallies: Tallies by ordered pair and board.
        boards: The boards that were played, each with its number: sorted by size, bricks and cells.
    """

    players: tuple[str, ...]
    games: Sequence[GameRecord]
    ratings: Ratings
    tallies: Tallies
    boards: Mapping[Board, int]

    @classmethod
    def of(cls, ratings: Ratings, games: Sequence[GameRecord]) -> Tournament:
        """Returns the tournament of rated `games`."""
        tallies = tally_games(games)
        boards = sorted(
            {board for _, _, board in tallies},
            key=lambda board: (*_shape(board), len(board.bricks), board.bricks),
        )
        numbers = {board: number for number, board in enumerate(boards)}
        return cls(ratings.ranked, games, ratings, tallies, numbers)

    @property
    def seats(self) -> list[tuple[str, str]]:
        """The ordered pairs that met, in the players' order."""
        met = by_seats(self.tallies)
        return [
            (first, second) for first in self.players for second in self.players if (first, second) in met
        ]

    @property
    def total(self) -> Tally:
        """All games, from the first player's side."""
        return sum(self.tallies.values(), Tally())


def _shape(board: Board) -> tuple[int, int, int]:
    return board.rows, board.cols, board.win_length


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _percent(value: float, digits: int = 0) -> str:
    text = number_text(100 * value, digits)
    return text if text == "-" else f"{text}&#8239;%"


def _number(tournament: Tournament, player: str) -> str:
    return f'<span class="number">{tournament.players.index(player) + 1}</span>'


def _name(tournament: Tournament, player: str) -> str:
    breakable = re.sub("(?<=[:,=])", "<wbr>", player)  # "mcts:iterations=1000" may wrap at its punctuation
    name = "<wbr>".join(escape(part) for part in breakable.split("<wbr>"))
    return f'{_number(tournament, player)}<span class="name">{name}</span>'


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], *, css: str = "") -> str:
    """Returns a table of ready-made cells (`<th>` and `<td>` elements), scrolling where it is too wide."""
    lines = ["<tr>" + "".join(row) + "</tr>" for row in rows]
    return (
        f'<div class="scroll"><table class="{css}">\n<thead><tr>{"".join(head)}</tr></thead>\n<tbody>\n'
        + "\n".join(lines)
        + "\n</tbody></table></div>"
    )


def _heads(*titles: str) -> list[str]:
    return [f'<th scope="col">{title}</th>' for title in titles]


def _cells(*values: str) -> list[str]:
    return [f"<td>{value}</td>" for value in values]


def _score_cell(tally: Tally, link: str = "") -> str:
    """Returns the coloured cell of a tally: W-D-L, and the distinct games below it."""
    if not tally.games:
        return '<td class="none"></td>'
    kind = score_class(tally.score)
    counts = f"<b>{tally}</b>"
    if link:
        counts = f'<a href="{link}">{counts}</a>'
    title = f"score {100 * tally.score:.1f}%, {_plural(tally.games, 'game')}, {tally.distinct} distinct"
    return f'<td class="score {kind} on-{kind}" title="{title}">{counts}<small>{tally.distinct}</small></td>'


def summary(tournament: Tournament) -> str:
    """Returns the headline figures."""
    total = tournament.total
    shapes = dict.fromkeys(board.with_bricks(()) for board in tournament.boards)
    forfeits = total.forfeits + total.forfeit_wins
    figures = [
        ("Games", f"{total.games:,}", f"{total.distinct:,} distinct"),
        ("Players", f"{len(tournament.players)}", _plural(len(tournament.seats), "ordered pair")),
        ("Boards", f"{len(tournament.boards)}", ", ".join(map(str, shapes)) or "none"),
        ("First player scores", _percent(total.score, 1), str(total)),
        ("Forfeits", f"{forfeits:,}", "listed below" if forfeits else "none"),
    ]
    return "\n".join(
        f"<div><dt>{name}</dt><dd><b>{value}</b><small>{note}</small></dd></div>"
        for name, value, note in figures
    )


def origin(settings: Mapping[str, object]) -> str:
    """Returns the seed and the date, where the settings tell them."""
    told = [f"{name} {escape(str(settings[name]))}" for name in ORIGIN_SETTINGS if name in settings]
    return " · ".join(told)


def settings_table(settings: Mapping[str, object]) -> str:
    """Returns the settings as given, in their order."""
    rows = [
        [f'<th scope="row">{escape(str(name))}</th>', f"<td>{escape(_setting_text(value))}</td>"]
        for name, value in settings.items()
    ]
    return _table([], rows, css="settings") if rows else ""


def _setting_text(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


def ratings(tournament: Tournament) -> str:
    """Returns the ratings table with its interval bars, and the first-move statement below it."""
    fitted = tournament.ratings
    tallies = by_player(tournament.players, tournament.tallies)
    plot = IntervalPlot(fitted)
    rows = []
    for player in tournament.players:
        at = fitted.players.index(player)
        first, second = tallies[player]
        both = first + second
        rows.append(
            [
                f'<th scope="row">{_name(tournament, player)}</th>',
                *_cells(f"<b>{number_text(fitted.elo[at])}</b>", number_text(fitted.margin[at])),
                f'<td class="plot">{plot.row(fitted.elo[at], fitted.margin[at])}</td>',
                *_cells(f"{both.games:,}", f"{both.distinct:,}", str(both)),
                *(f"<td>{_percent(tally.score, 1)}</td>" for tally in (both, first, second)),
                *_cells(str(both.forfeits)),
            ]
        )
    head = _heads("Player", "Elo", "±&#8239;95&#8239;%")
    head.append(f'<th scope="col" class="plot">{plot.axis()}</th>')
    head += _heads("Games", "Distinct", "W-D-L", "Score", "as first", "as second", "Forfeits")
    return _table(head, rows, css="ratings") + f"\n<p>{_first_move_statement(tournament)}</p>"


def _first_move_statement(tournament: Tournament) -> str:
    fitted = tournament.ratings
    if not fitted.games:
        return "No game has been played yet, so nobody has a rating."
    win, draw, loss = fitted.outcome_probabilities()
    zero = "the mean of the players" if fitted.anchor is None else escape(fitted.anchor)
    return (
        f"0 Elo is {zero}. <b>Moving first is worth {fitted.first_move:.0f}&#8239;±&#8239;"
        f"{fitted.first_move_margin:.0f} Elo:</b> between equal players the first wins {_percent(win)}, "
        f"draws {_percent(draw)} and loses {_percent(loss)} of the games (fitted; draw parameter "
        f"&nu; = {fitted.draw:.3g}). Over all games played, the first player scored "
        f"{_percent(tournament.total.score, 1)} ({tournament.total.games:,} games, "
        f"{tournament.total.distinct:,} distinct)."
    )


def superiority(tournament: Tournament) -> str:
    """Returns the likelihood that the row's player is stronger than the column's."""
    fitted = tournament.ratings

    def cell(player: str, opponent: str) -> str:
        if player == opponent:
            return "<td></td>"
        likelihood = fitted.superiority[fitted.players.index(player), fitted.players.index(opponent)]
        return f"<td>{_likelihood_text(likelihood)}</td>"

    return _player_matrix(tournament, "Stronger than, %", cell)


def _likelihood_text(likelihood: float) -> str:
    """Returns per cent with one decimal, never rounded to certainty."""
    if likelihood > 0.999:
        return "&gt;99.9"
    return "&lt;0.1" if likelihood < 0.001 else number_text(100 * likelihood, 1)


def crosstable(tournament: Tournament) -> str:
    """Returns the crosstable: row = first player, column = second player."""
    numbers = {player: number for number, player in enumerate(tournament.players)}
    met = by_seats(tournament.tallies)

    def cell(first: str, second: str) -> str:
        link = f"#first={numbers[first]}&amp;second={numbers[second]}"
        return _score_cell(met.get((first, second), Tally()), link)

    return _player_matrix(tournament, "First player", cell)


def head_to_head(tournament: Tournament) -> str:
    """Returns the results of the row's player against the column's, both seats together."""
    pairs = by_pair(tournament.players, tournament.tallies)
    pairs |= {(opponent, player): tally.opposite for (player, opponent), tally in pairs.items()}

    def cell(player: str, opponent: str) -> str:
        return _score_cell(pairs.get((player, opponent), Tally()))

    return _player_matrix(tournament, "Player", cell)


def _player_matrix(
    tournament: Tournament, heading: str, cell: Callable[[str, str], str], css: str = ""
) -> str:
    """Returns a table of `cell(row's player, column's player)`."""
    rows = [
        [
            f'<th scope="row">{_name(tournament, row)}</th>',
            *(cell(row, column) for column in tournament.players),
        ]
        for row in tournament.players
    ]
    head = _heads(heading, *(_name(tournament, player) for player in tournament.players))
    return _table(head, rows, css=f"matrix players {css}".rstrip())


def score_scale() -> str:
    """Returns the legend of the score colours."""
    swatches = "".join(f'<i class="s{step}"></i>' for step in range(SCORE_STEPS + 1))
    return (
        f'<p class="scale">Score of the first player: <span>0&#8239;%</span> {swatches} '
        '<span>100&#8239;%</span> <i class="none"></i> <span>no games</span></p>'
    )


def boards(tournament: Tournament) -> str:
    """Returns the heat maps of one-brick boards of each size, and a table of all other boards."""
    parts = []
    shapes = dict.fromkeys(board.with_bricks(()) for board in tournament.boards if len(board.bricks) == 1)
    for shape in shapes:
        parts.append(f"<h3>One brick on {shape}</h3>\n{_heat_maps(tournament, shape)}")
        cells = [board for board in tournament.boards if len(board.bricks) == 1 and _shape(board) == shape]
        names = {board: board.brick_names for board in cells}
        table = _score_table(tournament, "Brick", names, lambda board: board)
        parts.append(f"<details><summary>Numbers by brick cell</summary>\n{table}</details>")
    others = [board for board in tournament.boards if len(board.bricks) != 1]
    if others:
        names = {board: escape(str(board)) for board in others}
        parts.append("<h3>Boards with several bricks or none</h3>")
        parts.append(_score_table(tournament, "Board", names, lambda board: board))
    return "\n".join(parts) or "<p>No game has been played yet.</p>"


def _heat_maps(tournament: Tournament, shape: Board) -> str:
    """Returns the map of all games, and one map an ordered pair, arranged as the crosstable."""
    places = {
        board: board.bricks[0]
        for board in tournament.boards
        if len(board.bricks) == 1 and board.with_bricks(()) == shape
    }
    numbers = {cell: tournament.boards[board] for board, cell in places.items()}
    maps: dict[tuple[str, str], dict[int, Tally]] = {}
    for (first, second, board), tally in tournament.tallies.items():
        if board in places:
            maps.setdefault((first, second), {})[places[board]] = tally
    everyone = {
        places[board]: tally for board, tally in by_board(tournament.tallies).items() if board in places
    }
    overall = heat_map(shape, everyone, numbers, cell_size=34, values=True)

    def cell(first: str, second: str) -> str:
        if (first, second) not in maps:
            return "<td></td>"
        seats = [tournament.players.index(player) for player in (first, second)]
        attributes = 'data-first="{}" data-second="{}"'.format(*seats)
        return f"<td>{heat_map(shape, maps[first, second], numbers, attributes=attributes)}</td>"

    return (
        f"<figure>{overall}<figcaption>All pairs together: score of the first player in per cent, "
        f"by brick cell.</figcaption></figure>\n{_player_matrix(tournament, 'First player', cell, 'maps')}"
    )


def orbits(tournament: Tournament) -> str:
    """Returns the results by orbit: boards that are mirror images or rotations of each other, together."""
    found = dict.fromkeys(canonical_board(board) for board in tournament.boards)
    several_shapes = len({_shape(board) for board in found}) > 1
    names = {
        board: (f"{board.with_bricks(())} " if several_shapes else "") + orbit_name(board) for board in found
    }
    return _score_table(tournament, "Orbit", names, canonical_board)


def _score_table(
    tournament: Tournament, heading: str, names: Mapping[Board, str], row_of: Callable[[Board], Board]
) -> str:
    """Returns one row a board in `names` and one column an ordered pair, over the boards of that row."""
    seats = tournament.seats
    overall = sum_tallies(tournament.tallies, lambda _first, _second, board: row_of(board))
    tallies = sum_tallies(tournament.tallies, lambda first, second, board: (first, second, row_of(board)))
    rows = [
        [
            f'<th scope="row">{name}</th>',
            f"<td>{_percent(overall[board].score, 1)}</td>",
            _score_cell(overall[board]),
            *(_score_cell(tallies.get((*pair, board), Tally())) for pair in seats),
        ]
        for board, name in names.items()
    ]
    pairs = [
        f'<th scope="col" title="{escape(first)} moves first against {escape(second)}">'
        f"{tournament.players.index(first) + 1}&ndash;{tournament.players.index(second) + 1}</th>"
        for first, second in seats
    ]
    return _table([*_heads(heading, "Score", "All pairs"), *pairs], rows, css="matrix")


def times(tournament: Tournament) -> str:
    """Returns how long each player thought."""
    found = move_times(tournament.players, tournament.games)
    rows = [
        [
            f'<th scope="row">{_name(tournament, player)}</th>',
            *_cells(
                f"{found[player].moves:,}",
                milliseconds_text(found[player].seconds),
                milliseconds_text(found[player].first_move_seconds),
            ),
        ]
        for player in tournament.players
    ]
    return _table(_heads("Player", "Moves", "ms per move", "ms for the first move"), rows, css="times")


def forfeits(tournament: Tournament) -> str:
    """Returns the forfeits by player and reason."""
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
                f'<th scope="row">{_name(tournament, player)}</th>',
                *_cells(str(len(games)), escape(reason), links + more),
            ]
        )
    left_out = len(found) - len(rows)
    note = f"<p>{_plural(left_out, 'further reason')} not shown.</p>" if left_out else ""
    return _table(_heads("Player", "Games", "Reason", "Game"), rows, css="forfeits") + note
