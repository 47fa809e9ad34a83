"""What a training can be told: how games are played, searched and learned from.

Nothing here loads torch or numba, so that the command line knows its options at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from bttt import WORD_BITS

Encoding = Literal["playable", "bricks"]
"""How a brick is shown: a plane of cells without brick, zero beyond the border too, or a plane of bricks."""
BoardAugmentation = Literal["none", "flips", "all"]
"""Symmetries of the samples: none, the four flips, or all eight of a square board (four of another)."""
MOST_SIMULATIONS = 1_000_000


@dataclass(frozen=True)
class SearchConfig:
    """How a search is done; the same for all games.

    Attributes:
        simulations: Simulations a decision; 0 plays the network's policy without any search.
        gumbel: Gumbel AlphaZero's sequential halving instead of PUCT.
        considered: With gumbel, cells considered at the root.
        c_puct: Weight of exploration in PUCT.
        fpu_reduction: How much worse than its node PUCT thinks an untried cell.
        c_visit: Gumbel AlphaZero's constant of that name.
        c_scale: Gumbel AlphaZero's constant of that name, for results in [-1, 1].
        discount: Factor of a result for each ply until it.
        lookahead: What is known of a position without the network: 0 nothing, 1 a win at once, 2 also the
            answer to a threat and the loss by two threats, 3 also the win by two threats made at once.
        leaves: Simulations of one game under way at once, held apart by virtual losses; 1 with gumbel.
        reuse: In self-play, whether a search goes on in the last one's subtree under the cell played, whose
            simulations count; not with gumbel, which shares its simulations out from the first on.

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

    def __post_init__(self):
        for name, least, most in (
            ("simulations", 0, MOST_SIMULATIONS),
            ("considered", 1, 64),
            ("lookahead", 0, 3),
            ("leaves", 1, 1024),
        ):
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name} must be {least} to {most}, got {getattr(self, name)}")
        for name in ("c_puct", "fpu_reduction", "c_visit", "c_scale"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be at least 0 and finite, got {getattr(self, name)}")
        if not 0 < self.discount <= 1:
            raise ValueError(f"discount must be above 0 and at most 1, got {self.discount}")
        if self.gumbel and self.leaves > 1:
            raise ValueError(f"leaves must be 1 with gumbel, got {self.leaves}")
        if self.gumbel and self.reuse:
            raise ValueError("reuse must be false with gumbel, got true")


@dataclass(frozen=True)
class SelfPlayConfig:
    """How games are played to learn from.

    Attributes:
        games: Games at once.
        opening_plies: Each game begins with 0 to so many random plies, which are not learned from.
        temperature_plies: In so many plies after them the cell is drawn from the policy; then the best one is
            played.
        noise: Share of Dirichlet noise in the root's priors, with PUCT.
        noise_total: Sum of the parameters of the Dirichlet distribution, which the cells share evenly.
        bootstrap: Share of the search's result in the value learned; the rest is that of the game.

    Raises:
        ValueError: A value is out of range.
    """

    games: int = 256
    opening_plies: int = 14
    temperature_plies: int = 10
    noise: float = 0.25
    noise_total: float = 10.0
    bootstrap: float = 0.5

    def __post_init__(self):
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


@dataclass(frozen=True)
class LearnerConfig:
    """How a network learns.

    Attributes:
        batch: Samples of a step.
        passes: How often a sample is learned from on average, while it is in the buffer.
        optimizer: "adamw", or "sgd" with momentum 0.9.
        lr: Highest learning rate.
        schedule: "cosine" falls to a fiftieth of `lr` over the budget, "constant" stays; both rise over the
            first hundredth of the budget.
        weight_decay: Weight decay.
        value_weight: Weight of the value's squared error beside the policy's cross entropy.
        averaging: Share that the average keeps in each step; it plays the games and is what is stored.
        augmentation: Symmetries of the samples.

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

    def __post_init__(self):
        if not 1 <= self.batch <= 2**20:
            raise ValueError(f"batch must be 1 to {2**20}, got {self.batch}")
        for name in ("passes", "lr"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be above 0 and finite, got {getattr(self, name)}")
        for name in ("weight_decay", "value_weight"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be at least 0 and finite, got {getattr(self, name)}")
        if not 0 <= self.averaging < 1:
            raise ValueError(f"averaging must be at least 0 and below 1, got {self.averaging}")

    def lr_at(self, progress: float) -> float:
        """Returns the learning rate at a share of the budget, in [0, 1]."""
        rising = min(1.0, (progress + 1e-3) / 1e-2)
        if self.schedule == "constant":
            return self.lr * rising
        return self.lr * rising * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0))))
