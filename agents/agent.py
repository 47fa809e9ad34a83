"""The Agent protocol, and agents made from a spec such as "mcts:iterations=1000,c=1.0".

An agent is asked for many positions at once, so that a network sees batches; one position is a batch
of one. Its randomness is an argument, so a game depends on its own generator and on nothing else.
"""

from __future__ import annotations

import dataclasses
import difflib
import importlib
import inspect
import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from bttt.position import OUTCOME_TEXT, Position

AGENTS: dict[str, str] = {
    "human": "agents.human:HumanAgent",
    "mcts": "agents.mcts:MctsAgent",
    "minimax": "agents.minimax:MinimaxAgent",
    "random": "agents.random_agent:RandomAgent",
}
"""The agents by name, as "module:class"; a module is imported when its agent is made."""

USER_AGENT = "python"
Rng = np.random.Generator | Sequence[np.random.Generator]
"""One generator for all positions, or one for each."""


@dataclass(frozen=True, slots=True)
class Decision:
    """An agent's answer to one position.

    Attributes:
        cell: The cell to play.
        policy: `[cells] float32`, how strongly the agent favours each cell, summing to 1; or None.
        value: Expected result for the player to move, in [-1, 1]; or None.
        nodes: Positions searched; or None.
    """

    cell: int
    policy: np.ndarray | None = None
    value: float | None = None
    nodes: int | None = None


@runtime_checkable
class Agent(Protocol):
    """A player. The attribute `batched = True` says that `rng` may be one generator a position.

    An agent without that attribute is asked one position at a time, with that game's generator, which
    keeps its games reproducible however many are played at once.
    """

    def decide(self, positions: Sequence[Position], rng: Rng) -> Sequence[Decision]:
        """Returns one decision for each of `positions`, all unfinished; they may be on any boards."""
        ...


def ask(agent: Agent, positions: Sequence[Position], rngs: Sequence[np.random.Generator]) -> list[Decision]:
    """Returns the agent's decisions, each drawing only from its own position's generator."""
    if getattr(agent, "batched", False):
        decisions = list(agent.decide(positions, rngs))
    else:
        decisions = [
            decision
            for position, rng in zip(positions, rngs, strict=True)
            for decision in agent.decide([position], rng)
        ]
    if len(decisions) != len(positions):
        raise ValueError(f"agent returned {len(decisions)} decisions for {len(positions)} positions")
    return decisions


def generators(rng: Rng, positions: Sequence[Position]) -> list[np.random.Generator]:
    """Returns one generator for each of `positions`: the same one each time where only one is given.

    Raises:
        ValueError: The generators are not as many as the positions, or a position is finished.
    """
    for position in positions:
        if position.outcome:
            raise ValueError(f"no move in a finished game ({OUTCOME_TEXT[position.outcome]}): {position}")
    if isinstance(rng, np.random.Generator):
        return [rng] * len(positions)
    if len(rng) != len(positions):
        raise ValueError(f"{len(rng)} generators for {len(positions)} positions: give one, or one each")
    return list(rng)


def make_agent(spec: str) -> Agent:
    """Returns the agent of a spec "name" or "name:option=value,option=value".

    "python:package.module:Class" loads any class with a `decide` method; options follow after a comma, as
    "python:package.module:Class,temperature=0.5".

    Raises:
        ValueError: The agent or an option is unknown, or a value does not fit; the message says what exists.
    """
    name, _, rest = spec.strip().partition(":")
    if name == USER_AGENT:
        target, _, options = rest.partition(",")
        factory = _load(target, spec)
    elif name in AGENTS:
        options = rest
        factory = _load(AGENTS[name], spec)
    else:
        known = [*sorted(AGENTS), f"{USER_AGENT}:package.module:Class"]
        raise ValueError(f"unknown agent {name!r}{_nearest(name, known)}; agents are {', '.join(known)}")
    try:
        agent = factory(**_parse_options(options, factory, name))
    except TypeError as error:
        raise ValueError(f"agent {spec!r} cannot be made: {error}") from error
    except ValueError as error:
        raise ValueError(f"agent {spec!r}: {error}") from error
    if not callable(getattr(agent, "decide", None)):
        raise ValueError(f"agent {spec!r} has no method decide(positions, rng)")
    return agent


def _load(target: str, spec: str) -> Callable[..., Any]:
    module_name, _, class_name = target.partition(":")
    if not module_name or not class_name:
        raise ValueError(f"agent {spec!r} is not of the form {USER_AGENT}:package.module:Class")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise ValueError(f"agent {spec!r}: module {module_name!r} cannot be imported ({error})") from error
    if not hasattr(module, class_name):
        names = [name for name, value in vars(module).items() if inspect.isclass(value)]
        raise ValueError(
            f"agent {spec!r}: module {module_name!r} has no {class_name!r}{_nearest(class_name, names)}; "
            f"its classes are {', '.join(sorted(names)) or 'none'}"
        )
    return getattr(module, class_name)


def _nearest(name: str, known: Sequence[str]) -> str:
    match = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {match[0]!r}?)" if match else ""


def _parse_options(text: str, factory: Callable[..., Any], name: str) -> dict[str, Any]:
    """Returns the keyword arguments of "option=value,option=value", converted to the annotated types."""
    known = _option_types(factory)
    options: dict[str, Any] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        option, equals, value = part.partition("=")
        if not equals:
            raise ValueError(f"option {part!r} is not of the form option=value")
        if option not in known:
            raise ValueError(
                f"unknown option {option!r}{_nearest(option, list(known))}; "
                f"options of {name} are {', '.join(known) or 'none'}"
            )
        if option in options:
            raise ValueError(f"option {option!r} is given twice")
        options[option] = _convert(option, value, known[option])
    return options


def _option_types(factory: Callable[..., Any]) -> dict[str, Any]:
    if dataclasses.is_dataclass(factory):
        hints = typing.get_type_hints(factory)
        return {field.name: hints[field.name] for field in dataclasses.fields(factory) if field.init}
    initialiser = factory.__init__ if inspect.isclass(factory) else factory
    if initialiser is object.__init__:
        return {}
    hints = typing.get_type_hints(initialiser)
    return {
        name: hints.get(name, str)
        for name, parameter in inspect.signature(factory).parameters.items()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }


def _convert(option: str, value: str, kind: Any) -> Any:
    """Returns `value` as the first of the option's types that takes it; "none" where None is allowed."""
    kinds = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    if types.NoneType in kinds and value.lower() == "none":
        return None
    for each in kinds:
        if each is bool:
            if value.lower() in ("true", "false"):
                return value.lower() == "true"
        elif each in (int, float, str):
            try:
                return each(value)
            except ValueError:
                continue
        elif each is not types.NoneType:
            return value
    allowed = " or ".join("true or false" if each is bool else each.__name__ for each in kinds)
    raise ValueError(f"option {option}={value!r} must be {allowed}")
