"""Schedules: the games of a tournament in a fixed order, and their random numbers.

Games are ordered by repeat, then by pair, then by board. Every prefix of a schedule is therefore nearly
balanced, and neighbouring games query the same agents, which makes batches large.

A game's random stream follows from its number. In a run that can grow, where numbers depend on what was added
when, it follows from the players, the board and the repeat instead (`keyed`). A run that has grown numbers
the games of its first schedule first, then those that each further one added.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from typing import Any

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
MOST_PLAYERS = 3_200
"""A round robin of more players has too many games; a file of others is not to make us list their pairs."""


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
    pairs = _checked_pairs(kind, players, against, len(boards), repeats)
    games: list[ScheduledGame] = []
    for repeat in range(repeats):
        for pair in pairs:
            for first, second in (pair, pair[::-1]):
                for number, board in enumerate(boards):
                    games.append(ScheduledGame(len(games), first, second, board, repeat, (number, repeat)))
    return games


def _checked_pairs(
    kind: str, players: Sequence[str], against: Collection[str], boards: int, repeats: int
) -> list[tuple[str, str]]:
    """Returns the pairs of players that meet; ValueError as in `schedule_games`."""
    if kind not in SCHEDULES:
        raise ValueError(f"unknown schedule {kind!r}; schedules are {', '.join(SCHEDULES)}")
    if not 2 <= len(players) <= MOST_PLAYERS:
        wanted = "at least 2 players" if len(players) < 2 else f"at most {MOST_PLAYERS:,} players"
        raise ValueError(f"players must name {wanted}, got {len(players):,}")
    twice = sorted(name for name, times in Counter(players).items() if times > 1)
    if twice:
        raise ValueError(f"player {twice[0]!r} is named twice; players must differ")
    require_at_least(1, repeats=repeats)
    pairs = _pairs(kind, players, against)
    count = 2 * len(pairs) * boards * repeats
    if count > MOST_GAMES:
        raise ValueError(f"the schedule has {count:,} games; at most {MOST_GAMES:,} are allowed")
    return pairs


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


def is_tournament(settings: Mapping[str, Any]) -> bool:
    """Returns whether stored settings are those of a tournament, and not of another command's games."""
    lists = [settings.get(name) for name in ("players", "boards")]
    texts = all(isinstance(each, list) and all(isinstance(text, str) for text in each) for each in lists)
    return texts and isinstance(settings.get("schedule"), str) and isinstance(settings.get("repeats"), int)


def schedule_of(
    settings: Mapping[str, Any], stages: Sequence[tuple[int, int, int]] = (), *, by_key: bool
) -> list[ScheduledGame]:
    """Returns the games of a run, which has these settings.

    Args:
        settings: The settings of a tournament.
        stages: Numbers of players, boards and repeats before the run grew, each time.
        by_key: Whether random streams follow from the games' keys, or else from their numbers.

    Raises:
        ValueError: A setting is wrong.
    """
    players, repeats = settings["players"], settings["repeats"]
    boards = tuple(map(Board.parse, settings["boards"]))
    games: dict[object, ScheduledGame] = {}
    for count, places, times in (*stages, (len(players), len(boards), repeats)):
        for game in schedule_games(
            settings["schedule"],
            players[:count],
            boards[:places],
            times,
            against=settings.get("against", ()),
        ):
            games.setdefault(game.key, game)
    numbered = [replace(game, index=number) for number, game in enumerate(games.values())]
    return list(map(keyed, numbered)) if by_key else numbered


@dataclass(frozen=True)
class _Size:
    """A schedule by its size: its pairs (places of players, in order), and numbers of boards and repeats."""

    pairs: Sequence[tuple[int, int]]
    boards: int
    repeats: int

    @property
    def games(self) -> int:
        return 2 * len(self.pairs) * self.boards * self.repeats

    def find(self, repeat: int, pair: tuple[int, int], seat: int, board: int) -> tuple[int, bool]:
        """Returns how many games come before a game in the order, and whether the game is among them all."""
        earlier = min(repeat, self.repeats) * 2 * len(self.pairs) * self.boards
        if repeat >= self.repeats:
            return earlier, False
        place = bisect_left(self.pairs, pair)
        earlier += place * 2 * self.boards
        if pair not in self.pairs[place : place + 1]:
            return earlier, False
        return earlier + seat * self.boards + min(board, self.boards), board < self.boards


class Numbering:
    """The numbers of a run's games, found without a list of them: a run's file may promise many.

    Args:
        settings: The settings of a tournament.
        stages: Numbers of players, boards and repeats before the run grew, each time.

    Raises:
        ValueError: A setting is wrong, or a stage is smaller than the one before.
    """

    def __init__(self, settings: Mapping[str, Any], stages: Sequence[tuple[int, int, int]]):
        players, boards = settings["players"], [str(Board.parse(text)) for text in settings["boards"]]
        self._players = {name: place for place, name in enumerate(players)}
        self._boards = {name: place for place, name in enumerate(dict.fromkeys(boards))}
        self._sizes = [_Size((), 0, 0)]
        sizes = [(0, 0, 0), *stages, (len(players), len(boards), settings["repeats"])]
        for before, (count, places, repeats) in pairwise(sizes):
            if before[0] > count or before[1] > places or before[2] > repeats:
                raise ValueError("its stages shrink")
            some = len({*boards[:places]})
            last = self._sizes[-1].pairs
            if count != before[0]:
                against = settings.get("against", ())
                names = _checked_pairs(settings["schedule"], players[:count], against, some, repeats)
                last = [(self._players[one], self._players[other]) for one, other in names]
            self._sizes.append(_Size(last, some, repeats))
        self.games = self._sizes[-1].games

    def number(self, first: str, second: str, board: str, repeat: int) -> int:
        """Returns the number of a game; ValueError says what is not in the schedule."""
        for name in (first, second):
            if name not in self._players:
                raise ValueError(f"{name} is not among the run's players")
        if board not in self._boards:
            raise ValueError(f"{board} is not among the run's boards")
        if repeat >= self._sizes[-1].repeats:
            raise ValueError(f"repeat {repeat} is not below the run's {self._sizes[-1].repeats} repeats")
        places = self._players[first], self._players[second]
        game = repeat, (min(places), max(places)), int(places[0] > places[1]), self._boards[board]
        for before, now in pairwise(self._sizes):
            earlier, there = now.find(*game)
            if there:
                return before.games + earlier - before.find(*game)[0]
        raise ValueError(f"{first} does not meet {second}")
