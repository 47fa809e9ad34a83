"""The common part of all recipes: a name, the paper, variants to compare, and claims to test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from bttt.runs import NOT_A_SETTING, nearest, option, plain, require_at_least, settings_of
from pruning.studies.experiment.claims import Claim, PointT

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    ArmT = TypeVar("ArmT", bound=DataclassInstance)
else:
    ArmT = TypeVar("ArmT")

Picture = Callable[[Path, Sequence[PointT]], None]
"""Draws points into a file."""


@dataclass(frozen=True, kw_only=True)
class ExperimentRecipe(Generic[ArmT, PointT]):
    """A named experiment. Fields are settings of its runs, unless declared otherwise.

    Attributes:
        name: PAPER/EXPERIMENT.
        paper: The paper that published the experiment.
        data: The data set, a name in `pruning.data.loading.SETS`.
        model: The network.
        arms: The compared variants, by name.
        seeds: Number of runs of each variant, with the seeds 0, 1, ...
        small: Changes for small machines, in the form that `with_changes` takes.
        claims: The paper's claims, each with a check on our numbers.
        note: How the recipe differs from the paper.
    """

    name: str
    paper: str = field(metadata=NOT_A_SETTING)
    data: str
    model: str
    arms: Mapping[str, ArmT] = field(metadata=NOT_A_SETTING)
    seeds: int = option(3, setting=False)
    small: Mapping[str, Any] = field(default_factory=dict, metadata=NOT_A_SETTING)
    claims: tuple[Claim[PointT], ...] = option((), setting=False)
    note: str = option("", setting=False)

    def with_changes(self, changes: Mapping[str, Any]) -> Self:
        """Returns the recipe with other values of its fields.

        Args:
            changes: New values by field; for "arms" a sequence of names.

        Raises:
            ValueError: A variant is unknown, or a value is out of range.
        """
        chosen = dict(changes)
        if "arms" in chosen:
            chosen["arms"] = self._chosen_arms(chosen["arms"])
        found = replace(self, **chosen)
        found.check()
        return found

    def check(self) -> None:
        """Raises ValueError if a value is out of range."""
        require_at_least(1, seeds=self.seeds)

    def settings(self) -> dict[str, Any]:
        """Returns the settings that determine each run, as JSON values, without variants and seeds."""
        return settings_of(self)

    def identity(self) -> dict[str, Any]:
        """Returns the values that determine the name of its folder, as JSON values."""
        return self.settings()

    def changeable(self) -> dict[str, Any]:
        """Returns all values that `with_changes` may change, by name, except the variants."""
        return {**self.settings(), "seeds": self.seeds}

    def record(self) -> dict[str, Any]:
        """Returns the record for reproducing its runs, besides the settings and seeds, as JSON values."""
        return {"arms": {name: plain(asdict(arm)) for name, arm in self.arms.items()}}

    def _chosen_arms(self, names: Sequence[str]) -> dict[str, ArmT]:
        known = ", ".join(self.arms)
        if not names:
            raise ValueError(f"no variant is chosen; variants of {self.name} are {known}")
        for name in names:
            if name not in self.arms:
                raise ValueError(
                    f"unknown variant {name!r}{nearest(name, list(self.arms))}; "
                    f"variants of {self.name} are {known}"
                )
        return {name: arm for name, arm in self.arms.items() if name in names}
