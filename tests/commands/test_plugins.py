"""The real commands with a plug-in of each kind, from a module in the current folder."""

import shutil
import sys
from pathlib import Path

import pytest
import user_plugins
from registries import registries_as_before

from bttt.__main__ import main
from pruning.studies.alphazero.own_task import load_task

TINY_TRAINING = (
    *("train", "--iterations", "1", "--plies", "9", "--selfplay.games", "4", "--search.simulations", "2"),
    *("--learner.batch", "8", "--out", "mine"),
)


@pytest.fixture(autouse=True)
def in_a_folder_with_the_module(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])  # where a plug-in is looked for is added
    monkeypatch.delitem(sys.modules, "mine_only", raising=False)
    shutil.copyfile(user_plugins.__file__, "mine_only.py")
    with registries_as_before():
        yield


def test_a_network_and_an_encoding_are_trained_and_played_when_they_are_named_again(capsys):
    network, encoding = "python:mine_only:Net", "python:mine_only:border"
    own = ("--network", f"{network},width=4", "--encoding", encoding)
    assert main([*TINY_TRAINING, "--bricks", "D4", *own]) == 0
    assert Path("mine/network.safetensors").is_file()
    agent = f"alphazero:mine,simulations=2,architecture={network},encoding={encoding}"
    game = ("tournament", "--players", "random", "--bricks", "python:mine_only:corners", "--out", "games")
    assert main([*game[:3], agent, *game[3:]]) == 0
    assert "8 of 8 games, 0 forfeits" in capsys.readouterr().out
    assert main([*game[:3], "alphazero:mine,simulations=2", *game[3:5], "other", "--out", "other"]) == 2
    assert "name the class again" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (("--network", "python:mine_only:Nett"), "did you mean 'Net'?"),
        (("--network", "smal"), "did you mean 'small'?"),
        (("--network", "python:mine_only:WrongShape"), "must return logits (2, 49) and values (2,)"),
        (("--encoding", "python:mine_only:flat"), "encoding 'python:mine_only:flat' fails"),
        (("--bricks", "python:mine_only:cornrs"), "did you mean 'corners'?"),
    ],
)
def test_a_plug_in_that_does_not_fit_is_one_line_before_anything_is_written(options, part, capsys):
    assert main([*TINY_TRAINING, *options]) == 2
    error = capsys.readouterr().err
    assert part in error and error.count("\n") == 1
    assert not Path("mine").exists()


PRUNING = (*("prune", "python:mine_only:LeastSquares", "--cycles", "2", "--fraction", "0.5", "--out", "run"),)


def test_an_agent_plays(capsys):
    players = ("--players", "random", "python:mine_only:First", "--bricks", "D4", "--out", "games")
    assert main(["tournament", *players]) == 0
    assert "2 of 2 games, 0 forfeits" in capsys.readouterr().out


@pytest.mark.parametrize(
    "options",
    [
        ("--method", "python:mine_only:smallest_squares"),
        ("--method", "python:mine_only:halfway,alpha=0.5"),
        ("--method", "dropnet", "--schedule", "python:mine_only:falling,power=1.5"),
    ],
)
def test_a_task_is_pruned_by_methods_and_schedules_of_one_s_own(options, capsys):
    assert main([*PRUNING, *options]) == 0
    out = capsys.readouterr().out
    rows = Path("run/levels.csv").read_text().splitlines()
    assert rows[0].startswith("level,density,kept,accuracy,density of all weights,dense macs,sparse macs")
    assert len(rows) == 4
    assert all(row.split(",")[0] in out for row in rows)
    assert main([*PRUNING, *options]) == 0  # finished: the same table again
    assert capsys.readouterr().out == out


def test_a_plug_in_s_criterion_prunes_as_the_same_criterion_of_the_package_does(capsys):
    densities = []
    for method in ("magnitude", "python:mine_only:smallest_squares"):
        folder = method.rpartition(":")[2]
        assert main([*PRUNING[:-1], folder, "--method", method, "--schedule", "clr"]) == 0
        densities.append(Path(folder, "levels.csv").read_text())
    assert densities[0] == densities[1]  # squares have the order of absolute values


