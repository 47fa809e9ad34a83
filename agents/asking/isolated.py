"""Agents in processes of their own: one that hangs, or ends its process, loses the game and nothing else.

The process makes the agent from its spec. For each query it gets the positions and the generators, and it
returns the decisions and the generators' new states. Decisions are therefore the same as without a process.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from agents.agent import Decision, Rng, generators
from agents.asking.answers import Decided
from agents.asking.failure import PROCESS, AgentError
from agents.asking.reading import UNREADABLE, Made, read_decided, read_made
from agents.asking.thinking import watched
from bttt import Board, Position
from bttt.processes import Child, ChildEndedError, ChildLateError
from bttt.runs import one_line

MAKE_SECONDS = 30.0
"""Maximum time to start the process and make the agent, if moves have a time limit."""
WARM_SECONDS = 20.0
"""Maximum time to warm the agent up, if moves have a time limit."""
GRACE_SECONDS = 0.5
"""Time beyond the limit until the process is killed; an answer in between is judged by its own clock."""


class IsolatedAgent:
    """An agent in a process of its own, which is started again after it has ended or was killed.

    Attributes:
        spec: The agent's spec.
        limit: Maximum seconds per query; None for no limit.
        batched: As the agent declares.
        digest: Digest of the agent's source file, see `agents.source_digest`.
        fingerprint: The agent's fingerprint, if it has one.
        trained_on: The agent's training boards, if it names them.

    Two are equal if their specs and limits are. A pickled copy has no process until it is queried.

    Raises:
        ValueError: The agent cannot be made.
    """

    def __init__(self, spec: str, *, limit: float | None = None):
        if os.name == "nt":
            raise ValueError("agents run in processes of their own on Linux and macOS only")
        self.spec = spec
        self.limit = limit
        self._child: Child | None = None
        self._broken: str | None = None
        self._cold = False
        try:
            self._child, made = self._start()
        except AgentError as error:
            raise ValueError(f"agent {spec!r} cannot be made: {error}") from error
        self._made = made
        self.batched = made.batched
        self.digest = made.digest
        self.fingerprint = made.fingerprint
        self.trained_on: Any = made.trained_on

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_child": None}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IsolatedAgent) and (self.spec, self.limit) == (other.spec, other.limit)

    def __hash__(self) -> int:
        return hash((self.spec, self.limit))

    def decide(self, positions: Sequence[Position], rng: Rng) -> list[Decision]:
        """Returns one decision per position; raises AgentError."""
        return self.answer(positions, generators(rng, positions)).decisions

    def answer(self, positions: Sequence[Position], rngs: Sequence[np.random.Generator]) -> Decided:
        """Returns the answer to a query (see `agents.asking.query`), and advances the generators.

        Raises:
            AgentError: As `query`.
        """
        limit = None if self.limit is None else self.limit + GRACE_SECONDS
        asked = ("decide", [_words(position) for position in positions], list(rngs))
        found = self._request(asked, limit, f"{self.limit:g} s for a move, the limit," if limit else "")
        try:
            return read_decided(found, rngs)
        except ValueError:
            self.stop()
            raise AgentError(UNREADABLE) from None

    def warm_up(self, boards: Iterable[Board]) -> None:
        """Warms the agent up in its process; the time for this has a limit if moves have one.

        Raises:
            AgentError: The process ended, or it took too long: copies then do not try again.
        """
        if not self._cold:
            self._cold = True
            limit = None if self.limit is None else WARM_SECONDS
            asked = ("warm up", [str(board) for board in boards])
            self._request(asked, limit, f"{WARM_SECONDS:g} s to warm up")
            self._cold = False

    def stop(self) -> None:
        """Ends the process; the next query starts another one."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def _request(self, message: Any, seconds: float | None, too_long: str) -> Any:
        """Returns the answer to a message; `too_long` says which limit `seconds` is."""
        if self._child is None:
            self._restart()
        assert self._child is not None
        try:
            return self._child.request(message, seconds)
        except ChildLateError:
            self._child = None
            raise AgentError(f"took more than {too_long} and was stopped") from None
        except ChildEndedError as error:
            self._child = None
            raise AgentError(f"{PROCESS}{error}") from None

    def _restart(self) -> None:
        if self._broken is None:
            try:
                self._child, made = self._start()
                if made == self._made:
                    return
                self.stop()
                raise ValueError(f"a file of {self.spec} was changed")
            except (AgentError, ValueError, OSError) as error:
                self._broken = f"{PROCESS}cannot be started again: {one_line(error)}"
        raise AgentError(self._broken)

    def _start(self) -> tuple[Child, Made]:
        """Returns a new process that has made the agent, and what it says about the agent.

        Raises:
            AgentError: The process ended, it took too long, or it sent something else.
            ValueError: The agent cannot be made.
        """
        child = Child("agents.asking.serving", "serve_agent")
        limit = None if self.limit is None else MAKE_SECONDS
        try:
            with watched(self.spec, "starting"):
                found = child.request(("make", self.spec), limit)
        except ChildLateError:
            raise AgentError(f"it took more than {MAKE_SECONDS:g} s") from None
        except ChildEndedError as error:
            raise AgentError(f"{PROCESS}{error}") from None
        try:
            made = read_made(found)
        except ValueError:
            child.stop()
            raise AgentError(UNREADABLE) from None
        if isinstance(made, str):
            child.stop()
            raise ValueError(made)
        return child, made


def _words(position: Position) -> tuple[Any, ...]:
    board = position.board
    size = (board.rows, board.cols, board.win_length, board.bricks)
    return size, position.first, position.second, int(position.outcome), position.last_move
