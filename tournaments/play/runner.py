"""Playing scheduled games: many at once, so that agents are queried in batches.

Each game has its own random generator and positions, and players are queried through `agents.asking.query`.
A game's record therefore depends neither on the games played at the same time nor on the number of processes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from math import isfinite
from typing import Any

import numpy as np
from tqdm import tqdm

from agents import Agent, Decision
from agents.asking import AgentError, IsolatedAgent, query, warm_up, watched
from bttt import FIRST, Board, Outcome, Position
from bttt.processes import spread
from bttt.runs import one_line
from tournaments.play.conditions import Conditions
from tournaments.play.game_record import GameRecord
from tournaments.play.openings import opening
from tournaments.play.players import made_from, make_again
from tournaments.play.proven import proven_outcome
from tournaments.play.schedule import ScheduledGame, game_generator

MOST_NODES = 2**63
"""Node counts must be below this: the store has 64-bit integers."""
ADJUDICATION_NODE_LIMIT = 20_000
"""Maximum positions searched for a proof after each move; this takes some milliseconds."""
IN_FLIGHT = 16
"""Games that a process plays at once, by default."""


@dataclass
class _LiveGame:
    """A game being played; the lists grow by one entry per ply, and `outcome` is set when the game ends."""

    game: ScheduledGame
    position: Position
    rng: np.random.Generator
    opening_plies: int
    cells: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    values: list[float | None] = field(default_factory=list)
    nodes: list[int | None] = field(default_factory=list)
    outcome: Outcome = Outcome.UNFINISHED
    forfeit: str | None = None
    traceback: str | None = None

    @property
    def mover(self) -> str:
        return self.game.first if self.position.to_move == FIRST else self.game.second

    def lose(self, reason: str, traceback: str | None = None) -> None:
        """Ends the game: the player to move forfeits it."""
        self.forfeit = reason
        self.traceback = traceback
        self.outcome = Outcome.SECOND_WINS if self.position.to_move == FIRST else Outcome.FIRST_WINS

    def record(self) -> GameRecord:
        return GameRecord(
            index=self.game.index,
            first=self.game.first,
            second=self.game.second,
            board=self.game.board,
            repeat=self.game.repeat,
            opening_plies=self.opening_plies,
            cells=tuple(self.cells),
            outcome=self.outcome,
            forfeit=self.forfeit,
            seconds=tuple(self.seconds),
            values=tuple(self.values),
            nodes=tuple(self.nodes),
            traceback=self.traceback,
        )


def play_games(
    games: Iterable[ScheduledGame],
    agents: Mapping[str, Agent],
    conditions: Conditions,
    *,
    in_flight: int = IN_FLIGHT,
) -> Iterator[GameRecord]:
    """Yields the record of each game as it ends; `in_flight` games are played at once."""
    waiting = iter(games)
    live: list[_LiveGame] = []
    while True:
        live += [_begin(game, conditions) for game in islice(waiting, in_flight - len(live))]
        if not live:
            return
        by_mover: dict[str, list[_LiveGame]] = {}
        for each in live:
            by_mover.setdefault(each.mover, []).append(each)
        for name, group in by_mover.items():
            _move(agents[name], group, conditions.seconds_per_move)
        if conditions.adjudicate is not None:
            for each in live:
                _adjudicate(each, conditions.adjudicate)
        yield from (each.record() for each in live if each.outcome)
        live = [each for each in live if not each.outcome]


def play_in_processes(
    games: Sequence[ScheduledGame],
    agents: Mapping[str, Agent],
    conditions: Conditions,
    *,
    workers: int,
    in_flight: int = IN_FLIGHT,
) -> Iterator[list[GameRecord]]:
    """Returns an iterator over records as games end: one by one with one worker, else `in_flight` at a time.

    With several workers, every process makes the agents again from their specs. Joblib's current backend
    spreads the work (`joblib.parallel_config` chooses another one). The agents are warmed up in this process
    before the first record is requested, on boards of the games and with a progress bar if it takes time. So
    kernels are compiled once, and the workers load them from disk.

    Raises:
        OSError: A worker process has died.
        ValueError: A player's file, for example its weights, was changed before the workers read it.
    """
    boards = tuple({game.board.with_bricks(()): game.board for game in games}.values())
    for name, agent in tqdm(agents.items(), "preparing", unit="player", leave=False, delay=1):
        with watched(name, "warming up"):
            warm_up(agent, boards)
    if workers == 1:
        return ([record] for record in play_games(games, agents, conditions, in_flight=in_flight))
    isolated = tuple(agent for agent in agents.values() if isinstance(agent, IsolatedAgent))
    for each in isolated:  # the workers start their own processes
        each.stop()
    setting = _Setting(tuple(agents), made_from(agents), isolated, boards)
    chunks = (games[start : start + in_flight] for start in range(0, len(games), in_flight))
    return spread(_play_chunk, ((chunk, setting, conditions) for chunk in chunks), workers=workers)


@dataclass(frozen=True)
class _Setting:
    """What a worker makes the agents from: their specs and files, those with own processes, and boards."""

    players: tuple[str, ...]
    made: str
    isolated: tuple[IsolatedAgent, ...]
    boards: tuple[Board, ...]


def _play_chunk(
    chunk: Sequence[ScheduledGame], setting: _Setting, conditions: Conditions
) -> list[GameRecord]:
    return list(play_games(chunk, _agents(setting), conditions, in_flight=len(chunk)))


@lru_cache(maxsize=4)
def _agents(setting: _Setting) -> dict[str, Agent]:
    """Returns each player's agent, made and warmed up once per worker process."""
    agents = make_again(setting.players, setting.made, setting.isolated)
    for name, agent in agents.items():
        with watched(name, "warming up"):
            warm_up(agent, setting.boards)
    return agents


