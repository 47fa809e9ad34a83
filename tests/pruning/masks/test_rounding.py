"""Rounding of the units that layers keep: counted by hand, and as near to the total as multiples allow."""

from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pruning.masks.held import Masks
from pruning.masks.rounding import rounded
from pruning.masks.select import drop_lowest

SEVEN = dict.fromkeys(("stem", "one", "two", "three", "policy", "value", "hidden"), 32)


@pytest.mark.parametrize(
    ("wanted", "alive", "round_to", "floor", "kept"),
    [
        # 7 x 26 = 182: 11 multiples of 16 are nearest, and all remainders are equal
        ([26] * 7, [32] * 7, 16, 0, [32] * 4 + [16] * 3),
        ([26] * 7, [32] * 7, 8, 0, [32] * 2 + [24] * 5),  # 23 multiples of 8
        ([34, 34, 1, 1, 9], [75, 75, 2, 1, 20], 16, 0, [32, 32, 2, 1, 16]),  # one multiple at least, or all
        ([30, 20, 17, 13], [32] * 4, 16, 0, [32, 16, 16, 16]),  # the largest remainder; 80 and 16 at least
        ([60, 20], [75, 75], 16, 0, [64, 16]),
        ([73, 75], [75, 75], 16, 0, [64, 75]),  # 75 is nearer to 73, but something must go
        ([31, 32], [32, 32], 8, 0, [24, 32]),  # 63 is nearest to 64, but something must go
        ([15, 16], [16, 16], 16, 0, [16, 16]),  # nothing can go
        ([10, 30], [32, 32], 8, 20, [24, 24]),
        ([5, 0], [5, 0], 1, 0, [5, 0]),
    ],
)
def test_kept_numbers_are_those_counted_by_hand(wanted, alive, round_to, floor, kept):
    named = [{str(place): count for place, count in enumerate(counts)} for counts in (wanted, alive)]
    assert list(rounded(*named, round_to, floor=floor).values()) == kept


@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(0, 99)), min_size=1, max_size=5),
    st.sampled_from([2, 8, 16]),
)
def test_no_choice_of_multiples_is_nearer_to_the_total(layers, round_to):
    """Where all layers have multiples, against all choices of the number below or above."""
    alive = {str(place): size * round_to for place, (size, _) in enumerate(layers)}
    wanted = {name: alive[name] * layers[int(name)][1] // 99 for name in alive}
    kept = rounded(wanted, alive, round_to)
    assert all(count % round_to == 0 and 0 < count <= alive[name] for name, count in kept.items())
    choices = [
        {max(round_to, count // round_to * round_to), max(round_to, -(-count // round_to) * round_to)}
        for count in wanted.values()
    ]
    total = sum(wanted.values())
    best = min(abs(sum(each) - total) for each in product(*choices))
    assert all(count in choices[int(name)] for name, count in kept.items())
    whole = sum(alive.values())  # is never chosen if another choice is possible
    assert abs(sum(kept.values()) - total) == best or abs(whole - total) == best
    if kept == alive and wanted != alive:
        assert all(count == round_to for name, count in kept.items() if wanted[name] < alive[name])


@pytest.mark.parametrize("scope", ["global", "layer"])
def test_the_highest_scores_stay_and_cycles_never_stand_still(scope):
    generator = torch.Generator().manual_seed(0)
    alive = Masks.ones({name: (size,) for name, size in SEVEN.items()})
    totals = []
    for _ in range(9):
        scores = {name: torch.rand(32, generator=generator).round(decimals=1) for name in SEVEN}
        plain = drop_lowest(scores, alive, fraction=0.2, scope=scope, floor=1)
        found = drop_lowest(scores, alive, fraction=0.2, scope=scope, floor=1, round_to=8)
        assert found.asked == plain.asked and found.got == alive.kept - found.masks.kept > 0
        assert abs(found.masks.kept - plain.masks.kept) <= 4 or found.masks.kept == 7 * 8
        for name, mask in found.masks.items():
            assert int(mask.sum()) in (8, 16, 24, 32)
            order = sorted((-float(scores[name][i]), i) for i in range(32) if alive[name][i])
            assert mask.nonzero().flatten().tolist() == sorted(i for _, i in order[: int(mask.sum())])
        alive = found.masks
        totals.append(alive.kept)
        if alive.kept == 7 * 8:
            break
    assert totals[-1] == 7 * 8


def test_one_multiple_is_no_rounding():
    scores = {"a": torch.arange(10.0)}
    alive = Masks.ones({"a": (10,)})
    assert drop_lowest(scores, alive, fraction=0.3, round_to=1) == drop_lowest(scores, alive, fraction=0.3)
    with pytest.raises(ValueError, match="round_to must be a whole number, at least 1, got 0"):
        drop_lowest(scores, alive, fraction=0.3, round_to=0)
