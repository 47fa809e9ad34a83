"""Selection: exactly as many as asked, the lowest, later ones first among equals; against a slow oracle."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pruning.masks.held import Masks
from pruning.masks.select import drop_lowest

ODD = (float("nan"), float("inf"), -float("inf"))
"""What may stand where an entry was dropped: nobody looks there."""


def oracle(scores, alive, *, percent=None, count=None, scope="global", floor=0):
    """Drops one entry after the other, on plain lists; returns what is kept, and how many were asked for."""
    kept = {name: list(mask) for name, mask in alive.items()}
    asked = 0
    for names in [[name] for name in alive] if scope == "layer" else [list(alive)]:
        entries = sum(sum(kept[name]) for name in names)
        if count is not None:
            todo = count if entries or scope == "global" else 0
        else:
            todo = max(1, percent * entries // 100) if entries and percent else 0
        asked += todo
        for _ in range(todo):
            candidates = [
                (scores[name][i], -place, -i, name)
                for place, name in enumerate(names)
                if sum(kept[name]) > floor
                for i, is_kept in enumerate(kept[name])
                if is_kept
            ]
            if candidates:
                *_, index, name = min(candidates)
                kept[name][-index] = False
    return kept, asked


@st.composite
def requests(draw):
    """Layers with few different scores, so that most are tied, some entries dropped, and a request."""
    scores, alive = {}, {}
    value = st.sampled_from([-1.0, -0.0, 0.0, 0.5, 2.0]) | st.floats(-(2.0**99), 2.0**99, width=32)
    for name in draw(st.permutations(["a", "b", "c", "d"]))[: draw(st.integers(0, 4))]:
        size = draw(st.integers(0, 9))
        alive[name] = draw(st.lists(st.booleans(), min_size=size, max_size=size))
        scores[name] = [draw(value if kept else st.sampled_from(ODD)) for kept in alive[name]]
    amount = draw(
        st.fixed_dictionaries({"percent": st.integers(0, 100)})
        | st.fixed_dictionaries({"count": st.integers(0, 30)})
    )
    rules = {"scope": draw(st.sampled_from(["global", "layer"])), "floor": draw(st.integers(0, 4))}
    return scores, alive, amount | rules, draw(st.sampled_from([torch.float32, torch.float64]))


@given(requests())
def test_it_drops_what_the_oracle_drops(request):
    lists, kept, rules, dtype = request
    scores = {name: torch.tensor(values, dtype=dtype) for name, values in lists.items()}
    alive = Masks({name: torch.tensor(mask, dtype=torch.bool) for name, mask in kept.items()})
    wanted, asked = oracle(lists, kept, **rules)
    rules = {("fraction" if key == "percent" else key): value for key, value in rules.items()}
    if "fraction" in rules:
        rules["fraction"] /= 100
    found = drop_lowest(scores, alive, **rules)
    assert {name: mask.tolist() for name, mask in found.masks.items()} == wanted
    assert list(found.masks) == list(alive)
    assert found.asked == asked
    assert found.got == alive.kept - found.masks.kept <= asked
    assert found.masks.within(alive)
    assert found.per_layer == {name: (sum(mask), len(mask)) for name, mask in wanted.items()}
    for name, mask in wanted.items():
        assert sum(mask) >= min(rules["floor"], sum(kept[name]))


def whole(**sizes):
    return Masks.ones({name: (size,) for name, size in sizes.items()})


@pytest.mark.parametrize("scope", ["global", "layer"])
def test_ties_are_cut_exactly_and_earlier_entries_stay(scope):
    scores = torch.tensor([1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    found = drop_lowest({"a": scores}, whole(a=10), fraction=0.3, scope=scope)
    assert found.masks["a"].tolist() == [True] * 7 + [False] * 3
    # a threshold takes all that tie with it: 8 of 10 for 3
    assert int((scores > scores.sort().values[2]).sum()) == 2


def test_ties_across_layers_go_by_the_order_of_the_masks():
    scores = {"late": torch.zeros(3), "early": torch.zeros(2, 2)}
    found = drop_lowest(scores, Masks.ones({"early": (2, 2), "late": (3,)}), count=4)
    assert found.masks["early"].tolist() == [[True, True], [True, False]]
    assert found.masks["late"].tolist() == [False] * 3


def test_the_layout_of_scores_does_not_matter():
    scores = torch.randn(4, 5, 3, 3)
    found = drop_lowest({"a": scores}, Masks.ones({"a": scores.shape}), fraction=0.5)
    strided = scores.to(memory_format=torch.channels_last).requires_grad_()
    assert drop_lowest({"a": strided}, Masks.ones({"a": scores.shape}), fraction=0.5) == found
    assert int(found.masks["a"].sum()) == 90
    assert scores[found.masks["a"]].min() >= scores[~found.masks["a"]].max()


def test_twelve_cycles_of_a_fifth():
    """The sizes by hand: 100 - 20, 80 - 16, 64 - 12, ... each rounded down."""
    scores = {"a": torch.randn(60), "b": torch.randn(8, 5)}
    masks, sizes = Masks.ones({name: score.shape for name, score in scores.items()}), []
    for _ in range(16):
        found = drop_lowest(scores, masks, fraction=0.2)
        assert found.asked == found.got
        assert found.masks.within(masks)
        masks = found.masks
        sizes.append(masks.kept)
    assert sizes == [80, 64, 52, 42, 34, 28, 23, 19, 16, 13, 11, 9, 8, 7, 6, 5]


def test_fractions_mean_their_decimals():
    """As 29 in 100, 0.29 drops 29 of 100, though int(0.29 * 100) is 28."""
    assert int(0.29 * 100) == 28
    scores = torch.arange(1000.0)
    for alive in (100, 700, 1000):
        for percent in range(1, 101):
            found = drop_lowest({"a": scores[:alive]}, whole(a=alive), fraction=percent / 100)
            assert found.got == percent * alive // 100
    assert drop_lowest({"a": scores[:10]}, whole(a=10), fraction=1 - 0.8).got == 2


def test_a_small_fraction_drops_one_and_none_drops_none():
    scores = {"a": torch.randn(9), "b": torch.randn(3)}
    for scope, one in (("global", 1), ("layer", 2)):
        for fraction, dropped in ((0.01, one), (1e-12, one), (0.0, 0)):
            found = drop_lowest(scores, whole(a=9, b=3), fraction=fraction, scope=scope)
            assert (found.asked, found.got) == (dropped, dropped)


def test_a_layer_can_be_emptied_and_is_then_left_alone():
    scores = {"low": torch.zeros(3), "high": torch.ones(7)}
    found = drop_lowest(scores, whole(low=3, high=7), fraction=0.3)
    assert found.per_layer == {"low": (0, 3), "high": (7, 7)}
    again = drop_lowest(scores, found.masks, fraction=0.3, scope="layer")
    assert again.per_layer == {"low": (0, 3), "high": (5, 7)}
    assert (again.asked, again.got) == (2, 2)
    by_count = drop_lowest(scores, found.masks, count=2, scope="layer")
    assert (by_count.asked, by_count.got) == (2, 2)


def test_the_floor_sends_the_request_elsewhere():
    scores = {"low": torch.tensor([0.2, 0.1, 0.3]), "high": torch.arange(1.0, 8.0)}
    found = drop_lowest(scores, whole(low=3, high=7), count=4, floor=1)
    assert found.masks["low"].tolist() == [False, False, True]
    assert found.masks["high"].tolist() == [False, False] + [True] * 5
    assert (found.asked, found.got) == (4, 4)


@pytest.mark.parametrize(("scope", "asked"), [("global", 9), ("layer", 18)])
def test_what_cannot_be_had_is_recorded(scope, asked):
    scores = {"a": torch.randn(3), "b": torch.randn(5)}
    found = drop_lowest(scores, whole(a=3, b=5), count=9, scope=scope, floor=2)
    assert (found.asked, found.got) == (asked, 4)
    assert found.per_layer == {"a": (2, 3), "b": (2, 5)}
    assert drop_lowest(scores, found.masks, count=9, scope=scope, floor=2).masks == found.masks


def test_a_floor_above_what_is_left_keeps_what_is_left():
    alive = Masks({"a": torch.tensor([True, False, False]), "b": torch.ones(4, dtype=torch.bool)})
    found = drop_lowest({"a": torch.zeros(3), "b": torch.ones(4)}, alive, fraction=1.0, floor=2)
    assert found.per_layer == {"a": (1, 3), "b": (2, 4)}
    assert (found.asked, found.got) == (5, 2)


def test_all_can_be_dropped_and_then_nothing_is_left_to_ask_for():
    scores = {"a": torch.randn(3), "b": torch.randn(2)}
    nothing = drop_lowest(scores, whole(a=3, b=2), fraction=1.0).masks
    assert nothing.kept == 0
    for scope in ("global", "layer"):
        found = drop_lowest(
            {"a": torch.full((3,), float("nan")), "b": scores["b"]}, nothing, fraction=0.2, scope=scope
        )
        assert (found.asked, found.got) == (0, 0)
    assert drop_lowest({}, Masks({}), fraction=0.5).got == 0


@pytest.mark.parametrize("scope", ["global", "layer"])
@pytest.mark.parametrize("odd", ODD)
def test_odd_scores_of_alive_entries_are_refused(scope, odd):
    scores = {"good": torch.zeros(3), "bad": torch.tensor([1.0, odd, 2.0])}
    with pytest.raises(ValueError, match=r"'bad' must be finite"):
        drop_lowest(scores, whole(good=3, bad=3), count=1, scope=scope)
    alive = Masks({"good": torch.ones(3, dtype=torch.bool), "bad": torch.tensor([True, False, True])})
    assert drop_lowest(scores, alive, count=1, scope="global").got == 1


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ({"a": torch.zeros(3)}, "'b' is only in the alive masks"),
        ({"a": torch.zeros(3), "b": torch.zeros(2), "c": torch.zeros(2)}, "'c' is only in the scores"),
        ({"a": torch.zeros(3), "b": torch.zeros(2, 1)}, r"'b' have shape \(2, 1\), its mask \(2,\)"),
    ],
)
def test_scores_that_do_not_fit_are_refused(scores, said):
    with pytest.raises(ValueError, match=said):
        drop_lowest(scores, whole(a=3, b=2), count=1)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({}, "either fraction or count"),
        ({"fraction": 0.5, "count": 1}, "either fraction or count"),
        ({"fraction": 1.01}, r"fraction must be in \[0, 1\], got 1.01"),
        ({"fraction": -0.1}, "got -0.1"),
        ({"fraction": float("nan")}, "got nan"),
        ({"count": -1}, "count must be a whole number, at least 0, got -1"),
        ({"count": 1.5}, "got 1.5"),
        ({"count": 1, "scope": "all"}, "one of global, layer, got 'all'"),
        ({"count": 1, "floor": -1}, "floor must be .* got -1"),
    ],
)
def test_wrong_requests_are_refused(request_, said):
    with pytest.raises(ValueError, match=said):
        drop_lowest({"a": torch.zeros(3)}, whole(a=3), **request_)
