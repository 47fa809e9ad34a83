"""The end of a pruning run: whether the run is over, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pruning.loop.plan import Plan
from pruning.loop.results import Result


@dataclass(frozen=True)
class Ending:
    """Why a run is over.

    Attributes:
        reason: The reason as text.
        early: Whether the run stopped before the plan's last cycle.
    """

    reason: str
    early: bool = True


def ending(plan: Plan, measure: str, results: Sequence[Result]) -> Ending | None:
    """Returns why a run is over, or None if more cycles are to run.

    Args:
        plan: The run's plan.
        measure: Name of the measure that the plan compares (see `Task`).
        results: The results of the finished cycles, from cycle 0 on.
    """
    if not results:
        return None
    last = results[-1]
    if plan.stop.kappa > 0 and (odd := [each for each in results if measure not in each.measures]):
        raise ValueError(f"cycle {odd[0].cycle} has no {measure!r}, which kappa compares: use another folder")
    if len(results) > plan.stop.cycles:
        return Ending(f"cycle {plan.stop.cycles} is finished", early=False)
    if last.density <= plan.stop.until_density:
        return Ending(f"density {last.density:.3f} is at most {plan.stop.until_density}")
    if plan.amount.drops and not last.dropped_next:
        return Ending(f"nothing more can be pruned: each layer keeps at least {_least(plan)}")
    least = plan.stop.kappa * results[0].measures[measure]
    # "not >" instead of "<=": the nan of a diverged network counts as fallen
    if plan.stop.kappa > 0 and not all(result.measures[measure] > least for result in results[:-1]):
        return Ending(f"{measure} fell to {plan.stop.kappa} of the dense network's")
    return None


def _least(plan: Plan) -> str:
    """Returns the least that each layer keeps, as text."""
    unit = plan.amount.round_to
    return f"{max(plan.least, unit)}, or all it has" if unit > 1 else str(plan.least)
