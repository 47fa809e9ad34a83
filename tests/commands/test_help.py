"""The help and the error messages of the real commands."""

import re
import shlex
import subprocess
import sys

import pytest
import tyro
from commands import bttt, config_class, refused

from bttt.command_line import COMMANDS, HEADINGS, command_options, explain, full_help, short_help
from pruning import PRUNING_METHODS

MOST_LINES = 40
MOST_OPTIONS = 11


def shown_options(text):
    """The options of a help text: the names in front of their descriptions."""
    return re.findall(r"^  (--[a-z][\w.-]*)", text, re.M)


def parsed_options(name, capsys):
    """The options that the parser itself lists, in frames where the terminal can show them."""
    with pytest.raises(SystemExit):
        tyro.cli(config_class(name), args=["--help"])
    return re.findall(r"^[ |\u2502] (--[a-z][\w.-]*)", capsys.readouterr().out, re.M)


def test_the_commands_stand_under_their_headings(capsys):
    code, out, err = bttt("--help", capsys=capsys)
    assert (code, err) == (0, "")
    assert [line for line in out.splitlines() if line in HEADINGS] == list(HEADINGS)
    listed = dict(re.findall(r"^  (\w+) +(.+)$", out, re.M))
    assert listed == {name: command.summary for name, command in COMMANDS.items()}
    assert max(map(len, out.splitlines())) <= 100


def test_no_command_prints_the_same_help_and_is_wrong(capsys):
    assert bttt(capsys=capsys)[:2] == (2, bttt("--help", capsys=capsys)[1])


@pytest.mark.parametrize("name", COMMANDS)
def test_the_short_help_fits_a_screen(name, capsys):
    code, out, err = bttt(name, "--help", capsys=capsys)
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == f"all options: bttt {name} --help-all"
    for width in (80, 110):
        lines = short_help(name, config_class(name), width).splitlines()
        assert len(lines) <= MOST_LINES
        assert all(len(line) <= width for line in lines if not line.startswith("example: "))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_example_of_the_help_parses(name, capsys):
    _, out, _ = bttt(name, "--help", capsys=capsys)
    examples = re.findall(rf"^example: bttt {name}(.*)$", out, re.M)
    assert len(examples) == 1 + (name == "prune") and ("python:" in examples[-1]) == (name == "prune")
    for example in examples:
        config = tyro.cli(config_class(name), args=shlex.split(example))
        assert isinstance(config, config_class(name))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_short_help_has_the_options_used_most_and_help_all_has_all(name, capsys):
    options = {option.name: option for option in command_options(config_class(name))}
    chosen = [options[each] for each in COMMANDS[name].options]
    assert len(chosen) == len(set(chosen)) <= MOST_OPTIONS
    short = bttt(name, "--help", capsys=capsys)[1]
    assert shown_options(short) == [option.flag for option in chosen if not option.positional]
    code, everything, err = bttt(name, "--help-all", capsys=capsys)
    assert (code, err) == (0, "")
    flags = [option.flag for option in options.values() if not option.positional]
    assert shown_options(everything) == flags
    written = {alias: option.flag for option in options.values() for alias in option.aliases}
    assert {written.get(flag, flag) for flag in parsed_options(name, capsys)} == set(flags)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained_in_sentences(name):
    for option in command_options(config_class(name)):
        assert re.match(r"[A-Za-z].*\.$|.*\.\.\.$", option.text), option
        assert option.default is not None or "Default: " in option.text, option


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("help_of", [short_help, full_help])
def test_no_option_has_two_defaults(name, help_of):
    entries = re.split(r"\n(?=  \S)", help_of(name, config_class(name), 100))
    assert [entry for entry in entries if len(re.findall(r"\bdefault:", entry, re.IGNORECASE)) > 1] == []


def test_the_short_help_takes_no_value_of_an_option_for_its_own(capsys):
    out = bttt("bricks", "--help", capsys=capsys)[1]
    assert re.search(r"^  --steps INT +Steps of a retraining run\. \(default: 300\)$", out, re.M)
    assert re.search(r"^  AGENT +Network: .*\(default:\s+alphazero:d4\)$", out, re.M | re.S)


def test_options_of_parts_have_the_defaults_of_their_command():
    options = {option.name: option for option in command_options(config_class("compression"))}
    assert options["train.learner.averaging"].default == 0.99
    assert options["prune.learner.averaging"].default == 0.98
    assert options["prune.learner.optimizer"].choices == ("adamw", "sgd")
    assert options["control-seeds"].optional and options["control-seeds"].default is None


def test_the_help_of_prune_names_every_method():
    options = {option.name: option for option in command_options(config_class("prune"))}
    assert [name for name in PRUNING_METHODS if not re.search(rf"\b{name}\b", options["method"].text)] == []


