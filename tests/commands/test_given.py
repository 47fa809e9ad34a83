"""Options that are given twice, do nothing, or hold what nothing can hold: one line, before any work."""

import sqlite3
from pathlib import Path

import pytest
from commands import bttt, refused

from bttt import boards_of_size
from bttt.__main__ import main
from bttt.command_line import boards_text, sentence, tell_boards

USELESS = [
    ("train --search.c-puct 2", "--search.c-puct has no effect with gumbel"),
    ("train --search.no-gumbel --search.considered 8", "--search.considered has no effect without gumbel"),
    ("train --search.no-gumbel --search.c-visit 8", "--search.c-visit has no effect without gumbel"),
    ("train --selfplay.noise 0.5", "--selfplay.noise has no effect with search.gumbel"),
    (
        "train --search.no-gumbel --selfplay.noise 0 --selfplay.noise-total 5",
        "--selfplay.noise-total has no effect with --selfplay.noise 0",
    ),
    ("conversion random --positions 5", "--positions has no effect without --suite"),
    ("prune alphazero:d4 --count 5 --fraction 0.3", "--fraction has no effect with --count"),
    ("prune alphazero:d4 --iterations 3", "--iterations has no effect without --in-loop"),
    ("prune alphazero:d4 --rewind-to 0.1", "--rewind-to has no effect without --restart rewind"),
    ("prune alphazero:d4 --tolerance 0.1", "--tolerance has no effect without --grid"),
    ("prune alphazero:d4 --method snip --restart rewind", "--restart has no effect with one cycle"),
    ("prune alphazero:d4 --method rigl --scope layer", "--scope has no effect with --allocation erk"),
    ("prune alphazero:d4 --learner.passes 3", "--learner.passes has no effect here"),
    ("prune alphazero:d4 --schedule clr:lr=0.1 --learner.lr 0.2", "--learner.lr has no effect with the peak"),
    ("generalisation --variants base --control-seeds 2", "--control-seeds has no effect with one variant"),
    ("generalisation --simulations 0 --positions 5", "--positions has no effect without --simulations of 1"),
    ("generalisation --simulations 0 100 --positions-deep 5", "--positions-deep has no effect without"),
    ("generalisation --train.seed 0", "--train.seed has no effect here: the study sets it"),
    ("compression --arms dropnet-layer --grid 0.1", "--grid has no effect without the variant oracle"),
    ("compression --report --workers 2", "--workers has no effect with --report"),
    ("methods --prune.fraction 0.5", "--prune.fraction has no effect here: the study sets it"),
    ("bricks --learner.passes 3", "--learner.passes has no effect here"),
    ("vision --list --small", "--small has no effect with --list"),
    ("vision --small", "--small has no effect without a recipe"),
    ("vision dropnet/a-mnist --verdicts results", "RECIPE has no effect with --verdicts"),
    ("vision dropnet/a-mnist --data x --data-set digits", "--data has no effect with --data-set digits"),
]
TWICE = [
    ("tournament --seed 1 --seed 2", "--seed is given twice: give it once"),
    (
        "tournament --players random --players minimax",
        "--players is given twice: give it once, with all",
    ),
    ("train --preset small --network base", "--network is given twice: give it once"),
    ("tournament --csv --no-csv", "--no-csv is given twice: give it once"),
    ("evaluate random --in_flight 3 --in-flight 4", "unknown option --in_flight"),
    ("tournament --in_flight 3 --in-flight 4", "--in-flight is given twice"),
]
OUT_OF_BOUNDS = [
    (f"train --seed {2**63}", f"--seed must be at most {2**63 - 1}, got {2**63}"),
    (f"tournament --repeats {10**30}", f"--repeats must be at most {2**63 - 1}"),
    (f"layouts --count -{10**30}", f"--count must be at most {2**63 - 1}"),
    (f"replay run {10**30}", f"GAME must be at most {2**63 - 1}"),
    ("tournament --workers 99999", "--workers must be at most 1024, got 99999"),
    ("prune alphazero:d4 --floor 32", "--floor must be below the size of the largest layer, 32, got 32"),
    ("evaluate random --suite singel", "unknown suite 'singel' (did you mean 'single'?)"),
    (
        "tournament --players random minimax --anchor randon",
        "not a player (did you mean 'random'?)",
    ),
    ("train --bricks ornit:3", "(did you mean 'orbit'?)"),
    ("train --out=", "--out needs a path, got ''"),
    ("evaluate random --positions 201", "--positions must be 1 to 200 with suite 'single', got 201"),
    ("evaluate random --positions 0", "--positions must be at least 1, got 0"),
]
AS_TYPED = [
    ("tournament --in-flight 0", "error: --in-flight must be at least 1, got 0"),
    ("train --search.lookahead 4", "error: --search.lookahead must be 0 to 3, got 4"),
    ("train --learner.batch 0", "error: --learner.batch must be 1 to 1048576, got 0"),
    ("train --preset smll", "error: --preset must be small, base, paper or"),
    ("prune alphazero:d4 --restart keep --floor -1", "error: --floor must be"),
    ("levels x --in-flight 0", "error: --in-flight must be 1 to 1024, got 0"),
    ("tournament --seconds-per-move 0", "error: --seconds-per-move must be above 0"),
]


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("line", "message"), USELESS + TWICE + OUT_OF_BOUNDS + AS_TYPED)
def test_it_is_one_line_before_anything_is_written(line, message, capsys, tmp_path):
    assert main(line.split()) == 2
    out, err = capsys.readouterr()
    assert message in err and err.count("\n") == 1 and not out
    assert list(tmp_path.iterdir()) == []


