"""The methods of `bttt prune` by what they need beside their criterion: plans are data.

A method is a criterion's name, which prunes a trained network in cycles, or one of `BEFORE_TRAINING`. Nothing
here loads torch, so that the command line knows its options at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

AFTER_TRAINING: Mapping[str, Any] = {
    "scope": "global",
    "cycles": 12,
    "fraction": 0.2,
    "schedule": "silo",
    "untrained": False,
    "rounds": 1,
    "allocation": "scores",
}
"""What a method has where it says nothing else: a trained network is cut again and again, and retrained."""
AT_START: Mapping[str, Any] = {
    **AFTER_TRAINING,
    "cycles": 1,
    "fraction": 0.9,
    "schedule": "clr",
    "untrained": True,
}
"""What pruning before training has: once, and the training is a whole one."""
SPARSE: Mapping[str, Any] = {**AT_START, "allocation": "erk"}
IN_LAYERS: Mapping[str, Any] = {**AFTER_TRAINING, "scope": "layer"}
METHODS: Mapping[str, Mapping[str, Any]] = {
    "snip": AT_START,
    "grasp": AT_START,
    "synflow": {**AT_START, "rounds": 100},
    "static": SPARSE,
    "set": SPARSE,
    "snfs": SPARSE,
    "rigl": SPARSE,
    "gradual": SPARSE,
    "greedy-forward": IN_LAYERS,
    "greedy-local": IN_LAYERS,
    "greedy-global": IN_LAYERS,
}
"""The methods that differ from `AFTER_TRAINING`, by name."""


def defaults(method: str, untrained: bool | None) -> Mapping[str, Any]:
    """Returns what a method, with or without options behind a colon, has where it is told nothing else."""
    return METHODS.get(method.partition(":")[0], AT_START if untrained else AFTER_TRAINING)
