import io
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from commands import heed_interrupts

import bttt
from agents.play import PlayConfig, run
from bttt.board import Board
from bttt.drawing.render import ansi
from bttt.position import Position
from bttt.runs.exit_codes import INTERRUPTED

THREE = {"board": "3x3x3", "bricks": "none"}
ROOT = Path(bttt.__file__).parents[1]
AGENTS = """
from agents.agent import Decision

class Confident:
    def decide(self, positions, rng):
        return [Decision(p.legal_cells()[0], value=0.5, nodes=12345) for p in positions]

class Illegal:
    def decide(self, positions, rng):
        return [Decision(0)]

class Interrupted:
    def decide(self, positions, rng):
        raise KeyboardInterrupt
"""


@pytest.fixture
def agents(tmp_path, monkeypatch):
    (tmp_path / "play_agents.py").write_text(AGENTS)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("play_agents", None)


def typed(monkeypatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def moves(output: str) -> list[str]:
    """The cells of the moves that were shown, in order."""
    return re.findall(r"^\s*(?:Your cell \(\? for help\): )?\s*\d+\. [OX] (\w+)", output, flags=re.MULTILINE)


def test_defaults_are_those_of_the_issue():
    assert PlayConfig() == PlayConfig("human", "mcts:iterations=10000", "D4", "7x7x4", 0)


def test_two_people_play_to_the_end(monkeypatch, capsys):
    typed(monkeypatch, "a1\nb1\na2\nb2\na3\n")
    assert run(PlayConfig("human", "human", **THREE)) == 0
    output = capsys.readouterr().out
    assert moves(output) == ["A1", "B1", "A2", "B2", "A3"]
    assert output.startswith("O: human   X: human   board: 3x3x3\n")
    assert output.endswith("\n" + ansi(Position.parse("3x3x3 OOO/XX./... A3")) + "\n")
    assert "O wins: A1 A2 A3" in output


def test_bad_lines_do_not_end_the_game(monkeypatch, capsys):
    typed(monkeypatch, "a1\nA1\n\nz9\n?\nb2\na2\nb1\na3\n")
    assert run(PlayConfig("human", "human", **THREE)) == 0
    output = capsys.readouterr().out
    assert moves(output) == ["A1", "B2", "A2", "B1", "A3"]
    assert "cell A1 is taken" in output
    assert "cell 'z9' is not on the 3x3 board" in output
    assert "Free cells:" in output


def test_agents_play_each_other_on_the_same_game_for_the_same_seed(capsys):
    outputs = []
    for seed in (1, 1, 2):
        assert run(PlayConfig("random", "random", bricks="D4+E5", seed=seed)) == 0
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]
    assert moves(outputs[0]) != moves(outputs[2])
    assert len(moves(outputs[0])) >= 7
    final = Position.start(Board(bricks="D4,E5"))
    for cell in moves(outputs[0]):
        final = final.play(cell)
    assert final.outcome
    assert outputs[0].endswith(ansi(final) + "\n")


def test_a_person_plays_second(monkeypatch, capsys):
    typed(monkeypatch, "\n".join(f"{row}{col}" for row in "abc" for col in (1, 2, 3)))
    assert run(PlayConfig("random", "human", **THREE)) == 0
    output = capsys.readouterr().out
    assert "Your cell" in output
    assert re.search(r"(wins: .*|draw)\n\Z", output)


def test_a_move_shows_what_the_agent_thinks_of_it(agents, capsys):
    spec = "python:play_agents:Confident"
    assert run(PlayConfig(spec, "random", board="3x4x3", bricks="A1")) == 0
    assert re.search(r"^ 1\. O A2  value \+0\.50, 12,345 nodes$", capsys.readouterr().out, flags=re.MULTILINE)


def test_one_board_of_a_set_is_drawn_from_the_seed(capsys):
    shown = set()
    for seed in range(12):
        run(PlayConfig("random", "random", bricks="R3", seed=seed))
        shown.add(re.search(r"board: (\S+)", capsys.readouterr().out).group(1))
    assert shown == {"7x7x4:C3", "7x7x4:D3", "7x7x4:D4"}


