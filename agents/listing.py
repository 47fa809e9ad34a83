"""The command `bttt agents`: the agents that exist with their options, and the networks that are shipped."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agents.agent import AGENTS, USER_AGENT
from agents.alphazero.weights import find_network, record, shipped
from bttt.command_line import suggest
from bttt.runs import PLUGIN_PREFIX, load_plugin


@dataclass(frozen=True)
class ListingConfig:
    """List the agents with their options and defaults, and the bundled networks."""


def run(config: ListingConfig) -> int:
    """Prints the list and returns 0."""
    for name, target in AGENTS.items():
        print(agent_text(name, target))
    print(f"{USER_AGENT}:package.module:Class,option=value")
    print("    Your own class: any with a method decide(positions, rng); options are its keywords.")
    print("\nNetworks for alphazero, as alphazero:d4 (value-losing moves: of the raw policy, by boards):")
    for name in shipped():
        print(network_text(name, record(find_network(name))))
    suggest("tournament", "--players", "random", "mcts:iterations=1000", "alphazero:d4", why="let them play")
    return 0


def agent_text(name: str, target: str) -> str:
    """Returns an agent's spec with all its defaults, and the first line of its documentation."""
    factory = load_plugin(f"{PLUGIN_PREFIX}{target}", "class")
    options = [
        f"{option.name}={str(option.default).lower()}"
        for option in inspect.signature(factory).parameters.values()
        if option.kind in (option.POSITIONAL_OR_KEYWORD, option.KEYWORD_ONLY)
    ]
    spec = ":".join(filter(None, (name, ",".join(options))))
    summary = (inspect.getdoc(factory) or "no documentation").partition("\n")[0]
    return f"{spec}\n    {summary}"


def network_text(name: str, made: Mapping[str, Any]) -> str:
    """Returns a network's name and, in a second line, what its record tells of its making and strength."""
    told = []
    if "bricks" in made:
        told.append(f"bricks {' '.join(made['bricks'])}")
    if "seed" in made:
        told.append(f"seed {made['seed']}")
    if "date" in made:
        told.append(str(made["date"])[:10])
    if "seconds" in made.get("training", {}):
        told.append(f"{made['training']['seconds'] / 60:.0f} minutes")
    rates = made.get("value-losing moves, raw policy", {})
    if rates:
        shares = ", ".join(f"{100 * rate:.1f}% {kind}" for kind, rate in rates.items())
        told.append(f"value-losing moves {shares}")
    return f"{name}\n    {'; '.join(told) or 'nothing is recorded'}"
