from math import inf, nan

import pytest

from bttt.runs import require_at_least


@pytest.mark.parametrize(
    ("arguments", "values", "message"),
    [
        ((1,), {"games": 0}, "games must be at least 1, got 0"),
        ((0,), {"seed": 3, "workers": -1}, "workers must be at least 0, got -1"),
        ((0,), {"tolerance": nan}, "tolerance must be at least 0, got nan"),
        ((2,), {"the size of a cell": 1.5}, "the size of a cell must be at least 2, got 1.5"),
    ],
)
def test_a_value_that_is_too_small_is_named(arguments, values, message):
    with pytest.raises(ValueError) as refused:
        require_at_least(*arguments, **values)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("below", "value", "message"),
    [
        (1, 1, "momentum must be at least 0 and below 1, got 1"),
        (1, -0.5, "momentum must be at least 0 and below 1, got -0.5"),
        (inf, inf, "momentum must be at least 0 and finite, got inf"),
        (inf, nan, "momentum must be at least 0 and finite, got nan"),
    ],
)
def test_a_value_that_is_too_large_is_named(below, value, message):
    with pytest.raises(ValueError) as refused:
        require_at_least(0, below=below, momentum=value)
    assert str(refused.value) == message


def test_values_in_range_and_options_that_are_not_given_pass():
    require_at_least(1, games=1, limit=None, seconds=inf)
    require_at_least(0, below=1, momentum=0, averaging=0.999)
