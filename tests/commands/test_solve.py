"""The command `bttt solve`, as a user calls it."""

import pytest
from commands import bttt


def test_a_board_and_moves(capsys):
    code, out, err = bttt("solve", "4x4x3:A1", "--moves", "A2", capsys=capsys)
    assert code == 0, err
    lines = out.splitlines()
    assert lines[:6] == [
        "    1   2   3   4",
        "A   #  [O] L6  L6",
        "B  L6  L6  W7  L6",
        "C  L6  L6  L6  L6",
        "D  L6  L6  L6  L6",
        "X to move",
    ]
    assert lines[6].startswith("X wins in 7 plies (")
    assert lines[7].startswith("best play: B3 ") and len(lines[7].split()) == 2 + 7


def test_a_position(capsys):
    code, out, _ = bttt("solve", "3x3x3 OOX/XXO/...", "--table-mb", 1, capsys=capsys)
    assert code == 0
    lines = out.splitlines()
    assert lines[:5] == ["    1   2   3", "A   O   O   X", "B   X   X   O", "C   D  L2  L2", "O to move"]
    assert lines[5].startswith("O draws (")
    assert lines[6] == "best play: C1 C2 C3"


def test_what_a_small_limit_leaves_open(capsys):
    code, out, _ = bttt("solve", "7x7x4:D4", "--moves", "A1", "--nodes", 1, "--cell-nodes", 1, capsys=capsys)
    assert code == 0
    assert out.count(" ?") == 47
    assert "? 47 cells not proven within 1 nodes: see --cell-nodes\n" in out
    assert "not proven within the node limit" in out and out.endswith("best play: not proven\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("3x3",), "board '3x3' does not have the form"),
        (("3x3x3", "--moves", "A1 A1"), "move 'A1': cell A1 is taken"),
        (("3x3x3", "--moves", "A1 B1 A2 B2 A3"), "the game is over: O wins: A1 A2 A3"),
        (("3x3x3", "--nodes", 0), "nodes must be at least 1, got 0"),
        (("3x3x3", "--cell-nodes", 0), "--cell-nodes must be at least 1, got 0"),
        (("3x3x3", "--table-mb", 0), "--table-mb must be 1 to"),
        ((), "bttt solve --help"),
    ],
)
def test_wrong_input_is_one_line(arguments, message, capsys):
    code, _, err = bttt("solve", *arguments, capsys=capsys)
    assert code == 2
    assert message in err
    assert len(err.splitlines()) == 1


def test_a_limit_beyond_64_bits_is_none(capsys):
    assert bttt("solve", "3x3x3", "--nodes", 10**20, capsys=capsys)[0] == 0
