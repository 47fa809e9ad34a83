"""Which games are evidence: copies count once, and games from the same opening belong together.

Copies are games with the same players in the same seats, on the same board, with the same cells and outcome.
Deterministic players repeat themselves, and a repeated game is no new evidence.

A *unit* is all games between the same two players from the same board and opening, in both seats. Usually
that is a pair: one game in each seat. Without opening plies it includes all repeats on the board. The results
in a unit are not independent. An opening that favours one seat makes each player win one game, and a board
that one player has learned makes it win both. Tournament managers for chess engines therefore take pairs as
the unit of evidence ("pentanomial" statistics, after the five possible scores of a pair).

Shapes: P players, G units of a match; the last axis is the outcome, in the order of `OUTCOMES`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from bttt import Board, Outcome
from tournaments.play import GameRecord

OUTCOMES = (Outcome.FIRST_WINS, Outcome.DRAW, Outcome.SECOND_WINS)
"""Order of the outcomes in counts and probabilities."""
Unit = tuple[str, str, Board, tuple[int, ...]]
"""Both players in alphabetical order, the board and the opening's cells."""
Matches = Mapping[tuple[int, int], np.ndarray]
"""By two players' numbers, the smaller one first: `[G, 2, 3] int64`, the games of each unit, first those in
which the player with the smaller number moved first."""


def distinct_games(games: Iterable[GameRecord]) -> list[GameRecord]:
    """Returns the games without their copies: the first one of each."""
    found: dict[tuple[object, ...], GameRecord] = {}
    for game in games:
        found.setdefault((*game.players, game.board, game.cells, game.outcome), game)
    return list(found.values())


def unit_of(game: GameRecord) -> Unit:
    """Returns the unit that a game belongs to; copies belong to the same one."""
    one, other = sorted(game.players)
    return one, other, game.board, game.cells[: game.opening_plies]


def count_outcomes(players: Sequence[str], games: Sequence[GameRecord]) -> np.ndarray:
    """Returns `[P, P, 3] int64`: games of each first against each second player, copies included."""
    seats = _seats(players, games)
    counts = np.zeros((len(players), len(players), len(OUTCOMES)), dtype=np.int64)
    for game in games:
        counts[seats[game.first], seats[game.second], OUTCOMES.index(game.outcome)] += 1
    return counts


def count_matches(players: Sequence[str], games: Sequence[GameRecord]) -> dict[tuple[int, int], np.ndarray]:
    """Returns the games of each two players by unit, seat and outcome, copies included; see `Matches`."""
    seats = _seats(players, games)
    found: dict[tuple[int, int], dict[Unit, np.ndarray]] = {}
    for game in games:
        one, other = sorted(seats[player] for player in game.players)
        match = found.setdefault((one, other), {})
        unit = match.setdefault(unit_of(game), np.zeros((2, len(OUTCOMES)), dtype=np.int64))
        unit[int(seats[game.first] == other), OUTCOMES.index(game.outcome)] += 1
    return {pair: np.array(list(match.values())) for pair, match in found.items()}


def _seats(players: Sequence[str], games: Sequence[GameRecord]) -> dict[str, int]:
    seats = {player: number for number, player in enumerate(players)}
    for game in games:
        for player in game.players:
            if player not in seats:
                raise ValueError(f"game {game.index}: unknown player {player!r}; players are {list(players)}")
    return seats
