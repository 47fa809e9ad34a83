"""The question of `bttt compression`: with pruning, do value-losing moves rise earlier on novel cells?

For the network of one seed, let r(g, l) be the error rate at level l on the boards g (seen, mirror, novel):
the fraction of decisions that are value-losing moves. Let rise(g, l) = r(g, l) - r(g, 0). All levels decide
in the same positions. There are two answers:

- The excess of a level: rise(novel, l) - rise(seen, l). It is above 0 if novel cells suffer more.
- The threshold of g: the fraction of parameters kept when the rise passes 0.01. It is interpolated linearly
  in log(fraction), between the first level l with rise(g, l) > 0.01 and the level before.

Both are computed for each network, then averaged over the seeds (thresholds as logarithms, so their mean is
geometric). Student's 95% interval over n seeds is mean +- t(n - 1) s / sqrt(n): wide for three seeds,
undefined for one. A network that never passes counts with the fraction of its last level; the mean is then an
upper bound ("bound"), without an interval.

A threshold is a first passage, which noise makes earlier. The few decisions on training cells are noisy: one
of 50 is 2 points. So these thresholds are compared with thresholds of groups of novel boards; each group has
as many boards as the training set, and so the same noise. Their mean is the threshold "matched". The ratio
matched / seen is above 1 if novel cells suffer earlier; networks that never pass count with their last level.

The intervals cover the variation between seeds, not between cells: D4 has only one training cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, log, nan

import numpy as np

from bttt import NOVELTIES
from pruning.measures import Interval, Values, student
from pruning.studies.compression.config import MeasuredPruning
from pruning.studies.compression.rates import share_kept
from tournaments.evaluation import novelties

RISE = 0.01
"""Rise of the rate that defines a threshold: one percentage point."""
COMPARED = ("seen", "novel")
MATCHED = "matched"
"""Novel boards in groups of the same size as the training set; see the module docstring."""


@dataclass(frozen=True, slots=True)
class Excess:
    """The excess rise of the rate on novel cells over training cells, at one level.

    Attributes:
        arm: Name in `ARMS`.
        brick_set: Text of the training set.
        simulations: Simulations of a decision.
        level: Number of the level; None for the mean over the levels above 0 that all networks have.
        share: Fraction of the parameters kept, mean over the seeds.
        seen: Rise on training cells, mean over the seeds.
        novel: Rise on novel cells.
        excess: Their difference, with its interval.
    """

    arm: str
    brick_set: str
    simulations: int
    level: int | None
    share: float
    seen: float
    novel: float
    excess: Interval


@dataclass(frozen=True, slots=True)
class Threshold:
    """The fraction of parameters kept when the rate has risen by `RISE`, in one group of boards.

    Attributes:
        arm: Name in `ARMS`.
        brick_set: Text of the training set.
        simulations: Simulations of a decision.
        novelty: "seen", "mirror" or "novel" boards, or "matched".
        decisions: Number of decisions of one network at one level.
        share: Fraction kept, geometric mean over the seeds.
        bound: Whether `share` is only an upper bound, because a network or group never passed.
    """

    arm: str
    brick_set: str
    simulations: int
    novelty: str
    decisions: int
    share: Interval
    bound: bool


@dataclass(frozen=True, slots=True)
class Ratio:
    """The threshold "matched" of novel cells divided by the threshold of training cells.

    There is one for each variant, training set and number of simulations.

    Attributes:
        ratio: The geometric mean over the seeds; above 1 if the rate rises earlier on novel cells.
    """

    arm: str
    brick_set: str
    simulations: int
    ratio: Interval


@dataclass(frozen=True, slots=True)
class _Network:
    """The value-losing moves of one network, by level and board, `[L, B]`.

    Attributes:
        shares: Fractions of the parameters kept, `[L]`.
        new: Novelty of each board, `[B]`.
        trials: Number of decisions.
        hits: Number of decisions that are value-losing moves.
    """

    shares: np.ndarray
    new: np.ndarray
    trials: np.ndarray
    hits: np.ndarray

    def has(self, *names: str) -> bool:
        return all((self.new == name).any() for name in names)

    def rates(self, boards: np.ndarray) -> np.ndarray:
        """Returns the rate by level `[L]` on the boards at an index."""
        return self.hits[:, boards].sum(1) / self.trials[:, boards].sum(1)

    def rises(self, name: str) -> np.ndarray:
        rates = self.rates(self.new == name)
        return rates - rates[0]

    def groups(self, name: str) -> list[np.ndarray]:
        """Returns the groups of boards whose thresholds are averaged: one group, or several for "matched"."""
        if name != MATCHED:
            return [np.flatnonzero(self.new == name)]
        novel, size = np.flatnonzero(self.new == "novel"), (self.new == "seen").sum()
        number = len(novel) // size
        return [novel[group::number][:size] for group in range(number)]

    def threshold(self, name: str) -> tuple[float, bool]:
        """Returns the mean log(share) at the thresholds of the groups, and whether all of them pass."""
        places = [passage(self.shares, self.rates(boards)) for boards in self.groups(name)]
        logs = [log(self.shares[-1] if place is None else place) for place in places]
        return float(np.mean(logs)), None not in places


_Key = tuple[str, str, int]
"""Variant, training set and simulations."""


def excesses(measured: Sequence[MeasuredPruning]) -> list[Excess]:
    """Returns the excess of each level above 0 and their mean, if there are training and novel cells."""
    found = []
    for key, networks in _networks(measured).items():
        rises = [
            (own.shares, own.rises("seen"), own.rises("novel")) for own in networks if own.has(*COMPARED)
        ]
        for level in range(1, max((len(shares) for shares, *_ in rises), default=0)):
            values = np.array([[each[level] for each in own] for own in rises if len(own[0]) > level])
            found.append(_excess(key, level, values))
        if rises and (least := min(len(shares) for shares, *_ in rises)) > 2:
            means = np.array([[each[1:least].mean() for each in own] for own in rises])
            found.append(_excess(key, None, means))
    return found


def _excess(key: _Key, level: int | None, values: np.ndarray) -> Excess:
    """Returns the excess; each row of `[N, 3]` is a network's fraction kept, training rise and novel rise."""
    share, seen, novel = values.mean(axis=0).tolist()
    return Excess(*key, level, share, seen, novel, student(values[:, 2] - values[:, 1]))