def test_an_option_has_its_effect_where_the_others_allow_it(capsys):
    """The defaults of options without effect are no mistake, and neither is one that has an effect."""
    code, _, _ = bttt("vision", "--list", capsys=capsys)
    assert code == 0
    code, _, _ = bttt("solve", "3x3x3:B2", "--nodes", "1000", "--table-mb", "1", capsys=capsys)
    assert code == 0


@pytest.mark.parametrize(
    ("size", "bricks", "text"),
    [
        ("7x7x4", "all", "49 boards: A1, A2, A3, ..."),
        ("7x7x4", "R3", "3 boards: C3, D3, D4"),
        ("7x7x4", "C2+E5 none", "2 boards: C2+E5, none"),
        ("4x4x3", "B2", "1 board of 4x4x3: B2"),
    ],
)
def test_a_command_tells_how_many_boards_it_plays_on(size, bricks, text, capsys):
    boards = boards_of_size(size, bricks)
    assert boards_text(boards) == text
    tell_boards(boards, "plays on")
    assert capsys.readouterr().err == f"plays on {text}\n"


def test_a_picture_that_others_made_is_kept(capsys, tmp_path):
    path = tmp_path / "holiday.png"
    path.write_bytes(b"\x89PNG mine")
    assert "holiday.png exists, and bttt has not drawn it" in refused(
        "schedules", "--out", path, capsys=capsys
    )
    assert path.read_bytes() == b"\x89PNG mine"
    for suffix in ("png", "svg", "pdf"):
        for _ in range(2):  # its own picture is replaced
            code, _, _ = bttt("schedules", "--cycles", 1, "--out", tmp_path / f"own.{suffix}", capsys=capsys)
            assert code == 0


def test_a_deleted_database_is_told_and_a_deleted_config_is_written_again(capsys):
    line = ("tournament", "--players", "random", "minimax:depth=1", "--bricks", "D4", "--workers", 1)
    assert bttt(*line, "--out", "run", capsys=capsys)[0] == 0
    Path("run/config.json").unlink()
    assert bttt(*line, "--out", "run", capsys=capsys)[0] == 0
    assert Path("run/config.json").is_file()
    Path("run/tournament.sqlite").unlink()
    told = refused(*line, "--out", "run", capsys=capsys)
    assert "tournament.sqlite is missing: restore it, or choose another --out" in told


def test_a_line_that_fits_nowhere_is_a_warning(capsys):
    tell_boards(boards_of_size("3x4x5", "none"), "plays on")
    told = capsys.readouterr().err.splitlines()
    assert told[1] == "warning: no line of 5 fits on 3x4x5: all games are drawn"
    assert bttt("solve", "1x2x3", capsys=capsys)[2].startswith(
        "warning: no line of 3 fits on 1x2x3: all games"
    )


COMMA = "has a comma: give C2 E5 for 2 boards, or C2+E5 for one board"


@pytest.mark.parametrize(
    "line",
    [
        "tournament --bricks C2,E5",
        "train --bricks C2,E5",
        "evaluate random --bricks C2,E5",
        "evaluate random --train C2,E5",
        "conversion random --bricks C2,E5",
        "starts --bricks C2,E5",
        "generalisation --sets C2,E5",
        "bricks --candidates C2,E5",
    ],
)
def test_a_comma_between_bricks_is_refused_by_every_command(line, capsys):
    assert COMMA in refused(*line.split(), capsys=capsys)


@pytest.mark.parametrize("command", ["play", "time"])
def test_a_command_that_takes_one_brick_set_advises_only_that(command, capsys):
    told = refused(command, "--bricks", "C2,E5", capsys=capsys)
    assert "has a comma: give C2+E5 for one board" in told


@pytest.mark.parametrize(
    ("error", "part"),
    [
        (ValueError("two\nlines"), "two lines"),
        (
            IsADirectoryError(21, "Is a directory", "report.html"),
            "report.html: it is a folder, expected a file",
        ),
        (FileNotFoundError(2, "No such file", "x"), "x: there is no such file or folder"),
        (NotADirectoryError(20, "Not a directory", "a/x"), "a/x: a part of the path is a file"),
        (OSError(28, "No space left on device", "x"), "x: the disk is full"),
        (OSError("a worker process has died"), "a worker process has died"),
        (MemoryError("Unable to allocate 8 GiB"), "there is not enough memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: 8 bytes. Buy more"), "not enough memory"),
        (sqlite3.OperationalError("disk I/O error"), "the run's database cannot be used (disk I/O error)"),
    ],
)
def test_the_sentence_of_an_expected_failure(error, part):
    text = sentence(error)
    assert part in text and "\n" not in text and "Errno" not in text


@pytest.mark.parametrize(
    "error", [KeyError("x"), TypeError("x"), RuntimeError("x"), RecursionError(), AssertionError()]
)
def test_other_errors_are_bugs(error):
    assert sentence(error) is None


def test_a_bug_shows_its_traceback_and_how_to_report_it(capsys, monkeypatch):
    def fails(config):
        raise KeyError("of ours")

    monkeypatch.setattr("bttt.commands.solve.run", fails)
    code, _, err = bttt("solve", "3x3x3", capsys=capsys)
    assert code == 70
    assert "Traceback" in err and "KeyError: 'of ours'" in err
    assert "bug of bttt" in err.splitlines()[-1] and "report it" in err.splitlines()[-1]
