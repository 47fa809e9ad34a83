"""Makes a plan from the options of `bttt prune`, or from a method as users name it."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from bttt.runs import is_plugin, nearest, parse_options
from pruning import PRUNING_METHODS, Plan
from pruning.studies.alphazero.config import PruneOptions
from pruning.studies.alphazero.defaults import SCORES, defaults
from pruning.studies.plugins import method_options, method_settings, split_method
from pruning.studies.schedules import schedule_spec, with_peak


def make_plan(options: PruneOptions) -> Plan:
    """Returns the plan of a pruning run; ValueError if an option is wrong."""
    parts = (options.scoring, options.amount, options.start, options.learning_rate, options.stop)
    named = {each.name: getattr(part, each.name) for part in parts for each in fields(part)}
    settings = plan_settings(**named, lr=options.learning.learner.lr)
    return Plan.from_settings(**settings, seed=options.seed)


def plan_settings(*, method: str, schedule: str, lr: float, **named: Any) -> dict[str, Any]:
    """Returns the settings of a plan for a method, options of `bttt prune` and the schedule's peak."""
    named = {**defaults(method, named.get("untrained")), **named}
    named.pop("schedule")
    name, options = schedule_spec(schedule)
    options = with_peak(name, options, lr=lr, p=named["fraction"] or 0.2, last=named["cycles"])
    named["allocation"] = named["allocation"].removeprefix(SCORES)
    return {**_scoring(method), "schedule": name, "schedule_options": options, **named}


def _scoring(text: str) -> dict[str, Any]:
    """Returns the criterion, or the topology, of a method with or without options after a colon."""
    method, options = split_method(text)
    if is_plugin(method):
        settings = method_settings(method)
        kind = "topology" if "topology" in settings else "criterion"
        scoring = {name: settings[name] for name in ("criterion", "topology") if name in settings}
        return {**scoring, f"{kind}_options": method_options(method, options)}
    if method not in PRUNING_METHODS:
        known = list(PRUNING_METHODS)
        raise ValueError(
            f"unknown method {method!r}{nearest(method, known)}; "
            f"methods are {', '.join(known)}, python:module:name"
        )
    row = PRUNING_METHODS[method]
    kind = "topology" if "topology" in row.settings else "criterion"
    scoring = {name: row.settings[name] for name in ("criterion", "topology") if name in row.settings}
    if not row.options():
        if options:
            having = ", ".join(each.name for each in PRUNING_METHODS.values() if each.options())
            raise ValueError(
                f"method {method!r} takes no options, got {options!r}; methods with options are {having}"
            )
        return scoring
    try:
        return {**scoring, f"{kind}_options": parse_options(options, row.load())}
    except ValueError as error:
        raise ValueError(f"method {method}:{options}: {error}") from error
