"""Batched tree search guided by a network: PUCT, or Gumbel AlphaZero for few simulations.

Shapes: G games, A cells of the board, B positions in a batch of the network.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from agents.alphazero.configs import SearchConfig
from agents.alphazero.search.conclusion import conclude
from agents.alphazero.search.reuse import Subtree, cut, paste
from agents.alphazero.search.simulation import (
    DEPTH,
    SearchedGames,
    absorb,
    fill_planes,
    gather,
    judge_roots,
    plant,
)
from agents.alphazero.search.trees import LEAST_PRIOR, NO_EDGE, NONE, ROOT, TreeRules, Trees, empty_trees
from bttt import Board, Position

Evaluator = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Function from planes `[B, 3, rows, cols] float32` to logits `[B, A]` and values `[B]`, both float32."""
BYTES_PER_CELL = 17
MOST_BYTES = 2**28
"""Memory for trees, in bytes; it limits the games searched at once."""


class Roots(NamedTuple):
    """Positions to search, on boards of one size.

    Attributes:
        size: A board with their size and win length; its bricks are ignored.
        playable: `[G] uint64`, cells without bricks.
        mine: `[G] uint64`, stones of the player to move.
        theirs: `[G] uint64`, the other stones.
    """

    size: Board
    playable: np.ndarray
    mine: np.ndarray
    theirs: np.ndarray

    def part(self, chosen: slice | np.ndarray) -> Roots:
        """Returns the chosen positions."""
        return Roots(self.size, self.playable[chosen], self.mine[chosen], self.theirs[chosen])


class Found(NamedTuple):
    """The results of a search.

    Attributes:
        cells: `[G] int64`, the cell to play.
        policy: `[G, A] float32`, sums to 1.
        values: `[G] float32`, expected result for the player to move, in [-1, 1].
        statuses: `[G] int8`, the proven result: OPEN (none), WON, LOST or DRAWN.
        simulations: `[G] int32`, simulations run; fewer than configured if the result was proven.
    """

    cells: np.ndarray
    policy: np.ndarray
    values: np.ndarray
    statuses: np.ndarray
    simulations: np.ndarray


class RootNoise(NamedTuple):
    """Exploration noise for the root's priors: they are mixed with `noise` `[G, A]` of weight `share`."""

    share: float
    noise: np.ndarray


def roots_of(positions: Sequence[Position]) -> Roots:
    """Returns `positions`, on boards of one size, as words."""
    return Roots(
        positions[0].board,
        np.array([position.board.playable for position in positions], np.uint64),
        np.array([position.mine for position in positions], np.uint64),
        np.array([position.theirs for position in positions], np.uint64),
    )


def rules_of(config: SearchConfig, size: Board, bricks_plane: bool) -> TreeRules:
    """Returns the kernels' rules for a search on boards of one size."""
    return TreeRules(
        cols=size.cols,
        win_length=size.win_length,
        discount=float(config.discount),
        c_puct=float(config.c_puct),
        fpu_reduction=float(config.fpu_reduction),
        lookahead=config.lookahead,
        gumbel=config.gumbel,
        c_visit=float(config.c_visit),
        c_scale=float(config.c_scale),
        virtual_loss=config.leaves > 1,
        bricks_plane=bricks_plane,
    )


