import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bttt.board import Board
from bttt.bricks import brick_set, brick_sets, name_of, split
from bttt.symmetry import canonical_board, orbits, symmetries


def names(boards):
    return [board.brick_names for board in boards]


@pytest.mark.parametrize(
    ("text", "bricks"),
    [
        ("D4", ["D4"]),
        (" e5 ", ["E5"]),
        ("D4+E5", ["D4,E5"]),
        ("E5 + d4", ["D4,E5"]),
        ("random:0", [""]),
        ("none", [""]),
        ("R2", ["D3", "D4"]),
        ("r3", ["C3", "D3", "D4"]),
        ("orbit:0", ["A1", "A7", "G1", "G7"]),
        ("orbit:9", ["D4"]),
        ("orbit:e5", ["C3", "C5", "E3", "E5"]),
        ("random:0,count=1", [""]),
    ],
)
def test_every_form(text, bricks):
    found = brick_set(text)
    assert names(found) == bricks
    assert all(board.with_bricks(()) == Board() for board in found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("C2,E5", "brick set 'C2,E5' has a comma: give C2 E5 for 2 boards, or C2+E5 for one board"),
        ("e5, c2", "brick set 'e5, c2' has a comma: give C2 E5 for 2 boards, or C2+E5 for one board"),
        ("A1,B2+C3", "give A1 B2 C3 for 3 boards, or A1+B2+C3 for one board"),
        ("C2,", "brick set 'C2,': "),
        ("C2,count=3", "brick set 'C2,count=3': "),
    ],
)
def test_a_comma_between_bricks_is_refused(text, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        brick_set(text)
    assert Board.parse("7x7x4:C2,E5") == brick_set("C2+E5")[0]  # stored boards are read


@pytest.mark.parametrize("text", ["none", "A1", "C2+E5"])
def test_the_name_of_a_board_is_its_brick_set(text):
    assert name_of(brick_set(text)[0]) == text


def test_all_is_every_cell_once():
    assert [board.bricks for board in brick_set("all")] == [(cell,) for cell in range(49)]
    assert len(brick_set("ALL", Board(3, 4, 3))) == 12


@pytest.mark.parametrize("text", ["A1", "none", "all", "orbit:1", "orbit:B2", "random:2,count=5", "A1+C4"])
def test_size_and_win_length_are_those_of_the_board(text):
    board = Board(3, 4, 3, "B2")
    found = brick_set(text, board)
    assert {(each.rows, each.cols, each.win_length) for each in found} == {(3, 4, 3)}


def test_orbits_together_are_all():
    together = brick_sets([f"orbit:{k}" for k in range(len(orbits(7, 7)))])
    assert len(together) == 49
    assert set(together) == set(brick_set("all"))


@given(st.integers(0, 6), st.integers(1, 10), st.integers(0, 2**40))
def test_random_sets_are_different_boards_drawn_from_the_seed(bricks, count, seed):
    count = 1 if bricks == 0 else count
    text = f"random:{bricks},count={count},seed={seed}"
    found = brick_set(text)
    assert found == brick_set(text)
    assert len(set(found)) == len(found) == count
    assert {len(board.bricks) for board in found} == {bricks}


def test_random_defaults_and_seeds():
    assert brick_set("random:3") == brick_set("random:3,count=16,seed=0") == brick_set("random:3,seed=0")
    assert brick_set("random:3,seed=1") != brick_set("random:3")
    assert brick_set("random:3,count=4") == brick_set("random:3")[:4]


def test_random_reaches_every_board():
    assert set(brick_set("random:1,count=49")) == set(brick_set("all"))


def test_sets_together_hold_each_board_once_in_order():
    assert names(brick_sets("D4 R3 E5 D4")) == ["D4", "C3", "D3", "E5"]
    assert brick_sets(["D4", "all"])[0] == Board(bricks="D4")
    assert len(brick_sets(["D4", "E5", "all"])) == 49
    assert brick_sets(iter(["R2"])) == brick_set("R2")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("H9", "brick set 'H9': cell 'H9' is not on the 7x7 board"),
        ("", "brick set '': cell '' is not on the 7x7 board"),
        ("R4", "brick set 'R4': cell 'R4' is not on the 7x7 board"),
        ("D4+D4", "brick set 'D4+D4': brick D4 is given twice"),
        ("D4+", "brick set 'D4+': cell '' is not on the 7x7 board"),
        ("orbit:", "brick set 'orbit:': "),
        ("orbit:10", "orbit:10 does not exist: a 7x7 board has orbits 0 to 9"),
        ("orbit:-1", "cell '-1' is not on the 7x7 board"),
        ("orbit:²", "cell '²' is not on the 7x7 board"),
        ("random:", "brick set 'random:': "),
        ("random:x", "'random:x' does not have the form random:K[,count=N,seed=S]"),
        ("random:2,size=3", "'random:2,size=3' does not have the form random:K[,count=N,seed=S]"),
        ("random:2,count", "'random:2,count' does not have the form random:K[,count=N,seed=S]"),
        ("random:2,count=1,count=2", "'random:2,count=1,count=2' does not have the form"),
        ("random:49", "random:49: the number of bricks must be 0 to 48"),
        ("random:-1", "random:-1: the number of bricks must be 0 to 48"),
        ("random:1,count=50", "count must be 1 to 49 and seed at least 0, got count=50, seed=0"),
        ("random:0,count=2", "count must be 1 to 1 and seed at least 0, got count=2, seed=0"),
        ("random:1,count=0", "got count=0, seed=0"),
        ("random:1,seed=-1", "got count=16, seed=-1"),
    ],
)
def test_wrong_texts_are_named(text, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        brick_set(text)


def test_errors_of_plain_texts_list_the_forms():
    forms = "R2, R3, all, orbit:K, random:K[,count=N,seed=S], drawn:K[,count=N]"
    with pytest.raises(ValueError, match=re.escape(forms)):
        brick_set("centre")
    for nothing in ("", "  ", []):
        with pytest.raises(ValueError, match="no brick set given"):
            brick_sets(nothing)


def test_paper_sets_need_a_board_that_has_their_cells():
    with pytest.raises(ValueError, match="cell 'D3' is not on the 3x3 board"):
        brick_set("R2", Board(3, 3, 3))


@pytest.mark.parametrize(
    ("train", "seen", "mirror", "novel"),
    [("D4", 1, 0, 48), ("R2", 2, 3, 44), ("R3", 3, 6, 40), ("all", 49, 0, 0), ("none", 0, 0, 49)],
)
def test_split_of_all_cells(train, seen, mirror, novel):
    result = split(brick_set(train), brick_set("all"))
    assert (len(result.seen), len(result.mirror), len(result.novel)) == (seen, mirror, novel)
    assert result.train == brick_set(train)


@pytest.mark.parametrize(
    ("train", "kind"), [("D4", "novel"), ("R2", "novel"), ("R3", "mirror"), ("E5", "seen")]
)
def test_e5_is_novel_to_r2_but_a_mirror_image_of_r3(train, kind):
    result = split(brick_set(train), brick_set("E5"))
    assert getattr(result, kind) == brick_set("E5")


def test_the_split_keeps_the_order_of_the_test_boards():
    result = split(brick_set("R3"), brick_set("all")[::-1])
    assert names(result.seen) == ["D4", "D3", "C3"]
    assert names(result.mirror) == ["E5", "E4", "E3", "D5", "C5", "C4"]


@given(st.sets(st.integers(0, 48), min_size=1, max_size=6))
def test_novel_boards_are_no_image_of_a_training_board(cells):
    train = [Board(bricks=[cell]) for cell in cells]
    result = split(train, brick_set("all"))
    images = {symmetry.board(board) for board in train for symmetry in symmetries(7, 7)}
    assert not images & set(result.novel)
    assert images == set(result.seen + result.mirror)
    assert set(result.seen) == set(train)
    assert sorted(result.seen + result.mirror + result.novel, key=lambda board: board.bricks) == list(
        brick_set("all")
    )


def test_boards_of_another_size_or_win_length_are_novel():
    train = [Board(bricks="D4")]
    test = [Board(7, 7, 5, "D4"), Board(6, 7, 4, "D4"), Board(bricks="D4,E5")]
    assert split(train, test).novel == tuple(test)
    assert canonical_board(test[0]) not in train


DRAWN = brick_set("drawn:9")


def test_drawn_sets_are_different_boards_with_that_many_bricks():
    assert {len(board.bricks) for board in DRAWN} == {9}
    assert len(set(map(canonical_board, DRAWN))) == len(DRAWN) <= 50
    assert brick_set("drawn:9,count=3") == brick_set("DRAWN:9, count=3".replace(" ", "")) == DRAWN[:3]


def test_a_drawn_set_beside_others():
    assert brick_sets("D4 drawn:9,count=2 D4") == (*brick_set("D4"), *DRAWN[:2])


@pytest.mark.parametrize(
    ("text", "board", "message"),
    [
        ("drawn:", Board(), "brick set 'drawn:': "),
        ("drawn:x", Board(), "brick set 'drawn:x' does not have the form drawn:K[,count=N]"),
        ("drawn:9,seed=3", Board(), "brick set 'drawn:9,seed=3' does not have the form drawn:K[,count=N]"),
        ("drawn:9,=3", Board(), "brick set 'drawn:9,=3' does not have the form drawn:K[,count=N]"),
        ("drawn:1", Board(), "drawn:1: the number of bricks must be 8, 9, 10, "),
        ("drawn:9,count=0", Board(), f"drawn:9,count=0: count must be 1 to {len(DRAWN)}, got 0"),
        ("drawn:9,count=999", Board(), f"count must be 1 to {len(DRAWN)}, got 999"),
        ("drawn:9", Board(6, 6, 4), "drawn:9: no drawn layouts are known for 6x6x4, only for 7x7x4"),
    ],
)
def test_wrong_drawn_sets_are_named(text, board, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        brick_set(text, board)


def test_a_brick_set_of_your_own_is_a_function_from_a_board_to_boards():
    found = brick_set("python:user_plugins:corners", Board(4, 5, 3))
    assert [board.brick_names for board in found] == ["A1", "A5", "D1", "D5"]
    assert brick_sets(["D4", "python:user_plugins:corners"])[0] == Board(bricks="D4")


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("border", "fails: AttributeError|fails: TypeError"),
        ("no_boards", "must return boards of 7x7x4, got 'D4'"),
        ("cornrs", r"has no brick set 'cornrs' \(did you mean 'corners'\?\)"),
    ],
)
def test_a_brick_set_of_your_own_that_is_wrong_is_named(name, part):
    with pytest.raises(ValueError, match=part):
        brick_set(f"python:user_plugins:{name}")
