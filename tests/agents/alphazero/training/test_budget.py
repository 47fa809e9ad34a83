"""Stopping criterion of a training run."""

import pytest

from agents.alphazero.training.budget import Budget


def test_twenty_minutes_where_nothing_is_said():
    assert Budget() == Budget(minutes=20)


@pytest.mark.parametrize(
    ("budget", "used", "progress"),
    [
        (Budget(minutes=10), (2.5, 10**6, 10**6), 0.25),
        (Budget(games=100), (1e6, 50, 3), 0.5),
        (Budget(iterations=4), (1e6, 10**6, 3), 0.75),
        (Budget(minutes=10, games=100, iterations=4), (1, 80, 1), 0.8),
        (Budget(iterations=4), (0, 0, 9), 1.0),
    ],
)
def test_whichever_comes_first_counts(budget, used, progress):
    assert budget.progress(*used) == pytest.approx(progress)


@pytest.mark.parametrize("name", ["minutes", "games", "iterations"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_an_end_is_positive(name, value):
    with pytest.raises(ValueError, match=f"{name} must be above 0 and finite, got {value}"):
        Budget(**{name: value})
