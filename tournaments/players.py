"""The players of a run: agents by their specs, each another one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from agents.agent import USER_AGENT, Agent, make_agent, source_digest


def make_players(players: Sequence[str]) -> dict[str, Agent]:
    """Returns the players' agents; ValueError where one cannot be made, or where two are the same."""
    agents: dict[str, Agent] = {}
    for spec in players:
        if spec.strip().partition(":")[0] == "human":
            raise ValueError("player 'human' cannot play a tournament: try bttt play")
        if spec in agents:
            raise ValueError(f"player {spec!r} is named twice; players must differ")
        agents[spec] = make_agent(spec)
    # Of our own agents only it is known that they are equal exactly where they play alike.
    ours = [spec for spec in players if not _is_users(spec)]
    for one, other in combinations(ours, 2):
        if agents[one] == agents[other]:
            raise ValueError(f"players {one!r} and {other!r} are the same agent; players must differ")
    return agents


def source_files(agents: Mapping[str, Agent]) -> dict[str, list[str]]:
    """Returns the setting that names the files of users' own agents; nothing where there are none.

    With it, an agent that was edited does not find the games of the old one. (What its file imports does not
    count.)
    """
    own = [f"{spec} {source_digest(agent)}" for spec, agent in agents.items() if _is_users(spec)]
    return {"source files": own} if own else {}


def _is_users(spec: str) -> bool:
    return spec.startswith(f"{USER_AGENT}:")
