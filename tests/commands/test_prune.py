"""The command `bttt prune`: a tiny run, its levels as players, a rerun, and invalid input."""

import csv
import json
import re

import numpy as np
import pytest
from commands import bttt
from commands import refused_at_work as refused
from tiny_training import measure_few_positions

from agents import make_agent
from agents.alphazero.network.checkpoint import load_network
from agents.alphazero.network.residual import parameters, untrained
from agents.alphazero.weights import find_network, record
from bttt.__main__ import main
from bttt.board import Board
from bttt.position import Position

TINY = (
    *("prune", "alphazero:d4", "--positions", "300", "--steps", "2", "--learner.batch", "32"),
    *("--selfplay.games", "16", "--search.simulations", "2"),
)
CHANNELS = (*TINY, "--scope", "layer")


@pytest.fixture(autouse=True, scope="module")
def few_positions():
    with pytest.MonkeyPatch.context() as patch:
        measure_few_positions(patch)
        yield


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def network_of(folder, level):
    return load_network(folder / f"level-{level:02}" / "network.safetensors")


@pytest.fixture(scope="module")
def channels(tmp_path_factory):
    """A run of two cycles that prunes channels."""
    folder = tmp_path_factory.mktemp("channels") / "run"
    assert main([*CHANNELS, "--cycles", "2", "--out", str(folder)]) == 0
    return folder


def test_a_run_leaves_what_belongs_to_it(channels):
    assert {path.name for path in channels.iterdir()} == {
        *(
            "buffer.npz",
            "config.json",
            "environment.json",
            "levels.csv",
            "results.csv",
            "README.txt",
            "times.json",
            ".lock",
        ),
        *(f"cycle-0{cycle}.safetensors" for cycle in range(3)),
        *(f"level-0{level}" for level in range(3)),
    }
    assert json.loads((channels / "config.json").read_text())["method"] == "dropnet"


