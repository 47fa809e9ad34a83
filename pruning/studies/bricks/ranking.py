"""How well rankings of candidate cells predict the gain from retraining.

Shapes: K candidates of a choice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import rankdata

from pruning.measures import Interval, student

LEARNED, RANDOM, AGAIN = "learned weights", "random pick", "retraining, other seeds"
PREDICTORS = (LEARNED, "first hypergradient", "refit of each", "worst cell")
"""Predictors that rank candidates before any retraining: see `pruning.studies.bricks.report`."""
TRUTHS = ("loss", "losing")


@dataclass(frozen=True)
class Row:
    """A candidate of one choice.

    Attributes:
        seed: The seed.
        choice: Name of the choice in its seed.
        candidate: The cell.
        scores: Score by predictor; a larger score ranks higher.
        gains: Gain by ground truth: how much better the held-out cells of the choice are after retraining
            with the candidate than after retraining without it.
        gains_of_others: The same gains, mean over the retraining runs of the other seeds; empty with one
            seed.
    """

    seed: int
    choice: str
    candidate: str
    scores: Mapping[str, float]
    gains: Mapping[str, float]
    gains_of_others: Mapping[str, float]


@dataclass(frozen=True)
class PredictorQuality:
    """How well a predictor ranks the candidates, over seeds.

    Attributes:
        predictor: Its name.
        correlation: Spearman's correlation with the gains of the same seed, by ground truth; means over
            choices, intervals over seeds.
        of_others: Spearman's correlation with the mean gain of the other seeds, whose games and noise are
            independent.
        regret: How much less the pick gains than the best candidate of the same seed, by ground truth.
        regret_of_others: The regret in the mean gain of the other seeds.
    """

    predictor: str
    correlation: Mapping[str, Interval]
    of_others: Mapping[str, Interval]
    regret: Mapping[str, Interval]
    regret_of_others: Mapping[str, Interval]


def spearman(ones: Sequence[float], others: Sequence[float]) -> float:
    """Returns the rank correlation of two `[K]`, in [-1, 1]; ties share ranks; 0 if one is constant."""
    ranks = [rankdata(np.asarray(each, np.float64)) for each in (ones, others)]
    centred = [each - each.mean() for each in ranks]
    norm = float(np.sqrt(np.prod([each @ each for each in centred])))
    return float(centred[0] @ centred[1]) / norm if norm else 0.0


def regret(scores: Sequence[float], gains: Sequence[float]) -> float:
    """Returns how much less the top-scored candidate gains than the best; averages tied candidates."""
    found = np.asarray(gains, np.float64)
    picked = np.asarray(scores, np.float64) == np.max(scores)
    return float(found.max() - found[picked].mean())


def predictor_quality(rows: Iterable[Row]) -> list[PredictorQuality]:
    """Returns the quality of each predictor, of a random pick, and of the other seeds' retraining runs."""
    by_choice: dict[tuple[int, str], list[Row]] = {}
    for row in rows:
        by_choice.setdefault((row.seed, row.choice), []).append(row)
    several = all(row.gains_of_others for own in by_choice.values() for row in own)
    found = []
    for name in (*PREDICTORS, *([AGAIN] if several else []), RANDOM):

        def scores(own: Sequence[Row], truth: str, name: str = name) -> list[float]:
            if name == AGAIN:
                return [row.gains_of_others[truth] for row in own]
            return [0.0 if name == RANDOM else row.scores[name] for row in own]

        others = several and name != AGAIN
        found.append(
            PredictorQuality(
                name,
                _over_seeds(by_choice, spearman, scores, "gains"),
                _over_seeds(by_choice, spearman, scores, "gains_of_others") if others else {},
                _over_seeds(by_choice, regret, scores, "gains"),
                _over_seeds(by_choice, regret, scores, "gains_of_others") if others else {},
            )
        )
    return found


def _over_seeds(
    by_choice: Mapping[tuple[int, str], Sequence[Row]],
    measure: Callable[[Sequence[float], Sequence[float]], float],
    scores: Callable[[Sequence[Row], str], list[float]],
    which: str,
) -> dict[str, Interval]:
    """Returns a measure of scores and gains, by ground truth: the mean over choices, then over seeds."""
    found = {}
    for truth in TRUTHS:
        of_seed: dict[int, list[float]] = {}
        for (seed, _), own in by_choice.items():
            gains = [getattr(row, which)[truth] for row in own]
            of_seed.setdefault(seed, []).append(measure(scores(own, truth), gains))
        found[truth] = student([float(np.mean(each)) for each in of_seed.values()])
    return found


def rows_of(weighed: Mapping[tuple[int, str], Mapping[str, Any]], measured: Measurements) -> list[Row]:
    """Returns the candidates of all choices.

    Args:
        weighed: The results of each choice, by seed and name (see `pruning.studies.bricks.run`).
        measured: The measurements `[49]` by cell, by seed and added candidate ("" for the
            training cells only), for each ground truth.
    """
    seeds = sorted({seed for seed, _ in weighed})
    rows = []
    for (seed, name), found in weighed.items():
        others = [each for each in seeds if each != seed]
        for place, candidate in enumerate(found["candidates"]):
            scores = {predictor: found["scores"][predictor][place] for predictor in PREDICTORS}
            own = gains(measured, seed, candidate, found["held"])
            apart = [gains(measured, each, candidate, found["held"]) for each in others]
            mean = {truth: float(np.mean([each[truth] for each in apart])) for truth in TRUTHS if apart}
            rows.append(Row(seed, name, candidate, scores, own, mean))
    return rows


Measurements = Mapping[tuple[int, str], Mapping[str, Mapping[str, float]]]
"""By seed and added candidate: ground truth -> name of a cell -> value."""


def gains(measured: Measurements, seed: int, candidate: str, held: Sequence[str]) -> dict[str, float]:
    """Returns how much retraining with a candidate improves the held-out cells, by ground truth."""
    return {
        truth: float(
            np.mean(
                [measured[seed, ""][truth][cell] - measured[seed, candidate][truth][cell] for cell in held]
            )
        )
        for truth in TRUTHS
    }
