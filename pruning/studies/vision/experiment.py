"""A vision experiment: a named `Recipe`, its variants of pruning and training (`Arm`), and its `Job`s."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from bttt.runs import NOT_A_SETTING, option, plain, require_at_least
from pruning.loop import Amount, LearningRate, Level, Plan, Scoring, Stop
from pruning.models import check_model, unmasked
from pruning.studies.experiment import ExperimentRecipe, Picture
from pruning.studies.plugins import resolved
from pruning.studies.vision.points import Point
from pruning.studies.vision.task import Training, VisionTask

ONE_SHOT_CYCLES = 1
Measure = Callable[[str, VisionTask, Level], Mapping[str, float]]
"""Name of a variant, task and level -> numbers by name."""


@dataclass(frozen=True)
class Base:
    """How to train a dense network that several variants prune.

    Attributes:
        schedule: A name in `pruning.schedules.registry.SCHEDULES`.
        options: Its options.
        epochs: Fraction of the recipe's epochs.
    """

    schedule: str = "constant"
    options: Mapping[str, Any] = field(default_factory=dict)
    epochs: float = 1.0


@dataclass(frozen=True)
class Arm:
    """A variant of pruning and training.

    Attributes:
        plan: Settings of a `Plan`, in addition to the recipe's.
        base: The dense network it starts from, by name in the recipe's bases; "" trains its own.
        epochs: Fraction of the recipe's epochs in each cycle; 0 trains nothing.
        training: Changes to the recipe's training.
        parts: Fractions to prune in one shot, each from the dense network; () prunes in cycles.
        widths: Factor of the network's width in each part, on top of the recipe's; () leaves it unchanged.
        follows: The variant whose masks it trains, instead of choosing its own.
        shuffled: Whether the entries of those masks are shuffled within each layer.
    """

    plan: Mapping[str, Any] = field(default_factory=dict)
    base: str = ""
    epochs: float = 1.0
    training: Mapping[str, Any] = field(default_factory=dict)
    parts: tuple[float, ...] = ()
    widths: tuple[float, ...] = ()
    follows: str = ""
    shuffled: bool = False

    @property
    def prunings(self) -> int:
        """Number of pruning runs of each dense network: one for each part, or one in cycles."""
        return max(1, len(self.parts))


@dataclass(frozen=True)
class Published:
    """A number from the paper, shown next to ours.

    Attributes:
        arm: The variant that it belongs to.
        density: Fraction kept.
        accuracy: Test accuracy.
        source: Source of the number: "text", "code", "data" (exact), or "figure" (read by eye, +-0.02).
    """

    arm: str
    density: float
    accuracy: float
    source: str = "figure"


@dataclass(frozen=True, kw_only=True)
class Recipe(ExperimentRecipe[Arm, Point]):
    """A named experiment, as published wherever the paper gives the settings.

    Attributes:
        model: The network's spec in `pruning.models.registry`.
        training: How every network is trained, except for the learning rate.
        bases: The dense networks that variants share, by name.
        plan: Settings of a `Plan` that all variants share.
        init: How weights are drawn, a name in `pruning.models.registry.INITS`.
        width: Factor of the network's width.
        subset: Number of training images, and maximum number of test images; None uses all.
        classes: Number of classes; None uses all.
        size: Rows and columns of the images of the data set "folder"; None is 64.
        cycles: Maximum number of cycles of the variants that prune in cycles.
        published: The paper's numbers, measured on its data set.
        measure: Further measurements of each finished network.
        sections: Further parts of the report, by title: functions of the points.
        pictures: Further pictures, by file: functions that draw the points there.
    """

    training: Training
    bases: Mapping[str, Base] = field(default_factory=dict, metadata=NOT_A_SETTING)
    plan: Mapping[str, Any] = field(default_factory=dict, metadata=NOT_A_SETTING)
    init: str = "default"
    width: float = 1.0
    subset: int | None = None
    classes: int | None = None
    size: int | None = None
    cycles: int = option(12, setting=False)
    published: tuple[Published, ...] = option((), setting=False)
    measure: Measure | None = option(None, setting=False)
    sections: Mapping[str, Callable[[Sequence[Point]], str]] = field(
        default_factory=dict, metadata=NOT_A_SETTING
    )
    pictures: Mapping[str, Picture[Point]] = field(default_factory=dict, metadata=NOT_A_SETTING)

    def with_changes(self, changes: Mapping[str, Any]) -> Self:
        """Returns the recipe with other values of its fields.

        Args:
            changes: By field; "training" and "plan" also map names to changes, "arms" is a sequence of names.

        Raises:
            ValueError: A variant is unknown, or follows one that is not chosen; or a value is out of range.
        """
        chosen = dict(changes)
        if "training" in chosen:
            chosen["training"] = replace(self.training, **chosen["training"])
        if "model" in chosen and self.plan.get("exclude") == unmasked(self.model):
            chosen["plan"] = {"exclude": unmasked(chosen["model"]), **chosen.get("plan", {})}
        if "plan" in chosen:
            chosen["plan"] = {**self.plan, **chosen["plan"]}
        if chosen.get("data", self.data) != self.data:
            chosen["published"] = ()
        return super().with_changes(chosen)

    def check(self) -> None:
        """Raises ValueError if a value is out of range."""
        check_model(self.model, self.width)
        require_at_least(1, subset=self.subset, epochs=self.training.epochs)
        super().check()
        for name, arm in self.arms.items():
            if arm.follows and arm.follows not in self.arms:
                raise ValueError(
                    f"variant {name!r} trains the masks of {arm.follows!r}, which must be chosen too"
                )
            for part in range(arm.prunings):
                self.plan_of(arm, part, 0)

    def identity(self) -> dict[str, Any]:
        """Returns the values that determine the folder's name, as JSON values: the settings and the plan."""
        return {**self.settings(), "plan": plain(self.plan)}

    def changeable(self) -> dict[str, Any]:
        """Returns all values that `with_changes` may change, by name, except the variants."""
        found = self.settings()
        training = found.pop("training")
        return {**found, **training, **self.plan, "cycles": self.cycles, "seeds": self.seeds}

    def record(self) -> dict[str, Any]:
        """Returns the record for reproducing its runs, besides the settings and seeds, as JSON values."""
        bases = {name: plain(asdict(base)) for name, base in self.bases.items()}
        return {"plan": plain(self.plan), **super().record(), "bases": bases, "cycles": self.cycles}

    def training_of(self, arm: Arm | Base) -> Training:
        """Returns the training settings of a variant's cycles, or of a base."""
        changes = dict(arm.training) if isinstance(arm, Arm) else {}
        epochs = max(1, round(arm.epochs * self.training.epochs)) if arm.epochs else 0
        return replace(self.training, epochs=epochs, **changes)

    def plan_of(self, arm: Arm, part: int, seed: int) -> Plan:
        """Returns the pruning plan of one run of a variant."""
        one_shot = {"cycles": ONE_SHOT_CYCLES, "fraction": arm.parts[part]} if arm.parts else {}
        chosen = {"cycles": self.cycles, **self.plan, **arm.plan, **one_shot, "seed": seed}
        if chosen.get("schedule") == "silo-linear":  # its straight line ends with the run
            options = chosen.get("schedule_options", {})
            chosen["schedule_options"] = {"last": max(1, self.cycles), **options}
        return Plan.from_settings(**resolved(chosen))

    def width_of(self, arm: Arm | None, part: int) -> float:
        """Returns the factor of the network's width in one part of a variant, or of a base."""
        return self.width * (arm.widths[part] if arm and arm.widths else 1.0)

    def base_plan(self, name: str, seed: int) -> Plan:
        """Returns the plan that only trains a base."""
        base = self.bases[name]
        resolved({"schedule": base.schedule})
        return Plan(
            Scoring("magnitude"),
            Amount(fraction=0.0),
            learning_rate=LearningRate(base.schedule, base.options),
            stop=Stop(cycles=0),
            seed=seed,
        )


@dataclass(frozen=True)
class Job:
    """One run of a variant, or of a base if `arm` is "".

    Attributes:
        arm: Name of the variant.
        base: Name of the base.
        part: Number of the part, for variants that have parts.
        seed: Its seed.
    """

    arm: str
    base: str
    part: int
    seed: int

    @property
    def folder(self) -> str:
        """Its path in the experiment's folder."""
        own = f"runs/{self.arm}-{self.part}" if self.arm else f"networks/{self.base}"
        return f"{own}/seed-{self.seed}"


def stages(recipe: Recipe) -> Iterator[list[Job]]:
    """Yields the jobs in stages; the jobs of a stage depend only on results of earlier stages."""
    seeds = range(recipe.seeds)
    used = dict.fromkeys(arm.base for arm in recipe.arms.values() if arm.base)
    yield [Job("", base, 0, seed) for seed in seeds for base in used]
    for follows in (False, True):
        yield [
            Job(name, arm.base, part, seed)
            for seed in seeds
            for name, arm in recipe.arms.items()
            for part in range(arm.prunings)
            if bool(arm.follows) == follows
        ]
