"""The default options of `bttt prune` for each method, which depend on when the method scores.

Nothing here loads torch, so that the command line starts fast.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pruning import PRUNING_METHODS

SCORES = "scores"
"""The allocation in which the scores decide how much each layer keeps."""
AFTER_TRAINING: Mapping[str, Any] = {
    "scope": "global",
    "cycles": 12,
    "fraction": 0.2,
    "schedule": "silo",
    "untrained": False,
    "rounds": 1,
    "allocation": SCORES,
}
"""Prune a trained network repeatedly, and retrain it each time."""
BEFORE_TRAINING: Mapping[str, Any] = {
    **AFTER_TRAINING,
    "cycles": 1,
    "fraction": 0.9,
    "schedule": "clr",
    "untrained": True,
}
"""Prune the initial weights once, then train for as long as a dense network."""


def defaults(method: str, untrained: bool | None) -> Mapping[str, Any]:
    """Returns the values of options that are not given.

    Args:
        method: The method, with or without options after a colon; an unknown method has the defaults of
            a criterion.
        untrained: Whether initial weights are pruned; None if that is not given. A method with its own
            settings keeps the defaults that go with them.
    """
    name = method.partition(":")[0]
    if name == "python":
        from pruning.studies.plugins import method_settings, split_method  # torch, for plug-ins alone

        settings = method_settings(split_method(method)[0])
    else:
        settings = PRUNING_METHODS[name].settings if name in PRUNING_METHODS else {}
    own = {name: value for name, value in settings.items() if name in AFTER_TRAINING}
    before = own.get("untrained", False) if own else untrained
    return {**(BEFORE_TRAINING if before else AFTER_TRAINING), **own}
