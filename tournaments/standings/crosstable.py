"""Crosstables: wins, draws and losses by pair, seat, board and orbit, as numbers, text and CSV rows.

All sums come from one table, `tally_games`: the tally of each ordered pair on each board, from the first
player's side. Games with the same cells between the same players, in the same seats and on the same board,
count as one *unique* game. Deterministic players repeat games, and a repeated game is no new evidence. The
field `distinct` counts unique games.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import astuple, dataclass
from math import isnan, nan
from typing import Any, TypeVar

from bttt import FIRST, SECOND, Board, canonical_board, symmetries
from bttt.runs import TEXT_WIDTH, aligned, number_text
from tournaments.play import GameRecord
from tournaments.standings.ratings import Ratings


@dataclass(frozen=True, slots=True)
class Tally:
    """Games counted from one player's side.

    Attributes:
        wins: Games won, including forfeits by the opponent.
        draws: Games drawn.
        losses: Games lost, including own forfeits.
        distinct: Number of unique games.
        forfeits: Games lost by forfeit.
        forfeit_wins: Games won because the opponent forfeited.
    """

    wins: int = 0
    draws: int = 0
    losses: int = 0
    distinct: int = 0
    forfeits: int = 0
    forfeit_wins: int = 0

    @property
    def games(self) -> int:
        """Number of games."""
        return self.wins + self.draws + self.losses

    @property
    def score(self) -> float:
        """Points per game, in [0, 1]; a draw counts half, and without games the score is nan."""
        return (self.wins + self.draws / 2) / self.games if self.games else nan

    @property
    def opposite(self) -> Tally:
        """The same games from the opponent's side."""
        return Tally(self.losses, self.draws, self.wins, self.distinct, self.forfeit_wins, self.forfeits)

    def __add__(self, other: Tally) -> Tally:
        """Returns the sum of two tallies that share no game: their pairs, seats or boards differ."""
        return Tally(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))

    def __str__(self) -> str:
        return f"{self.wins}-{self.draws}-{self.losses}"


@dataclass(frozen=True, slots=True)
class MoveTimes:
    """A player's thinking time, over the moves that it chose itself (no opening plies).

    Attributes:
        moves: Number of moves.
        seconds: Mean time of a move, in seconds; nan without moves.
        first_move_seconds: Mean time of the player's first own move of a game, in seconds.
    """

    moves: int
    seconds: float
    first_move_seconds: float


Tallies = Mapping[tuple[str, str, Board], Tally]
"""The first player's tally by (first player, second player, board)."""
Key = TypeVar("Key", bound=Hashable)


def tally_games(games: Sequence[GameRecord]) -> dict[tuple[str, str, Board], Tally]:
    """Returns the first player's tally of each ordered pair on each board, in order of appearance."""
    groups: dict[tuple[str, str, Board], list[GameRecord]] = {}
    for game in games:
        groups.setdefault((*game.players, game.board), []).append(game)
    return {key: _tally(group) for key, group in groups.items()}


def _tally(games: Sequence[GameRecord]) -> Tally:
    winners = [game.winner for game in games]
    forfeit_winners = [game.winner for game in games if game.forfeit is not None]
    return Tally(
        wins=winners.count(FIRST),
        draws=winners.count(None),
        losses=winners.count(SECOND),
        distinct=len({game.cells for game in games}),
        forfeits=forfeit_winners.count(SECOND),
        forfeit_wins=forfeit_winners.count(FIRST),
    )


def sum_tallies(tallies: Tallies, key: Callable[[str, str, Board], Key]) -> dict[Key, Tally]:
    """Returns the tallies summed over all entries with the same `key(first, second, board)`."""
    sums: dict[Key, Tally] = {}
    for entry, tally in tallies.items():
        name = key(*entry)
        sums[name] = sums.get(name, Tally()) + tally
    return sums


def by_seats(tallies: Tallies) -> dict[tuple[str, str], Tally]:
    """Returns the first player's tally of each ordered pair."""
    return sum_tallies(tallies, lambda first, second, _: (first, second))


def by_board(tallies: Tallies) -> dict[Board, Tally]:
    """Returns the tally of all first players on each board."""
    return sum_tallies(tallies, lambda _first, _second, board: board)


def by_pair(players: Sequence[str], tallies: Tallies) -> dict[tuple[str, str], Tally]:
    """Returns the tally of each unordered pair that met, from the side of the player listed first."""
    seats = by_seats(tallies)
    pairs: dict[tuple[str, str], Tally] = {}
    for number, player in enumerate(players):
        for opponent in players[number + 1 :]:
            tally = seats.get((player, opponent), Tally()) + seats.get((opponent, player), Tally()).opposite
            if tally.games:
                pairs[player, opponent] = tally
    return pairs


def by_player(players: Sequence[str], tallies: Tallies) -> dict[str, tuple[Tally, Tally]]:
    """Returns each player's own tally as first and as second player."""
    firsts = sum_tallies(tallies, lambda first, _second, _board: first)
    seconds = sum_tallies(tallies, lambda _first, second, _board: second)
    return {
        player: (firsts.get(player, Tally()), seconds.get(player, Tally()).opposite) for player in players
    }


