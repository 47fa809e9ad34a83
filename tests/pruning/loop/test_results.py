"""Results as stored in cycles' files: keys, files of earlier versions, additions, names that are taken."""

import json
from dataclasses import replace

import pytest
from toy_task import ToyTask

from pruning.loop.cycles import run
from pruning.loop.plan import Plan
from pruning.loop.results import Additions, GridSearch, Result, Seconds
from pruning.loop.stored import KIND, cycle_file, stored_results
from pruning.masks.files import read_header, read_tensors, write_tensors

STORED = {
    "cycle": 1,
    "sparse macs": 120,
    "training cost": 0.75,
    "density": 0.5,
    "kept": 4,
    "prunable": 8,
    "asked": 4,
    "got": 4,
    "layers": {"stem": [3, 6], "out": [1, 2]},
    "masks": "5d2f",
    "quality": 0.875,
    "training": {"loss": 0.25, "steps": 4},
    "grid": [[0.1, 0.75], [0.2, 0.875]],
    "best lr": 0.2,
    "interval": [0.1, 0.2],
    "asks next": 2,
    "dropped next": 1,
    "excluded": ["head"],
    "cost": {"density": 0.5, "parameters": 300, "macs": 200, "bytes": 1400},
    "seconds": {"training": 2.0, "evaluation": 0.5, "rest": 0.25},
}
"""What a cycle's file holds of its result, in order."""


def test_a_stored_result_is_read_into_fields_and_written_as_it_was():
    result = Result.from_json(json.loads(json.dumps(STORED)))
    assert (result.cycle, result.kept, result.prunable, result.asked, result.got) == (1, 4, 8, 4, 4)
    assert (result.sparse_macs, result.training_cost, result.density) == (120, 0.75, 0.5)
    assert result.layers == {"stem": (3, 6), "out": (1, 2)} and result.masks == "5d2f"
    assert result.measures == {"quality": 0.875} and result.training == {"loss": 0.25, "steps": 4}
    assert result.grid == GridSearch(((0.1, 0.75), (0.2, 0.875)), best=0.2, interval=(0.1, 0.2))
    assert (result.asks_next, result.dropped_next) == (2, 1)
    assert result.cost["bytes"] == 1400 and result.notes == {"excluded": ["head"]}
    assert result.seconds == Seconds(2.0, 0.5, 0.25) and result.seconds.total == 2.75
    assert json.dumps(result.to_json()) == json.dumps(STORED)


def test_a_result_that_was_stored_before_a_key_existed_is_read_and_written_without_it():
    newer = ("sparse macs", "training cost", "grid", "best lr", "interval", "excluded", "cost")
    older = {name: value for name, value in STORED.items() if name not in newer}
    result = Result.from_json(older)
    assert result.sparse_macs != result.sparse_macs and result.grid is None and result.cost == {}
    assert json.dumps(result.to_json()) == json.dumps(older)


@pytest.mark.parametrize("wrong", [{"kept": None}, {"layers": [1]}, {"seconds": {"sleep": 1.0}}])
def test_what_is_no_result_is_refused(wrong):
    with pytest.raises(ValueError, match="not the result of a cycle"):
        Result.from_json({**STORED, **wrong})
    with pytest.raises(ValueError, match=r"not the result of a cycle .*'masks'"):
        Result.from_json({name: value for name, value in STORED.items() if name != "masks"})


def test_a_file_without_a_result_is_refused_by_its_name(tmp_path):
    run(ToyTask(), Plan.from_settings(cycles=0), tmp_path)
    path = cycle_file(tmp_path, 0)
    write_tensors(path, read_tensors(path, KIND)[0], KIND, {"plan": {}})
    with pytest.raises(ValueError, match=r"cycle-00\.safetensors is corrupt: not the result of a cycle"):
        stored_results(tmp_path)


def test_what_a_publisher_returns_is_stored_beside_the_counts_and_the_level_is_left_as_it_is(tmp_path):
    added = Additions({"test": 0.5, "chance": 0.25}, {"cost": {"macs": 7}}, {"who": ["me"]})
    levels = []

    def publish(level):
        levels.append(level)
        return added

    (result,) = run(ToyTask(), Plan.from_settings(cycles=0), tmp_path, publish)
    own = levels[0].result
    assert own.measures.keys() == {"quality"} and not own.groups and not own.notes
    assert own.seconds == Seconds()
    assert result.measures == {**own.measures, "test": 0.5, "chance": 0.25}
    assert result.cost == {"macs": 7} and result.notes == {"who": ["me"]}
    assert replace(result, measures=own.measures, groups={}, notes={}, seconds=Seconds()) == own
    stored = read_header(cycle_file(tmp_path, 0), KIND)["result"]
    assert (stored["test"], stored["cost"], stored["who"]) == (0.5, {"macs": 7}, ["me"])


@pytest.mark.parametrize(
    "added",
    [
        Additions({"kept": 1.0}),
        Additions({"quality": 1.0}),
        Additions(groups={"seconds": {}}),
        Additions({"cost": 1.0}, {"cost": {}}),
        Additions(notes={"best lr": ""}),
    ],
)
def test_a_publisher_cannot_replace_what_the_loop_or_the_task_says(added, tmp_path):
    with pytest.raises(ValueError, match=r"the name '.*' is taken"):
        run(ToyTask(), Plan.from_settings(cycles=0), tmp_path, lambda level: added)
    assert not stored_results(tmp_path)
