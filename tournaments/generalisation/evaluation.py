"""The measurements of a trained network in the study `bttt generalisation`, board by board.

A measurement counts, on each of its boards, the trials and the hits among them:

- "wins": games as first player against `minimax:depth=2`; hits are wins.
- "conversion": games as first player against `perfect` on boards that are proven won; hits are wins.
- "losing": decisions in the first positions of each board of a suite; hits are value-losing moves.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from agents import Agent, make_agent
from agents.alphazero import AlphaZeroAgent
from agents.alphazero.network import digests_of, load_network
from agents.alphazero.weights import RUN_FILE
from bttt import FIRST, SUITES, Board, boards_of_size, load_suite
from bttt.runs import checking, nearest, read_json, write_text
from tournaments.evaluation import decide_suite
from tournaments.generalisation.networks import SINGLE_SIZE
from tournaments.play import Conditions, GameRecord, ScheduledGame, play_games

EVALUATION_FILE = "evaluation.json"
REMEASURE = "delete it, and rerun to measure again"
SINGLE = "single"
OPPONENTS = {"wins": "minimax:depth=2", "conversion": "perfect"}
MEASURES = (*OPPONENTS, "losing")
NETWORK = "network"
IN_FLIGHT = 512
"""Games played at once, or positions per query of a network."""


@dataclass(frozen=True, slots=True)
class Part:
    """A measurement to make.

    Attributes:
        measure: "wins", "conversion" or "losing".
        on: The boards: "single", another suite (only for "losing"), or other boards (only for games), for
            example "6x7x4" or "7x7x4 random:3"; see `other_boards`.
        simulations: Simulations per decision; 0 is the raw policy.
        amount: Games, or maximum positions, per board; None for all positions.
        bricks: Brick sets that select boards of a suite; empty for the whole suite.
        seed: Seed of all random numbers.
    """

    measure: str
    on: str
    simulations: int
    amount: int | None
    bricks: tuple[str, ...]
    seed: int


@dataclass(frozen=True, slots=True)
class Counts:
    """The counts of a measurement on one board.

    Attributes:
        board: The board.
        trials: Number of games or decisions.
        hits: Number of games won, or of value-losing decisions.
        distinct: Number of unique games, or of positions.
    """

    board: Board
    trials: int
    hits: int
    distinct: int


class Evaluation:
    """The measurements of a network, in a file in its run folder.

    Measurements of another network, for example before more training, are ignored.

    Args:
        folder: Folder of the training run.
    """

    def __init__(self, folder: Path):
        self.path = folder / EVALUATION_FILE
        self.network = folder / RUN_FILE
        if not self.network.is_file():
            raise ValueError(f"{folder} holds no network: {RUN_FILE} is missing")
        known = digests_of(self.network)
        stored = read_json(self.path, dict)
        fits = stored.get("network") in (known.learned, known.file)
        self._fingerprint = known.learned
        parts = stored.get("parts") if fits else []
        if not isinstance(parts, list):
            raise ValueError(f"{self.path} is corrupt (it has no parts): {REMEASURE}")
        self._parts: list[dict[str, Any]] = parts

    def find(self, part: Part) -> list[Counts] | None:
        """Returns a measurement's counts, or None if it is missing; ValueError if the file is corrupt."""
        with checking(self.path, REMEASURE):
            for entry in self._parts:
                if entry["part"] == _plain(part):
                    return [_counts(*row) for row in entry["counts"]]
        return None

    def add(self, part: Part, counts: Iterable[Counts]) -> None:
        """Stores a measurement, atomically."""
        rows = [[str(each.board), each.trials, each.hits, each.distinct] for each in counts]
        self._parts.append({"part": _plain(part), "counts": rows})
        parts = ",\n".join(json.dumps(each, separators=(",", ":")) for each in self._parts)
        head = json.dumps(self._fingerprint)
        write_text(self.path, f'{{"network": {head}, "parts": [\n{parts}\n]}}\n')


def _counts(board: str, trials: int, hits: int, distinct: int) -> Counts:
    """Returns stored counts; ValueError if they cannot have been measured."""
    if not all(isinstance(number, int) for number in (trials, hits, distinct)) or not 0 <= hits <= trials:
        raise ValueError(f"{hits} of {trials} on {board!r}")
    return Counts(Board.parse(board), trials, hits, distinct)


