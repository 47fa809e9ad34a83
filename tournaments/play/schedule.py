"""Schedules: the games of a tournament in a fixed order, and their random numbers.

Games are ordered by repeat, then by pair, then by board. Every prefix of a schedule is therefore nearly
balanced, and neighbouring games query the same agents, which makes batches large.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from bttt import Board
from bttt.runs import require_at_least

DEFAULT_PLAYERS = (
    "random",
    "minimax:depth=2",
    "mcts:iterations=1000",
    "mcts:iterations=10000",
    "mcts:iterations=1000,leaf=heuristic",
    "alphazero:d4",
    "alphazero:all",
)
SCHEDULES = ("round-robin", "gauntlet")
MOST_GAMES = 10_000_000


@dataclass(frozen=True, slots=True)
class ScheduledGame:
    """One game to be played.

    Attributes:
        index: Number in the schedule, from 0; it selects the game's random stream.
        first: Name of the player who moves first.
        second: Name of the player who moves second.
        board: The board.
        repeat: Number of the repeat of this pairing on this board, from 0.
        opening_key: Selects the opening's random stream; the same for both seats and for every pair.
        given: The opening's cells if they are given; None if they are drawn.
    """

    index: int
    first: str
    second: str
    board: Board
    repeat: int
    opening_key: tuple[int, int]
    given: tuple[int, ...] | None = None


def schedule_games(
    kind: str, players: Sequence[str], boards: Sequence[Board], repeats: int
) -> list[ScheduledGame]:
    """Returns all games of a schedule: every pair in both seats, on every board, `repeats` times.

    Args:
        kind: "round-robin": every player meets every other. "gauntlet": the first player meets the others.
        players: At least two different names.
        boards: At least one board.
        repeats: At least 1.

    Raises:
        ValueError: An argument is invalid, or there are more than `MOST_GAMES` games.
    """
    if kind not in SCHEDULES:
        raise ValueError(f"unknown schedule {kind!r}; schedules are {', '.join(SCHEDULES)}")
    if len(players) < 2:
        raise ValueError(f"a tournament needs at least 2 players, got {len(players)}")
    twice = sorted({name for name in players if list(players).count(name) > 1})
    if twice:
        raise ValueError(f"player {twice[0]!r} is named twice; players must differ")
    require_at_least(1, repeats=repeats)
    pairs = [pair for pair in combinations(players, 2) if kind == "round-robin" or players[0] in pair]
    count = 2 * len(pairs) * len(boards) * repeats
    if count > MOST_GAMES:
        raise ValueError(f"the schedule has {count:,} games; at most {MOST_GAMES:,} are allowed")
    games: list[ScheduledGame] = []
    for repeat in range(repeats):
        for pair in pairs:
            for first, second in (pair, pair[::-1]):
                for number, board in enumerate(boards):
                    games.append(ScheduledGame(len(games), first, second, board, repeat, (number, repeat)))
    return games


def game_generator(seed: int, game: ScheduledGame) -> np.random.Generator:
    """Returns the random generator that both players of this game share."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(game.index,)))
