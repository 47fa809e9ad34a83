"""What a vision experiment is: a named `Recipe` with its ways to prune and train, the `Arm`s; its `Job`s."""

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
"""Name of an arm, task and level -> numbers by name."""


@dataclass(frozen=True)
class Base:
    """How the dense network is trained that several arms prune.

    Attributes:
        schedule: A name in `pruning.schedules.registry.SCHEDULES`.
        options: Its options.
        epochs: Share of the recipe's epochs.
    """

    schedule: str = "constant"
    options: Mapping[str, Any] = field(default_factory=dict)
    epochs: float = 1.0


@dataclass(frozen=True)
class Arm:
    """A way to prune and to train.

    Attributes:
        plan: Settings of a `Plan` beside the recipe's.
        base: The dense network it starts from, by name in the recipe's bases; "" trains one in its own way.
        epochs: Share of the recipe's epochs, in each cycle; 0 trains nothing.
        training: Changes to the recipe's training.
        parts: One-shot: a pruning of the dense network for each, which drops that share; () prunes in cycles.
        widths: Factor of the network's width in each part, beside the recipe's; () leaves it.
        follows: The arm whose masks it trains, instead of choosing some.
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
        """Prunings of each dense network: one for each part, or one in cycles."""
        return max(1, len(self.parts))


@dataclass(frozen=True)
class Published:
    """A number of the paper, to stand beside ours.

    Attributes:
        arm: The arm that it belongs to.
        density: Share kept.
        accuracy: Test accuracy.
        source: Where it is from: "text", "code", "data" (exact), or "figure" (read by eye, +-0.02).
    """

    arm: str
    density: float
    accuracy: float
    source: str = "figure"


@dataclass(frozen=True, kw_only=True)
class Recipe(ExperimentRecipe[Arm, Point]):
    """An experiment by name, as published where the paper says how.

    Attributes:
        model: The network's spec in `pruning.models.registry`.
        training: How every network is trained, but for the learning rate.
        bases: The dense networks that arms share, by name.
        plan: Settings of a `Plan` that all arms share.
        init: How weights are drawn, a name in `pruning.models.registry.INITS`.
        width: Factor of the network's width.
        subset: Training images taken, and test images at most; None is all.
        classes: Classes taken; None is all.
        size: Rows and columns of the images of the data set "folder"; None is 64.
        cycles: Most cycles of the arms that prune in cycles.
        published: The paper's numbers, which are of its data set.
        measure: What else is measured of each finished network.
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
            changes: By field; "training" and "plan" are mappings of changes too, "arms" a sequence of names.

        Raises:
            ValueError: An arm is unknown, or follows one that is not chosen; a value is out of range.
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
        """Raises ValueError where a value is out of range."""
        check_model(self.model, self.width)
        require_at_least(1, subset=self.subset, epochs=self.training.epochs)
        super().check()
        for name, arm in self.arms.items():
            if arm.follows and arm.follows not in self.arms:
                raise ValueError(
                    f"arm {name!r} trains the masks of {arm.follows!r}, which must be chosen too"
                )
            for part in range(arm.prunings):
                self.plan_of(arm, part, 0)

    def identity(self) -> dict[str, Any]:
        """Returns what decides the name of its folder, as JSON values: the settings and the plan."""
        return {**self.settings(), "plan": plain(self.plan)}

    def changeable(self) -> dict[str, Any]:
        """Returns all values that `with_changes` may change, by name, but for the arms."""
        found = self.settings()
        training = found.pop("training")
        return {**found, **training, **self.plan, "cycles": self.cycles, "seeds": self.seeds}

    def record(self) -> dict[str, Any]:
        """Returns what is needed to make its runs again, beside the settings and seeds, as JSON values."""
        bases = {name: plain(asdict(base)) for name, base in self.bases.items()}
        return {"plan": plain(self.plan), **super().record(), "bases": bases, "cycles": self.cycles}

    def training_of(self, arm: Arm | Base) -> Training:
        """Returns how an arm's cycles, or a base, are trained."""
        changes = dict(arm.training) if isinstance(arm, Arm) else {}
        epochs = max(1, round(arm.epochs * self.training.epochs)) if arm.epochs else 0
        return replace(self.training, epochs=epochs, **changes)

    def plan_of(self, arm: Arm, part: int, seed: int) -> Plan:
        """Returns how one run of an arm prunes."""
        one_shot = {"cycles": ONE_SHOT_CYCLES, "fraction": arm.parts[part]} if arm.parts else {}
        chosen = {"cycles": self.cycles, **self.plan, **arm.plan, **one_shot, "seed": seed}
        if chosen.get("schedule") == "silo-linear":  # a line has its end where the run has
            options = chosen.get("schedule_options", {})
            chosen["schedule_options"] = {"last": max(1, self.cycles), **options}
        return Plan.from_settings(**resolved(chosen))

    def width_of(self, arm: Arm | None, part: int) -> float:
        """Returns the factor of the network's width in one part of an arm, or of a base."""
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
    """One run: of an arm, or where that is "" of a base.

    Attributes:
        arm: Name of the arm.
        base: Name of the base.
        part: Number of the part, of arms that have parts.
        seed: Its seed.
    """

    arm: str
    base: str
    part: int
    seed: int

    @property
    def folder(self) -> str:
        """Where it lies in the experiment's folder."""
        own = f"runs/{self.arm}-{self.part}" if self.arm else f"networks/{self.base}"
        return f"{own}/seed-{self.seed}"


def stages(recipe: Recipe) -> Iterator[list[Job]]:
    """Yields the jobs in stages: those of one need what the stages before have made, and nothing else."""
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
