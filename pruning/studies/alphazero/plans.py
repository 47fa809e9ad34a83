"""From a method of pruning, as users name it, to the settings of a plan."""

from __future__ import annotations

from typing import Any

from bttt.runs import nearest, parse_options
from pruning.criteria import CRITERIA
from pruning.sparse import TOPOLOGIES
from pruning.studies.alphazero.defaults import METHODS, defaults
from pruning.studies.schedules import schedule_spec, with_peak

SCORES = "scores"
"""The allocation that is none: the scores say how much each layer keeps."""


def plan_settings(*, method: str, schedule: str, lr: float, **named: Any) -> dict[str, Any]:
    """Returns the settings of a plan, given a method, options of `bttt prune` and the schedule's peak."""
    named = {**defaults(method, named.get("untrained")), **named}
    named.pop("schedule")
    name, options = schedule_spec(schedule)
    options = with_peak(name, options, lr=lr, p=named["fraction"] or 0.2, last=named["cycles"])
    named["allocation"] = named["allocation"].removeprefix(SCORES)
    return {**_chosen_by(method), "schedule": name, "schedule_options": options, **named}


def _chosen_by(text: str) -> dict[str, Any]:
    """Returns what decides in a plan what is cut, given a method with or without options behind a colon."""
    method, _, options = text.partition(":")
    known = {**CRITERIA, **METHODS}
    if method not in known:
        raise ValueError(
            f"unknown method {method!r}{nearest(method, list(known))}; methods are {', '.join(known)}"
        )
    with_options = {**TOPOLOGIES, **{name: row.choose for name, row in CRITERIA.items() if row.choose}}
    if method not in with_options:
        if options:
            having = ", ".join(with_options)
            raise ValueError(
                f"method {method!r} takes no options, got {options!r}; those that do are {having}"
            )
        return {"criterion": method}
    try:
        chosen = parse_options(options, with_options[method])
    except ValueError as error:
        raise ValueError(f"method {method}:{options}: {error}") from error
    if method in TOPOLOGIES:
        return {"criterion": "random-weights", "topology": method, "topology_options": chosen}
    return {"criterion": method, "criterion_options": chosen}
