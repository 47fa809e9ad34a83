"""The command `bttt train`: a tiny run, resumed, killed and corrupted, and invalid input."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from commands import bttt
from commands import refused_at_work as refused
from safetensors.numpy import load_file

from agents import make_agent
from agents.alphazero.training.state import TrainingState
from agents.alphazero.weights import record
from bttt.__main__ import main
from bttt.board import Board
from bttt.position import Position
from bttt.runs import open_run

TINY = (
    *("train", "--board", "4x4x3", "--bricks", "all", "--selfplay.games", "6", "--search.simulations", "4"),
    *("--plies", "4", "--learner.batch", "16", "--learner.schedule", "constant", "--buffer", "60"),
)
CLOCK = {
    "seconds",
    "seconds_playing",
    "seconds_learning",
    "games/s",
    "positions/s",
    "simulations/s",
    "peak_memory_mb",
}
"""What differs from run to run."""


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def trained(folder, *options, capsys):
    code, out, err = bttt(*TINY, "--out", folder, *options, capsys=capsys)
    assert code == 0, err
    return out


def metrics(folder):
    lines = Path(folder, "metrics.jsonl").read_text().splitlines()
    return [{name: value for name, value in json.loads(line).items() if name not in CLOCK} for line in lines]


def largest(folder):
    return max(folder.iterdir(), key=lambda path: path.stat().st_size)


def same_tensors(one, other):
    found, wanted = load_file(one), load_file(other)
    assert found.keys() == wanted.keys()
    for name in found:
        assert (found[name] == wanted[name]).all(), name


def same_runs(one, other):
    for name in ("state.safetensors", "network.safetensors"):
        same_tensors(Path(one, name), Path(other, name))
    assert metrics(one) == metrics(other)
    shards = [
        {path.name: path.read_bytes() for path in Path(each, "samples").iterdir()} for each in (one, other)
    ]
    assert shards[0] == shards[1]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of five iterations in one go."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert main([*TINY, "--out", str(folder), "--iterations", "5"]) == 0
    return folder


def test_a_run_leaves_what_belongs_to_it(whole):
    names = {path.name for path in whole.iterdir()}
    assert names == {
        *("config.json", "environment.json", "metrics.jsonl", "network.safetensors"),
        *("samples", "state.safetensors", ".lock"),
    }
    assert json.loads((whole / "config.json").read_text())["search"]["simulations"] == 4
    rows = metrics(whole)
    assert [row["iteration"] for row in rows] == [1, 2, 3, 4, 5]
    assert rows[-1]["positions"] > 60 == rows[-1]["buffer"]
    assert all(np.isfinite(value) for row in rows for value in row.values())
    assert sum(row["steps"] for row in rows) > 5
    assert 0 < rows[-1]["policy_loss"] < np.log(16)


def test_the_network_of_a_run_plays(whole):
    agent = make_agent(f"alphazero:{whole},simulations=8")
    position = Position.start(Board.parse("4x4x3:A1"))
    (decision,) = agent.decide([position], np.random.default_rng(0))
    assert decision.cell in position.legal_cells()


def test_a_continued_run_is_the_uninterrupted_one_bit_for_bit(whole, capsys):
    trained("run", "--iterations", 2, capsys=capsys)
    assert "5 iterations" in trained("run", "--iterations", 5, capsys=capsys)
    same_runs("run", whole)


def test_a_finished_run_is_not_trained_again(whole, capsys):
    kept = [path for path in whole.rglob("*") if path.is_file()]
    before = {path: path.read_bytes() for path in kept}
    code, _, err = bttt(*TINY, "--out", whole, "--iterations", 5, capsys=capsys)
    assert code == 0 and f"5 finished iterations found in {whole}; nothing was run\n" in err
    assert {path: path.read_bytes() for path in before} == before


def test_kill_9_at_any_instant_loses_at_most_the_iteration_in_flight():
    command = [sys.executable, "-m", "bttt", *TINY, "--out", "run", "--iterations", "100"]
    rng = np.random.default_rng()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    path = Path("run/metrics.jsonl")
    while process.poll() is None and not (path.exists() and path.read_text().count("\n") >= 2):
        time.sleep(0.02)
    time.sleep(rng.uniform(0, 0.3))
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    lines = path.read_text().count("\n")
    done, _ = TrainingState(Path("run")).load()
    assert done.iteration >= lines - 1
    end = str(done.iteration + 1)
    for folder in ("run", "uncut"):
        assert main([*TINY, "--out", folder, "--iterations", end]) == 0
    same_runs("run", "uncut")


def test_two_workers_play_learn_and_go_on(capsys):
    shared = ("--workers", 2, "--learner.batch", 128, "--learner.passes", 40)  # a batch that is shared
    trained("run", "--iterations", 1, *shared, capsys=capsys)
    assert "3 iterations" in trained("run", "--iterations", 3, *shared, capsys=capsys)
    assert [row["iteration"] for row in metrics("run")] == [1, 2, 3]
    assert metrics("run")[2]["games"] > 0 and metrics("run")[2]["steps"] > 0


def test_other_settings_need_another_folder(whole, capsys):
    for option, value, name in (
        ("--seed", 1, "seed is 0 there, 1 here"),
        ("--search.simulations", 5, "search"),
        ("--bricks", "A1", "bricks"),
    ):
        error = refused(*TINY, "--out", whole, "--iterations", 5, option, value, capsys=capsys)
        assert "holds a run with other settings" in error
        assert name in error


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--preset", "huge"], "preset"),
        (["--bricks", "Z9"], "Z9"),
        (["--board", "6x6x4", "--bricks", "G7"], "G7"),
        (["--board", "6x6x4", "--preset", "paper"], "preset 'paper' is for 7x7 boards, got 6x6"),
        (["--board", "large"], "large"),
        (["--workers", "0"], "workers must be at least 1, got 0"),
        (["--workers", "7"], "workers must be at most selfplay.games, 6, got 7"),
        (["--minutes", "0"], "minutes must be above 0 and finite, got 0"),
        (["--iterations", "0"], "iterations must be above 0"),
        (["--games", "-3"], "games must be above 0"),
        (["--learner.lr", "-0.1"], "lr must be above 0 and finite, got -0.1"),
        (["--learner.optimizer", "magic"], "optimizer"),
        (["--search.simulations", "0"], "search.simulations must be at least 1, got 0"),
        (["--search.gumbel", "--search.reuse"], "reuse must be false with gumbel"),
        (["--seed", "-1"], "seed must be at least 0, got -1"),
        (["--device", "abacus"], "device must be cpu, or cuda on a machine with a GPU, got 'abacus'"),
        (["--device", "cuda:99"], "device must be cpu, or cuda on a machine with a GPU, got 'cuda:99'"),
        (["--colour", "red"], "colour"),
        (["--iterations", "many"], "many"),
    ],
)
def test_wrong_options(options, message, capsys):
    assert message in refused(*TINY, "--out", "run", *options, capsys=capsys)
    assert not Path("run").exists()


def test_where_nothing_can_be_written(capsys):
    Path("file").write_text("")
    assert "out must be a folder, but file is a file" in refused(*TINY, "--out", "file", capsys=capsys)
    assert "file" in refused(*TINY, "--out", "file/run", capsys=capsys)


def cut(path):
    path.write_bytes(path.read_bytes()[:-7])


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("state.safetensors", cut, "is corrupt or not a safetensors file"),
        ("state.safetensors", lambda path: path.write_bytes(b""), "is corrupt or not a safetensors file"),
        ("config.json", cut, "config.json is corrupt"),
        ("config.json", lambda path: path.write_text("[]"), "config.json is corrupt"),
        ("environment.json", cut, "environment.json is corrupt"),
        ("samples", lambda path: cut(max(path.iterdir())), "is corrupt (its size is not a multiple of"),
        ("samples", lambda path: largest(path).unlink(), "are corrupt (found"),
    ],
)
def test_a_corrupt_run_is_named(whole, name, damage, message, capsys):
    shutil.copytree(whole, "run")
    damage(Path("run") / name)
    assert message in refused(*TINY, "--out", "run", "--iterations", 6, capsys=capsys)


def test_a_run_that_diverges_says_so(capsys):
    error = refused(*TINY, "--out", "run", "--iterations", 9, "--learner.lr", 1e30, capsys=capsys)
    assert "not finite" in error


SEVEN = (
    *("train", "--bricks", "D4", "--selfplay.games", "3", "--search.simulations", "2"),
    *("--plies", "2", "--learner.batch", "4", "--selfplay.opening-plies", "30", "--out", "run"),
)


def test_the_network_kept_is_the_best_on_training_boards(capsys):
    assert bttt(*SEVEN, "--iterations", 3, "--evaluate-every", 1, capsys=capsys)[0] == 0
    seen = [row["value_losing_seen"] for row in metrics("run")]
    path = Path("run/network.safetensors")
    kept = record(path)
    assert kept["value-losing moves, raw policy"]["seen"] == pytest.approx(min(seen), abs=1e-5)
    assert seen[kept["training"]["iteration"] - 1] == min(seen)
    assert set(kept["value-losing moves, raw policy"]) == {"seen", "novel"}  # D4 has no mirror images
    assert (kept["bricks"], kept["board"], kept["seed"]) == (["D4"], "7x7x4", 0)
    assert record(Path("run/latest.safetensors"))["training"]["iteration"] == 3


def test_the_choice_of_the_best_network_goes_on_when_a_run_is_continued(capsys):
    common = ("--learner.schedule", "constant", "--evaluate-every", 1)
    for iterations in (2, 4):
        assert bttt(*SEVEN, *common, "--iterations", iterations, capsys=capsys)[0] == 0
    assert bttt(*SEVEN[:-1], "whole", *common, "--iterations", 4, capsys=capsys)[0] == 0
    same_runs("run", "whole")
    same_tensors(Path("run/latest.safetensors"), Path("whole/latest.safetensors"))


@pytest.mark.parametrize("bricks", ["none", "random:2,count=2,seed=1"])
def test_boards_without_positions_in_the_suite_train_too(bricks, capsys):
    options = (*SEVEN[:2], bricks, *SEVEN[3:], "--iterations", 2, "--evaluate-every", 1)
    assert bttt(*options, capsys=capsys)[0] == 0
    assert "value_losing_novel" in metrics("run")[-1]
    assert make_agent("alphazero:run,simulations=0").trained_on


def test_a_folder_of_other_things_is_left_alone(capsys):
    Path("notes").mkdir()
    Path("notes/diary.txt").write_text("mine")
    assert "notes holds other files" in refused(*TINY, "--out", "notes", capsys=capsys)
    assert [path.name for path in Path("notes").iterdir()] == ["diary.txt"]


def test_a_finished_network_is_not_replaced_where_the_state_is_lost(whole, capsys):
    shutil.copytree(whole, "run")
    Path("run/state.safetensors").unlink()
    before = Path("run/network.safetensors").read_bytes()
    error = refused(*TINY, "--out", "run", "--iterations", 6, capsys=capsys)
    assert "state.safetensors is missing" in error
    assert Path("run/network.safetensors").read_bytes() == before


def test_two_processes_do_not_share_a_folder(capsys):
    with open_run("train", {}, out=Path("run")):
        assert "another process is using run" in refused(*TINY, "--out", "run", capsys=capsys)


def test_a_run_that_ends_with_its_time_ends_with_an_evaluation(capsys):
    assert bttt(*SEVEN, "--minutes", 1e-4, "--evaluate-every", 50, capsys=capsys)[0] == 0
    (row,) = metrics("run")
    kept = record(Path("run/network.safetensors"))["value-losing moves, raw policy"]
    assert row["value_losing_seen"] == pytest.approx(kept["seen"], abs=1e-5)
