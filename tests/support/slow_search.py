"""The tree search once more, for one game, with a Python object a node: the oracle of the fast one.

Written from the rules as `SearchConfig` and the papers tell them, without virtual losses: one simulation, one
answer of the network, one way back up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from agents.alphazero.configs import SearchConfig
from agents.alphazero.search.batched import Evaluator
from agents.alphazero.search.trees import DRAWN, LOST, OPEN, WON
from bttt.position import Position


@dataclass
class Node:
    """A position and what is known of it, for the player to move."""

    mine: int
    theirs: int
    cells: list[int] = field(default_factory=list)
    status: int = OPEN
    distance: int = 0
    results: list[float] = field(default_factory=list)
    network: float = 0.0
    prior: dict[int, float] = field(default_factory=dict)
    children: dict[int, Node] = field(default_factory=dict)
    seen: dict[int, list[float]] = field(default_factory=dict)
    """For each cell tried, the results of its simulations, for the player to move here."""


class SlowSearch:
    """One search; `run` does all its simulations."""

    def __init__(self, position: Position, evaluate: Evaluator, config: SearchConfig, noise=None):
        self.board = position.board
        self.lines = {
            cell: [window for window in self.board.windows if window & self.board.bit(cell)]
            for cell in range(self.board.cells)
        }
        self.evaluate = evaluate
        self.config = config
        self.root = self._node(position.mine, position.theirs)
        if self.root.status == OPEN:
            self._judge(self.root)
        self.simulations = 0
        noise = np.zeros(self.board.cells) if noise is None else noise
        self.scores = {
            cell: math.log(max(prior, 1e-8)) + noise[cell] for cell, prior in self.root.prior.items()
        }
        self.wanted = halving(min(config.considered, len(self.root.cells)), config.simulations)

    def run(self) -> SlowSearch:
        while self.simulations < self.config.simulations and self.root.status == OPEN:
            self._simulate()
        return self

    def visits(self) -> np.ndarray:
        """Visits of the root's cells, `[A]`."""
        found = np.zeros(self.board.cells, int)
        for cell, results in self.root.seen.items():
            found[cell] = len(results)
        return found

    def _node(self, mine: int, theirs: int) -> Node:
        node = Node(mine, theirs)
        free = [
            c for c in range(self.board.cells) if self.board.bit(c) & self.board.playable & ~(mine | theirs)
        ]
        node.cells = free
        look = self.config.lookahead
        threats = self._completing(theirs, free)
        if self._has_line(theirs):
            node.status = LOST
        elif not free:
            node.status = DRAWN
        elif look >= 1 and (wins := self._completing(mine, free)):
            node.status, node.distance, node.cells = WON, 1, wins
        elif look >= 2 and len(threats) > 1:
            node.status, node.distance, node.cells = LOST, 2, threats
        elif look >= 2:
            node.cells = threats or free
            if look >= 3 and (forks := [cell for cell in node.cells if self._forks(mine, free, cell)]):
                node.status, node.distance, node.cells = WON, 3, forks
        return node

    def _has_line(self, stones: int) -> bool:
        return any(line & stones == line for line in self.board.windows)

    def _completing(self, stones: int, free: list[int]) -> list[int]:
        return [
            cell
            for cell in free
            if any(line & (stones | self.board.bit(cell)) == line for line in self.lines[cell])
        ]

    def _forks(self, mine: int, free: list[int], cell: int) -> bool:
        left = [each for each in free if each != cell]
        return len(self._completing(mine | self.board.bit(cell), left)) > 1

    def _judge(self, node: Node) -> float:
        planes = np.zeros((1, 3, self.board.rows, self.board.cols), np.float32)
        shown = zip(planes[0], (node.mine, node.theirs, self.board.playable), strict=True)
        for plane, word in shown:
            plane.ravel()[list(self.board.word_cells(word))] = 1
        logits, values = self.evaluate(planes)
        powers = {cell: math.exp(logits[0, cell]) for cell in node.cells}
        node.prior = {cell: power / sum(powers.values()) for cell, power in powers.items()}
        node.network = float(values[0])
        node.results.append(node.network)
        return node.network

    def _simulate(self) -> None:
        node, path = self.root, []
        while node.status == OPEN:
            cell = self._choose(node)
            path.append((node, cell))
            if cell not in node.children:
                node.children[cell] = self._node(node.theirs, node.mine | self.board.bit(cell))
                node = node.children[cell]
                break
            node = node.children[cell]
        self.simulations += 1
        result = self._judge(node) if node.status == OPEN else self._exact(node)
        for parent, cell in reversed(path):
            was_open = parent.status == OPEN
            self._prove(parent)
            proven = was_open and parent.status != OPEN
            result = self._exact(parent) if proven else -self.config.discount * result
            parent.results.append(result)
            parent.seen.setdefault(cell, []).append(result)

    def _exact(self, node: Node) -> float:
        return {WON: 1, LOST: -1, DRAWN: 0}[node.status] * self.config.discount**node.distance

    def _prove(self, node: Node) -> None:
        known = [node.children.get(cell) for cell in node.cells]
        wins = [child.distance for child in known if child and child.status == LOST]
        if wins:
            node.status, node.distance = WON, 1 + min(wins)
        elif all(child and child.status != OPEN for child in known):
            if any(child.status == DRAWN for child in known):
                node.status = DRAWN
            else:
                node.status, node.distance = LOST, 1 + max(child.distance for child in known)

    def _is_lost(self, node: Node, cell: int) -> bool:
        return cell in node.children and node.children[cell].status == WON

    def _worth(self, node: Node, cell: int) -> float:
        child = node.children[cell]
        if child.status != OPEN:
            return -self.config.discount * self._exact(child)
        return sum(node.seen[cell]) / len(node.seen[cell])

    def _choose(self, node: Node) -> int:
        if not self.config.gumbel:
            return self._puct(node)
        if node is self.root:
            return self.best_of_root(self.wanted[self.simulations])
        policy = self.improved(node)
        total = sum(map(len, node.seen.values()))
        return max(policy, key=lambda cell: policy[cell] - len(node.seen.get(cell, ())) / (1 + total))

    def _puct(self, node: Node) -> int:
        config = self.config
        tried = sum(node.prior[cell] for cell in node.seen)
        untried = sum(node.results) / len(node.results) - config.fpu_reduction * math.sqrt(tried)
        total = sum(map(len, node.seen.values()))

        def bound(cell: int) -> float:
            mean = self._worth(node, cell) if cell in node.seen else untried
            visits = len(node.seen.get(cell, ()))
            return mean + config.c_puct * node.prior[cell] * math.sqrt(total + 1) / (1 + visits)

        return max((cell for cell in node.cells if not self._is_lost(node, cell)), key=bound)

    def mixed(self, node: Node) -> float:
        """What untried cells are thought to be worth (Danihelka et al. 2022, appendix D)."""
        if not node.seen:
            return node.network
        prior = {cell: max(node.prior[cell], 1e-8) for cell in node.seen}
        mean = sum(prior[cell] * self._worth(node, cell) for cell in node.seen) / sum(prior.values())
        total = sum(map(len, node.seen.values()))
        return (node.network + total * mean) / (1 + total)

    def _scaled(self, node: Node, cell: int) -> float:
        most = max(map(len, node.seen.values()), default=0)
        result = self._worth(node, cell) if cell in node.seen else self.mixed(node)
        return (self.config.c_visit + most) * self.config.c_scale * result

    def improved(self, node: Node) -> dict[int, float]:
        """The improved policy over the cells not proven to lose."""
        cells = [cell for cell in node.cells if not self._is_lost(node, cell)]
        logits = [math.log(max(node.prior[cell], 1e-8)) + self._scaled(node, cell) for cell in cells]
        powers = np.exp(np.array(logits) - max(logits))
        return dict(zip(cells, (powers / powers.sum()).tolist(), strict=True))

    def best_of_root(self, wanted: int | None = None) -> int:
        """The cell of the highest score of those visited so often, or of all; None: of the most visited."""
        cells = [cell for cell in self.root.cells if not self._is_lost(self.root, cell)]
        visits = {cell: len(self.root.seen.get(cell, ())) for cell in cells}
        wanted = max(visits.values()) if wanted is None else wanted
        chosen = [cell for cell in cells if visits[cell] == wanted] or cells
        return max(chosen, key=lambda cell: self.scores[cell] + self._scaled(self.root, cell))


def halving(considered: int, simulations: int) -> list[int]:
    """Sequential halving: for each simulation, the visits so far of the cells it chooses among."""
    if considered == 1:
        return list(range(simulations))
    rounds = math.ceil(math.log2(considered))
    visits = [0] * considered
    sequence: list[int] = []
    left = considered
    while len(sequence) < simulations:
        for _ in range(max(1, simulations // (rounds * left))):
            sequence += visits[:left]
            visits[:left] = [each + 1 for each in visits[:left]]
        left = max(2, left // 2)
    return sequence[:simulations]