@pytest.mark.parametrize(
    ("text", "reason"), [("a1\nquit\n", "quit"), ("a1\n", "the input has ended"), ("", "ended")]
)
def test_quitting_and_the_end_of_the_input_are_polite(monkeypatch, capsys, text, reason):
    typed(monkeypatch, text)
    assert run(PlayConfig("human", "human", **THREE)) == 0
    output = capsys.readouterr().out
    assert output.endswith(f"{reason}.\n")
    assert "The game is not finished: " in output


def test_an_interrupt_has_its_exit_code(agents, capsys):
    assert run(PlayConfig("python:play_agents:Interrupted", "random")) == INTERRUPTED == 130
    assert capsys.readouterr().out.endswith("The game is not finished: interrupted.\n")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"first": "nobody"}, "unknown agent 'nobody'"),
        ({"second": "human:x=1"}, "unknown option 'x'"),
        ({"bricks": "H1"}, "cell 'H1' is not on the 7x7 board"),
        ({"bricks": "D4+D4"}, "brick D4 is given twice"),
        ({"bricks": ""}, "no brick set given"),
        ({"board": "8x8x4"}, "board 8x8 does not fit"),
        ({"board": "3x3x3"}, "brick set 'D4': cell 'D4' is not on the 3x3 board"),
        ({"board": "7x7x4:E5"}, "board '7x7x4:E5' already has bricks: give them as the brick set E5"),
        ({"board": "seven"}, "board 'seven' does not have the form"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
    ],
)
def test_wrong_settings_are_named(config, message, capsys):
    with pytest.raises(ValueError, match=re.escape(message)):
        run(PlayConfig(**{"first": "random", "second": "random", **config}))
    assert capsys.readouterr().out == ""


def test_an_illegal_move_names_the_agent(agents):
    with pytest.raises(
        ValueError, match="agent 'python:play_agents:Illegal' made an illegal move: cell A1 is taken"
    ):
        run(PlayConfig("python:play_agents:Illegal", "python:play_agents:Illegal", **THREE))


def command(*arguments: str, folder: Path) -> subprocess.Popen:
    """A real `bttt play`, with pipes for a terminal."""
    return subprocess.Popen(
        [sys.executable, "-m", "bttt", "play", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8:strict"},
        preexec_fn=heed_interrupts,
    )


def test_the_command_plays_a_typed_game(tmp_path):
    with command("--second", "human", "--board", "3x3x3", "--bricks", "B2", folder=tmp_path) as process:
        output, errors = process.communicate(b"a1\na2\n c3\n\xc3\xa9\nc1\nb3\n\nb1\nB2\na3", timeout=60)
    rematch = b"next: bttt play --first human --second human --bricks B2 --board 3x3x3  # change seats"
    assert (process.returncode, errors.strip()) == (0, rematch)
    assert moves(output.decode()) == ["A1", "A2", "C3", "C1", "B3", "B1", "A3"]
    assert output.decode().endswith("O wins: A3 B3 C3\n")


def test_the_command_takes_bytes_that_are_no_text(tmp_path):
    with command("--second", "random", folder=tmp_path) as process:
        output, errors = process.communicate(b"\xff\xfe\n", timeout=60)
    rematch = b"next: bttt play --first random --second human --bricks D4 --board 7x7x4  # change seats"
    assert (process.returncode, errors.strip()) == (0, rematch)
    assert output.decode().endswith("The game is not finished: the input has ended.\n")


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_end_the_command_politely(tmp_path, sent):
    with command("--second", "random", folder=tmp_path) as process:
        shown = b""
        while not shown.endswith(b"(? for help): "):
            shown += process.stdout.read(1)
        process.send_signal(sent)
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (128 + sent, b"")
    assert output.decode() == "\nThe game is not finished: interrupted.\n"


def test_the_command_explains_wrong_input_in_one_line(tmp_path):
    with command("--second", "nobody", folder=tmp_path) as process:
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (2, b"")
    assert errors.count(b"\n") == 1
    assert b"unknown agent 'nobody'" in errors