def test_levels_are_smaller_networks_and_say_so(channels):
    with (channels / "levels.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["level"] for row in rows] == ["0", "1", "2"]
    assert [float(row["density"]) for row in rows] == pytest.approx([1, 26 / 32, 21 / 32])
    networks = [network_of(channels, level)[0] for level in range(3)]
    assert [int(row["parameters"]) for row in rows] == [parameters(network) for network in networks]
    assert networks[2].config.stream == networks[2].config.hidden == 21
    for name in ("parameters", "MACs", "bytes"):
        assert sorted((int(row[name]) for row in rows), reverse=True) == [int(row[name]) for row in rows]
    assert all(float(row[name]) > 0 for row in rows for name in ("ms, 1", "ms, 64", "evals/s"))
    assert all(0 <= float(row[name]) <= 1 for row in rows for name in ("agreement", "losing novel"))


def test_the_first_level_is_the_network_itself(channels):
    whole, _ = load_network(find_network("d4"))
    level, _ = network_of(channels, 0)
    assert level.config == whole.config
    pairs = zip(whole.state_dict().values(), level.state_dict().values(), strict=True)
    assert all(np.array_equal(one.numpy(), other.numpy()) for one, other in pairs)


def test_levels_keep_the_record_of_the_training(channels):
    whole, own = record(find_network("d4")), record(channels / "level-02" / "network.safetensors")
    pruning = own.pop("pruning")
    assert own == whole
    assert pruning["cycle"] == 2 and pruning["method"] == "dropnet" and pruning["kept"] == 7 * 21
    level, dense = (make_agent(f"alphazero:{name}") for name in (channels / "level-02", find_network("d4")))
    assert level.trained_on == dense.trained_on
    assert own.get("config") == whole.get("config")


def test_a_level_plays(channels):
    agent = make_agent(f"alphazero:{channels}/level-02,simulations=8")
    position = Position.start(Board.parse("7x7x4:D4"))
    (decision,) = agent.decide([position], np.random.default_rng(0))
    assert decision.cell in position.legal_cells()


def test_levels_play_a_tournament(channels, capsys):
    pattern = f"alphazero:{channels}/level-*,simulations=2"
    options = ("--bricks", "D4", "--repeats", "1", "--out", "games")
    code, out, err = bttt("tournament", "--players", pattern, "random", *options, capsys=capsys)
    assert code == 0, err
    assert all(f"level-0{level},simulations=2" in out for level in range(3))


def test_the_same_command_again_trains_nothing(channels, capsys):
    kept = {path: path.stat().st_mtime_ns for path in channels.rglob("*.safetensors")}
    stored = (channels / "levels.csv").read_bytes()
    code, out, err = bttt(*CHANNELS, "--cycles", "2", "--out", channels, capsys=capsys)
    assert code == 0, err
    assert f"3 finished cycles found in {channels}; nothing was run\n" in err
    assert {path: path.stat().st_mtime_ns for path in channels.rglob("*.safetensors")} == kept
    assert (channels / "levels.csv").read_bytes() == stored
    heading, table, written = out.split("\n\n")
    assert re.fullmatch("times on [a-z]+, [a-z]+[0-9]+:", heading)
    assert table.split()[0] == "level" and len(table.splitlines()) == 4
    assert written == f"written: {channels}; play a level as alphazero:{channels / 'level-02'}\n"


def test_another_run_in_the_same_folder_is_refused(channels, capsys):
    before = {path: path.read_bytes() for path in channels.rglob("*") if path.is_file()}
    line = refused(*CHANNELS, "--fraction", "0.3", "--out", channels, capsys=capsys)
    assert "run with other settings: fraction is 0.2 there, 0.3 here; choose another --out" in line
    assert {path: path.read_bytes() for path in channels.rglob("*") if path.is_file()} == before


def test_weights_are_cut_to_zeros_and_networks_play_on_by_themselves(tmp_path, capsys):
    options = ("--method", "magnitude", "--cycles", "1", "--in-loop", "--iterations", "1")
    code, _, err = bttt(*TINY, *options, "--out", "run", capsys=capsys)
    assert code == 0, err
    (dense, _), (network, _) = (network_of(tmp_path / "run", level) for level in range(2))
    assert network.config == dense.config and parameters(network) == parameters(dense)
    names = [name for name, tensor in network.named_parameters() if tensor.dim() > 1]
    zeros = sum(int((network.get_parameter(name) == 0).sum()) for name in names)
    whole = sum(dense.get_parameter(name).numel() for name in names)
    assert zeros == whole // 5
    with (tmp_path / "run" / "levels.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["parameters"] == rows[1]["parameters"] and rows[0]["MACs"] == rows[1]["MACs"]
    assert float(rows[1]["density"]) == pytest.approx(0.8, abs=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("minimax",), "agent must be alphazero:NETWORK without options, .* got 'minimax'"),
        (("alphazero:all,simulations=8",), "agent must be alphazero:NETWORK without options"),
        (
            ("alphazero:al",),
            "no network 'al'.*give one of all, d4, r2, r3",
        ),
        (
            ("alphazero:d4", "--method", "dropnets"),
            r"unknown method 'dropnets' \(did you mean 'dropnet'\?\); methods are magnitude, .*oracle",
        ),
        (
            ("alphazero:d4", "--schedule", "sillo"),
            "unknown schedule 'sillo' .*schedules are constant, .*silo-linear",
        ),
        (
            ("alphazero:d4", "--schedule", "silo:peak=1"),
            "schedule 'silo:peak=1': unknown option 'peak'; options are epsilon, delta",
        ),
        (("alphazero:d4", "--fraction", "1.5"), "fraction must be at least 0 and below 1, got 1.5"),
        (
            ("alphazero:d4", "--exclude", "stemm"),
            "exclude matches no layer: 'stemm'; layers are stem, blocks.0",
        ),
        (
            ("alphazero:d4", "--grid", "0.1"),
            "grid needs a schedule whose peak is lr: schedule 'silo' has no option 'lr'",
        ),
        (("alphazero:d4", "--steps", "0"), "steps must be at least 1, got 0"),
        (("alphazero:d4", "--positions", "0"), "positions must be at least 1, got 0"),
        (("alphazero:d4", "--kappa", "-1"), "kappa must be 0 to 1, got -1"),
    ],
)
def test_wrong_input_is_one_line_and_writes_nothing(options, message, tmp_path, capsys):
    line = refused("prune", *options, "--out", "run", capsys=capsys)
    assert re.search(message, line), line
    assert not any(tmp_path.iterdir())


