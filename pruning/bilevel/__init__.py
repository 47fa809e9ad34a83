"""Bilevel optimisation: minimise an upper loss over x, where the variables y minimise a lower loss.

>>> import torch
>>> from pruning.bilevel import Batches, Problem, Start, optimise
>>> problem = Problem(
...     upper=lambda x, y, batch: (y["w"] - 3) ** 2,  # smallest at w = 3
...     lower=lambda x, y, batch: (y["w"] - x["w"]) ** 2,  # y follows x
... )
>>> zero = {"w": torch.tensor(0.0)}
>>> start = Start(problem, zero, zero, Batches(1, 1, seed=0))
>>> states = optimise("aid-cg", start, inner_steps=1, inner_lr=0.5, outer_lr=0.5)
>>> next(states).x  # one step is exact for these parabolas
{'w': tensor(3.)}

Modules: `problem` has the losses and the hypergradient, and `solvers` solves its linear systems. `start` has
the state and the batches. `methods` lists the published methods by name.
"""

from pruning.bilevel.methods import METHODS, check_method, optimise
from pruning.bilevel.problem import (
    Counter,
    Hypergradient,
    Loss,
    Problem,
    hypergradient,
    itd,
    lower_gradient,
    upper_gradient,
)
from pruning.bilevel.solvers import ConjugateGradients, FixedPoint, Neumann, Solver, Tree, added
from pruning.bilevel.start import Batches, Start, State

__all__ = [
    "METHODS",
    "Batches",
    "ConjugateGradients",
    "Counter",
    "FixedPoint",
    "Hypergradient",
    "Loss",
    "Neumann",
    "Problem",
    "Solver",
    "Start",
    "State",
    "Tree",
    "added",
    "check_method",
    "hypergradient",
    "itd",
    "lower_gradient",
    "optimise",
    "upper_gradient",
]
