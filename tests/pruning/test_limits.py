import pytest

from pruning.limits import require_one_of, require_whole


@pytest.mark.parametrize("value", [0, 1.0, "2", float("nan")])
def test_a_value_that_is_not_a_whole_number_from_the_least_on_is_refused(value):
    with pytest.raises(ValueError) as refused:
        require_whole(1, rounds=2, count=value)
    assert str(refused.value) == f"count must be a whole number, at least 1, got {value!r}"


def test_whole_numbers_and_values_that_are_not_given_pass():
    require_whole(1, rounds=1, count=None)


@pytest.mark.parametrize(
    ("value", "hint"), [("glbal", " (did you mean 'global'?)"), ("row", ""), (None, ""), ([], "")]
)
def test_a_name_that_is_no_choice_is_refused_with_the_nearest(value, hint):
    require_one_of(("", "global", "layer"), scope="global")
    with pytest.raises(ValueError) as refused:
        require_one_of(("", "global", "layer"), scope=value)
    assert str(refused.value) == f"scope must be one of '', global, layer, got {value!r}{hint}"
