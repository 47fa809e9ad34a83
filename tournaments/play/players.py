"""The players of a run: agents made from their specs, all different."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Mapping, Sequence
from glob import glob
from itertools import combinations
from pathlib import Path

from agents import USER_AGENT, Agent, make_agent, source_digest
from agents.alphazero.weights import RUN_FILE, SUFFIX
from agents.asking import IsolatedAgent, watched
from bttt import Board
from bttt.runs import nearest

NETWORK_AGENT = "alphazero"
ALL_PLAYERS, NO_PLAYERS = "all", "none"
"""Values of `--isolate` besides players."""
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


def isolated_players(
    players: Sequence[str], isolate: Sequence[str] | None, limit: float | None
) -> frozenset[str]:
    """Returns the players that run in processes of their own.

    Args:
        players: The specs.
        isolate: Specs among them, or `ALL_PLAYERS`, or `NO_PLAYERS`; empty stands for all. None: with a time
            limit, all players that might never answer.
        limit: The time limit for a move, in seconds, if there is one.

    Raises:
        ValueError: A name of `isolate` is not a player.
    """
    if isolate is None:
        return frozenset(filter(_may_hang, players)) if limit is not None and os.name != "nt" else frozenset()
    if tuple(isolate) in ((), (ALL_PLAYERS,)):
        return frozenset(players)
    if tuple(isolate) == (NO_PLAYERS,):
        return frozenset()
    for word in (ALL_PLAYERS, NO_PLAYERS):
        if word in isolate and word not in players:
            others = " ".join(name for name in isolate if name != word) or f"the second {word}"
            raise ValueError(f"--isolate {word} stands alone: leave out {word}, or {others}")
    for name in isolate:
        if name not in players:
            raise ValueError(
                f"--isolate {name!r} is not a player{nearest(name, players)}; give players, "
                f"{ALL_PLAYERS} or {NO_PLAYERS}"
            )
    return frozenset(isolate)


def _may_hang(spec: str) -> bool:
    """Returns whether an agent runs a user's code, or searches without a bound that is always low."""
    name = spec.strip().partition(":")[0]
    return name != "random" and (name != NETWORK_AGENT or f"={USER_AGENT}:" in spec)


def make_players(
    players: Sequence[str], *, isolated: Container[str] = (), limit: float | None = None
) -> dict[str, Agent]:
    """Returns the players' agents.

    Args:
        players: Their specs.
        isolated: Players that run in processes of their own.
        limit: Time limit for a move of these, in seconds.

    Raises:
        ValueError: An agent cannot be made, or two agents are the same.
    """
    agents: dict[str, Agent] = {}
    for spec in players:
        if spec.strip().partition(":")[0] == "human":
            raise ValueError("player 'human' cannot play a tournament: try bttt play")
        if spec in agents:
            raise ValueError(f"player {spec!r} is named twice; players must differ")
        agents[spec] = IsolatedAgent(spec, limit=limit) if spec in isolated else _made(spec)
    # Only the package's own agents are known to be equal exactly when they play identically.
    ours = {spec: agents[spec] for spec in players if not _is_users(spec)}
    if len(ours) > 1:
        ours = {spec: make_agent(spec) if spec in isolated else agent for spec, agent in ours.items()}
    for one, other in combinations(ours, 2):
        if ours[one] == ours[other]:
            raise ValueError(f"players {one!r} and {other!r} are the same agent; players must differ")
    return agents


def _made(spec: str) -> Agent:
    """Returns the agent of a spec; a line names the spec if this takes long."""
    with watched(spec, "starting"):
        return make_agent(spec)


def source_files(agents: Mapping[str, Agent], *, earlier: bool = False) -> dict[str, list[str]]:
    """Returns the settings that identify what agents are made from, besides their specs; may be empty.

    These are digests of the source files of users' own agents, and the `fingerprint` attribute of any agent
    that has one. A fingerprint is, for example, a digest of the weights. With these settings, a changed agent
    gets a new run. Modules that a user's file imports are not included.

    Args:
        agents: The agents by their specs.
        earlier: Return the settings as runs of earlier versions stored them, with an agent's
            `earlier_fingerprint` where it has one.
    """
    files = [f"{spec} {_digest(agent)}" for spec, agent in agents.items() if _is_users(spec)]
    found = {spec: getattr(agent, "fingerprint", None) for spec, agent in agents.items()}
    if earlier:
        found = {spec: getattr(agents[spec], "earlier_fingerprint", text) for spec, text in found.items()}
    prints = [f"{spec} {text}" for spec, text in found.items() if isinstance(text, str)]
    return {**({"source files": files} if files else {}), **({"fingerprints": prints} if prints else {})}


def _digest(agent: Agent) -> str | None:
    return agent.digest if isinstance(agent, IsolatedAgent) else source_digest(agent)


def made_from(agents: Mapping[str, Agent]) -> str:
    """Returns a string that identifies what agents are made from, for `make_again`."""
    return repr(source_files(agents))


def make_again(players: Sequence[str], made: str, isolated: Sequence[IsolatedAgent] = ()) -> dict[str, Agent]:
    """Returns the agents of a run, made again in another process; `isolated` ones are used as they are.

    Raises:
        ValueError: The agents differ from those that `made_from` identified: a file has changed since.
    """
    given = {agent.spec: agent for agent in isolated}
    agents = {spec: given[spec] if spec in given else _made(spec) for spec in players}
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
