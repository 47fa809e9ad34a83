"""The command `bttt agents`: the agents that exist, with their options and defaults."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

from agents.agent import AGENTS, USER_AGENT, load


@dataclass(frozen=True)
class ListingConfig:
    """List the agents with their options and defaults."""


def run(config: ListingConfig) -> int:
    """Prints the list and returns 0."""
    for name, target in AGENTS.items():
        print(agent_text(name, target))
    print(f"{USER_AGENT}:package.module:Class,option=value")
    print("    Your own class: any with a method decide(positions, rng); options are its keywords.")
    return 0


def agent_text(name: str, target: str) -> str:
    """Returns an agent's spec with all its defaults, and the first line of its documentation."""
    factory = load(target)
    options = [
        f"{option.name}={str(option.default).lower()}"
        for option in inspect.signature(factory).parameters.values()
        if option.kind in (option.POSITIONAL_OR_KEYWORD, option.KEYWORD_ONLY)
    ]
    spec = ":".join(filter(None, (name, ",".join(options))))
    return f"{spec}\n    {inspect.getdoc(factory).splitlines()[0]}"
