"""Checks of numbers that a caller of the pruning core gives."""

from __future__ import annotations


def require_whole(least: int, /, **values: int | None) -> None:
    """Raises ValueError for the first value that is not a whole number from `least` on; None is allowed."""
    for name, value in values.items():
        if value is not None and not (isinstance(value, int) and value >= least):
            raise ValueError(f"{name} must be a whole number, at least {least}, got {value!r}")
