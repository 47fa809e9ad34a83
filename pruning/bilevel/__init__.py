"""pruning/bilevel."""

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
