"""Confidence intervals of fractions."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

Z95 = NormalDist().inv_cdf(0.975)
"""Half width of a 95% interval of the normal distribution, in standard deviations."""


def wilson(share: float, total: int) -> tuple[float, float]:
    """Returns the 95% interval (Wilson 1927) of a fraction observed in `total` independent trials."""
    spread = Z95**2 / total
    middle = (share + spread / 2) / (1 + spread)
    half = Z95 * sqrt(share * (1 - share) / total + spread / (4 * total)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)
