"""Measurements of all levels together: times, which are stored once measured, and moves with search."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from agents.alphazero.network.checkpoint import load_network, save_network
from agents.alphazero.network.evaluators import evaluator_name, make_evaluator
from agents.alphazero.network.residual import PRESETS, PolicyValueNet
from agents.alphazero.weights import find_network
from bttt.bricks import brick_set
from pruning.studies.alphazero.measures import TIMES_FILE, level_folder, level_times, searched
from tournaments.generalisation.evaluation import Part, evaluate

STORED = Path(__file__).parents[4] / "results/pruning-r3"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of two levels, the second of them a much larger network."""
    network, record = load_network(find_network("d4"))
    torch.manual_seed(0)
    wide = PolicyValueNet(replace(PRESETS["small"], stream=256, blocks=(256,) * 3))
    for level, each in enumerate((network, wide)):
        level_folder(tmp_path, level).mkdir()
        save_network(level_folder(tmp_path, level) / "network.safetensors", each, record)
    return tmp_path


def test_a_network_of_60_times_the_size_takes_longer_and_times_are_measured_once(run):
    small, large = level_times(run, 2)
    assert 0 < small.one < large.one and 0 < small.batch < large.batch
    assert small.evaluations == 64 / (small.batch / 1000)
    name = evaluator_name(make_evaluator(load_network(find_network("d4"))[0]))
    assert small.evaluator == large.evaluator == name and small.heading == f"times on {name}"
    assert level_times(run, 2) == [small, large]
    stored = [{"ms, 1": t.one, "ms, 64": t.batch, "evaluator": name} for t in (small, large)]
    assert json.loads((run / TIMES_FILE).read_text()) == stored


def test_times_of_earlier_versions_are_read_and_say_so(tmp_path):
    rows = json.loads((STORED / TIMES_FILE).read_text())
    shutil.copy(STORED / TIMES_FILE, tmp_path)
    found = level_times(tmp_path, len(rows))
    assert [each.to_json() for each in found] == rows
    assert [each.evaluations for each in found] == [64e3 / row["ms, 64, selfplay"] for row in rows]
    assert {each.heading for each in found} == {
        "times of an earlier version: ms on onnxruntime or torch, evals/s on the torch backend of self-play"
    }


@pytest.mark.parametrize("wrong", [{"ms, 1": 0}, {"evaluator": 7}, {"ms, 64, selfplay": 1.0}, {"more": 1.0}])
def test_other_times_are_corrupt(tmp_path, wrong):
    row = {"ms, 1": 1.0, "ms, 64": 2.0, "evaluator": "torch, float32"}
    (tmp_path / TIMES_FILE).write_text(json.dumps([row]))
    assert level_times(tmp_path, 1)[0].to_json() == row
    (tmp_path / TIMES_FILE).write_text(json.dumps([row | wrong]))
    with pytest.raises(ValueError, match="is corrupt: delete it, and rerun to measure again"):
        level_times(tmp_path, 1)


def test_moves_with_search_are_counted_by_how_new_the_boards_are(run):
    boards = tuple(brick_set("D4"))
    (rates,) = searched(run, 1, boards, 1)
    assert rates.keys() == {"seen", "novel"}  # D4 is its own image
    (counts,) = evaluate(level_folder(run, 0), [Part("losing", "single", 1, None, (), 0)])
    seen = [each for each in counts if each.board in boards]
    novel = [each for each in counts if each.board not in boards]
    for rate, group in zip((rates["seen"], rates["novel"]), (seen, novel), strict=True):
        assert rate == sum(each.hits for each in group) / sum(each.trials for each in group)
    assert len(seen) == 1 and len(novel) == 48
