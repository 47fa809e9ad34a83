import io

import numpy as np
import pytest

from agents import Agent, make_agent
from agents.human import GameQuit, HumanAgent
from bttt.board import Board
from bttt.drawing.render import ansi
from bttt.opponent import ask
from bttt.position import Position

RNG = np.random.default_rng(0)
START = Position.start(Board(bricks="D4"))


def answer(text: str, position: Position = START) -> tuple[str, str]:
    """The name of the cell that is played for the lines of `text`, and what the terminal showed."""
    sink = io.StringIO()
    [decision] = HumanAgent(io.StringIO(text), sink).decide([position], RNG)
    return position.board.cell_name(decision.cell), sink.getvalue()


@pytest.mark.parametrize("line", ["e5", "E5", "  e5  ", "E5\r", "\te5"])
def test_reads_a_cell_name(line):
    cell, shown = answer(f"{line}\n")
    assert cell == "E5"
    assert shown == f"{ansi(START)}\nYour cell (? for help): "


def test_the_last_line_needs_no_end():
    assert answer("e5")[0] == "E5"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("d4", "cell D4 has a brick"),
        ("A1", "cell A1 is taken"),
        ("H8", "cell 'H8' is not on the 7x7 board: cells are A1 to G7"),
        ("4d", "cell '4d' is not on the 7x7 board"),
        ("24", "cell '24' is not on the 7x7 board: cells are A1 to G7"),
        ("", "cell '' is not on the 7x7 board"),
        ("e5 e6", "cell 'e5 e6' is not on the 7x7 board"),
        ("\x00\x1b[2J", r"cell '\x00\x1b[2J' is not on the 7x7 board"),
        ("é" * 200, "is not on the 7x7 board"),
    ],
)
def test_bad_input_is_explained_and_asked_again(line, problem):
    cell, shown = answer(f"{line}\ng7\n", START.play("A1"))
    assert cell == "G7"
    after = shown.split("Your cell (? for help): ")
    assert len(after) == 3
    assert problem in after[1]
    assert "Type a free cell (for example A2), ? for help, or quit." in after[1]
    assert after[1].count("\n") == 2


@pytest.mark.parametrize("word", ["?", "help", "HELP", " h "])
def test_help_says_what_to_type_and_which_cells_are_free(word):
    cell, shown = answer(f"{word}\nc3\n", Position.parse("3x3x3:A1 #O./.X./..."))
    assert cell == "C3"
    assert "row letter and a column number" in shown
    assert "Free cells:\n  A3\n  B1 B3\n  C1 C2 C3\n" in shown


@pytest.mark.parametrize("text", ["quit\n", "Q\n", "exit\n", "zz\n quit \n"])
def test_quit_stops_like_ctrl_c(text):
    with pytest.raises(GameQuit, match="quit"):
        answer(text)
    assert issubclass(GameQuit, KeyboardInterrupt)


@pytest.mark.parametrize("text", ["", "zz\n"])
def test_the_end_of_the_input_stops(text):
    with pytest.raises(GameQuit, match="the input has ended"):
        answer(text)


def test_bytes_that_are_no_text_are_asked_again():
    source = io.TextIOWrapper(io.BufferedReader(Chunks([b"\xff\xfe\n", b"b2\n"])), encoding="utf-8")
    [decision] = HumanAgent(source, io.StringIO()).decide([START], RNG)
    assert START.board.cell_name(decision.cell) == "B2"


class Chunks(io.RawIOBase):
    """A terminal that delivers one line at a time."""

    def __init__(self, chunks):
        self.chunks = list(chunks)

    def readable(self):
        return True

    def readinto(self, buffer):
        chunk = self.chunks.pop(0) if self.chunks else b""
        buffer[: len(chunk)] = chunk
        return len(chunk)


def test_several_positions_are_asked_one_after_the_other():
    positions = [START, START.play("A1"), Position.start(Board(3, 3, 3))]
    agent = HumanAgent(io.StringIO("a1\na2\nc3\n"), io.StringIO())
    assert [decision.cell for decision in ask(agent, positions, [RNG] * 3)] == [0, 1, 8]


def test_a_finished_game_is_refused():
    with pytest.raises(ValueError, match="no move in a finished game"):
        answer("c3\n", Position.parse("3x3x3 OOO/XX./..."))


def test_made_from_a_spec_it_uses_the_standard_streams_of_the_moment(monkeypatch, capsys):
    agent = make_agent("human")
    assert isinstance(agent, Agent)
    monkeypatch.setattr("sys.stdin", io.StringIO("E5\n"))
    [decision] = agent.decide([START], RNG)
    assert START.board.cell_name(decision.cell) == "E5"
    assert capsys.readouterr().out.startswith(ansi(START))
