"""Checks of numbers that a user gives."""

from __future__ import annotations

from math import isinf


def require_at_least(least: float, /, *, below: float | None = None, **values: float | None) -> None:
    """Raises ValueError where a value is out of range; None stands for an option that is not given.

    Args:
        least: The smallest value that is allowed.
        below: The value must also be smaller than this; infinity: it must be finite.
        **values: The values by their names in the message.
    """
    allowed = f"at least {least}"
    if below is not None:
        allowed += " and finite" if isinf(below) else f" and below {below}"
    for name, value in values.items():
        if value is not None and not (least <= value and (below is None or value < below)):
            raise ValueError(f"{name} must be {allowed}, got {value}")
