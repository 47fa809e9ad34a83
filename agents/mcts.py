"""The Monte Carlo tree search agent: UCT with random playouts, or with the expert heuristic, at the leaves.

As in the Brick Tic-Tac-Toe paper: exploration constant 1, the most visited root move, a new tree for each
decision; `leaf="heuristic"` is what its published code does. Chosen here: results are -1, 0 and 1, the bound
is mean + c * sqrt(ln N / n), and every child is tried once before any is tried again.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

from agents.agent import Decision, Rng, generators
from agents.mcts_kernels import ROOT, PlayoutTree, Settings, empty_tree, grow, places
from bttt import Position
from bttt.runs import require_at_least

Leaf = Literal["rollout", "heuristic"]
"""How a leaf is judged."""
MOST_NODES = 2**24
"""A tree grows no further than this; 18 bytes each, 300 MB in all."""
MOST_ITERATIONS = 2_000_000_000
"""Visits are counted in 32 bits."""
CHUNK_SECONDS = 0.001


class _Workspace:
    """The tree that an agent uses again; no decision depends on an earlier one. A pickled copy is empty."""

    def __init__(self) -> None:
        self._tree = empty_tree(places(0))

    def tree(self, nodes: int) -> PlayoutTree:
        """Returns a tree with room for that many nodes."""
        if len(self._tree.visits) < nodes:
            self._tree = empty_tree(nodes)
        return self._tree

    def __reduce__(self) -> tuple[type[_Workspace], tuple[()]]:
        return _Workspace, ()


@dataclass(frozen=True)
class MctsAgent:
    """UCT search; plays the most visited move. Not for several threads.

    A decision's policy is the share of visits of each cell, its value the mean result of all iterations,
    its nodes the number of iterations. Of equally visited moves the one with the better mean is played, and
    of those the one tried last, which is random. The same generator gives the same decision, unless
    `seconds` is set.

    Attributes:
        iterations: Iterations a decision.
        c: Weight of exploration, at least 0.
        leaf: "rollout" judges a leaf by random playouts; "heuristic" by the expert heuristic, put into
            [-1, 1] by `agents.heuristic.leaf_value`.
        rollouts: Random playouts a leaf; not used with leaf="heuristic".
        seconds: Time for a decision; iterations, at least one, are run until it is used and `iterations` is
            ignored.
        tactics: Whether, at the root and everywhere in the tree, only winning moves are tried where there is
            one, and else only blocks where the other side threatens to win. Playouts stay random.
    """

    iterations: int = 1000
    c: float = 1.0
    leaf: Leaf = "rollout"
    rollouts: int = 1
    seconds: float | None = None
    tactics: bool = False
    _workspace: _Workspace = field(default_factory=_Workspace, init=False, repr=False, compare=False)

    batched = True

    def __post_init__(self) -> None:
        for name in ("iterations", "rollouts"):
            if not 1 <= getattr(self, name) <= MOST_ITERATIONS:
                raise ValueError(f"{name} must be 1 to {MOST_ITERATIONS:,}, got {getattr(self, name):,}")
        require_at_least(0, below=math.inf, c=self.c)
        if self.leaf not in get_args(Leaf):
            raise ValueError(f"leaf must be one of {', '.join(get_args(Leaf))}, got {self.leaf!r}")
        if self.seconds is not None and not 0 < self.seconds < math.inf:
            raise ValueError(f"seconds must be above 0 or none, got {self.seconds}")

    def decide(self, positions: Sequence[Position], rng: Rng) -> list[Decision]:
        """Returns one decision a position."""
        pairs = zip(positions, generators(rng, positions), strict=True)
        return [self._decide(position, generator) for position, generator in pairs]

    def _decide(self, position: Position, rng: np.random.Generator) -> Decision:
        tree = self._search(position, rng)
        iterations = int(tree.visits[ROOT]) - 1
        first = int(tree.first_child[ROOT])
        tried = slice(first, first + min(int(tree.children[ROOT]), iterations))
        visits, total, bits = tree.visits[tried], tree.total[tried], tree.cell[tried]
        cells = bits - bits // position.board.stride
        policy = np.zeros(position.board.cells, np.float32)
        policy[cells] = visits / iterations
        best = np.lexsort((total, visits))[-1]
        return Decision(
            int(cells[best]), policy=policy, value=float(total.sum() / iterations), nodes=iterations
        )

    def _search(self, position: Position, rng: np.random.Generator) -> PlayoutTree:
        """Returns the tree searched; it holds until the next search."""
        board = position.board
        settings = Settings(
            playable=np.uint64(board.playable),
            stride=board.stride,
            win_length=board.win_length,
            seat=position.to_move,
            c=float(self.c),
            rollouts=self.rollouts if self.leaf == "rollout" else 0,
            tactics=self.tactics,
        )
        words = np.uint64(position.mine), np.uint64(position.theirs)
        state = np.array([rng.integers(2**64, dtype=np.uint64)])
        if self.seconds is None:
            tree = self._workspace.tree(min(places(self.iterations), MOST_NODES))
            grow(*words, self.iterations, 0, tree, settings, state)
            return tree
        tree = self._workspace.tree(MOST_NODES)
        # One iteration before the clock starts: it makes the tree this position's own, and in a new process
        # it compiles or loads the kernels.
        used = grow(*words, 1, 0, tree, settings, state)
        deadline = time.perf_counter() + self.seconds
        chunk, done = 1, 1
        while (started := time.perf_counter()) < deadline and done + chunk <= MOST_ITERATIONS:
            used = grow(*words, chunk, used, tree, settings, state)
            done += chunk
            if time.perf_counter() - started < CHUNK_SECONDS:
                chunk *= 2
        return tree
