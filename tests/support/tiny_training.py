"""Tiny networks, and a small suite for the error rates that training and pruning record, for quick runs."""

from dataclasses import replace

import pytest

from agents.alphazero.network.residual import PRESETS, NetworkConfig
from agents.alphazero.training import solver_errors
from bttt import Suite, load_suite

EVERY = 20
TINY = NetworkConfig(stream=8, blocks=(8,), hidden=8)


def measure_few_positions(patch: pytest.MonkeyPatch) -> None:
    """From now on error rates are measured on every 20th position, 10 of each board."""
    patch.setattr(solver_errors, "load_suite", _thinned)


def _thinned(name: str) -> Suite:
    suite = load_suite(name)
    return replace(suite, records=suite.records[::EVERY])


def train_tiny_networks(patch: pytest.MonkeyPatch) -> None:
    """From now on the preset "small", the default, is eight channels wide and has one block."""
    patch.setitem(PRESETS, "small", TINY)