@pytest.mark.parametrize(
    ("added", "options", "expected"),
    [
        (
            "def broken(evidence):\n    return 1 / 0\nmethod = Criterion(broken, 'weights')\n",
            ("--method", "python:mine_only:method"),
            "criterion 'python:mine_only:method' failed on Sequential: ZeroDivisionError: division by zero",
        ),
        (
            "def none(evidence):\n    return None\nmethod = Criterion(none, 'weights')\n",
            ("--method", "python:mine_only:method"),
            "criterion 'python:mine_only:method' failed on Sequential: AttributeError",
        ),
        (
            "def evaluate(self, network):\n    return {}[0]\nLeastSquares.evaluate = evaluate\n",
            (),
            "LeastSquares.evaluate failed: KeyError: 0",
        ),
        (
            "def rate(*, power=1.0):\n    return lambda progress, cycle: 1 / (progress - progress)\n",
            ("--schedule", "python:mine_only:rate"),
            "ZeroDivisionError",
        ),
    ],
)
def test_an_error_inside_one_s_own_code_is_one_line(added, options, expected, capsys):
    source = Path("mine_only.py")
    source.write_text(source.read_text() + "\nfrom pruning import Criterion\n" + added)
    assert main([*PRUNING, *options]) == 2
    (line,) = [each for each in capsys.readouterr().err.splitlines() if expected in each]
    assert "Traceback" not in line


def test_what_is_left_out_is_named_below_the_table(capsys):
    source = Path("mine_only.py")
    scaled = (
        "\nclass Scaled(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.scale, self.layer = nn.Parameter(torch.ones(1, 6)), nn.Linear(6, 2)\n"
        "    def forward(self, x):\n"
        "        return self.layer(x * self.scale)\n"
        "LeastSquares.build = lambda self, seed: Scaled()\n"
    )
    source.write_text(source.read_text() + scaled)
    assert main([*PRUNING, "--method", "magnitude"]) == 0
    out, err = capsys.readouterr()
    why = "a parameter of Scaled, which is no layer of torch that is pruned"
    assert out.count(f"left out of pruning: scale ({why})") == 1 and "left out" not in err
    assert Path("run/levels.csv").read_text().splitlines()[1].endswith(",scale")


def test_a_changed_task_is_another_run(capsys):
    assert main(PRUNING) == 0
    source = Path("mine_only.py")
    source.write_text(source.read_text() + "\n# changed\n")
    assert main(PRUNING) == 2
    told = "run holds a run of python:mine_only:LeastSquares, but the file of this task has changed since"
    assert told in capsys.readouterr().err


def test_a_task_takes_options():
    made = load_task("python:mine_only:LeastSquares,width=3").task
    assert made.width == 3 and made.build(0)[0].out_features == 3
    assert load_task("python:mine_only:LeastSquares").task.width == 8
    with Path("mine_only.py").open("a") as source:
        source.write("\nready = LeastSquares()\n")
    sys.modules.pop("mine_only")
    assert load_task("python:mine_only:ready").task.width == 8
    with pytest.raises(
        ValueError, match="'python:mine_only:ready' is made already: it takes no options, got"
    ):
        load_task("python:mine_only:ready,width=3")


