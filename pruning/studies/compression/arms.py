"""The variants of the study `bttt compression`: pruning runs that differ in one factor at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from bttt.runs import folder_name, from_options, is_plugin, nearest
from pruning.studies.alphazero import PruneConfig, PruneOptions
from tournaments.generalisation import StudyNetwork

MAIN = "dropnet-layer"
_LAYER = {"method": "dropnet", "scope": "layer"}
ARMS: dict[str, dict[str, Any]] = {
    MAIN: _LAYER,
    "dropnet": {"method": "dropnet"},
    "maximum-layer": _LAYER | {"method": "maximum"},
    "random-layer": _LAYER | {"method": "random"},
    "apoz-layer": _LAYER | {"method": "apoz"},
    "dense": _LAYER | {"fraction": 0.0},
    "rewind": _LAYER | {"restart": "rewind"},
    "reinit": _LAYER | {"restart": "reinit"},
    "magnitude": {"method": "magnitude"},
    "gradient": {"method": "gradient"},
    "magnitude-rewind": {"method": "magnitude", "restart": "rewind"},
    "magnitude-reinit": {"method": "magnitude", "restart": "reinit"},
    "fine-tuning": _LAYER | {"schedule": "ft"},
    "constant": _LAYER | {"schedule": "constant"},
    "warmup-step": _LAYER | {"schedule": "warmup-step"},
    "upper": _LAYER | {"schedule": "silo-step:jump=0"},
    "silo-step": _LAYER | {"schedule": "silo-step"},
    "silo-linear": _LAYER | {"schedule": "silo-linear"},
    "oracle": _LAYER | {"schedule": "warmup-step"},
}
"""The changes of each variant to the options of a pruning run. The default schedule is SILO's.

dense: prunes nothing, and retrains equally often. rewind: resets weights to the initial ones (lottery
tickets); the other variants keep their weights and restart the schedule (LR rewinding). upper: SILO's upper
bound in every cycle. oracle: the best of a grid of peaks in every cycle.
"""


def variant_options(name: str) -> dict[str, Any]:
    """Returns the changes of a variant: of `ARMS`, or of a user's own pruning method, "python:module:name".

    Raises:
        ValueError: The method cannot be loaded.
    """
    if not is_plugin(name):
        return ARMS[name]
    from pruning.studies.plugins import find_method  # torch, for plug-ins alone

    channels = find_method(name).prunes == "channels"
    return {"method": name, **({"scope": "layer"} if channels else {})}


@dataclass(frozen=True, slots=True)
class ArmRun:
    """One pruning run of the study.

    Attributes:
        arm: Name in `ARMS`, or of a user's own method.
        network: The network to prune.
    """

    arm: str
    network: StudyNetwork

    @property
    def name(self) -> str:
        """The name of its folder."""
        return f"{folder_name(self.arm)}-{self.network.name}"

    def config(self, base: PruneOptions, grid: Sequence[float], networks: Path, runs: Path) -> PruneConfig:
        """Returns the settings of the pruning run, given the settings of the study.

        Args:
            base: Options that the variants share.
            grid: Peak learning rates that the variant "oracle" tries.
            networks: Folder of the trained networks.
            runs: Folder of the pruning runs.
        """
        folder = networks / self.network.name
        options = {each.name: getattr(base, each.name) for each in fields(base)} | variant_options(self.arm)
        if self.arm == "oracle":
            options["grid"] = tuple(grid)
        options |= {"seed": self.network.seed, "buffer": folder / "buffer.npz", "out": runs / self.name}
        return from_options(PruneConfig, agent=f"alphazero:{folder}", **options)


def prunings(
    arms: Sequence[str],
    networks: Sequence[StudyNetwork],
    control_sets: Sequence[str],
    control_seeds: int,
) -> list[ArmRun]:
    """Returns the pruning runs of a study: first those of the first variant, then seed by seed.

    Args:
        arms: Names in `ARMS`; the first prunes all networks.
        networks: The networks.
        control_sets: Training sets whose networks the other variants prune.
        control_seeds: Number of networks of each of these sets.

    Raises:
        ValueError: A variant is unknown or named twice.
    """
    if not arms:
        raise ValueError(f"no variant is chosen; variants are {', '.join(ARMS)}")
    if twice := [name for number, name in enumerate(arms) if name in arms[:number]]:
        raise ValueError(f"variant {twice[0]!r} is named twice")
    for name in arms:
        if name not in ARMS and not is_plugin(name):
            raise ValueError(
                f"unknown variant {name!r}{nearest(name, list(ARMS))}; variants are {', '.join(ARMS)}, "
                "python:module:name"
            )
    controlled = [
        network for network in networks if network.brick_set in control_sets and network.seed < control_seeds
    ]
    return [ArmRun(arms[0], network) for network in networks] + [
        ArmRun(arm, network) for network in controlled for arm in arms[1:]
    ]
