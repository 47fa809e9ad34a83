"""The players of a run: agents made from their specs, all different."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from glob import glob
from itertools import combinations
from pathlib import Path

from agents import USER_AGENT, Agent, make_agent, source_digest
from agents.alphazero.weights import RUN_FILE, SUFFIX
from bttt import Board

NETWORK_AGENT = "alphazero"
TRAINED_ON = "trained on"
"""The setting with the players' training boards, which the report shows."""


def expanded(specs: Sequence[str]) -> tuple[str, ...]:
    """Returns the specs; a spec with a file pattern is replaced by one spec per matching network, sorted.

    A pattern is for example ``alphazero:runs/prune-all/level-*,simulations=100``. It matches only folders and
    files that hold a network.

    Raises:
        ValueError: A pattern matches no network.
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
            raise ValueError(f"no network matches the pattern {pattern!r} of {spec!r}")
        found += [f"{name}:{path}{comma}{options}" for path in paths]
    return tuple(found)


def _is_network(path: Path) -> bool:
    return (path / RUN_FILE).is_file() if path.is_dir() else path.suffix == SUFFIX


def make_players(players: Sequence[str]) -> dict[str, Agent]:
    """Returns the players' agents; ValueError if an agent cannot be made or two agents are the same."""
    agents: dict[str, Agent] = {}
    for spec in players:
        if spec.strip().partition(":")[0] == "human":
            raise ValueError("player 'human' cannot play a tournament: try bttt play")
        if spec in agents:
            raise ValueError(f"player {spec!r} is named twice; players must differ")
        agents[spec] = make_agent(spec)
    # Only the package's own agents are known to be equal exactly when they play identically.
    ours = [spec for spec in players if not _is_users(spec)]
    for one, other in combinations(ours, 2):
        if agents[one] == agents[other]:
            raise ValueError(f"players {one!r} and {other!r} are the same agent; players must differ")
    return agents


def source_files(agents: Mapping[str, Agent]) -> dict[str, list[str]]:
    """Returns the settings that identify what agents are made from, besides their specs; may be empty.

    These are digests of the source files of users' own agents, and the `fingerprint` attribute of any agent
    that has one. A fingerprint is, for example, a digest of the weights. With these settings, a changed agent
    gets a new run. Modules that a user's file imports are not included.
    """
    files = [f"{spec} {source_digest(agent)}" for spec, agent in agents.items() if _is_users(spec)]
    found = {spec: getattr(agent, "fingerprint", None) for spec, agent in agents.items()}
    prints = [f"{spec} {text}" for spec, text in found.items() if isinstance(text, str)]
    return {**({"source files": files} if files else {}), **({"fingerprints": prints} if prints else {})}


def made_from(agents: Mapping[str, Agent]) -> str:
    """Returns a string that identifies what agents are made from, for `make_again`."""
    return repr(source_files(agents))


def make_again(players: Sequence[str], made: str) -> dict[str, Agent]:
    """Returns the agents of a run, made again in another process.

    Raises:
        ValueError: The agents differ from those that `made_from` identified: a file has changed since.
    """
    agents = {spec: make_agent(spec) for spec in players}
    if made_from(agents) != made:
        raise ValueError(
            f"a file of {', '.join(players)} was changed while the run began: start the run again"
        )
    return agents


def training_boards(agents: Mapping[str, Agent]) -> dict[str, dict[str, list[str]]]:
    """Returns the setting with each agent's training boards; empty if no agent has any.

    An agent lists its training boards, as strings, in an attribute `trained_on`.

    Raises:
        ValueError: An agent's `trained_on` does not list boards.
    """
    found = {spec: getattr(agent, "trained_on", None) for spec, agent in agents.items()}
    boards = {spec: _board_texts(spec, boards) for spec, boards in found.items() if boards}
    return {TRAINED_ON: boards} if boards else {}


def _board_texts(spec: str, boards: object) -> list[str]:
    try:
        if isinstance(boards, str) or not isinstance(boards, Iterable):
            raise ValueError
        return [str(Board.parse(text)) for text in boards]
    except (AttributeError, TypeError, ValueError):
        raise ValueError(
            f"agent {spec!r}: trained_on must be strings of boards, for example ('7x7x4:D4',), got {boards!r}"
        ) from None


def _is_users(spec: str) -> bool:
    return spec.startswith(f"{USER_AGENT}:")
