"""The conditions of a run's games: what is allowed, and how many opening plies there are."""

import pytest

from bttt.runs import settings_of
from tournaments.play import Conditions


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"opening_plies": -1}, "opening_plies must be at least 0, got -1"),
        ({"adjudicate": 0}, "adjudicate must be at least 1, got 0"),
        ({"seconds_per_move": 0.0}, "seconds_per_move must be above 0 and at most 86400.0, got 0.0"),
        ({"seconds_per_move": float("inf")}, "seconds_per_move must be above 0 and at most 86400.0, got inf"),
    ],
)
def test_a_value_out_of_range_is_named(values, message):
    with pytest.raises(ValueError) as refused:
        Conditions(**values)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("openings", "asked", "plies"),
    [("random", None, 0), ("balanced", None, 5), ("random", 3, 3), ("balanced", 0, 0)],
)
def test_opening_plies_are_those_asked_for_or_the_kind_s_own(openings, asked, plies):
    assert Conditions(openings=openings, opening_plies=asked).plies == plies


def test_conditions_that_came_later_are_settings_only_where_they_are_used():
    assert settings_of(Conditions(seed=2)) == {"seed": 2, "opening_plies": None, "seconds_per_move": None}
    used = settings_of(Conditions(openings="balanced", adjudicate=3))
    assert used["openings"] == "balanced" and used["adjudicate"] == 3
