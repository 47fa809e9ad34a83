"""The settings of search, self-play and learning.

Nothing here loads torch or numba, so the command line reads its options without delay.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from bttt import WORD_BITS
from bttt.runs import require_at_least

Preset = Literal["small", "base", "paper"]
"""Names of the networks that this package builds."""
Encoding = Literal["playable", "bricks"]
"""The third input plane: the playable cells (0 on bricks and beyond the border), or the bricks."""
BoardAugmentation = Literal["none", "flips", "all"]
"""Symmetries applied to samples: none, the four flips, or all (eight on square boards, four on others)."""
GoalName = Literal["minimax", "perfect", "perfect-raw"]
"""The goals that may end a training run: all games won as the first player, one on each training board."""
MOST_SIMULATIONS = 1_000_000


@dataclass(frozen=True)
class SearchConfig:
    """How each search runs.

    Attributes:
        simulations: Simulations per decision; 0 plays the raw policy, without search.
        gumbel: Use Gumbel AlphaZero's sequential halving instead of PUCT.
        considered: Cells considered at the root; only with gumbel.
        c_puct: Exploration weight of PUCT.
        fpu_reduction: First-play urgency: how far below its node's value PUCT rates an untried cell.
        c_visit: Gumbel AlphaZero's constant c_visit.
        c_scale: Gumbel AlphaZero's constant c_scale, for results in [-1, 1].
        discount: Discount factor per ply until the result.
        lookahead: Tactics solved exactly, without the network: 0 none; 1 immediate wins; 2 also replies
            to a threat and losses to a double threat; 3 also wins by a double threat.
        leaves: Simulations run in parallel in one game, kept apart by virtual loss; must be 1 with
            gumbel.
        reuse: In self-play, continue the search from the subtree of the move played, whose simulations
            count. Not with gumbel, which allocates all its simulations from the start.

    Raises:
        ValueError: A value is out of range.
    """

    simulations: int = 100
    gumbel: bool = False
    considered: int = 16
    c_puct: float = 1.5
    fpu_reduction: float = 0.2
    c_visit: float = 50.0
    c_scale: float = 1.0
    discount: float = 0.95
    lookahead: int = 3
    leaves: int = 1
    reuse: bool = False

    def __post_init__(self) -> None:
        for name, least, most in (
            ("simulations", 0, MOST_SIMULATIONS),
            ("considered", 1, 64),
            ("lookahead", 0, 3),
            ("leaves", 1, 1024),
        ):
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name} must be {least} to {most}, got {getattr(self, name)}")
        require_at_least(0, below=math.inf, c_puct=self.c_puct, fpu_reduction=self.fpu_reduction)
        require_at_least(0, below=math.inf, c_visit=self.c_visit, c_scale=self.c_scale)
        if not 0 < self.discount <= 1:
            raise ValueError(f"discount must be above 0 and at most 1, got {self.discount}")
        if self.gumbel and self.leaves > 1:
            raise ValueError(f"leaves must be 1 with gumbel, got {self.leaves}")
        if self.gumbel and self.reuse:
            raise ValueError("reuse must be false with gumbel, got true")

    def without_effect(self) -> dict[str, str]:
        """Returns the options of the other way to search, which have no effect."""
        if self.gumbel:
            return dict.fromkeys(("c_puct", "fpu_reduction"), "with gumbel, which does not use PUCT")
        return dict.fromkeys(("considered", "c_visit", "c_scale"), "without gumbel")


@dataclass(frozen=True)
class SelfPlayConfig:
    """How self-play games are played.

    Attributes:
        games: Games played at once.
        opening_plies: Each game starts with 0 to this many random plies, which yield no samples.
        temperature_plies: For this many plies after the opening, moves are sampled from the search
            policy; later moves are the best ones.
        noise: Weight of Dirichlet noise in the root's priors; only with PUCT.
        noise_total: Sum of the parameters of the Dirichlet distribution, divided evenly among the cells.
        bootstrap: Weight of the search value in the value target; the game result gets the rest.

    Raises:
        ValueError: A value is out of range.
    """

    games: int = 256
    opening_plies: int = 14
    temperature_plies: int = 10
    noise: float = 0.25
    noise_total: float = 10.0
    bootstrap: float = 0.5

    def __post_init__(self) -> None:
        for name, least, most in (
            ("games", 1, 100_000),
            ("opening_plies", 0, WORD_BITS),
            ("temperature_plies", 0, WORD_BITS),
            ("noise", 0, 1),
            ("bootstrap", 0, 1),
        ):
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name} must be {least} to {most}, got {getattr(self, name)}")
        if not 0 < self.noise_total < math.inf:
            raise ValueError(f"noise_total must be above 0 and finite, got {self.noise_total}")


def noise_without_effect(selfplay: SelfPlayConfig, search: SearchConfig) -> dict[str, str]:
    """Returns the options of the root noise that have no effect in self-play with this search."""
    if search.gumbel:
        why = "with search.gumbel, which has noise of its own"
        return dict.fromkeys(("selfplay.noise", "selfplay.noise_total"), why)
    return {} if selfplay.noise else {"selfplay.noise_total": "with selfplay.noise=0"}


@dataclass(frozen=True)
class LearnerConfig:
    """How the network is trained.

    Attributes:
        batch: Samples per step.
        passes: Average number of times that a sample is used while it is in the replay buffer.
        optimizer: adamw, or sgd with momentum 0.9.
        lr: Peak learning rate.
        schedule: cosine: the learning rate falls to 2% of its peak over the budget. constant: it stays at
            its peak. Both warm up over the first 1% of the budget.
        weight_decay: Weight decay of the optimizer.
        value_weight: Weight of the value's squared error relative to the policy's cross entropy.
        averaging: Decay of the exponential moving average of the weights; the averaged network plays the
            games and is the one saved.
        augmentation: Symmetries applied to samples: none, the four flips, or all (eight on square boards,
            four on others).

    Raises:
        ValueError: A value is out of range.
    """

    batch: int = 512
    passes: float = 10.0
    optimizer: Literal["adamw", "sgd"] = "adamw"
    lr: float = 3e-3
    schedule: Literal["cosine", "constant"] = "cosine"
    weight_decay: float = 1e-2
    value_weight: float = 1.0
    averaging: float = 0.99
    augmentation: BoardAugmentation = "all"

    def __post_init__(self) -> None:
        if not 1 <= self.batch <= 2**20:
            raise ValueError(f"batch must be 1 to {2**20}, got {self.batch}")
        for name in ("passes", "lr"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be above 0 and finite, got {getattr(self, name)}")
        require_at_least(0, below=math.inf, weight_decay=self.weight_decay, value_weight=self.value_weight)
        require_at_least(0, below=1, averaging=self.averaging)

    def lr_at(self, progress: float) -> float:
        """Returns the learning rate when a fraction of the budget, in [0, 1], is used."""
        rising = min(1.0, (progress + 1e-3) / 1e-2)
        if self.schedule == "constant":
            return self.lr * rising
        return self.lr * rising * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0))))
