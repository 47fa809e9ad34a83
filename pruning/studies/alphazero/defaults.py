"""What `bttt prune` does with a method if no option says otherwise: it depends on when the method scores.

Nothing here loads torch, so that the command line knows its options at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pruning import PRUNING_METHODS

SCORES = "scores"
"""The allocation that leaves to the scores how much each layer keeps."""
AFTER_TRAINING: Mapping[str, Any] = {
    "scope": "global",
    "cycles": 12,
    "fraction": 0.2,
    "schedule": "silo",
    "untrained": False,
    "rounds": 1,
    "allocation": SCORES,
}
"""A trained network is pruned again and again, and retrained each time."""
BEFORE_TRAINING: Mapping[str, Any] = {
    **AFTER_TRAINING,
    "cycles": 1,
    "fraction": 0.9,
    "schedule": "clr",
    "untrained": True,
}
"""Initial weights are pruned once, and trained as long as a network is."""


def defaults(method: str, untrained: bool | None) -> Mapping[str, Any]:
    """Returns what options have that are not given.

    Args:
        method: The method, with or without options behind a colon; an unknown one has the defaults of a
            criterion.
        untrained: Whether initial weights are pruned, if that is given. A method with settings of its own
            keeps the defaults that go with them.
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