def evaluate(folder: Path, parts: Sequence[Part]) -> list[list[Counts] | None]:
    """Returns the counts of each measurement; measures what the file does not have, and stores it.

    None stands for boards that the network cannot evaluate. Killing the process loses at most the current
    measurement.

    Raises:
        ValueError: The folder holds no network, or its file of measurements is corrupt.
    """
    evaluation = Evaluation(folder)
    for part in parts:
        if evaluation.find(part) is None:
            evaluation.add(part, _measure_network(part, evaluation.network))
    return [evaluation.find(part) or None for part in parts]


def stored(folder: Path, parts: Sequence[Part]) -> list[list[Counts] | None]:
    """Returns the counts of each measurement in the file, and None for each missing one; see `evaluate`."""
    if not (folder / RUN_FILE).is_file():
        return [None] * len(parts)
    evaluation = Evaluation(folder)
    return [evaluation.find(part) or None for part in parts]


def measure(part: Part, agent: Agent) -> list[Counts]:
    """Returns an agent's counts on each board; the same arguments give the same counts.

    Raises:
        ValueError: The boards are unknown, or the agent raised an exception or played an illegal cell.
    """
    return _decide(part, agent) if part.measure == "losing" else _play(part, agent)


def boards_of(part: Part) -> tuple[Board, ...]:
    """Returns the boards of a measurement; ValueError if they are unknown."""
    if part.measure == "losing":
        suite = load_suite(part.on)
        chosen = boards_of_size(str(suite.size), part.bricks) if part.bricks else suite.boards
        return tuple(board for board in suite.boards if board in chosen)
    if part.on == SINGLE:
        return boards_of_size(SINGLE_SIZE, part.bricks or ("all",))
    return other_boards(part.on)


def other_boards(text: str) -> tuple[Board, ...]:
    """Returns the boards of "SIZE", with one brick on each cell in turn, or of "SIZE BRICKSET"."""
    size, _, bricks = text.partition(" ")
    return boards_of_size(size, (bricks or "all",))


def _measure_network(part: Part, path: Path) -> list[Counts]:
    """Returns the counts of a network; empty if it cannot evaluate boards of that size."""
    board = boards_of(part)[0]
    network, _ = load_network(path)
    if not network.config.fits(board.rows, board.cols):
        return []
    return measure(part, AlphaZeroAgent(str(path), simulations=part.simulations))


def _play(part: Part, agent: Agent) -> list[Counts]:
    boards = boards_of(part)
    opponent = OPPONENTS[part.measure]
    games = [
        ScheduledGame(repeat * len(boards) + number, NETWORK, opponent, board, repeat, (number, repeat))
        for repeat in range(part.amount or 1)
        for number, board in enumerate(boards)
    ]
    agents = {NETWORK: agent, opponent: _opponent(opponent)}
    played: dict[Board, list[GameRecord]] = {board: [] for board in boards}
    for record in play_games(games, agents, Conditions(seed=part.seed), in_flight=IN_FLIGHT):
        if record.forfeit is not None:
            raise ValueError(f"a game on {record.board} was forfeited: {record.players} {record.forfeit}")
        played[record.board].append(record)
    return [
        Counts(board, len(own), sum(r.winner == FIRST for r in own), len({r.cells for r in own}))
        for board, own in played.items()
    ]


def _decide(part: Part, agent: Agent) -> list[Counts]:
    suite = load_suite(part.on)
    numbers = [suite.boards.index(board) for board in boards_of(part)]
    places = np.flatnonzero(np.isin(suite.board_numbers, numbers))
    if part.amount is not None:
        places = np.intersect1d(places, suite.first_of_each_board(part.amount))
    chosen = suite.take(places)
    cells = decide_suite(NETWORK, agent, chosen, places, seed=part.seed, batch=IN_FLIGHT)[0]
    losing = chosen.values_after(cells) < chosen.values
    trials, lost = np.bincount(chosen.board_numbers), np.bincount(chosen.board_numbers, losing)
    return [
        Counts(board, int(trials[number]), int(lost[number]), int(trials[number]))
        for number, board in enumerate(chosen.boards)
    ]


@lru_cache(maxsize=2)
def _opponent(spec: str) -> Agent:
    """Returns the opponent, made once per process so that `perfect` reuses its proofs."""
    return make_agent(spec)


def _plain(part: Part) -> dict[str, Any]:
    return {**asdict(part), "bricks": list(part.bricks)}


def check_suites(names: Iterable[str]) -> None:
    """Raises ValueError if a name is not a suite, or is "single"."""
    for name in names:
        if name not in SUITES or name == SINGLE:
            others = ", ".join(suite for suite in SUITES if suite != SINGLE)
            hint = nearest(name, list(SUITES))
            raise ValueError(f"unknown suite {name!r}{hint}; suites of other boards are {others}")
