"""Checks of numbers and names that a caller of the pruning core gives."""

from __future__ import annotations

from collections.abc import Iterable

from pruning.words import nearest


def require_whole(least: int, /, **values: int | None) -> None:
    """Raises ValueError for the first value that is not a whole number from `least` on; None is allowed."""
    for name, value in values.items():
        if value is not None and not (isinstance(value, int) and value >= least):
            raise ValueError(f"{name} must be a whole number, at least {least}, got {value!r}")


def require_one_of(choices: Iterable[str], /, **values: str) -> None:
    """Raises ValueError, with the nearest choice, for the first value that is no choice."""
    known = [*choices]
    for name, value in values.items():
        if value not in known:
            allowed = ", ".join(each or "''" for each in known)
            raise ValueError(f"{name} must be one of {allowed}, got {value!r}{nearest(str(value), known)}")
