"""Checks of numbers given by a user."""

from __future__ import annotations

from math import isinf


def require_at_least(least: float, /, *, below: float | None = None, **values: float | None) -> None:
    """Raises ValueError if a value is out of range; None, for an option that is not set, is allowed.

    Args:
        least: The smallest allowed value.
        below: Values must also be smaller than this; infinity requires finite values.
        **values: The values by name; the message gives the name.
    """
    allowed = f"at least {least}"
    if below is not None:
        allowed += " and finite" if isinf(below) else f" and below {below}"
    for name, value in values.items():
        if value is not None and not (least <= value and (below is None or value < below)):
            raise ValueError(f"{name} must be {allowed}, got {value}")
