"""The spec of a learning-rate schedule, in the form users write: name:option=value,option=value."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping
from typing import Any

from bttt.runs import is_plugin, parse_options, resolve
from pruning.schedules import SCHEDULES, Schedule, make_schedule, schedule_factory


def parse_schedule(text: str) -> Schedule:
    """Returns the schedule of a spec; see `schedule_spec`."""
    name, options = schedule_spec(text)
    return make_schedule(name, **options)


def schedule_spec(text: str) -> tuple[str, dict[str, Any]]:
    """Returns the name and the options of a spec "name" or "name:option=value,option=value".

    A user's own schedule is "python:module:function,option=value". A plus joins several numbers of one
    option, for example "step:lr=0.1,drops=0.5+0.75"; an empty list is "drops=". The options are the keywords
    of the schedule's function in `pruning.schedules.registry`.

    Raises:
        ValueError: The schedule or an option is unknown, or a value is invalid; the message states what is
            valid.
    """
    text = text.strip()
    name, mark, rest = text.partition("," if is_plugin(text) else ":")
    if mark and not rest.strip():
        raise ValueError(f"schedule {text!r} ends with {mark!r}: options follow it, or leave it out")
    resolve(SCHEDULES, name, "schedule")
    factory = schedule_factory(name)
    try:
        options = parse_options(rest, factory)
        for option, kind in typing.get_type_hints(factory).items():
            if option in options and typing.get_origin(kind) is tuple:
                options[option] = _numbers(option, options[option])
    except ValueError as error:
        raise ValueError(f"schedule {text!r}: {error}") from error
    make_schedule(name, **options)  # raises if a value is invalid
    return name, options


def with_peak(name: str, options: Mapping[str, Any], *, lr: float, p: float, last: int) -> dict[str, Any]:
    """Returns options with the task's peak if they do not give one.

    The peak is `lr`. SILO's family gets epsilon = lr, delta = 4/3 epsilon (the ratio of its ResNet-20) and
    the fraction `p`; its straight line also gets the number of the `last` cycle.
    """
    epsilon = options.get("epsilon", lr)
    defaults = {"lr": lr, "epsilon": epsilon, "delta": 4 / 3 * epsilon, "p": p, "last": max(1, last)}
    known = inspect.signature(schedule_factory(name)).parameters
    return {option: value for option, value in defaults.items() if option in known} | dict(options)


def _numbers(option: str, text: str) -> tuple[float, ...]:
    try:
        return tuple(map(float, filter(None, text.split("+"))))
    except ValueError:
        raise ValueError(
            f"option {option}={text!r} must be numbers joined by +, for example 0.5+0.75"
        ) from None
