import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solve import best_cells, exact_value

from bttt.board import Board
from bttt.commands.solve import SolveConfig, best_line, in_words, move_verdicts, read_position, run
from bttt.commands.verdicts import mark
from bttt.drawing.render import ansi
from bttt.position import Outcome, Position
from bttt.solver.exact import Solution, Solver, Verdict

SOLVER = Solver(table_mb=8)
BOARDS = ("3x3x3", "3x3x3:B2", "3x4x3:A1,C3", "4x3x3", "3x3x3:A2,C1")


@st.composite
def unfinished(draw):
    position = Position.start(Board.parse(draw(st.sampled_from(BOARDS))))
    for _ in range(draw(st.integers(2, 6))):
        after = position.play(draw(st.sampled_from(position.legal_cells())))
        if after.outcome:
            break
        position = after
    return position


@settings(max_examples=60)
@given(unfinished())
def test_the_values_of_the_cells_are_those_of_brute_force(position):
    verdicts = move_verdicts(SOLVER, position)
    assert list(verdicts) == list(position.legal_cells())
    for cell, verdict in verdicts.items():
        assert verdict.value == -exact_value(position.play(cell)), position


@settings(max_examples=60)
@given(unfinished())
def test_the_best_line_keeps_the_value_to_the_end_of_the_game(position):
    value, plies = exact_value(position), SOLVER.solve(position).plies
    line = best_line(SOLVER, position)
    assert len(line) == plies
    for cell in line:
        assert cell in best_cells(position)
        position = position.play(cell)
    assert position.outcome
    assert (value == 0) == (position.outcome == Outcome.DRAW)


def test_equal_cells_take_the_lowest():
    position = Position.parse("3x3x3 O.O/X.X/...")
    assert best_line(SOLVER, position) == [1]
    assert best_line(SOLVER, Position.start(Board(3, 3, 3)))[0] == 0  # every first move draws


def test_a_limit_leaves_cells_and_the_line_unproven():
    position = Position.start(Board(bricks="D4"))
    verdicts = move_verdicts(SOLVER, position, node_limit=1)
    assert set(verdicts.values()) == {Verdict(None)}
    assert best_line(SOLVER, position, node_limit=1) == []


def test_the_example_of_the_documents_needs_few_nodes_and_says_what_it_leaves_unproven(capsys):
    assert run(SolveConfig("7x7x4:D4", moves="D3 C3", cell_nodes=1000)) == 0
    printed = capsys.readouterr().out
    assert "O wins in 7 plies (606 nodes)" in printed
    assert "best play: C2 B1 E2 A1 C4 A2 B5" in printed
    unproven = printed.split("O to move")[0].count("?")
    assert f"? {unproven} cells not proven within 1,000 nodes: see --cell-nodes" in printed


def test_the_line_stops_where_the_proof_does():
    position = read_position("7x7x4:D4", "D3 C3")
    whole = best_line(SOLVER, position)
    for limit in (10, 100, 300, 1000):
        line = best_line(SOLVER, position, node_limit=limit)
        assert line == whole[: len(line)]


@pytest.mark.parametrize(
    ("verdict", "text"),
    [
        (Verdict(1, 9), "W9"),
        (Verdict(-1, 12), "L12"),
        (Verdict(0, 30), "D"),
        (Verdict(1), "W"),
        (Verdict(-1), "L"),
        (Verdict(None), "?"),
    ],
)
def test_marks(verdict, text):
    assert mark(verdict) == text


@pytest.mark.parametrize(
    ("moves", "solution", "text"),
    [
        ("", Solution(1, 9, (), (), 1234), "O wins in 9 plies (1,234 nodes)"),
        ("D3", Solution(-1, 12, (), (), 5), "X loses in 12 plies (5 nodes)"),
        ("D3", Solution(1, None, (), (), 5), "X wins, number of plies not proven (5 nodes)"),
        ("", Solution(0, 48, (), (), 7), "O draws (7 nodes)"),
        ("", Solution(None, None, (), (), 10), "not proven within the node limit (10 nodes)"),
    ],
)
def test_words(moves, solution, text):
    assert in_words(read_position("7x7x4:D4", moves), solution) == text


def test_positions_are_boards_or_boards_with_stones():
    start = Position.start(Board(bricks="D4"))
    assert read_position("7x7x4:D4") == start
    assert read_position("7x7x4:D4", "d3, c3") == start.play("D3").play("C3")
    assert read_position("3x3x3:A1 #O./.X./...", "C3") == Position.parse("3x3x3:A1 #O./.X./..O")


@pytest.mark.parametrize(
    ("text", "moves", "message"),
    [
        ("7x7", "", "board '7x7' does not have the form"),
        ("7x7x4:H9", "", "cell 'H9' is not on the 7x7 board"),
        ("9x9x4", "", "board 9x9 does not fit"),
        ("3x3x3 OO./.../...", "", "the first player has 2 stones and the second 0"),
        ("7x7x4:D4", "D4", "move 'D4': cell D4 has a brick"),
        ("7x7x4:D4", "D3 D3", "move 'D3': cell D3 is taken"),
        ("7x7x4:D4", "D3 Z9", "move 'Z9': cell 'Z9' is not on the 7x7 board"),
        ("3x3x3", "A1 B1 A2 B2 A3", "the game is over: O wins: A1 A2 A3"),
        ("3x3x3", "A1 B1 A2 B2 A3 C3", "move 'C3': the game is over (first wins)"),
        ("3x3x3 OXO/OXX/XOO", "", "the game is over: draw"),
    ],
)
def test_wrong_positions_are_named(text, moves, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        read_position(text, moves)


def test_marks_are_drawn_on_the_board():
    position = read_position("3x3x3:A1", "B2")
    drawn = ansi(position, {1: "L4", 8: "D"}).splitlines()
    assert drawn == [
        "    1   2   3",
        "A   #  L4   .",
        "B   .  [O]  .",
        "C   .   .   D",
        "X to move",
    ]
