"""A small suite for the error rate that training and pruning record: a tiny run is faster with it."""

from dataclasses import replace

import pytest

from agents.alphazero.training import solver_errors
from bttt import Suite, load_suite

EVERY = 20


def measure_few_positions(patch: pytest.MonkeyPatch) -> None:
    """From now on error rates are measured on every 20th position, 10 of each board."""
    patch.setattr(solver_errors, "load_suite", _thinned)


def _thinned(name: str) -> Suite:
    suite = load_suite(name)
    return replace(suite, records=suite.records[::EVERY])
