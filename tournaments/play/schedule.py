"""Schedules: the games of a tournament in a fixed order, and their random numbers.

Games are ordered by repeat, then by pair, then by board. Every prefix of a schedule is therefore nearly
balanced, and neighbouring games query the same agents, which makes batches large.

A game's random stream follows from its number. In a run that can grow, where numbers depend on what was added
when, it follows from the players, the board and the repeat instead (`keyed`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
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
SCHEDULES = ("round-robin", "gauntlet", "bipartite")
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
        opening_key: Selects the opening's random stream; the same for both seats and for every pair. If its
            sum is even, a balanced opening is won for the first seat, otherwise for the second.
        given: The opening's cells if they are given; None if they are drawn.
        stream: Selects the game's random stream; by default its number does.
    """

    index: int
    first: str
    second: str
    board: Board
    repeat: int
    opening_key: tuple[int, ...]
    given: tuple[int, ...] | None = None
    stream: tuple[int, ...] | None = None

    @property
    def key(self) -> tuple[str, str, Board, int]:
        """What identifies the game in its run, however the run has grown."""
        return self.first, self.second, self.board, self.repeat


def schedule_games(
    kind: str,
    players: Sequence[str],
    boards: Sequence[Board],
    repeats: int,
    *,
    against: Collection[str] = (),
) -> list[ScheduledGame]:
    """Returns all games of a schedule: every pair in both seats, on every board, `repeats` times.

    Args:
        kind: "round-robin": every player meets every other. "gauntlet": the first player meets the others.
            "bipartite": every player in `against` meets every player that is not.
        players: At least two different names.
        boards: At least one board.
        repeats: At least 1.
        against: The players of the other side of a bipartite schedule.

    Raises:
        ValueError: An argument is invalid, or there are more than `MOST_GAMES` games.
    """
    if kind not in SCHEDULES:
        raise ValueError(f"unknown schedule {kind!r}; schedules are {', '.join(SCHEDULES)}")
    if len(players) < 2:
        raise ValueError(f"players must name at least 2 players, got {len(players)}")
    twice = sorted({name for name in players if list(players).count(name) > 1})
    if twice:
        raise ValueError(f"player {twice[0]!r} is named twice; players must differ")
    require_at_least(1, repeats=repeats)
    pairs = _pairs(kind, players, against)
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


def _pairs(kind: str, players: Sequence[str], against: Collection[str]) -> list[tuple[str, str]]:
    """Returns the pairs of players that meet."""
    pairs = list(combinations(players, 2))
    if kind == "gauntlet":
        return [pair for pair in pairs if players[0] in pair]
    if kind == "bipartite":
        return [pair for pair in pairs if (pair[0] in against) != (pair[1] in against)]
    return pairs


def game_generator(seed: int, game: ScheduledGame) -> np.random.Generator:
    """Returns the random generator that both players of this game share."""
    stream = (game.index,) if game.stream is None else game.stream
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=stream))


def keyed(game: ScheduledGame) -> ScheduledGame:
    """Returns the game with random streams that follow from its `key`, whatever else is scheduled.

    Balanced openings alternate between the winners with the repeat, and between neighbouring brick cells.
    """
    board = game.board
    bricks = sum(sum(divmod(cell, board.cols)) for cell in board.bricks)
    opening = _words(str(board), game.repeat)
    parity = (sum(opening) + bricks + game.repeat) % 2
    stream = _words(game.first, game.second, str(board), game.repeat)
    return replace(game, stream=stream, opening_key=(*opening, parity))


def _words(*key: str | int) -> tuple[int, ...]:
    """Returns four words of 32 bits that identify the key."""
    digest = hashlib.sha256(json.dumps(key).encode()).digest()
    return tuple(int.from_bytes(digest[start : start + 4], "little") for start in range(0, 16, 4))