def considered_visits(considered: int, simulations: int) -> np.ndarray:
    """Returns sequential halving as a sequence of visit counts, `[simulations] int32`.

    Simulation i chooses among the cells whose visits so far equal entry i. Each of ceil(log2(considered))
    rounds divides its simulations evenly among the cells still considered, and drops the worse half.
    """
    rounds = max(1, math.ceil(math.log2(considered)))
    visits: list[int] = []
    per_cell = 0
    left = considered
    while len(visits) < simulations:
        for _ in range(max(1, simulations // (rounds * left))):
            visits += [per_cell] * left
            per_cell += 1
        left = max(2, left // 2) if considered > 1 else 1
    return np.array(visits[:simulations], np.int32)


class Search:
    """Searches with one network; reuses the memory of its trees, and continues subtrees chosen by `keep`.

    Args:
        evaluate: The network.
        config: The search settings.
        bricks_plane: Whether the network's third plane shows the bricks.
    """

    def __init__(self, evaluate: Evaluator, config: SearchConfig, bricks_plane: bool):
        self.evaluate = evaluate
        self.config = config
        self.bricks_plane = bricks_plane
        self._kept: tuple[tuple[int, int], Trees] | None = None
        self._subtrees: dict[int, Subtree] = {}

    def run(
        self, roots: Roots, gumbel_noise: np.ndarray | None = None, root_noise: RootNoise | None = None
    ) -> Found:
        """Returns the results of a search in each position.

        Args:
            roots: The positions, all unfinished.
            gumbel_noise: `[G, A]`, Gumbel distributed, for gumbel; None for zeros.
            root_noise: Noise for the root's priors; None for no noise.

        Raises:
            ValueError: The network's outputs are not finite.
        """
        games = max(1, MOST_BYTES // (BYTES_PER_CELL * roots.size.cells * (self.config.simulations + 2)))
        if self.config.simulations == 0:
            return self._without_search(roots)
        if self.config.reuse:
            games = len(roots.mine)
        parts = []
        for start in range(0, len(roots.mine), games):
            part = slice(start, start + games)
            gumbel = None if gumbel_noise is None else gumbel_noise[part]
            noise = None if root_noise is None else RootNoise(root_noise.share, root_noise.noise[part])
            parts.append(self._run(roots.part(part), gumbel, noise))
        return Found(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))

    def keep(self, cells: np.ndarray) -> None:
        """Lets the next `run`, on the positions after `cells` `[G]`, continue in their subtrees.

        A game whose cell is NONE or was not tried gets a new tree. Requires `reuse`, which searches the
        trees of all games at once, regardless of memory.
        """
        if self._kept is None:
            raise RuntimeError("keep() was called before run(): there are no trees to continue")
        _, trees = self._kept
        found = {game: cut(trees, game, cell) for game, cell in enumerate(cells.tolist()) if cell != NONE}
        self._subtrees = {game: subtree for game, subtree in found.items() if subtree is not None}

    def _without_search(self, roots: Roots) -> Found:
        size = roots.size
        number = len(roots.mine)
        planes = np.empty((number, 3, size.rows, size.cols), np.float32)
        fill_planes(
            planes, roots.mine, roots.theirs, roots.playable, rules_of(self.config, size, self.bricks_plane)
        )
        logits, values = self.evaluate(planes)
        bits = np.array([size.bit(cell) for cell in range(size.cells)], np.uint64)
        legal = (roots.playable & ~(roots.mine | roots.theirs))[:, None] & bits != 0
        _check(bool(np.isfinite(values).all() and np.isfinite(logits).all()))
        logits = np.where(legal, logits, -np.inf)
        policy = np.exp(logits - logits.max(1, keepdims=True))
        policy /= policy.sum(1, keepdims=True)
        none = np.zeros(number, np.int8)
        return Found(logits.argmax(1), policy.astype(np.float32), values, none, none.astype(np.int32))

    def _run(self, roots: Roots, gumbel_noise: np.ndarray | None, root_noise: RootNoise | None) -> Found:
        size, number = roots.size, len(roots.mine)
        rules = rules_of(self.config, size, self.bricks_plane)
        trees = self._trees(number, size.cells)
        games = self._games(roots)
        planes = np.empty((number * self.config.leaves, 3, size.rows, size.cols), np.float32)
        asked = self._new(plant(trees, games, roots.mine, roots.theirs, rules, planes), games, planes)
        if asked:
            _check(judge_roots(trees, games, asked, *self.evaluate(planes[:asked])))
        for game, subtree in self._subtrees.items():
            games.begun[game] = paste(trees, game, subtree)
        self._subtrees = {}
        before = games.begun.copy()
        if root_noise is not None:
            _mix_noise(trees.prior[:number, ROOT], root_noise)
        if self.config.gumbel:
            self._start_gumbel(trees.prior[:number, ROOT], games, gumbel_noise)
        while asked := gather(trees, games, rules, planes):
            _check(absorb(trees, games, rules, asked, *self.evaluate(planes[:asked])))
        found = Found(
            cells=np.zeros(number, np.int64),
            policy=np.zeros((number, size.cells), np.float32),
            values=np.zeros(number, np.float32),
            statuses=np.zeros(number, np.int8),
            simulations=games.begun - before,
        )
        conclude(trees, games, rules, found.policy, found.cells, found.values, found.statuses)
        return found

    def _new(self, asked: int, games: SearchedGames, planes: np.ndarray) -> int:
        """Removes the games that continue a subtree from the roots to evaluate; returns how many remain."""
        if not self._subtrees:
            return asked
        new = np.flatnonzero([game not in self._subtrees for game in games.asked[:asked, 0].tolist()])
        planes[: len(new)], games.asked[: len(new)] = planes[new], games.asked[new]
        return len(new)

    def _trees(self, games: int, cells: int) -> Trees:
        nodes = self.config.simulations + 2
        if self._kept is None or self._kept[0][0] < games or self._kept[0][1] != cells:
            self._kept = (games, cells), empty_trees(games, nodes, cells)
        return self._kept[1]

    def _games(self, roots: Roots) -> SearchedGames:
        config, number, cells = self.config, len(roots.mine), roots.size.cells
        return SearchedGames(
            playable=roots.playable,
            budget=np.full(number, config.simulations, np.int32),
            begun=np.zeros(number, np.int32),
            scores=np.zeros((number if config.gumbel else 0, cells), np.float32),
            considered=np.zeros((number if config.gumbel else 0, config.simulations), np.int32),
            weights=np.empty(cells),
            waiting=np.empty((number, config.leaves), np.int32),
            length=np.empty((number, config.leaves), np.int32),
            path_nodes=np.empty((number, config.leaves, DEPTH), np.int32),
            path_cells=np.empty((number, config.leaves, DEPTH), np.int8),
            asked=np.empty((number * config.leaves, 2), np.int32),
        )

    def _start_gumbel(self, priors: np.ndarray, games: SearchedGames, noise: np.ndarray | None) -> None:
        edges = priors >= 0
        games.scores[:] = np.log(np.maximum(priors, LEAST_PRIOR)) + (0 if noise is None else noise)
        numbers = np.minimum(edges.sum(1), self.config.considered)
        tables = {m: considered_visits(m, self.config.simulations) for m in np.unique(numbers).tolist()}
        for g, m in enumerate(numbers.tolist()):
            games.considered[g] = tables[m]


def _check(finite: bool) -> None:
    if not finite:
        raise ValueError("the network's outputs are not finite: its weights are corrupt or have diverged")


def _mix_noise(priors: np.ndarray, root_noise: RootNoise) -> None:
    """Mixes noise into the priors `[G, A]` of edges, so that they still sum to 1."""
    edges = priors > NO_EDGE
    noise = np.where(edges, root_noise.noise + 1e-30, 0)  # without 1e-30, noise can be 0 in all cells
    noise /= noise.sum(1, keepdims=True)
    mixed = (1 - root_noise.share) * priors + root_noise.share * noise
    priors[:] = np.where(edges, mixed, priors)