def test_help_all_has_the_whole_docstring_and_the_parts():
    lines = full_help("train", config_class("train"), 110).splitlines()
    assert "--search.*: How each search runs." in lines
    text = " ".join(" ".join(lines).split())
    assert "With --minutes, the learning rate follows the clock." in text
    assert "(default: on; --search.no-gumbel switches it off)" in text
    assert all(len(line) <= 110 for line in lines)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("tournamet", "unknown command 'tournamet' (did you mean 'tournament'?); commands are tournament, "),
        ("tournament --repeats two", "--repeats must be a whole number, got 'two'"),
        ("tournament --repeats=2.5", "--repeats must be a whole number, got '2.5'"),
        ("tournament --schedule swiss", "--schedule must be round-robin, gauntlet or bipartite, got 'swiss'"),
        ("tournament --schedule gauntlt", "got 'gauntlt' (did you mean 'gauntlet'?)"),
        ("tournament --repeats", "--repeats needs a value, a whole number"),
        ("tournament --out --csv", "--out needs a value, a path"),
        ("tournament --player random", "unknown option --player (did you mean --players?)"),
        ("tournament -players random", "unknown option -players (did you mean --players?)"),
        ("tournament players random", "unexpected argument 'players' (did you mean --players?)"),
        ("tournament --csv true", "--csv takes no value, got 'true'"),
        ("tournament --csv=yes", "--csv takes no value, got 'yes'; --csv switches it on, --no-csv off"),
        ("tournament --board 7x7x4 8x8x4", "argument '8x8x4': --board takes one value, got '7x7x4' already"),
        (
            "play --bricks D4 E5",
            "'E5': --bricks takes one brick set here: give D4, or D4+E5 for one board with",
        ),
        (
            "time --bricks=R2 all",
            "unexpected argument 'all': --bricks takes one brick set here: give R2 (see",
        ),
        ("report --anchor random run more", "unexpected argument 'more' (see"),
        ("solve", "POSITION is missing: a board, for example 7x7x4:D4"),
        ("tournament --cycles 3", "unknown option --cycles; it belongs to bttt prune, bttt schedules"),
        ("report", "RUN is missing: run folder, or its tournament.sqlite."),
        ("replay run", "GAME is missing: number of the game"),
        ("replay run abc", "GAME must be a whole number, got 'abc'"),
        ("report run --bricks D4", "unknown option --bricks; options are --csv, --anchor"),
        ("train --lr 0.1", "unknown option --lr (did you mean --learner.lr?)"),
        ("train --learner.optimiser sgd", "(did you mean --learner.optimizer?)"),
        ("train --learner.optimizer adam", "--learner.optimizer must be adamw or sgd, got 'adam' (did you"),
        ("train --seed -1", "error: --seed must be at least 0, got -1"),
        ("train --minutes ten", "--minutes must be a number, got 'ten'"),
        ("compression --learner.lr 1", "(did you mean --train.learner.lr or --prune.learner.lr?)"),
        ("play random mcts", "unexpected argument 'random'"),
    ],
)
def test_a_mistake_is_one_line_that_names_it_and_what_is_allowed(arguments, message, capsys):
    line = refused(*arguments.split(), capsys=capsys)
    name = arguments.split()[0]
    assert message in line
    assert line.startswith(f"bttt {name}: error: ")
    assert line.endswith(f"(see bttt {name} --help)") or name not in COMMANDS


@pytest.mark.parametrize(
    "arguments",
    [
        "train --learner.lr 0.1 --search.no-gumbel --search.leaves 2 --minutes None",
        "tournament --opening_plies=3 --players random mcts --csv --seed 3",
        "compression --prune.learner.lr=1e-3 --control-sets R3 --report",
        "evaluate random mcts:iterations=5 --positions 5",
    ],
)
def test_arguments_that_parse_have_no_mistake_and_others_have_one(arguments):
    name, *rest = arguments.split()
    options = command_options(config_class(name))
    assert tyro.cli(config_class(name), args=rest)
    assert explain(options, rest) is None
    assert explain(options, [*rest, "--no-such"]).startswith("unknown option --no-such")


@pytest.mark.parametrize(
    ("arguments", "step"),
    [
        ("agents", "tournament --players random mcts:iterations=1000 alphazero:d4"),
        ("time --players random --calls 2", "evaluate random"),
        ("schedules clr silo --cycles 2", "prune alphazero:d4 --schedule clr"),
        (
            "play --first random --second minimax --bricks D4",
            "play --first minimax --second random --bricks D4 --board 7x7x4",
        ),
        ("solve 4x4x3:A1", "solve 4x4x3:A1 --moves B2"),
        ("solve 4x4x3 --moves B2,D1,B3,D2", "play --bricks none --board 4x4x3"),
        ("solve 7x7x4:D4 --nodes 1", "solve 7x7x4:D4 --nodes 10"),
        ("starts --board 4x4x3 --bricks A1 --workers 1", "solve 4x4x3:A1 --nodes 1000000"),
        (
            "layouts --boards 4x4x3 --most-bricks 1 --count 1 --workers 1",
            "drawn --board 4x4x3 --bricks 1",
        ),
        ("drawn --board 4x4x3 --bricks 0 --tries 1 --workers 1", "drawn --board 4x4x3 --tries 10"),
        ("vision --list", "vision dropnet/a-mnist --small"),
    ],
)
def test_a_command_ends_with_the_next_step(arguments, step, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code, out, err = bttt(*arguments.split(), capsys=capsys)
    assert code == 0
    assert err.splitlines()[-1].startswith(f"next: bttt {step}  # ")
    assert "next: " not in out


def test_the_next_steps_of_a_tournament_lead_through_its_results(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    arguments = ["tournament", "--players", "random", "minimax:depth=1", "--bricks", "D4"]
    arguments += ["--out", "run", "--workers", "1"]
    names = []
    for _ in range(3):
        code, _, err = bttt(*arguments, capsys=capsys)
        assert code == 0
        arguments = shlex.split(err.splitlines()[-1], comments=True)[2:]
        names.append(arguments[0])
    assert names[:2] == ["replay", "solve"]


def test_the_root_loads_nothing_of_a_command():
    code = (
        "import sys; from bttt.__main__ import main; main(['--help']); "
        "print(*sorted({'torch', 'numba', 'tyro', 'matplotlib', 'agents', 'tournaments'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == ""
