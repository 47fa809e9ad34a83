"""The command `bttt agents`: lists the agents with their options, and the bundled networks."""

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
    print("    Your own class with a method decide(positions, rng); its keyword arguments are the options.")
    print(
        "\nNetworks, for example alphazero:d4 (error rate: value-losing moves of the raw policy, by boards):"
    )
    for name in shipped():
        print(network_text(name, record(find_network(name))))
    suggest("tournament", "--players", "random", "mcts:iterations=1000", "alphazero:d4", why="let them play")
    return 0


def agent_text(name: str, target: str) -> str:
    """Returns an agent's spec with all defaults, and the first line of its documentation."""
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
    """Returns a network's name and, on a second line, its training and error rates as recorded."""
    facts = []
    if "bricks" in made:
        facts.append(f"trained on {' '.join(made['bricks'])}")
    if "seed" in made:
        facts.append(f"seed {made['seed']}")
    if "date" in made:
        facts.append(str(made["date"])[:10])
    if "seconds" in made.get("training", {}):
        facts.append(f"{made['training']['seconds'] / 60:.0f} minutes")
    rates = made.get("value-losing moves, raw policy", {})
    if rates:
        by_boards = ", ".join(f"{100 * rate:.1f}% {kind}" for kind, rate in rates.items())
        facts.append(f"error rate {by_boards}")
    return f"{name}\n    {'; '.join(facts) or 'no record'}"
