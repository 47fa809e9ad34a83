"""Measurements made once all levels of a pruning run are finished: times, and moves with search."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from agents.alphazero.network import EvaluatorName, load_network, make_evaluator
from agents.alphazero.weights import RUN_FILE
from bttt import Board
from bttt.runs import read_json, write_json
from pruning.loop import Result
from pruning.measures import latencies_ms
from tournaments.evaluation import novelties
from tournaments.generalisation import SINGLE, Part, evaluate

TIMES_FILE = "times.json"
TIMED: Mapping[str, tuple[EvaluatorName | Literal["selfplay"], int]] = {
    "ms, 1": ("auto", 1),
    "ms, 64": ("auto", 64),
    "ms, 64, selfplay": ("selfplay", 64),
}
"""Stored keys: the evaluator and the batch size of each; "auto" plays games, "selfplay" generates samples."""


@dataclass(frozen=True)
class LevelTimes:
    """How fast a level's network evaluates positions.

    Attributes:
        one: Milliseconds for a batch of 1 on the evaluator that plays.
        batch: Milliseconds for a batch of 64 on the same evaluator.
        selfplay: Milliseconds for a batch of 64 on the evaluator of self-play.
    """

    one: float
    batch: float
    selfplay: float

    @property
    def evaluations(self) -> float:
        """Positions per second in batches of 64, on the evaluator of self-play."""
        return 64e3 / self.selfplay

    def to_json(self) -> dict[str, float]:
        """Returns the times by their stored keys."""
        return dict(zip(TIMED, (self.one, self.batch, self.selfplay), strict=True))

    @classmethod
    def from_json(cls, stored: Mapping[str, float]) -> LevelTimes:
        """Returns the times from their stored keys."""
        return cls(*(stored[name] for name in TIMED))


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
        rng = np.random.default_rng(0)
        calls = {
            (level, name): call
            for level in range(levels)
            for name, call in _calls(level_folder(folder, level) / RUN_FILE, rng).items()
        }
        times = latencies_ms(calls)
        stored = [{name: times[level, name] for name in TIMED} for level in range(levels)]
        write_json(path, stored)
    return [LevelTimes.from_json(row) for row in stored[:levels]]


def _is_timed(row: Any) -> bool:
    """Returns whether a stored value holds the times of a level."""
    known = isinstance(row, dict) and row.keys() == TIMED.keys()
    return known and all(isinstance(time, int | float) and time > 0 for time in row.values())


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


def _calls(path: Path, rng: np.random.Generator) -> dict[str, Callable[[], Any]]:
    network, record = load_network(path)
    board = Board.parse(record["boards"][0])

    def call(name: EvaluatorName | Literal["selfplay"], size: int) -> Callable[[], Any]:
        judge = make_evaluator(network, name)
        planes = rng.integers(0, 2, (size, 3, board.rows, board.cols)).astype(np.float32)
        return lambda: judge(planes)

    return {name: call(*of) for name, of in TIMED.items()}
