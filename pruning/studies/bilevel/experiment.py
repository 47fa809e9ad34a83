"""What a bilevel experiment is: a named `BilevelRecipe` with its ways to choose x, the arms; its jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bttt.runs import option, require_at_least
from pruning.bilevel import check_method
from pruning.data import DataSet
from pruning.studies.bilevel.problems import BilevelTask, cleaning, penalties
from pruning.studies.experiment import ExperimentRecipe

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


@dataclass(frozen=True, kw_only=True)
class BilevelRecipe(ExperimentRecipe[BilevelArm, BilevelPoint]):
    """An experiment by name.

    Attributes:
        problem: One of `PROBLEMS`.
        levels: Shares of noisy labels, or numbers of added features: an experiment for each.
        train: Training samples, which the lower loss is of.
        validation: Validation samples, which the upper loss is of.
        passes: The budget of a method: so many samples for each training sample, of gradients,
            Hessian-vector and mixed products alike.
        calls: The budget is spent too when so many of those have been computed, of however few samples.
        marks: How often it is measured.
    """

    model: str = option("softmax regression", setting=False)
    problem: str
    levels: tuple[float, ...]
    train: int = 5000
    validation: int = 5000
    passes: int = 400
    calls: int = 50_000
    marks: int = 20

    @property
    def samples(self) -> int:
        """The budget of a method, in samples."""
        return self.passes * self.train

    def check(self) -> None:
        """Raises ValueError where a number is too small."""
        require_at_least(1, train=self.train, validation=self.validation, passes=self.passes)
        super().check()

    def task(self, data: DataSet, level: float, seed: int) -> BilevelTask:
        """Returns the bilevel problem at one level.

        Raises:
            ValueError: The data are fewer than its samples.
        """
        if self.problem == "cleaning":
            return cleaning(data, train=self.train, validation=self.validation, noise=level, seed=seed)
        return penalties(data, train=self.train, validation=self.validation, added=round(level), seed=seed)


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


def ends(points: Sequence[BilevelPoint], arm: str, level: float) -> dict[int, BilevelPoint]:
    """Returns what an arm came to at a level, at the end of the budget, by seed."""
    return {each.seed: each for each in points if (each.arm, each.level, each.spent) == (arm, level, 1.0)}
