import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader

from agents.alphazero import LearnerConfig, SearchConfig, SelfPlayConfig
from agents.alphazero.network import time_split
from agents.alphazero.training import goals
from benchmarks import benchmark, pruned_networks, vision
from benchmarks.__main__ import BENCHMARKS, NOT_INSTALLED, main, table_row
from benchmarks.alphazero import time_to_strength, training
from benchmarks.alphazero.strength import main as strength
from benchmarks.benchmark import Benchmark, measure, rate
from pruning.data.loading import DataSet, ImageSplit
from pruning.studies.vision.task import Training, VisionTask

ROOT = Path(__file__).parents[1]


def constant(values):
    """A benchmark's function that returns `values` in turn."""
    return iter(values).__next__


def test_ratio_is_the_median_of_the_ratios_of_the_pairs():
    ours, peer = constant([10.0, 20.0, 90.0]), constant([5.0, 20.0, 10.0])
    found = measure(Benchmark("speed", "games/s", ours, "other", peer, target=2))
    assert (found.ours, found.peer, found.ratio, found.met) == (20.0, 10.0, 2.0, True)


@pytest.mark.parametrize(("target", "limit", "met"), [(2.5, None, False), (None, 9, False), (None, 10, True)])
def test_targets_and_limits_are_judged(target, limit, met):
    peer = None if target is None else constant([5.0])
    benchmark = Benchmark("speed", "games/s", constant([10.0]), "other", peer, target, limit)
    assert measure(benchmark, repeats=1).met is met


def test_missing_peer_is_said_and_not_judged():
    def peer():
        raise ImportError("no module named 'other'")

    found = measure(Benchmark("speed", "games/s", constant([1e6, 2e6, 3e6]), "other", peer, target=2))
    assert (found.peer, found.ratio, found.met) == (None, None, None)
    assert table_row(found) == f"| speed | 2,000,000 games/s | other | {NOT_INSTALLED} |  | 2x |  |"


def test_rate_counts_units_by_cpu_second():
    import time

    def work() -> int:
        until = time.process_time() + 0.01
        while time.process_time() < until:
            pass
        return 5

    assert 350 < rate(work, seconds=0.1) <= 500


@pytest.mark.parametrize("each", BENCHMARKS, ids=[each.name for each in BENCHMARKS])
def test_every_benchmark_measures_ours(each, monkeypatch):
    monkeypatch.setattr(benchmark, "MEASURED_SECONDS", 0.01)
    assert each.ours() > 0
    assert (each.peer is None) == (each.peer_name == "")
    assert each.target is None or each.peer is not None


def test_both_peers_of_training_see_the_images_that_we_see():
    images = torch.arange(2 * 28 * 28).remainder(256).to(torch.uint8).view(2, 1, 28, 28)
    split = ImageSplit(images, torch.tensor([3, 7]))
    task = VisionTask(
        DataSet("two", ("a", "b"), *[split] * 3, mean=(0.5,), std=(0.5,)), vision.MODEL, Training(), seed=0
    )
    (ours,) = task.batches()
    for pil in (False, True):
        theirs, labels = next(iter(DataLoader(vision.OneByOne(split, pil), batch_size=2)))
        assert torch.equal(labels, ours[1])
        torch.testing.assert_close(theirs, ours[0])


@pytest.mark.parametrize(
    ("preset", "round_to", "widths"),
    [
        # 28 of 64 leave 19.3% and 29 leave 20.7%; in multiples of 16 some layers keep 32 and others 16
        ("base", 1, (28, (28,) * 6, 14, 14, 28)),
        ("base", 16, (32, (32, 32, 32, 16, 16, 16), 16, 16, 16)),
        ("paper", 16, (32, (32,) * 5, 2, 1, 16)),
        ("small", 16, (16, (16,) * 3, 16, 16, 16)),  # more than a fifth, but less is no multiple
    ],
)
def test_networks_are_cut_to_a_fifth_in_multiples(preset, round_to, widths):
    config = pruned_networks.pruned(preset, round_to).config
    assert (config.stream, config.blocks, config.policy, config.value, config.hidden) == widths