def thresholds(measured: Sequence[MeasuredPruning]) -> list[Threshold]:
    """Returns the threshold of each group of boards."""
    found = []
    for key, networks in _networks(measured).items():
        for name in (*NOVELTIES, MATCHED):
            own = [each for each in networks if each.has(*(COMPARED if name == MATCHED else (name,)))]
            if own and (name != MATCHED or own[0].groups(name)):
                logs, passed = zip(*(each.threshold(name) for each in own), strict=True)
                decisions = int(own[0].trials[0, own[0].groups(name)[0]].sum())
                share = _geometric(logs, certain=all(passed), most=1.0)
                found.append(Threshold(*key, name, decisions, share, not all(passed)))
    return found


def ratios(measured: Sequence[MeasuredPruning]) -> list[Ratio]:
    """Returns the ratios of thresholds for training sets with at least as many novel as training cells."""
    found = []
    for key, networks in _networks(measured).items():
        own = [each for each in networks if each.has(*COMPARED) and each.groups(MATCHED)]
        if own:
            found.append(
                Ratio(
                    *key, _geometric([each.threshold(MATCHED)[0] - each.threshold("seen")[0] for each in own])
                )
            )
    return found


def passage(shares: Values, rates: Values, rise: float = RISE) -> float | None:
    """Returns the fraction kept when the rate has first risen by more than `rise` over level 0.

    Args:
        shares: Fraction kept by level, above 0.
        rates: Rate by level.
        rise: The rise to pass.

    Returns:
        The fraction, interpolated linearly in log(fraction) between the first level above and the level
        before; None if there is no such level.
    """
    rises = [rate - rates[0] for rate in rates]
    for level in range(1, len(rises)):
        if rises[level] > rise:
            part = (rise - rises[level - 1]) / (rises[level] - rises[level - 1])
            before, after = log(shares[level - 1]), log(shares[level])
            return exp(before + part * (after - before))
    return None


def _geometric(logs: Sequence[float], *, certain: bool = True, most: float = inf) -> Interval:
    """Returns the geometric mean of values given as logarithms, with its interval if they are certain."""
    found = student(logs)
    if not (certain and found.known):
        return Interval(exp(found.mean), nan, nan, found.n)
    return Interval(exp(found.mean), exp(found.low), min(most, exp(found.high)), found.n)


def _networks(measured: Sequence[MeasuredPruning]) -> dict[_Key, list[_Network]]:
    """Returns the networks' value-losing moves by variant, training set and number of simulations."""
    found: dict[_Key, list[_Network]] = {}
    for each in measured:
        network = each.pruned.network
        shares = np.array([share_kept(each, level) for level in range(len(each.counts))])
        for part, counts in each.counts[0].items():
            if part.measure == "losing":
                new = novelties(network.boards, [one.board for one in counts])
                trials, hits = (
                    np.array([[getattr(one, name) for one in parts[part]] for parts in each.counts])
                    for name in ("trials", "hits")
                )
                own = _Network(shares, np.array([new[one.board] for one in counts]), trials, hits)
                found.setdefault((each.pruned.arm, network.brick_set, part.simulations), []).append(own)
    return found
