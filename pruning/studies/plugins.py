"""A user's own pruning methods and schedules, named "python:module:name".

A method is a `Criterion` (it scores weights or units), or a function that returns a `Topology` (masks change
while the network trains). A schedule is a function that returns a schedule. A plug-in enters the registry of
its kind under its full name, so plans find it like any other name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import Parameter, signature
from typing import Any

from bttt.runs import is_plugin, load_plugin, parse_options, resolve
from pruning import CRITERIA, PRUNING_METHODS, SCHEDULES, Criterion, PruningMethod
from pruning.sparse import TOPOLOGIES

TOPOLOGY_SETTINGS = PRUNING_METHODS["set"].settings
"""The settings for a topology, shared by all methods that prune while training."""


def split_method(text: str) -> tuple[str, str]:
    """Returns the name and the options of a method: "rigl:alpha=0.3", or "python:module:name,alpha=0.3".

    Raises:
        ValueError: It ends where options must follow.
    """
    name, mark, options = text.partition("," if is_plugin(text) else ":")
    if mark and not options.strip():
        raise ValueError(f"method {text!r} ends with {mark!r}: options follow it, or leave it out")
    return name, options


def method_settings(name: str) -> Mapping[str, Any]:
    """Returns the plan settings for a plug-in's method; ValueError if it cannot be loaded."""
    found = load_plugin(name, "method", _is_method)
    if isinstance(found, Criterion):
        resolve(CRITERIA, name, "criterion", _is_method)
        return {"criterion": name, **({"scope": "layer"} if found.choose else {})}
    resolve(TOPOLOGIES, name, "topology")
    return {**TOPOLOGY_SETTINGS, "topology": name}


def find_method(text: str) -> PruningMethod:
    """Returns the method of a name with options, the package's or a user's own.

    Raises:
        ValueError: A user's own method cannot be loaded.
    """
    name, _ = split_method(text)
    if not is_plugin(name):
        return PRUNING_METHODS[name]
    settings = method_settings(name)
    scored = CRITERIA.get(name)  # None for a topology
    return PruningMethod(
        name,
        "channels" if scored and scored.of == "units" else "weights",
        "after training" if scored else "while training",
        "your own",
        name,
        "your own",
        settings,
    )


def method_options(name: str, text: str) -> dict[str, Any]:
    """Returns the options of a plug-in's method; ValueError if it has no such option."""
    found = load_plugin(name, "method", _is_method)
    factory: Callable[..., Any] | None = found.choose if isinstance(found, Criterion) else found
    known = signature(factory).parameters.values() if factory else ()
    if not any(each.kind is Parameter.KEYWORD_ONLY for each in known) or factory is None:
        if text:
            raise ValueError(f"method {name!r} takes no options, got {text!r}")
        return {}
    return parse_options(text, factory)


def resolved(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Registers the plug-ins that flat settings of a plan name, and returns the settings."""
    for key in ("criterion", "topology"):
        if is_plugin(name := str(settings.get(key, ""))):
            method_settings(name)
    if is_plugin(name := str(settings.get("schedule", ""))):
        resolve(SCHEDULES, name, "schedule")
    return dict(settings)


def _is_method(value: Any) -> bool:
    return isinstance(value, Criterion) or callable(value)
