"""What a bilevel experiment is: a named `BilevelRecipe` with its ways to choose x, the arms; its jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bttt.runs import nearest
from pruning.bilevel import check_method
from pruning.data import DataSet
from pruning.studies.bilevel.problems import BilevelTask, cleaning, penalties
from pruning.studies.experiment import Claim

PROBLEMS = ("cleaning", "penalties")
LEVELS = {"cleaning": "label noise", "penalties": "added features"}
"""What the levels of each problem are."""


@dataclass(frozen=True)
class BilevelArm:
    """A way to choose the upper variables: a method with its options, or a baseline.

    Attributes:
        method: A name in `pruning.bilevel.methods.METHODS`; "" is a baseline.
        options: Of the method.
        baseline: A name in `pruning.studies.bilevel.baselines.BASELINES`.
    """

    method: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    baseline: str = ""

    def __post_init__(self) -> None:
        if self.method:
            check_method(self.method, **self.options)


@dataclass(frozen=True)
class BilevelRecipe:
    """An experiment by name.

    Attributes:
        name: PAPER/EXPERIMENT.
        paper: Whose experiment it is.
        data: The data set, a name in `pruning.data.loading.SETS`.
        problem: One of `PROBLEMS`.
        levels: Shares of noisy labels, or numbers of added features: an experiment for each.
        arms: The ways to choose the upper variables, by name.
        train: Training samples, which the lower loss is of.
        validation: Validation samples, which the upper loss is of.
        passes: The budget of a method: so many samples for each training sample, of gradients,
            Hessian-vector and mixed products alike.
        calls: The budget is spent too when so many of those have been computed, of however few samples.
        marks: How often it is measured.
        seeds: Runs of each arm, with the seeds 0, 1, ...
        small: Changes for small machines.
        claims: What the paper claims, as checks of our numbers.
        note: How this differs from the paper.
    """

    name: str
    paper: str
    data: str
    problem: str
    levels: tuple[float, ...]
    arms: Mapping[str, BilevelArm]
    train: int = 5000
    validation: int = 5000
    passes: int = 400
    calls: int = 50_000
    marks: int = 20
    seeds: int = 3
    small: Mapping[str, Any] = field(default_factory=dict)
    claims: tuple[Claim, ...] = ()
    note: str = ""

    @property
    def model(self) -> str:
        """The network, for the list of recipes."""
        return "softmax regression"

    @property
    def samples(self) -> int:
        """The budget of a method, in samples."""
        return self.passes * self.train

    def with_changes(self, changes: Mapping[str, Any]) -> BilevelRecipe:
        """Returns the recipe with other values of its fields; of "arms", a sequence of names.

        Raises:
            ValueError: An arm is unknown, or a number is too small.
        """
        chosen = dict(changes)
        if "arms" in chosen:
            chosen["arms"] = self._chosen_arms(chosen["arms"])
        found = replace(self, **chosen)
        for name in ("train", "validation", "passes", "seeds"):
            if getattr(found, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(found, name)}")
        return found

    def settings(self) -> dict[str, Any]:
        """Returns what decides each of its runs, beside its arm, as JSON values."""
        names = ("name", "data", "problem", "levels", "train", "validation", "passes", "calls", "marks")
        return {name: getattr(self, name) for name in names}

    def task(self, data: DataSet, level: float, seed: int) -> BilevelTask:
        """Returns the bilevel problem at one level.

        Raises:
            ValueError: The data are fewer than its samples.
        """
        if self.problem == "cleaning":
            return cleaning(data, train=self.train, validation=self.validation, noise=level, seed=seed)
        return penalties(data, train=self.train, validation=self.validation, added=round(level), seed=seed)

    def _chosen_arms(self, names: Sequence[str]) -> dict[str, BilevelArm]:
        if not names:
            raise ValueError(f"no arm is chosen; arms of {self.name} are {', '.join(self.arms)}")
        for name in names:
            if name not in self.arms:
                raise ValueError(
                    f"unknown arm {name!r}{nearest(name, list(self.arms))}; arms of {self.name} are "
                    f"{', '.join(self.arms)}"
                )
        return {name: arm for name, arm in self.arms.items() if name in names}


@dataclass(frozen=True)
class BilevelJob:
    """One run: of an arm, at a level, with a seed."""

    arm: str
    level: float
    seed: int

    @property
    def file(self) -> str:
        """Where its results lie in the experiment's folder."""
        return f"runs/{self.arm}-{self.level:g}/seed-{self.seed}.json"


def jobs_of(recipe: BilevelRecipe) -> list[BilevelJob]:
    """Returns all jobs of a recipe; none needs another."""
    return [
        BilevelJob(arm, level, seed)
        for seed in range(recipe.seeds)
        for level in recipe.levels
        for arm in recipe.arms
    ]


@dataclass(frozen=True, slots=True)
class BilevelPoint:
    """What a run was like when a share of its budget was spent.

    Attributes:
        arm: Name of the arm.
        level: The level.
        seed: Its seed.
        spent: Share of the budget, in (0, 1]; 1 is the end.
        metrics: What was measured.
    """

    arm: str
    level: float
    seed: int
    spent: float
    metrics: Mapping[str, float]


def ends(points: Sequence[BilevelPoint], arm: str, level: float) -> dict[int, BilevelPoint]:
    """Returns what an arm came to at a level, at the end of the budget, by seed."""
    return {each.seed: each for each in points if (each.arm, each.level, each.spent) == (arm, level, 1.0)}
