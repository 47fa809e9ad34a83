"""Which cells are candidates of `bttt bricks`, and which are held out for them."""

import pytest

from bttt.bricks import boards_of_size
from bttt.symmetry import canonical_board
from pruning.studies.bricks.cells import candidate_boards, cells, choices

D4 = boards_of_size("7x7x4", ("D4",))
R3 = boards_of_size("7x7x4", ("R3",))


def orbits(boards):
    return {canonical_board(board) for board in boards}


def test_the_default_is_one_cell_of_each_orbit_without_training_cell():
    for base, number in ((D4, 9), (R3, 7)):
        found = candidate_boards((), base)
        assert len(found) == len(orbits(found)) == number
        assert orbits(found) | orbits(base) == orbits(cells())


@pytest.mark.parametrize("base", [D4, R3])
def test_halves_share_out_whole_orbits_and_hold_out_what_no_symmetry_takes_to_them(base):
    names = ("A1", "G7", "B2", "F6", "A2", "A6", "B4", "D2", "C4", "E4")
    candidates = boards_of_size("7x7x4", names)
    candidates = [board for board in candidates if canonical_board(board) not in orbits(base)]
    found = choices(candidates, base, 2, seed=5)
    assert [choice.name for choice in found] == ["split-0a", "split-0b", "split-1a", "split-1b"]
    for one, other in (found[:2], found[2:]):
        assert not orbits(one.candidates) & orbits(other.candidates)
        assert {*one.candidates, *other.candidates} == set(candidates)
        assert set(other.candidates) <= set(one.held) and set(one.candidates) <= set(other.held)
    for choice in found:
        assert orbits(choice.held) == orbits(cells()) - orbits(base) - orbits(choice.candidates)
        assert set(choice.held) == {b for b in cells() if canonical_board(b) in orbits(choice.held)}
    assert len({frozenset(choice.candidates) for choice in found}) == 4


def test_more_splits_keep_the_first_and_seeds_differ():
    candidates = candidate_boards((), D4)
    few, many = (choices(candidates, D4, splits, seed=0) for splits in (2, 5))
    assert many[:4] == few
    assert choices(candidates, D4, 2, seed=1) != few


def test_together_all_candidates_are_weighed_on_the_rest():
    candidates = boards_of_size("7x7x4", ("A1", "B2"))
    (choice,) = choices(candidates, D4, 0, seed=0)
    assert choice.candidates == candidates and len(choice.held) == 49 - 1 - 4 - 4


@pytest.mark.parametrize(
    ("texts", "splits", "message"),
    [
        (("D4",), 1, "candidate D4 is a training cell, or a mirror image of one"),
        (("none",), 1, "a candidate must have one brick, got none"),
        (("A1+A2", "B2"), 1, "a candidate must have one brick, got A1,A2"),
        (("A1",), 1, "at least 2 candidates are needed, got 1"),
        (("A1", "G7"), 1, "splits must be at most 0 with candidates of 1 orbits, got 1"),
        (("A1", "B2"), 1, "a choice needs at least 2 candidates, but one half of a split is only "),
        (("A1", "B2", "C3", "A4"), 4, "splits must be at most 3 with candidates of 4 orbits, got 4"),
        ((), 0, "no cell is left to hold out besides A1 A2 A3 A4 B2 B3 B4 C3 C4 and their mirror images"),
    ],
)
def test_what_cannot_be_is_told(texts, splits, message):
    with pytest.raises(ValueError, match=message.replace("+", r"\+")):
        choices(candidate_boards(texts, D4), D4, splits, seed=0)


def test_a_network_of_other_boards_is_refused():
    with pytest.raises(ValueError, match="must be trained on boards 7x7x4 with one brick, got 7x7x4:A1,A2"):
        candidate_boards((), boards_of_size("7x7x4", ("A1+A2",)))
