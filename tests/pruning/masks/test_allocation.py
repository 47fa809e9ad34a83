"""Allocation of weights to layers: published densities, exact counts, layers that overflow."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pruning.masks.allocation import ALLOCATIONS, layer_counts, layer_densities, whole_numbers

LENET = {"hidden.0": (300, 784), "hidden.1": (100, 300), "out": (10, 100)}
CNN = {"conv.0": (16, 1, 3, 3), "conv.1": (32, 16, 3, 3), "conv.2": (64, 32, 3, 3), "out": (10, 64)}

shapes = st.lists(
    st.one_of(
        st.tuples(st.integers(1, 40), st.integers(1, 40)),
        st.tuples(st.integers(1, 20), st.integers(1, 20), st.integers(1, 5), st.integers(1, 5)),
    ),
    min_size=1,
    max_size=6,
).map(lambda found: dict(enumerate(found)))
densities = st.floats(0.001, 1)
allocations = st.sampled_from(ALLOCATIONS)


def size(shape):
    result = 1
    for each in shape:
        result *= each
    return result


def total(shapes):
    return sum(size(shape) for shape in shapes.values())


def test_erk_of_the_published_network():
    """784-300-100-10 at sparsity 0.98: eps = 5324 / 1594, the densities eps (sum of dims) / (product)."""
    found = layer_densities(LENET, 0.02, "erk")
    assert [round(each, 4) for each in found.values()] == [0.0154, 0.0445, 0.3674]
    assert found == layer_densities(LENET, 0.02, "er")  # there are no kernels
    counts = layer_counts(LENET, 0.02, "erk")
    assert counts == {"hidden.0": 3621, "hidden.1": 1336, "out": 367}  # of 3620.6, 1336.0, 367.4
    assert sum(counts.values()) == 5324


def test_layers_that_overflow_are_dense_and_the_rest_is_solved_anew():
    """At 0.5 the output would be 9 times, then the second layer 1.1 times full: one at a time goes dense."""
    found = layer_densities(LENET, 0.5, "erk")
    assert 0.5 * 266_200 / 1594 * 110 / 1000 > 1
    assert (0.5 * 266_200 - 1000) / (1084 + 400) * 400 / 30_000 > 1
    assert found["out"] == found["hidden.1"] == 1.0
    assert found["hidden.0"] == pytest.approx((133_100 - 31_000) / 235_200)
    assert sum(layer_counts(LENET, 0.5, "erk").values()) == 133_100


def test_a_layer_may_overflow_only_since_another_did():
    """Dimensions sum to 10, 20 and 200, so the quotients are 10 / 25, 20 / 100 and 200 / 10000."""
    shapes = {"a": (5, 5), "b": (10, 10), "c": (100, 100)}
    assert 1127 / (10 + 20 + 200) * 20 / 100 < 1 < (1127 - 25) / (20 + 200) * 20 / 100
    found = layer_densities(shapes, 1127 / 10_125, "erk")
    assert found == {"a": 1.0, "b": 1.0, "c": pytest.approx((1127 - 125) / 10_000)}
    assert 1115 / (10 + 20 + 200) * 10 / 25 > 1 > (1115 - 25) / (20 + 200) * 20 / 100
    found = layer_densities(shapes, 1115 / 10_125, "erk")
    assert found["a"] == 1.0
    assert found["b"] == pytest.approx((1115 - 25) / (20 + 200) * 20 / 100)


def test_erk_sees_the_kernel_and_er_does_not():
    shapes = {"wide": (4, 6, 5, 5), "narrow": (8, 6, 1, 1)}
    erk = layer_densities(shapes, 0.1, "erk")
    assert erk["wide"] / erk["narrow"] == pytest.approx((20 / 600) / (16 / 48))
    er = layer_densities(shapes, 0.1, "er")
    assert er["wide"] / er["narrow"] == pytest.approx((10 / 24) / (14 / 48))
    assert set(layer_densities(shapes, 0.1, "uniform").values()) == {0.1}


@given(shapes, densities, allocations)
def test_densities_meet_the_share_and_none_is_above_one(shapes, density, allocation):
    found = layer_densities(shapes, density, allocation)
    assert list(found) == list(shapes)
    assert all(0 < each <= 1 for each in found.values())
    kept = sum(found[name] * size(shape) for name, shape in shapes.items())
    assert kept == pytest.approx(density * total(shapes))


@given(shapes, densities, allocations)
@example({0: (1, 1), 1: (1, 1), 2: (40, 40)}, 0.004, "uniform")
@example({0: (2, 1), 1: (3, 1), 2: (5, 1)}, 0.35, "uniform")
def test_counts_are_exact_and_within_one_of_the_share(shapes, density, allocation):
    kept = round(density * total(shapes))
    if kept < len(shapes):
        with pytest.raises(ValueError, match=f"{kept} weights to {len(shapes)} layers"):
            layer_counts(shapes, density, allocation)
        return
    found = layer_counts(shapes, density, allocation)
    assert sum(found.values()) == kept
    assert all(1 <= found[name] <= size(shape) for name, shape in shapes.items())
    wanted = layer_densities(shapes, density, allocation)
    shares = {name: wanted[name] * size(shape) for name, shape in shapes.items()}
    if min(shares.values()) >= 1:
        assert all(abs(found[name] - share) < 1 + 1e-9 for name, share in shares.items())


def test_a_layer_of_a_tiny_share_gets_one_weight():
    shapes = {"tiny": (1, 3), "also": (1, 2), "large": (50, 40)}
    assert layer_counts(shapes, 0.01, "uniform") == {"tiny": 1, "also": 1, "large": 18}


def test_the_whole_network_is_kept_whole():
    for allocation in ALLOCATIONS:
        assert layer_counts(CNN, 1.0, allocation) == {name: size(shape) for name, shape in CNN.items()}


def test_the_largest_remainders_are_rounded_up():
    most = dict.fromkeys("abc", 10)
    assert whole_numbers({"a": 1.2, "b": 2.7, "c": 3.1}, 7, most) == {"a": 1, "b": 3, "c": 3}
    assert whole_numbers({"a": 1.5, "b": 1.5, "c": 1.0}, 4, most) == {"a": 2, "b": 1, "c": 1}
    assert whole_numbers({"a": 2.5, "b": 0.5, "c": 0.0}, 3, {"a": 2, "b": 9, "c": 9}) == {
        "a": 2,
        "b": 1,
        "c": 0,
    }


def test_a_sum_that_the_bounds_do_not_allow_is_refused():
    for total in (1, 8):
        with pytest.raises(ValueError, match=f"total must be 2 to 7, got {total}"):
            whole_numbers({"a": 1.0, "b": 1.0}, total, {"a": 3, "b": 4}, least=1)


@pytest.mark.parametrize(
    ("shapes", "density", "allocation", "named"),
    [
        (LENET, 0.5, "erdos", "allocation must be one of uniform, er, erk, got 'erdos'"),
        (LENET, 0.0, "erk", "density .* got 0.0"),
        (LENET, 1.1, "erk", "density .* got 1.1"),
        (LENET, float("nan"), "erk", "density .* got nan"),
        ({"bias": (10,)}, 0.5, "uniform", r"'bias' .*\(10,\)"),
        ({"none": (10, 0)}, 0.5, "er", r"'none' .*\(10, 0\)"),
    ],
)
def test_wrong_input_is_refused(shapes, density, allocation, named):
    for call in (layer_densities, layer_counts):
        with pytest.raises(ValueError, match=named):
            call(shapes, density, allocation)
