"""The players of a run: agents by their specs, each another one."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from glob import glob
from itertools import combinations
from pathlib import Path

from agents import USER_AGENT, Agent, make_agent, source_digest
from agents.alphazero.weights import RUN_FILE, SUFFIX
from bttt import Board

NETWORK_AGENT = "alphazero"
TRAINED_ON = "trained on"
"""The setting that tells the players' training boards; the report shows them."""


def expanded(specs: Sequence[str]) -> tuple[str, ...]:
    """Returns specs with those that name networks by a pattern replaced by one for each network, sorted.

    For example ``alphazero:runs/prune-all/level-*,simulations=100``. Only folders and files that hold a
    network count.

    Raises:
        ValueError: No network fits a pattern.
    """
    found: list[str] = []
    for spec in specs:
        name, _, rest = spec.partition(":")
        pattern, comma, options = rest.partition(",")
        if name != NETWORK_AGENT or not any(letter in pattern for letter in "*?["):
            found.append(spec)
            continue
        paths = [path for path in sorted(glob(os.path.expanduser(pattern))) if _is_network(Path(path))]
        if not paths:
            raise ValueError(f"no network fits the pattern {pattern!r} of {spec!r}")
        found += [f"{name}:{path}{comma}{options}" for path in paths]
    return tuple(found)


def _is_network(path: Path) -> bool:
    return (path / RUN_FILE).is_file() if path.is_dir() else path.suffix == SUFFIX


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
    """Returns the settings that name what agents are made from beside their specs; nothing where that is all.

    These are the files of users' own agents, and what any agent tells in an attribute `fingerprint`, as of
    its weights. With them, an agent that was changed does not find the games of the old one. (What a user's
    file imports does not count.)
    """
    files = [f"{spec} {source_digest(agent)}" for spec, agent in agents.items() if _is_users(spec)]
    told = {spec: getattr(agent, "fingerprint", None) for spec, agent in agents.items()}
    prints = [f"{spec} {text}" for spec, text in told.items() if isinstance(text, str)]
    return {**({"source files": files} if files else {}), **({"fingerprints": prints} if prints else {})}


def made_from(agents: Mapping[str, Agent]) -> str:
    """Returns a text that tells what agents are made from, for `make_again`."""
    return repr(source_files(agents))


def make_again(players: Sequence[str], made: str) -> dict[str, Agent]:
    """Returns the agents of a run anew, in another process.

    Raises:
        ValueError: They are not made from what `made_from` has told: a file was changed in between.
    """
    agents = {spec: make_agent(spec) for spec in players}
    if made_from(agents) != made:
        raise ValueError(f"a file of {', '.join(players)} was changed while the run began: start it again")
    return agents


def training_boards(agents: Mapping[str, Agent]) -> dict[str, dict[str, list[str]]]:
    """Returns the setting that names each agent's training boards; nothing where no agent tells any.

    An agent tells them as texts in an attribute `trained_on`.

    Raises:
        ValueError: What an agent tells are no boards.
    """
    told = {spec: getattr(agent, "trained_on", None) for spec, agent in agents.items()}
    boards = {spec: _board_texts(spec, boards) for spec, boards in told.items() if boards}
    return {TRAINED_ON: boards} if boards else {}


def _board_texts(spec: str, boards: object) -> list[str]:
    try:
        if isinstance(boards, str):
            raise ValueError
        return [str(Board.parse(text)) for text in boards]  # type: ignore[attr-defined]
    except (AttributeError, TypeError, ValueError):
        raise ValueError(
            f"agent {spec!r}: trained_on must be texts of boards, as ('7x7x4:D4',), got {boards!r}"
        ) from None


def _is_users(spec: str) -> bool:
    return spec.startswith(f"{USER_AGENT}:")
