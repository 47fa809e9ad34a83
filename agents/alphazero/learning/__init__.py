"""Learning from samples of self-play: batches of them, gradients, and the learner that takes steps.

>>> import numpy as np
>>> from agents.alphazero import LearnerConfig
>>> from agents.alphazero.learning import Learner, sample_type
>>> from agents.alphazero.network import PRESETS, untrained
>>> from bttt import Board
>>> learner = Learner(untrained(PRESETS["small"], seed=0), LearnerConfig(batch=8), Board())
>>> samples = np.zeros(20, sample_type(49))
>>> learner.learn(samples, steps=2, progress=0.5, rng=np.random.default_rng(0)).steps
2

Modules: `replay` turns samples into batches, `learner` takes gradient steps, `shares` divides them among
processes. On processors that are fast in
bfloat16, `gradients` computes those of this package's networks: in `layers`, with kernels for `normalisation`
and `heads`. Autograd computes all others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from agents.alphazero.learning.learner import Learner, Losses
    from agents.alphazero.learning.replay import images, make_batch, sample_type
    from agents.alphazero.learning.shares import Helper

__all__ = ["Helper", "Learner", "Losses", "images", "make_batch", "sample_type"]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("learner", "replay", "shares"))
