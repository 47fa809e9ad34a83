"""The AlphaZero agent: a trained network, with or without search."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar

import numpy as np

from agents.agent import Decision, Rng, generators
from agents.alphazero.configs import SearchConfig
from agents.alphazero.network import (
    REMOVED_EVALUATORS,
    EvaluatorName,
    digests_of,
    load_checkpoint,
    make_evaluator,
    one_thread,
    with_symmetries,
)
from agents.alphazero.search import Found, RootNoise, Search, roots_of
from agents.alphazero.weights import find_network
from bttt import Board, Position
from bttt.runs import require_at_least

NOISE_TOTAL = 10.0
"""Sum of the parameters of the root noise's Dirichlet distribution, divided evenly among the cells."""


@dataclass(frozen=True)
class AlphaZeroAgent:
    """Tree search guided by a network trained by self-play on chosen bricks. Not thread-safe.

    As in the Brick Tic-Tac-Toe paper, `simulations=0` plays the network's raw policy. By default there is no
    noise and no temperature, and each decision starts a new tree. A decision's policy is each cell's fraction
    of the visits (with gumbel the improved policy, without search the network's policy). Its value is the
    expected discounted result, its nodes are the simulations run. No decision depends on an earlier decision.
    Two agents are equal if their options and what their networks learned are equal.

    Attributes:
        network: A bundled network (d4, r2, r3, all), the folder of a training run, or a checkpoint file. In a
            spec the path must not contain a comma or an equals sign.
        simulations: Simulations per decision; 0 plays the raw policy.
        gumbel: Use Gumbel AlphaZero's sequential halving, for few simulations, instead of PUCT.
        c_puct: Exploration weight of PUCT.
        leaves: Simulations run in parallel in one game, kept apart by virtual loss; always 1 with gumbel.
        temperature: 0 plays the best cell; otherwise the cell is drawn from the policy raised to the power
            1/temperature.
        noise: Weight of Dirichlet noise in the root's priors; with gumbel, the weight of the Gumbel noise.
        symmetries: Average the network's outputs over all symmetries of the board.
        evaluator: Inference backend; auto is openvino if it is installed, otherwise torch.
        architecture: python:module:Class of a network of your own; loading a checkpoint never imports it.
        encoding: python:module:function of an encoding of your own.
        lookahead: Tactics that the search solves exactly, without the network: 0 none; 1 immediate wins; 2
            also replies to a threat and losses to a double threat; 3 also wins by a double threat.
        fpu: First-play urgency of PUCT: how far below its node's value an untried cell is rated.
        fingerprint: Digest of what the network learned; equal for a network trained again bit for bit.
        earlier_fingerprint: Digest of the checkpoint's file, by which earlier versions stored runs.
        trained_on: The training boards as text, if the checkpoint records them.
    """

    network: str = field(default="all", compare=False)
    simulations: int = 100
    gumbel: bool = False
    c_puct: float = 1.5
    leaves: int = 4
    temperature: float = 0.0
    noise: float = 0.0
    symmetries: bool = False
    evaluator: EvaluatorName = "auto"
    architecture: str | None = None
    encoding: str | None = None
    lookahead: int = SearchConfig.lookahead
    fpu: float = SearchConfig.fpu_reduction
    fingerprint: str = field(init=False, repr=False, compare=False)
    earlier_fingerprint: str = field(init=False, repr=False, compare=False)
    trained_on: tuple[str, ...] | None = field(init=False, repr=False, compare=False)
    _learned: str = field(init=False, repr=False)
    _search: Search = field(init=False, repr=False, compare=False)
    _config: Any = field(init=False, repr=False, compare=False)

    batched = True
    positional = "network"
    """The option that may come first in a spec, without its name: "alphazero:d4"."""
    removed_values: ClassVar[Mapping[str, Mapping[str, str]]] = {"evaluator": REMOVED_EVALUATORS}
    """Values of options of earlier versions, and what replaces them."""

    def __post_init__(self) -> None:
        if not 0 <= self.temperature <= 100:
            raise ValueError(f"temperature must be 0 to 100, got {self.temperature}")
        if not 0 <= self.noise <= 1:
            raise ValueError(f"noise must be 0 to 1, got {self.noise}")
        if self.noise and not self.simulations:
            raise ValueError(f"noise must be 0 without simulations, got {self.noise}")
        require_at_least(0, below=math.inf, fpu=self.fpu)
        if self.lookahead != SearchConfig.lookahead and not self.simulations:
            raise ValueError(f"lookahead needs simulations, got lookahead={self.lookahead} without them")
        if self.fpu != SearchConfig.fpu_reduction and (self.gumbel or not self.simulations):
            raise ValueError(f"fpu needs simulations by PUCT, without gumbel, got fpu={self.fpu}")
        path = find_network(self.network)
        network, record = load_checkpoint(path, architecture=self.architecture, encoding=self.encoding)
        config = SearchConfig(
            simulations=self.simulations,
            gumbel=self.gumbel,
            c_puct=self.c_puct,
            leaves=1 if self.gumbel else self.leaves,
            discount=_discount(record),
            lookahead=self.lookahead,
            fpu_reduction=self.fpu,
        )
        evaluate = make_evaluator(network, self.evaluator)
        if self.symmetries:
            evaluate = with_symmetries(evaluate)
        found = digests_of(path)
        object.__setattr__(self, "fingerprint", found.stored)
        object.__setattr__(self, "earlier_fingerprint", found.file)
        object.__setattr__(self, "_learned", found.learned)
        object.__setattr__(self, "trained_on", _boards_trained_on(record))
        object.__setattr__(self, "_config", network.config)
        object.__setattr__(self, "_search", Search(evaluate, config, network.config.encoding == "bricks"))

    def __reduce__(self) -> tuple[type[AlphaZeroAgent], tuple[object, ...]]:
        """Pickles the options only: a copy loads the network again, since evaluators cannot be pickled."""
        return type(self), tuple(getattr(self, each.name) for each in fields(self) if each.init)

    def without_effect(self) -> dict[str, str]:
        """Returns the options that have no effect with the others."""
        if not self.simulations:
            options = ("gumbel", "c_puct", "leaves", "lookahead", "fpu")
            return dict.fromkeys(options, "with simulations=0, which does not search")
        return dict.fromkeys(("c_puct", "leaves", "fpu"), "with gumbel") if self.gumbel else {}

    def decide(self, positions: Sequence[Position], rng: Rng) -> list[Decision]:
        """Returns one decision per position.

        Raises:
            ValueError: The network cannot evaluate boards of a position's size.
        """
        rngs = generators(rng, positions)
        decisions: dict[int, Decision] = {}
        by_size: dict[tuple[int, int, int], list[int]] = {}
        for place, position in enumerate(positions):
            board = position.board
            self._check_size(board)
            by_size.setdefault((board.rows, board.cols, board.win_length), []).append(place)
        with one_thread():
            for places in by_size.values():
                group = [positions[place] for place in places]
                found = self._decide(group, [rngs[place] for place in places])
                decisions |= zip(places, found, strict=True)
        return [decisions[place] for place in range(len(positions))]

    def warm_up(self, position: Position) -> None:
        """Compiles the kernels and loads the network, without the agent's simulations.

        Raises:
            ValueError: The network cannot evaluate boards of this size.
        """
        self._check_size(position.board)
        search = self._search
        config = replace(search.config, simulations=min(1, self.simulations), leaves=1)
        with one_thread():
            Search(search.evaluate, config, search.bricks_plane).run(roots_of([position]))

    def _check_size(self, board: Board) -> None:
        if not self._config.fits(board.rows, board.cols):
            raise ValueError(
                f"network {self.network!r} is for {self._config.rows}x{self._config.cols} boards, "
                f"got {board.size_text}"
            )

    def _decide(self, positions: Sequence[Position], rngs: Sequence[np.random.Generator]) -> list[Decision]:
        roots = roots_of(positions)
        cells = roots.size.cells
        gumbel = root_noise = None
        if self.gumbel and self.noise:
            gumbel = self.noise * np.array([each.gumbel(size=cells) for each in rngs])
        elif self.noise:
            drawn = [each.standard_gamma(NOISE_TOTAL / cells, size=cells) for each in rngs]
            root_noise = RootNoise(self.noise, np.array(drawn))
        found = self._search.run(roots, gumbel, root_noise)
        return [
            Decision(
                self._cell(found, game, each),
                policy=found.policy[game],
                value=float(found.values[game]),
                nodes=int(found.simulations[game]),
            )
            for game, each in enumerate(rngs)
        ]

    def _cell(self, found: Found, game: int, rng: np.random.Generator) -> int:
        if self.temperature == 0:
            return int(found.cells[game])
        weights = found.policy[game].astype(np.float64) / found.policy[game].max()
        weights **= 1 / self.temperature
        return int(rng.choice(len(weights), p=weights / weights.sum()))


def _discount(record: Mapping[str, Any]) -> float:
    """Returns the discount factor of the training run, with which the network learned its values."""
    search = record.get("config", {}).get("search", {})
    return float(search.get("discount", SearchConfig().discount))


def _boards_trained_on(record: Mapping[str, Any]) -> tuple[str, ...] | None:
    boards = record.get("boards")
    return tuple(map(str, boards)) if isinstance(boards, list) else None
