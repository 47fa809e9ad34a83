"""The question of `bttt compression`: as a network is cut, do value-losing moves rise earlier on novel cells?

For the network of one seed let r(g, l) be the share of decisions that lose value on the boards g (seen,
mirror, novel) at level l, and rise(g, l) = r(g, l) - r(g, 0). All levels decide in the same positions. Two
answers:

- The excess of a level: rise(novel, l) - rise(seen, l). It is above 0 where novel cells suffer more.
- The threshold of g: the share of parameters kept where the rise passes 0.01, at the first level l at which
  rise(g, l) > 0.01, on a straight line in log(share) from the level before.

Both are taken network by network, then averaged over the seeds (thresholds as logarithms: their mean is
geometric), with Student's 95% interval over the seeds: for n of them mean +- t(n - 1) s / sqrt(n). It is
wide for three, and there is none for one. A network that never passes counts with its last level's share;
the mean is then at most that ("bound"), without an interval.

A threshold is a first passage, which noise makes earlier, and the few decisions on training cells are noisy:
of 50, one is 2 points. So those thresholds are compared with the ones of groups of novel boards, each of as
many boards as there are training ones, so as noisy. Their mean is the threshold "alike"; the ratio alike /
seen, with those that never pass at their last level's share, is above 1 where novel cells suffer earlier.

The intervals know the seeds, not the cells: D4 has one training cell, which stands for all training cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, log, nan

import numpy as np

from pruning.measures import Interval, Values, student
from pruning.studies.compression.config import MeasuredPruning
from pruning.studies.compression.rates import share_kept
from tournaments.evaluation import NOVELTIES, novelties

RISE = 0.01
"""Rise of the rate that a threshold asks for: one percentage point."""
COMPARED = ("seen", "novel")
ALIKE = "alike"
"""Novel boards in groups of as many as the training boards are; see the module."""


@dataclass(frozen=True, slots=True)
class Excess:
    """How much more the rate has risen on novel than on training cells, at one level.

    Attributes:
        arm: Name in `ARMS`.
        brick_set: Text of the training set.
        simulations: Simulations of a decision.
        level: Number of the level; None for the mean over several, those above 0 that all networks have.
        share: Share of the parameters kept, the mean over the seeds.
        seen: Rise on training cells, the mean over the seeds.
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
    """The share of parameters kept where the rate has risen by `RISE`, in one group of boards.

    Attributes:
        arm: Name in `ARMS`.
        brick_set: Text of the training set.
        simulations: Simulations of a decision.
        novelty: "seen", "mirror" or "novel" boards, or "alike".
        decisions: Decisions of one network at one level.
        share: Share kept, the geometric mean over the seeds.
        bound: Whether the share is at most that, as some network or group has never passed.
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
    """The threshold alike, of novel cells, over that of training cells: of one arm, training set and search.

    Attributes:
        ratio: The geometric mean over the seeds; above 1 where the rate rises earlier on novel cells.
    """

    arm: str
    brick_set: str
    simulations: int
    ratio: Interval


@dataclass(frozen=True, slots=True)
class _Network:
    """What one network loses, by level and board, `[L, B]`.

    Attributes:
        shares: Shares of the parameters kept, `[L]`.
        new: How new each board is, `[B]`.
        trials: Decisions.
        hits: Those that lose value.
    """

    shares: np.ndarray
    new: np.ndarray
    trials: np.ndarray
    hits: np.ndarray

    def has(self, *names: str) -> bool:
        return all((self.new == name).any() for name in names)

    def rates(self, boards: np.ndarray) -> np.ndarray:
        """Returns the rate by level `[L]` on some boards, given as an index."""
        return self.hits[:, boards].sum(1) / self.trials[:, boards].sum(1)

    def rises(self, name: str) -> np.ndarray:
        rates = self.rates(self.new == name)
        return rates - rates[0]

    def groups(self, name: str) -> list[np.ndarray]:
        """Returns the groups of boards whose thresholds make up one: all at once, or those "alike"."""
        if name != ALIKE:
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
"""Arm, training set and simulations."""


def excesses(measured: Sequence[MeasuredPruning]) -> list[Excess]:
    """Returns the excess of each level above 0 and of their mean, given training and novel cells."""
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
    """Returns the excess from each network's share kept and rises on training and novel cells, `[N, 3]`."""
    share, seen, novel = values.mean(axis=0).tolist()
    return Excess(*key, level, share, seen, novel, student(values[:, 2] - values[:, 1]))


def thresholds(measured: Sequence[MeasuredPruning]) -> list[Threshold]:
    """Returns the threshold of each group of boards."""
    found = []
    for key, networks in _networks(measured).items():
        for name in (*NOVELTIES, ALIKE):
            own = [each for each in networks if each.has(*(COMPARED if name == ALIKE else (name,)))]
            if own and (name != ALIKE or own[0].groups(name)):
                logs, passed = zip(*(each.threshold(name) for each in own), strict=True)
                decisions = int(own[0].trials[0, own[0].groups(name)[0]].sum())
                share = _geometric(logs, certain=all(passed), most=1.0)
                found.append(Threshold(*key, name, decisions, share, not all(passed)))
    return found


def ratios(measured: Sequence[MeasuredPruning]) -> list[Ratio]:
    """Returns the ratio of thresholds where there are training cells, and as many novel ones or more."""
    found = []
    for key, networks in _networks(measured).items():
        own = [each for each in networks if each.has(*COMPARED) and each.groups(ALIKE)]
        if own:
            found.append(
                Ratio(
                    *key, _geometric([each.threshold(ALIKE)[0] - each.threshold("seen")[0] for each in own])
                )
            )
    return found


def passage(shares: Values, rates: Values, rise: float = RISE) -> float | None:
    """Returns the share kept where the rate has first risen by more than `rise` over level 0.

    Args:
        shares: Share kept by level, above 0.
        rates: Rate by level.
        rise: How far.

    Returns:
        The share, on a straight line in log(share) between the level before and the first above; None where
        there is no such level.
    """
    rises = [rate - rates[0] for rate in rates]
    for level in range(1, len(rises)):
        if rises[level] > rise:
            part = (rise - rises[level - 1]) / (rises[level] - rises[level - 1])
            before, after = log(shares[level - 1]), log(shares[level])
            return exp(before + part * (after - before))
    return None


def _geometric(logs: Sequence[float], *, certain: bool = True, most: float = inf) -> Interval:
    """Returns the geometric mean of values given as logarithms, with its interval where they are certain."""
    found = student(logs)
    if not (certain and found.known):
        return Interval(exp(found.mean), nan, nan, found.n)
    return Interval(exp(found.mean), exp(found.low), min(most, exp(found.high)), found.n)


def _networks(measured: Sequence[MeasuredPruning]) -> dict[_Key, list[_Network]]:
    """Returns what each network loses, a list for each arm, training set and number of simulations."""
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