def orbit_name(board: Board) -> str:
    """Returns "orbit of A1 (4 cells)" for one brick, "no brick", or "orbit of A1,B3 (8 boards)"."""
    if not board.bricks:
        return "no brick"
    images = {symmetry.board(board).bricks for symmetry in symmetries(board.rows, board.cols)}
    unit = "cell" if len(board.bricks) == 1 else "board"
    plural = "s" if len(images) > 1 else ""
    return f"orbit of {canonical_board(board).brick_names} ({len(images)} {unit}{plural})"


def move_times(players: Sequence[str], games: Sequence[GameRecord]) -> dict[str, MoveTimes]:
    """Returns each player's thinking time."""
    moves: dict[str, list[float]] = {player: [] for player in players}
    first_moves: dict[str, list[float]] = {player: [] for player in players}
    for game in games:
        for seat, player in enumerate(game.players):
            own = game.own_seconds(seat)
            moves[player] += own
            first_moves[player] += own[:1]
    return {
        player: MoveTimes(len(moves[player]), _mean(moves[player]), _mean(first_moves[player]))
        for player in players
    }


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else nan


def crosstable_rows(games: Sequence[GameRecord]) -> list[dict[str, Any]]:
    """Returns one row for each ordered pair and board, counted from the first player's side."""
    return [
        {
            "first": first,
            "second": second,
            "board": str(board),
            "bricks": board.brick_names,
            "orbit": orbit_name(board),
            "games": tally.games,
            "wins": tally.wins,
            "draws": tally.draws,
            "losses": tally.losses,
            "score": round(tally.score, 4),
            "distinct": tally.distinct,
            "first_forfeits": tally.forfeits,
            "second_forfeits": tally.forfeit_wins,
        }
        for (first, second, board), tally in tally_games(games).items()
    ]


def ratings_table(ratings: Ratings, games: Sequence[GameRecord]) -> str:
    """Returns the players from strongest to weakest, as aligned text."""
    tallies = by_player(ratings.players, tally_games(games))
    times = move_times(ratings.players, games)
    rows = [("#", "agent", "elo", "+-", "games", "W-D-L", "score%", "first%", "unique", "forf", "ms/move")]
    for rank, player in enumerate(ratings.ranked, 1):
        number = ratings.players.index(player)
        first, second = tallies[player]
        tally = first + second
        rows.append(
            (
                str(rank),
                player,
                number_text(ratings.elo[number]),
                number_text(ratings.margin[number]),
                str(tally.games),
                str(tally),
                number_text(100 * tally.score, 1),
                number_text(100 * first.score, 1),
                str(tally.distinct),
                str(tally.forfeits),
                milliseconds_text(times[player].seconds),
            )
        )
    return "\n".join([*aligned(rows, left=(1,)), "", *_ratings_notes(ratings)])


def _ratings_notes(ratings: Ratings) -> list[str]:
    zero = "the mean of the players" if ratings.anchor is None else ratings.anchor
    notes = [
        f"elo: 0 is {zero}; +-: 95% interval, relative to the mean of the players;",
        "first%: score as first player; unique: different games; forf: games lost by forfeit.",
    ]
    if ratings.games:
        win, draw, loss = 100 * ratings.outcome_probabilities()
        notes.append(
            f"Moving first is worth {ratings.first_move:z.0f} +- {ratings.first_move_margin:.0f} elo: with "
            f"equal players, the first wins {win:.0f}%, draws {draw:.0f}%, loses {loss:.0f}%."
        )
    return notes


def crosstable_text(players: Sequence[str], games: Sequence[GameRecord]) -> str:
    """Returns the crosstable as aligned text: row = first player, column = second player, cells W-D-L.

    If some of a cell's games are repeats, the number of unique games follows in brackets. Columns are
    numbered. If names would make the table wider than `TEXT_WIDTH` characters, a list above it has them.
    """
    seats = by_seats(tally_games(games))
    numbers = [str(number) for number in range(1, len(players) + 1)]
    body = [[_seat_text(seats.get((first, second))) for second in players] for first in players]
    named = [("", "first \\ second", *numbers)]
    named += [(number, player, *row) for number, player, row in zip(numbers, players, body, strict=True)]
    lines = aligned(named, left=(1,))
    if max(map(len, lines)) > TEXT_WIDTH:
        legend = [f"{number} = {player}" for number, player in zip(numbers, players, strict=True)]
        bare = [("", *numbers), *((number, *row) for number, row in zip(numbers, body, strict=True))]
        lines = [*legend, "", *aligned(bare)]
    heading = "W-D-L of the first player (row) against the second (column)"
    if any(tally.distinct < tally.games for tally in seats.values()):
        heading += "; [unique games] where some repeat"
    return "\n".join([heading, *lines])


def _seat_text(tally: Tally | None) -> str:
    if tally is None:
        return "-"
    return str(tally) if tally.distinct == tally.games else f"{tally} [{tally.distinct}]"


def milliseconds_text(seconds: float) -> str:
    """Returns milliseconds with three significant digits and at most three decimals; "-" for nan."""
    if isnan(seconds):
        return "-"
    milliseconds = 1000 * seconds
    decimals = next(
        (places for places, above in enumerate((99.95, 9.995, 0.9995)) if milliseconds >= above), 3
    )
    return f"{milliseconds:.{decimals}f}"
