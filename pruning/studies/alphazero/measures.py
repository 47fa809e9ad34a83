"""Measurements made once all levels of a pruning run are finished: times, and moves with search."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from agents.alphazero.network import AlphaZeroNetwork, evaluator_name, load_network, make_evaluator
from agents.alphazero.search import Evaluator
from agents.alphazero.weights import RUN_FILE
from bttt import Board
from bttt.runs import read_json, write_json
from pruning.loop import Result
from pruning.measures import latencies_ms
from tournaments.evaluation import novelties
from tournaments.generalisation import SINGLE, Part, evaluate

TIMES_FILE = "times.json"
SIZES: Mapping[str, int] = {"ms, 1": 1, "ms, 64": 64}
"""Stored keys of the evaluator that plays: the batch size of each."""
SELFPLAY, EVALUATOR = "ms, 64, selfplay", "evaluator"
"""Other stored keys: of earlier versions, a batch of 64 in self-play; of this one, the evaluator's name."""
EARLIER = "times of an earlier version: ms on onnxruntime or torch, evals/s on the torch backend of self-play"
CALLS = 128
"""Positions that a measurement evaluates at least, in as many calls as that takes."""


@dataclass(frozen=True)
class LevelTimes:
    """How fast a level's network evaluates positions.

    Attributes:
        one: Milliseconds for a batch of 1 on the evaluator that plays.
        batch: Milliseconds for a batch of 64 on the same evaluator.
        selfplay: Milliseconds for a batch of 64 on the evaluator of self-play, in runs of earlier versions;
            otherwise None.
        evaluator: Backend and precision of the evaluator that plays; "" in runs of earlier versions.
    """

    one: float
    batch: float
    selfplay: float | None = None
    evaluator: str = ""

    @property
    def evaluations(self) -> float:
        """Positions per second in batches of 64: on self-play's evaluator where that was measured."""
        return 64e3 / (self.selfplay or self.batch)

    @property
    def heading(self) -> str:
        """The evaluator that made the times, for the line above a table."""
        return f"times on {self.evaluator}" if self.evaluator else EARLIER

    def to_json(self) -> dict[str, float | str]:
        """Returns the times by their stored keys."""
        others = {EVALUATOR: self.evaluator} if self.selfplay is None else {SELFPLAY: self.selfplay}
        return {**dict(zip(SIZES, (self.one, self.batch), strict=True)), **others}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> LevelTimes:
        """Returns the times from their stored keys."""
        one, batch = (stored[name] for name in SIZES)
        return cls(one, batch, stored.get(SELFPLAY), stored.get(EVALUATOR, ""))


@dataclass(frozen=True)
class MeasuredLevel:
    """A level with the measurements made once all levels are finished.

    Attributes:
        result: The result of its cycle.
        times: How fast it evaluates positions.
        searched: Fraction of decisions with search that are value-losing moves, by novelty of the board;
            empty if not measured.
    """

    result: Result
    times: LevelTimes
    searched: Mapping[str, float] = field(default_factory=dict)


def level_folder(folder: Path, level: int) -> Path:
    """Returns the folder of a level inside the folder of its run."""
    return folder / f"level-{level:02}"


def level_times(folder: Path, levels: int) -> list[LevelTimes]:
    """Returns the times of each level.

    They are measured once, all levels in turn, and stored; if there are more levels than stored times, all
    are measured again.
    """
    path = folder / TIMES_FILE
    stored = read_json(path, list)
    if not all(map(_is_timed, stored)):
        raise ValueError(f"{path} is corrupt: delete it, and rerun to measure again")
    if len(stored) < levels:
        networks = [load_network(level_folder(folder, level) / RUN_FILE) for level in range(levels)]
        stored = [times.to_json() for times in _measured([_playing(*each) for each in networks])]
        write_json(path, stored)
    return [LevelTimes.from_json(row) for row in stored[:levels]]


def _is_timed(row: Any) -> bool:
    """Returns whether a stored value holds the times of a level."""
    if not isinstance(row, dict) or row.keys() not in ({*SIZES, SELFPLAY}, {*SIZES, EVALUATOR}):
        return False
    times = [value for name, value in row.items() if name != EVALUATOR]
    named = isinstance(row.get(EVALUATOR, ""), str)
    return named and all(isinstance(time, int | float) and time > 0 for time in times)


def searched(folder: Path, levels: int, boards: Sequence[Board], simulations: int) -> list[dict[str, float]]:
    """Returns each level's fraction of value-losing moves with search, by novelty of the board.

    Args:
        folder: Folder of the run.
        levels: Number of its levels.
        boards: The boards the network was trained on.
        simulations: Simulations per decision.
    """
    part = Part("losing", SINGLE, simulations, None, (), 0)
    found = []
    for level in range(levels):
        (counts,) = evaluate(level_folder(folder, level), [part])
        known = novelties(boards, [each.board for each in counts or ()])
        totals: dict[str, np.ndarray] = {}
        for each in counts or ():
            row = np.array([each.hits, each.trials])
            totals[known[each.board]] = totals.get(known[each.board], 0) + row
        found.append({novelty: float(hits / trials) for novelty, (hits, trials) in totals.items()})
    return found


def _playing(network: AlphaZeroNetwork, record: Mapping[str, Any]) -> tuple[Evaluator, Board]:
    """Returns the evaluator with which a level plays, and one of its boards."""
    return make_evaluator(network), Board.parse(record["boards"][0])


def _measured(levels: Sequence[tuple[Evaluator, Board]]) -> list[LevelTimes]:
    """Returns the times of evaluators, all measured in turn."""
    rng = np.random.default_rng(0)

    def repeated(evaluate: Evaluator, board: Board, size: int) -> Callable[[], object]:
        planes = rng.integers(0, 2, (size, 3, board.rows, board.cols)).astype(np.float32)
        return lambda: [evaluate(planes) for _ in range(CALLS // size)]

    calls = {
        (level, size): repeated(evaluate, board, size)
        for level, (evaluate, board) in enumerate(levels)
        for size in SIZES.values()
    }
    times = {key: time * key[1] / CALLS for key, time in latencies_ms(calls).items()}
    return [
        LevelTimes(times[level, 1], times[level, 64], None, evaluator_name(evaluate))
        for level, (evaluate, _) in enumerate(levels)
    ]