def test_a_recipe_runs(capsys):
    shutil.copyfile(user_plugins.__file__, "user_plugins.py")
    tiny = ("--data-set", "digits", "--subset", "100", "--width", "0.2", "--seeds", "1", "--epochs", "1")
    assert main(["vision", "python:mine_only:recipe", *tiny, "--cycles", "1", "--out", "vision"]) == 0
    report = Path("vision/report.txt").read_text()
    assert "mine/squares" in report and "falling" in report


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("prune", "python:mine_only:LeastSquare"), "did you mean 'LeastSquares'?"),
        (
            ("prune", "python:mine_only:LeastSquares,widht=3"),
            "unknown option 'widht' (did you mean 'width'?)",
        ),
        (("prune", "python:mine_only:LeastSquares,width=x"), "width='x' must be a whole number"),
        (("prune", "python:mine_only:LeastSquares,"), "ends with ',': options follow it, or leave it out"),
        (("prune", "python:mine_only:Untrainable"), "has no measure, example, dense, train"),
        ((*PRUNING, "--method", "python:mine_only:smalest_squares"), "did you mean 'smallest_squares'?"),
        ((*PRUNING, "--method", "python:mine_only:halfway,beta=1"), "unknown option 'beta'"),
        ((*PRUNING, "--method", "python:mine_only:smallest_squares,x=1"), "takes no options, got 'x=1'"),
        ((*PRUNING, "--schedule", "python:mine_only:falling,pow=1"), "unknown option 'pow'"),
        ((*PRUNING, "--schedule", "python:mine_only:fallin"), "did you mean 'falling'?"),
        (("vision", "python:mine_only:recip"), "did you mean 'recipe'?"),
        (("vision", "python:no_such_module:recipe"), "module 'no_such_module' cannot be imported"),
    ],
)
def test_a_wrong_name_says_what_the_module_has(arguments, part, capsys):
    assert main(list(arguments)) == 2
    error = capsys.readouterr().err
    assert part in error and error.count("\n") == 1
    assert not Path("run").exists()


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (("--simulations", "100"), "simulations"),
        (("--in-loop",), "in-loop"),
        (("--steps", "5"), "steps"),
        (("--buffer", "mine.npz"), "buffer"),
        (("--positions", "5"), "positions"),
        (("--learner.batch", "8"), "learner.batch"),
        (("--search.simulations", "8"), "search.simulations"),
    ],
)
def test_options_that_a_task_of_one_s_own_does_not_use_are_refused(options, name, capsys):
    assert main([*PRUNING, *options]) == 2
    assert f"--{name} has no effect on a task of your own" in capsys.readouterr().err
    assert not Path("run").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--schedule", "python:odd:text"), "must return a function of progress and cycle, got 'x'"),
        (("--schedule", "python:odd:negative"), "must give a finite learning rate of at least 0, got -1.0"),
        (("--schedule", "python:odd:failing"), "fails at progress 0.5 of cycle 1: KeyError('no')"),
        (("--schedule", "python:odd:broken"), "cannot be made: RuntimeError('no')"),
        (("--method", "python:odd:nothing"), "must return a Topology, got None"),
        (("--method", "python:odd:broken"), "cannot be made: RuntimeError('no')"),
        (("--method", "python:odd:flat"), "have shape (1,), its mask (8, 6): expected equal shapes"),
    ],
)
def test_a_method_or_schedule_that_is_none_is_one_line(options, message, capsys):
    Path("odd.py").write_text(
        "import torch\n"
        "from pruning import Criterion\n"
        "def text(): return 'x'\n"
        "def negative(): return lambda progress, cycle: -1\n"
        "def failing(): return lambda progress, cycle: {}['no']\n"
        "def broken(): raise RuntimeError('no')\n"
        "def nothing(): return None\n"
        "flat = Criterion(lambda context: {name: torch.ones(1) for name in context.weights()}, 'weights')\n"
    )
    sys.modules.pop("odd", None)
    assert main([*PRUNING, *options]) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert message in error[-1] and error[-1].startswith("bttt prune: error: ")


def test_the_next_step_is_the_same_run_with_a_random_method(capsys):
    assert main([*PRUNING, "--method", "l1", "--scope", "layer", "--schedule", "clr:lr=0.1"]) == 0
    next_line = capsys.readouterr().err.strip().splitlines()[-1]
    command = next_line.removeprefix("next: bttt ").partition("  #")[0].split()
    assert command[command.index("--method") + 1] == "random"
    assert main(command) == 0  # it runs as it stands
    assert Path("run-control/levels.csv").is_file()
    assert "next: bttt schedules" in capsys.readouterr().err
