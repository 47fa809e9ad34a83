"""What a vision experiment is: a named `Recipe` with its ways to prune and train, the `Arm`s; its `Job`s."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from bttt.runs import nearest
from pruning.loop import Amount, LearningRate, Level, Plan, Scoring, Stop
from pruning.models import unmasked
from pruning.studies.experiment import Claim, Point
from pruning.studies.vision.task import Training, VisionTask

ONE_SHOT_CYCLES = 1


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


@dataclass(frozen=True)
class Recipe:
    """An experiment by name, as published where the paper says how.

    Attributes:
        name: PAPER/EXPERIMENT.
        paper: Whose experiment it is.
        data: The data set, a name in `pruning.data.loading.SETS`.
        model: The network's spec in `pruning.models.registry`.
        training: How every network is trained, but for the learning rate.
        arms: The ways to prune and train, by name.
        bases: The dense networks that arms share, by name.
        plan: Settings of a `Plan` that all arms share.
        init: How weights are drawn, a name in `pruning.models.registry.INITS`.
        width: Factor of the network's width.
        subset: Training images taken, and test images at most; None is all.
        classes: Classes taken; None is all.
        size: Rows and columns of the images of the data set "folder"; None is 64.
        cycles: Most cycles of the arms that prune in cycles.
        seeds: Runs of each arm, with the seeds 0, 1, ...
        small: Changes for small machines; those of "training" are to the training, "arms" are names.
        claims: What the paper claims, as checks of our numbers.
        published: The paper's numbers.
        measure: What else is measured of each finished network: from the arm's name, the task and the level
            to numbers by name.
        sections: Further parts of the report, by title: functions of the points.
        pictures: Further pictures, by file: functions that draw the points there.
        note: How this differs from the paper.
    """

    name: str
    paper: str
    data: str
    model: str
    training: Training
    arms: Mapping[str, Arm]
    bases: Mapping[str, Base] = field(default_factory=dict)
    plan: Mapping[str, Any] = field(default_factory=dict)
    init: str = "default"
    width: float = 1.0
    subset: int | None = None
    classes: int | None = None
    size: int | None = None
    cycles: int = 12
    seeds: int = 3
    small: Mapping[str, Any] = field(default_factory=dict)
    claims: tuple[Claim, ...] = ()
    published: tuple[Published, ...] = ()
    measure: Callable[[str, VisionTask, Level], Mapping[str, float]] | None = None
    sections: Mapping[str, Callable[[Sequence[Point]], str]] = field(default_factory=dict)
    pictures: Mapping[str, Callable[[Path, Sequence[Point]], None]] = field(default_factory=dict)
    note: str = ""

    def with_changes(self, changes: Mapping[str, Any]) -> Recipe:
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
        if "arms" in chosen:
            chosen["arms"] = self._chosen_arms(chosen["arms"])
        return replace(self, **chosen)

    def settings(self) -> dict[str, Any]:
        """Returns what decides each of its runs, as JSON values; not which arms, cycles and seeds it has."""
        apart = (
            "arms",
            "bases",
            "cycles",
            "seeds",
            "small",
            "claims",
            "published",
            "sections",
            "measure",
            "pictures",
            "note",
            "paper",
            "plan",
        )
        named = (each.name for each in fields(self) if each.name not in apart)
        values = {name: getattr(self, name) for name in named}
        return {**values, "training": asdict(self.training)}

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
        return Plan.from_settings(**chosen)

    def width_of(self, arm: Arm | None, part: int) -> float:
        """Returns the factor of the network's width in one part of an arm, or of a base."""
        return self.width * (arm.widths[part] if arm and arm.widths else 1.0)

    def base_plan(self, name: str, seed: int) -> Plan:
        """Returns the plan that only trains a base."""
        base = self.bases[name]
        return Plan(
            Scoring("magnitude"),
            Amount(fraction=0.0),
            learning_rate=LearningRate(base.schedule, base.options),
            stop=Stop(cycles=0),
            seed=seed,
        )

    def _chosen_arms(self, names: Sequence[str]) -> dict[str, Arm]:
        if not names:
            raise ValueError(f"no arm is chosen; arms of {self.name} are {', '.join(self.arms)}")
        for name in names:
            if name not in self.arms:
                raise ValueError(
                    f"unknown arm {name!r}{nearest(name, self.arms)}; arms of {self.name} are "
                    f"{', '.join(self.arms)}"
                )
        for name in names:
            if (host := self.arms[name].follows) and host not in names:
                raise ValueError(f"arm {name!r} trains the masks of {host!r}, which must be chosen too")
        return {name: arm for name, arm in self.arms.items() if name in names}


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
            for part in range(max(1, len(arm.parts)))
            if bool(arm.follows) == follows
        ]