def _begin(game: ScheduledGame, conditions: Conditions) -> _LiveGame:
    cells = opening(conditions.seed, game, conditions.plies, conditions.openings)
    live = _LiveGame(game, Position.start(game.board), game_generator(conditions.seed, game), len(cells))
    for cell in cells:
        _play(live, Decision(cell), 0.0)
    return live


def _play(live: _LiveGame, decision: Decision, seconds: float) -> None:
    """Plays a decision; ValueError if it is illegal, and then the game is as it was."""
    value = None if decision.value is None or not isfinite(decision.value) else decision.value
    if decision.nodes is not None and not 0 <= decision.nodes < MOST_NODES:
        raise ValueError(f"nodes must be 0 to {MOST_NODES - 1}, got {decision.nodes}")
    after = live.position.play(decision.cell)
    assert after.last_move is not None
    live.position = after
    live.outcome = after.outcome
    live.cells.append(after.last_move)
    live.seconds.append(seconds)
    live.values.append(value)
    live.nodes.append(decision.nodes)


def _move(agent: Agent, group: Sequence[_LiveGame], limit: float | None) -> None:
    """Queries `agent`, which is to move in every game of `group`, and plays its decisions or forfeits."""
    if limit is not None:  # one by one, so that each game has its own clock
        for live in group:
            _move_alone(agent, live, limit)
        return
    before = [_state(live.rng) for live in group]
    positions, rngs = [live.position for live in group], [live.rng for live in group]
    with suppress(AgentError):
        answer = query(agent, positions, rngs, name=group[0].mover)
        for live, decision in zip(group, answer.decisions, strict=True):
            _play_or_forfeit(live, decision, answer.seconds / len(group))
        return
    for live, state in zip(group, before, strict=True):
        # A failure in one game must not forfeit the others: query again, one by one.
        live.rng = _generator(*state)
        _move_alone(agent, live, None)


def _state(rng: np.random.Generator) -> tuple[dict[str, Any], np.random.SeedSequence, int]:
    """Returns a generator's state, its seed and the number of children that it has spawned."""
    seed: Any = rng.bit_generator.seed_seq
    return dict(rng.bit_generator.state), seed, seed.n_children_spawned


def _generator(state: dict[str, Any], seed: Any, children: int) -> np.random.Generator:
    """Returns a generator in a state that `_state` has read."""
    entropy = np.random.SeedSequence(seed.entropy, spawn_key=seed.spawn_key, n_children_spawned=children)
    rng = np.random.default_rng(entropy)
    rng.bit_generator.state = state
    return rng


def _move_alone(agent: Agent, live: _LiveGame, limit: float | None) -> None:
    try:
        answer = query(agent, [live.position], [live.rng], name=live.mover)
    except AgentError as error:
        live.lose(str(error), error.traceback)
        return
    if limit is not None and answer.seconds > limit:
        live.lose(f"took {answer.seconds:.3g} s for a move, the limit is {limit:g} s")
        return
    _play_or_forfeit(live, answer.decisions[0], answer.seconds)


def _play_or_forfeit(live: _LiveGame, decision: Decision, seconds: float) -> None:
    try:
        _play(live, decision, seconds)
    except ValueError as error:
        live.lose(f"illegal decision: {one_line(error)}")


def _adjudicate(live: _LiveGame, within: int) -> None:
    """Ends the game if the solver proves its outcome within this many plies."""
    if not live.outcome:
        proven = proven_outcome(live.position, ADJUDICATION_NODE_LIMIT, within=within)
        live.outcome = proven or Outcome.UNFINISHED
