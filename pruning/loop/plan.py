"""How a pruning run prunes: a `Plan`, composed of small parts.

    >>> from pruning.loop import Amount, LearningRate, Plan, Scoring, Stop
    >>> composed = Plan(
    ...     Scoring("magnitude"),
    ...     Amount(scope="layer", fraction=0.5),
    ...     learning_rate=LearningRate("clr", {"lr": 0.1}),
    ...     stop=Stop(cycles=3),
    ... )
    >>> flat = {"criterion": "magnitude", "scope": "layer", "fraction": 0.5, "cycles": 3}
    >>> composed == Plan.from_settings(**flat, schedule="clr", schedule_options={"lr": 0.1})
    True

All fields of all parts have different names. A plan can therefore be given, changed and stored as flat
settings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from pruning.loop.parts import Amount, LearningRate, Scoring, StartWeights, Stop
from pruning.words import nearest

PARTS: dict[str, type[Any]] = {
    "scoring": Scoring,
    "amount": Amount,
    "start": StartWeights,
    "learning_rate": LearningRate,
    "stop": Stop,
}
"""The parts of a plan, by the plan's field name."""
SETTINGS = {each.name: part for part, kind in PARTS.items() for each in fields(kind)}
"""Flat setting -> the part that has it; the seed belongs to the plan itself."""
LATER = {"embeddings": False, "round_to": 1}
"""Settings added after the first runs, with their defaults: a default is not stored, so earlier runs fit."""


@dataclass(frozen=True)
class Plan:
    """How a network is pruned. A run of the loop depends only on its plan and its `Task`.

    Attributes:
        scoring: Which weights or units are pruned.
        amount: How many a cycle prunes, and where.
        start: Which weights a cycle starts from.
        learning_rate: At which learning rates a cycle trains.
        stop: When the run ends.
        seed: Seed of all random numbers.

    Raises:
        ValueError: The seed is out of range, or two parts exclude each other.
    """

    scoring: Scoring = field(default_factory=Scoring)
    amount: Amount = field(default_factory=Amount)
    start: StartWeights = field(default_factory=StartWeights)
    learning_rate: LearningRate = field(default_factory=LearningRate)
    stop: Stop = field(default_factory=Stop)
    seed: int = 0

    def __post_init__(self) -> None:
        criterion = self.scoring.criterion
        if not (isinstance(self.seed, int) and self.seed >= 0):
            raise ValueError(f"seed must be a whole number, at least 0, got {self.seed}")
        if self.amount.embeddings and self.scoring.of == "units":
            raise ValueError(f"embeddings needs a criterion that scores weights, {criterion!r} scores units")
        if self.amount.allocation and self.scoring.of == "units":
            raise ValueError(f"allocation needs a criterion that scores weights, {criterion!r} scores units")
        if self.amount.round_to > 1:
            self._check_rounding()
        if self.scoring.topology and self.start.rewind_to:
            rewound = self.start.rewind_to
            raise ValueError(f"topology needs a complete training run: rewind_to must be 0, got {rewound}")
        if self.scoring.chooses and self.amount.scope != "layer":
            scope = self.amount.scope
            raise ValueError(
                f"criterion {criterion!r} chooses layer by layer: scope must be layer, got {scope!r}"
            )

    def _check_rounding(self) -> None:
        scoring = self.scoring
        if scoring.of == "weights":
            raise ValueError(
                f"round_to needs a criterion that scores units, {scoring.criterion!r} scores weights"
            )
        if scoring.rounds > 1:
            raise ValueError(f"round_to needs one round: rounds must be 1, got {scoring.rounds}")
        if scoring.criterion_options.get("tolerance") is not None:
            tolerance = scoring.criterion_options["tolerance"]
            raise ValueError(
                "round_to sets how many units layers keep, and so does tolerance: "
                f"tolerance must be None, got {tolerance}"
            )

    @classmethod
    def from_settings(cls, **settings: Any) -> Plan:
        """Returns the plan with these flat settings: the fields of all parts by name, and the seed.

        Raises:
            TypeError: A name is not a setting.
            ValueError: A value is out of range, or two values exclude each other.
        """
        if odd := [name for name in settings if name != "seed" and name not in SETTINGS]:
            known = [*SETTINGS, "seed"]
            hint = nearest(odd[0], known)
            raise TypeError(f"a plan has no setting {odd[0]!r}{hint}; its settings are {', '.join(known)}")
        own: dict[str, dict[str, Any]] = {part: {} for part in PARTS}
        for name, value in settings.items():
            if name in SETTINGS:
                own[SETTINGS[name]][name] = value
        parts = {part: kind(**own[part]) for part, kind in PARTS.items()}
        return cls(**parts, seed=settings.get("seed", 0))

    def with_settings(self, **changes: Any) -> Plan:
        """Returns the plan with some flat settings changed; raises the errors of `from_settings`."""
        return self.from_settings(**{**_flat(self), **changes})

    def settings(self) -> dict[str, Any]:
        """Returns the flat settings as JSON values, for a cycle's file."""
        settings = {name: _plain(value) for name, value in _flat(self).items()}
        return {name: value for name, value in settings.items() if LATER.get(name, ...) != value}

    @property
    def least(self) -> int:
        """The minimum number of entries that each layer keeps."""
        floor = self.amount.floor
        return floor if floor is not None else int(self.scoring.of == "units")

    def lr(self, cycle: int, peak: float | None = None) -> Callable[[float], float]:
        """Returns a cycle's learning rate as a function of progress; see `LearningRate.of_cycle`."""
        return self.learning_rate.of_cycle(cycle, peak)

    def seed_of(self, *key: int) -> int:
        """Returns the seed for one use of random numbers: a cycle, or a cycle and a number of the use."""
        sequence = np.random.SeedSequence(self.seed, spawn_key=key)
        return int(sequence.generate_state(1)[0])


def _flat(plan: Plan) -> dict[str, Any]:
    return {name: getattr(getattr(plan, part), name) for name, part in SETTINGS.items()} | {"seed": plan.seed}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
