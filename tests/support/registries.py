"""The registries that a user's plug-ins enter."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pruning.criteria import CRITERIA
from pruning.schedules import SCHEDULES
from pruning.sparse import TOPOLOGIES

REGISTRIES: tuple[dict[str, Any], ...] = (CRITERIA, SCHEDULES, TOPOLOGIES)


@contextmanager
def registries_as_before() -> Iterator[None]:
    """What plug-ins enter into registries leaves at the end."""
    before = [dict(registry) for registry in REGISTRIES]
    try:
        yield
    finally:
        for registry, names in zip(REGISTRIES, before, strict=True):
            registry.clear()
            registry.update(names)
