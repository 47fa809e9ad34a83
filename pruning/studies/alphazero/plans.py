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
    if named.get("count") is not None:
        del named["fraction"]  # the method's default
    named["allocation"] = named["allocation"].removeprefix(SCORES)
    return {**_scoring(method), "schedule": name, "schedule_options": options, **named}


def _scoring(text: str) -> dict[str, Any]:
    """Returns the criterion, or the topology, of a method with or without options after a colon."""
    method, text_of_options = split_method(text)
    if is_plugin(method):
        settings, options = method_settings(method), method_options(method, text_of_options)
    elif method in PRUNING_METHODS:
        settings, options = PRUNING_METHODS[method].settings, _options(method, text_of_options)
    else:
        known = list(PRUNING_METHODS)
        raise ValueError(
            f"unknown method {method!r}{nearest(method, known)}; "
            f"methods are {', '.join(known)}, python:module:name"
        )
    scoring = {name: settings[name] for name in ("criterion", "topology") if name in settings}
    if "topology" in scoring:  # stored even if empty: reports of experiments show it
        return {**scoring, "topology_options": options}
    has_options = is_plugin(method) or bool(PRUNING_METHODS[method].options())
    return {**scoring, "criterion_options": options} if has_options else scoring


def _options(method: str, text: str) -> dict[str, Any]:
    row = PRUNING_METHODS[method]
    if not row.options():
        if text:
            having = ", ".join(each.name for each in PRUNING_METHODS.values() if each.options())
            raise ValueError(
                f"method {method!r} takes no options, got {text!r}; methods with options are {having}"
            )
        return {}
    try:
        return parse_options(text, row.load())
    except ValueError as error:
        raise ValueError(f"method {method}:{text}: {error}") from error
