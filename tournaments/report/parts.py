"""The data and the building blocks of the report's tables: the tournament, and pieces of HTML.

Every table lists the players from strongest to weakest, with their rank in the ratings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import isnan

from bttt import Board
from bttt.runs import number_text
from tournaments.play import GameRecord
from tournaments.report.heat_map import score_class
from tournaments.standings import Ratings, Tallies, Tally, by_seats, tally_games


@dataclass(frozen=True, eq=False)
class Tournament:
    """The data of all tables.

    Attributes:
        players: The players, strongest first.
        games: The games.
        ratings: Their ratings.
        tallies: Tallies by ordered pair and board.
        boards: The boards played and their numbers, sorted by size, number of bricks and cells.
        trained_on: The players' training boards, if known.
        unrated: Number of games that are not rated.
        tracebacks: The first traceback of each player that raised an exception.
    """

    players: tuple[str, ...]
    games: Sequence[GameRecord]
    ratings: Ratings
    tallies: Tallies
    boards: Mapping[Board, int]
    trained_on: Mapping[str, Sequence[Board]]
    unrated: int
    tracebacks: Mapping[str, str]

    @classmethod
    def of(
        cls,
        ratings: Ratings,
        games: Sequence[GameRecord],
        trained_on: Mapping[str, Sequence[Board]] | None = None,
        *,
        unrated: int = 0,
        tracebacks: Mapping[str, str] | None = None,
    ) -> Tournament:
        """Returns the tournament of rated `games`."""
        tallies = tally_games(games)
        boards = sorted(
            {board for _, _, board in tallies},
            key=lambda board: (board.rows, board.cols, board.win_length, len(board.bricks), board.bricks),
        )
        numbers = {board: number for number, board in enumerate(boards)}
        return cls(
            players=ratings.ranked,
            games=games,
            ratings=ratings,
            tallies=tallies,
            boards=numbers,
            trained_on=trained_on or {},
            unrated=unrated,
            tracebacks=tracebacks or {},
        )

    @property
    def seats(self) -> list[tuple[str, str]]:
        """The ordered pairs that met, in the players' order."""
        met = by_seats(self.tallies)
        return [
            (first, second) for first in self.players for second in self.players if (first, second) in met
        ]

    def framed_cells(self, player: str, size: Board) -> set[int]:
        """Returns the brick cells that a player's heat maps frame: its training cells.

        The set is empty if the player was trained on all cells played, since frames would carry no
        information.
        """
        trained = set(self.trained_on.get(player, ()))
        played = {board for board in self.boards if len(board.bricks) == 1 and board.with_bricks(()) == size}
        return {board.bricks[0] for board in played & trained} if played - trained else set()

    @property
    def total(self) -> Tally:
        """All games, from the first player's side."""
        return sum(self.tallies.values(), Tally())


def plural(count: int, noun: str) -> str:
    """Returns "1 game" or "2 games"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def percent(value: float, digits: int = 0) -> str:
    """Returns a fraction in [0, 1] in per cent, or "-" for nan."""
    text = number_text(100 * value, digits)
    return text if text == "-" else f"{text}&#8239;%"


def player_number(tournament: Tournament, player: str) -> str:
    """Returns a player's rank, as every table shows it."""
    return f'<span class="number">{tournament.players.index(player) + 1}</span>'


def player_label(tournament: Tournament, player: str) -> str:
    """Returns a player's rank and name."""
    breakable = re.sub("(?<=[:,=/])", "<wbr>", player)  # "mcts:iterations=1000" may wrap at its punctuation
    name = "<wbr>".join(escape(part) for part in breakable.split("<wbr>"))
    return f'{player_number(tournament, player)}<span class="name">{name}</span>'


def html_table(head: Sequence[str], rows: Sequence[Sequence[str]], *, css: str = "") -> str:
    """Returns a table of finished cells (`<th>` and `<td>` elements), which scrolls if it is too wide."""
    lines = ["<tr>" + "".join(row) + "</tr>" for row in rows]
    return (
        f'<div class="scroll"><table class="{css}">\n<thead><tr>{"".join(head)}</tr></thead>\n<tbody>\n'
        + "\n".join(lines)
        + "\n</tbody></table></div>"
    )


def head_cells(*titles: str) -> list[str]:
    """Returns the heading cells of columns."""
    return [f'<th scope="col">{title}</th>' for title in titles]


def score_text(score: float, interval: tuple[float, float]) -> str:
    """Returns a score in per cent with its 95% interval below it, if there is one."""
    low, high = interval
    text = percent(score, 1)
    return text if isnan(low) else f"{text}<small>{percent(low, 1)} to {percent(high, 1)}</small>"


def value_cells(*values: str) -> list[str]:
    """Returns plain cells."""
    return [f"<td>{value}</td>" for value in values]


def score_cell(tally: Tally, link: str = "") -> str:
    """Returns the coloured cell of a tally: W-D-L, and the number of unique games below it."""
    if not tally.games:
        return '<td class="none"></td>'
    kind = score_class(tally.score)
    counts = f"<b>{tally}</b>"
    if link:
        counts = f'<a href="{link}">{counts}</a>'
    title = f"score {100 * tally.score:.1f}%, {plural(tally.games, 'game')}, {tally.distinct} unique"
    return f'<td class="score {kind} on-{kind}" title="{title}">{counts}<small>{tally.distinct}</small></td>'


def player_matrix(
    tournament: Tournament, heading: str, cell: Callable[[str, str], str], css: str = ""
) -> str:
    """Returns a table with the cells `cell(row's player, column's player)`."""
    rows = [
        [
            f'<th scope="row">{player_label(tournament, row)}</th>',
            *(cell(row, column) for column in tournament.players),
        ]
        for row in tournament.players
    ]
    head = head_cells(heading, *(player_label(tournament, player) for player in tournament.players))
    return html_table(head, rows, css=f"matrix players {css}".rstrip())