def test_times_of_pruned_networks_are_stored(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(time_split, "ROUNDS", 1)
    monkeypatch.setattr(pruned_networks, "ROUNDED", (16,))
    monkeypatch.setattr(pruned_networks, "SMALLER", ())
    monkeypatch.setattr(pruned_networks, "PRECISIONS", ("float32",))
    monkeypatch.setattr(pruned_networks, "PRESETS", {"small": pruned_networks.PRESETS["small"]})
    monkeypatch.setattr(
        sys, "argv", ["pruned_networks", "--json", str(tmp_path / "a/b.json"), "--batches", "64"]
    )
    assert pruned_networks.main() == 0
    dense, pruned = json.loads((tmp_path / "a/b.json").read_text())["results"]
    assert (dense["round_to"], dense["ratio"], pruned["parameters"]) == (None, 1.0, 15617)
    assert pruned["ratio"] == dense["us"] / pruned["us"]
    parts = ("arithmetic", "rest of products", "other layers", "calls")
    assert sum(pruned[name] for name in parts) == pytest.approx(pruned["us"])
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_runs_of_training_are_compared_in_pairs(tmp_path, monkeypatch, capsys):
    speeds = iter([10.0, 18.0, 20.0, 30.0, 10.0, 19.0])
    monkeypatch.setattr(training, "run_of", lambda workers, iterations: {"games/s": next(speeds)})
    monkeypatch.setattr(sys, "argv", ["training", "--json", str(tmp_path / "a/b.json")])
    assert training.main() == 0
    _, _, one, two = capsys.readouterr().out.splitlines()
    assert (one, two) == ("| 1 | 10 | 1.00 |", "| 2 | 19 | 1.80 |")
    assert json.loads((tmp_path / "a/b.json").read_text())["results"]["2"][1] == {"games/s": 30.0}


def test_command_prints_a_table_and_stores_the_results(tmp_path):
    file = tmp_path / "results.json"
    done = run_command("depth 4", "--repeats", "1", "--json", str(file))
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith("|")]
    assert len(rows) == 3
    assert rows[2].startswith("| minimax, depth 4")
    stored = json.loads(file.read_text())
    assert stored["results"][0]["met"] is True
    assert stored["machine"]["python"] == sys.version.split()[0]


def test_strength_counts_moves_that_lose_value():
    program = "benchmarks.alphazero.strength"
    arguments = ["--positions", "1", "--evaluators", "torch", "--simulations", "0", "4", "--leaves", "2"]
    done = run_command(*arguments, program=program)
    assert done.returncode == 0, done.stderr
    raw, searched = done.stdout.splitlines()
    assert raw.startswith("torch               0 simulations  1 leaves ")
    assert searched.startswith("torch               4 simulations  2 leaves ")
    assert " of 49 lose value: " in searched
    assert strength(["--network", "none"]) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["chess"], "no benchmark is named like 'chess'; there are: random games, "),
        (["depth 4", "--repeats", "0"], "repeats must be at least 1, got 0"),
        (["depth 4", "--json", "/no/such/folder/file"], "/no/such/folder/file"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(arguments, message, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["benchmarks", *arguments])
    assert main() == 2
    error = capsys.readouterr().err
    assert message in error and len(error.splitlines()) == 1


def run_command(*arguments: str, program: str = "benchmarks") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", program, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_time_to_strength_is_that_of_the_runs_and_is_kept(tmp_path, capsys, monkeypatch):
    tiny = {
        "search": SearchConfig(simulations=2),
        "selfplay": SelfPlayConfig(games=2),
        "learner": LearnerConfig(batch=8),
        "plies": 2,
        "evaluate_every": 1,
    }
    original = time_to_strength.reach
    monkeypatch.setattr(time_to_strength, "reach", lambda *arguments: original(*arguments, **tiny))
    monkeypatch.setitem(goals.GOALS, "minimax", goals.Goal("random", 20))
    file = tmp_path / "times.json"
    words = ["--goals", "minimax", "--seeds", "2", "--workers", "1", "--board", "4x4x3", "--bricks", "none"]
    words += ["--out", str(tmp_path / "runs"), "--json", str(file)]
    assert time_to_strength.main(words) == 0
    stored = json.loads(file.read_text())["runs"]
    assert [(run["goal"], run["seed"], run["reached"]) for run in stored] == [
        ("minimax", 0, True),
        ("minimax", 1, True),
    ]
    for seed, run in enumerate(stored):
        metrics = (tmp_path / f"runs/minimax-seed{seed}/metrics.jsonl").read_text().splitlines()
        assert len(metrics) == run["iterations"]
    assert time_to_strength.main(words) == 0  # finished runs are found
    assert json.loads(file.read_text())["runs"] == stored
    assert "seed 1: 0.0 minutes, " in capsys.readouterr().out
    assert time_to_strength.main(["--board", "8x8x4"]) == 2
