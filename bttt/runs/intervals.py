"""Confidence intervals of fractions."""

from __future__ import annotations

from math import nan, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

Z95 = NormalDist().inv_cdf(0.975)
"""Half width of a 95% interval of the normal distribution, in standard deviations."""


def wilson(share: float, total: int) -> tuple[float, float]:
    """Returns the 95% interval (Wilson 1927) of a fraction observed in `total` independent trials."""
    spread = Z95**2 / total
    middle = (share + spread / 2) / (1 + spread)
    half = Z95 * sqrt(share * (1 - share) / total + spread / (4 * total)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def ratio_interval(parts: np.ndarray, totals: np.ndarray, trials: int) -> tuple[float, float]:
    """Returns the 95% interval of the fraction `parts.sum() / totals.sum()`, in [0, 1]; nan for two units.

    Two units give no interval: Student's t has one degree of freedom and a factor of 12.7.

    Args:
        parts: Numerators by unit (for example a board), `[units]`.
        totals: Denominators by unit, `[units]`.
        trials: Independent trials, for Wilson's interval if there is no spread over units.
    """
    import numpy as np

    rate = parts.sum() / totals.sum()
    residuals = parts - rate * totals
    if len(parts) == 2:
        return nan, nan
    if len(parts) == 1 or np.allclose(residuals, 0):
        return wilson(rate, trials)
    half = spread_half_width(residuals) / totals.sum()
    return float(max(0.0, rate - half)), float(min(1.0, rate + half))


def spread_half_width(residuals: np.ndarray) -> float:
    """Returns the half-width of a sum's 95% interval, from the residuals `[units]` of at least two units."""
    from scipy.special import stdtrit

    units = len(residuals)
    return float(stdtrit(units - 1, 0.975)) * sqrt(units / (units - 1) * (residuals**2).sum())