def test_a_folder_that_holds_other_things_is_refused(tmp_path, capsys):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    assert "holds other files" in refused(*TINY, "--out", "run", capsys=capsys)
    assert "out must be a folder" in refused(*TINY, "--out", "file", capsys=capsys)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "notes.txt", "run"]


def test_a_damaged_buffer_is_one_line(tmp_path, capsys):
    (tmp_path / "mine.npz").write_bytes(b"no buffer")
    line = refused(*TINY, "--buffer", "mine.npz", "--out", "run", capsys=capsys)
    assert "mine.npz is corrupt, or not a buffer of bttt prune" in line


@pytest.mark.parametrize(
    "options",
    [
        ("--method", "rigl:every=1,end=1", "--in-loop", "--iterations", "1"),
        ("--method", "synflow", "--rounds", "3", "--exclude", "stem.weight"),
    ],
)
def test_networks_are_pruned_before_they_are_trained(options, tmp_path, capsys):
    code, _, _ = bttt(*TINY, *options, "--out", str(tmp_path / "run"), capsys=capsys)
    assert code == 0
    before, pruned = (network_of(tmp_path / "run", level) for level in (0, 1))
    assert pruned[1]["pruning"]["density"] == pytest.approx(0.1, abs=1e-3)
    layers = pruned[1]["pruning"]["layers"]
    weights = dict(pruned[0].named_parameters())
    for name, (kept, size) in layers.items():
        assert np.count_nonzero(weights[name].detach().numpy()) <= kept <= size
    assert ("stem.weight" in layers) == ("--exclude" not in options)
    network, told = load_network(find_network("d4"))
    first = before[0].state_dict()
    assert not np.array_equal(first["stem.weight"], network.state_dict()["stem.weight"])
    initial = untrained(network.config, told["seed"]).state_dict()
    assert np.array_equal(first["stem.weight"], initial["stem.weight"])


def test_greedy_methods_cut_in_each_layer_and_leave_the_stream(tmp_path, capsys):
    options = (
        "--method",
        "greedy-local",
        "--cycles",
        "1",
        "--fraction",
        "0.5",
        "--out",
        str(tmp_path / "run"),
    )
    code, _, _ = bttt(*TINY, *options, capsys=capsys)
    assert code == 0
    config = network_of(tmp_path / "run", 1)[0].config
    assert (config.stream, config.blocks, config.policy, config.hidden) == (32, (16, 16, 16), 16, 16)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--method", "rigle"), "unknown method 'rigle' (did you mean 'rigl'?)"),
        (("--method", "rigl:every=0"), "every must be"),
        (("--method", "greedy-local", "--scope", "global"), "scope must be layer"),
        (("--method", "dropnet", "--allocation", "erk"), "allocation needs a criterion that scores weights"),
        (("--method", "snip", "--rounds", "0"), "rounds must be"),
        (("--method", "snip", "--round-to", "8"), "--round-to needs a criterion that scores units"),
        (("--round-to", "32"), "--round-to must be below the size of the largest layer, 32, got 32"),
        (("--method", "snip", "--exclude", "nothing"), "exclude matches no layer: 'nothing'"),
    ],
)
def test_wrong_methods_are_refused_before_anything_is_written(options, message, tmp_path, capsys):
    assert message in refused(*TINY, *options, "--out", str(tmp_path / "run"), capsys=capsys)
    assert not (tmp_path / "run").exists()
