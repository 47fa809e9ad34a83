"""A bilevel experiment: a named `BilevelRecipe`, its variants (`BilevelArm`) for choosing x, and its jobs."""

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
"""The meaning of the levels of each problem."""


@dataclass(frozen=True)
class BilevelArm:
    """A variant for choosing the upper variables: a method with its options, or a baseline.

    Attributes:
        method: A name in `pruning.bilevel.methods.METHODS`; "" is a baseline.
        options: Options of the method.
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
    """The state of a run after a fraction of its budget.

    Attributes:
        arm: Name of the variant.
        level: The level.
        seed: Its seed.
        spent: Fraction of the budget, in (0, 1]; 1 is the end.
        metrics: The measurements, by name.
    """

    arm: str
    level: float
    seed: int
    spent: float
    metrics: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class BilevelRecipe(ExperimentRecipe[BilevelArm, BilevelPoint]):
    """A named experiment.

    Attributes:
        problem: One of `PROBLEMS`.
        levels: Fractions of noisy labels, or numbers of added features; each is one experiment.
        train: Number of training samples, for the lower loss.
        validation: Number of validation samples, for the upper loss.
        passes: The budget of a method, in samples per training sample. Gradients, Hessian-vector products and
            mixed products all count.
        calls: The budget in numbers of these computations, of any batch size; the tighter budget counts.
        marks: Number of measurements, evenly spaced over the budget.
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
        """Raises ValueError if a number is too small."""
        require_at_least(1, train=self.train, validation=self.validation, passes=self.passes)
        super().check()

    def task(self, data: DataSet, level: float, seed: int) -> BilevelTask:
        """Returns the bilevel problem at one level.

        Raises:
            ValueError: The data set has fewer samples than needed.
        """
        if self.problem == "cleaning":
            return cleaning(data, train=self.train, validation=self.validation, noise=level, seed=seed)
        return penalties(data, train=self.train, validation=self.validation, added=round(level), seed=seed)


@dataclass(frozen=True)
class BilevelJob:
    """One run of a variant, at a level, with a seed."""

    arm: str
    level: float
    seed: int

    @property
    def file(self) -> str:
        """The path of its results in the experiment's folder."""
        return f"runs/{self.arm}-{self.level:g}/seed-{self.seed}.json"


def jobs_of(recipe: BilevelRecipe) -> list[BilevelJob]:
    """Returns all jobs of a recipe; they are independent."""
    return [
        BilevelJob(arm, level, seed)
        for seed in range(recipe.seeds)
        for level in recipe.levels
        for arm in recipe.arms
    ]


def ends(points: Sequence[BilevelPoint], arm: str, level: float) -> dict[int, BilevelPoint]:
    """Returns the final points of a variant at a level, by seed."""
    return {each.seed: each for each in points if (each.arm, each.level, each.spent) == (arm, level, 1.0)}
