"""The Monte Carlo tree search agent: UCT with random playouts, or with the expert heuristic, at the leaves.

Following the Brick Tic-Tac-Toe paper, the exploration constant is 1, the most visited root move is played,
and each decision starts a new tree; `leaf="heuristic"` is what the paper's published code does. Choices made
here: results are -1, 0 and 1, and the bound is mean + c * sqrt(ln N / n). Every child is tried once before
any child is tried again.
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
from bttt.runs import nearest, require_at_least

Leaf = Literal["rollout", "heuristic"]
"""How a leaf is evaluated."""
MOST_NODES = 2**24
"""Maximum nodes of a tree, of 18 bytes each (300 MB in all)."""
MOST_ITERATIONS = 2_000_000_000
"""Maximum iterations, since visit counts have 32 bits."""
CHUNK_SECONDS = 0.001


class _Workspace:
    """Tree memory that an agent reuses; its content does not affect decisions. A pickled copy is empty."""

    def __init__(self) -> None:
        self._tree = empty_tree(places(0))

    def tree(self, nodes: int) -> PlayoutTree:
        """Returns a tree with room for `nodes` nodes."""
        if len(self._tree.visits) < nodes:
            self._tree = empty_tree(nodes)
        return self._tree

    def __reduce__(self) -> tuple[type[_Workspace], tuple[()]]:
        return _Workspace, ()


@dataclass(frozen=True)
class MctsAgent:
    """UCT search; plays the most visited move. Not thread-safe.

    A decision's policy is each cell's fraction of the visits, its value is the mean result of all iterations,
    and its nodes are the number of iterations. Of equally visited moves it plays the one with the better
    mean, and of these the one tried last, which is random. The same generator gives the same decision, unless
    `seconds` is set.

    Attributes:
        iterations: Iterations per decision.
        c: Exploration weight, at least 0.
        leaf: "rollout" evaluates a leaf by random playouts, "heuristic" by the expert heuristic, scaled to
            [-1, 1] by `agents.heuristic.leaf_value`.
        rollouts: Random playouts per leaf; ignored with leaf="heuristic".
        seconds: Time per decision, in seconds. At least one iteration is run; `iterations` is ignored.
        tactics: In every node, try only winning moves if there are any, otherwise only blocks if the other
            side threatens to win. Playouts stay random.
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
            hint = nearest(str(self.leaf), get_args(Leaf))
            raise ValueError(f"leaf must be one of {', '.join(get_args(Leaf))}, got {self.leaf!r}{hint}")
        if self.seconds is not None and not 0 < self.seconds < math.inf:
            raise ValueError(f"seconds must be above 0 or none, got {self.seconds}")

    def without_effect(self) -> dict[str, str]:
        """Returns the options that have no effect with the others."""
        found = {"rollouts": "with leaf=heuristic"} if self.leaf == "heuristic" else {}
        return found | ({"iterations": "with seconds"} if self.seconds is not None else {})

    def decide(self, positions: Sequence[Position], rng: Rng) -> list[Decision]:
        """Returns one decision per position."""
        pairs = zip(positions, generators(rng, positions), strict=True)
        return [self._decide(position, generator) for position, generator in pairs]

    def warm_up(self, position: Position) -> None:
        """Compiles the kernels, without the agent's iterations or time."""
        MctsAgent(iterations=1, leaf=self.leaf).decide([position], np.random.default_rng(0))

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
        """Returns the searched tree, which is valid until the next search."""
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
        # One iteration before the clock starts: it resets the tree to this position and, in a new process,
        # compiles or loads the kernels.
        used = grow(*words, 1, 0, tree, settings, state)
        deadline = time.perf_counter() + self.seconds
        chunk, done = 1, 1
        while (started := time.perf_counter()) < deadline and done + chunk <= MOST_ITERATIONS:
            used = grow(*words, chunk, used, tree, settings, state)
            done += chunk
            if time.perf_counter() - started < CHUNK_SECONDS:
                chunk *= 2
        return tree
