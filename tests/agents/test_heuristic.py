from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from oracle import DIRECTIONS, positions

from agents.heuristic import expert_heuristic, leaf_value
from bttt.board import Board
from bttt.position import Outcome, Position
from bttt.symmetry import symmetries

WEIGHTS = {"O": Fraction(3, 2), "X": Fraction(-1)}


def window_worths(position: Position) -> list[Fraction]:
    """The rule of the paper, window by window, on symbols; exact."""
    board = position.board
    symbols = [".OX#"[code] for code in position.cells]
    worths = []
    for row in range(board.rows):
        for col in range(board.cols):
            for down, right in DIRECTIONS:
                places = [(row + down * i, col + right * i) for i in range(board.win_length)]
                if not all(0 <= r < board.rows and 0 <= c < board.cols for r, c in places):
                    continue
                window = [symbols[r * board.cols + c] for r, c in places]
                sides = set(window) - {"."}
                if len(sides) != 1 or sides == {"#"}:
                    continue
                ends_open = window[0] == window[-1] == "."
                worths.append(WEIGHTS[sides.pop()] * (2 if ends_open else 1) / 100 ** window.count("."))
    return worths


@given(positions())
@settings(max_examples=150)
def test_kernel_equals_the_rule_window_by_window(position):
    assume(position.outcome == Outcome.UNFINISHED)
    worths = window_worths(position)
    rounding = 1e-12 * float(sum(map(abs, worths)))  # both sides may cancel except for rounding
    assert abs(expert_heuristic(position) - float(sum(worths))) <= rounding


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1x4x4 OOO.", 0.015),
        ("1x4x4 .OO.", 0.0003),
        ("1x4x4 .XX.", -0.0002),
        ("1x4x4 XX.X", -0.01),
        ("1x4x4 O...", 1.5e-6),
        ("1x4x4 .O..", 3e-6),
        ("1x4x4 OO.X", 0.0),
        ("1x4x4 ....", 0.0),
        ("1x4x4:A4 OO.#", 0.0),
        ("1x5x4:A5 .OO.#", 0.0003),  # a brick beside the window does not close it
        ("1x3x3 .O.", 0.0003),
        ("1x5x5 .OOO.", 0.0003),
        ("1x3x4 OO.", 0.0),  # no window fits
    ],
)
def test_hand_counted_windows(text, expected):
    assert expert_heuristic(unbalanced(text)) == pytest.approx(expected, rel=1e-12)


def unbalanced(text: str) -> Position:
    """A position on one row with any stones: the heuristic considers each window separately."""
    size, symbols = text.split()
    board = Board.parse(size)
    words = [sum(board.bit(i) for i, symbol in enumerate(symbols) if symbol == side) for side in "OX"]
    return Position(board, *words)


@pytest.mark.parametrize("stones", [7, 8, 15, 16, 31, 32, 33])
def test_many_stones_in_long_windows(stones):
    position = unbalanced(f"1x62x{stones + 1} .." + "O" * stones + "." * (60 - stones))
    assert expert_heuristic(position) == pytest.approx(float(sum(window_worths(position))), rel=1e-12)


@given(positions())
@settings(max_examples=50)
def test_mirror_images_are_worth_exactly_the_same(position):
    assume(position.outcome == Outcome.UNFINISHED and position.board.win_length <= 8)
    images = [
        symmetry.position(position) for symmetry in symmetries(position.board.rows, position.board.cols)
    ]
    assert len({expert_heuristic(image) for image in images}) == 1


def test_leaf_values_grow_with_the_heuristic_and_stay_in_range():
    worths = np.concatenate([[0.0], np.logspace(-12, 2, 200)])
    values = np.array([leaf_value(worth) for worth in worths])
    assert values[0] == 0.0
    assert (np.diff(values) >= 0).all()
    assert values[-1] == 1.0
    assert [leaf_value(-worth) for worth in worths] == (-values).tolist()
    assert leaf_value(0.015) == pytest.approx((6 + np.log10(0.015001)) / 6)
