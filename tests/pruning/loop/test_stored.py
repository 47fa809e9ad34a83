"""A run that an earlier version stored (version 0.1.0): it is read, continued and refused like a new one."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from toy_task import ToyTask

from pruning.loop.cycles import run
from pruning.loop.plan import Plan
from pruning.loop.results import GridSearch, Seconds
from pruning.loop.stored import KIND, cycle_file, cycle_weights, stored_masks, stored_results, stored_weights
from pruning.masks.files import read_tensors, write_tensors

EARLIER = Path(__file__).parents[2] / "golden" / "pruning-run"
PLAN = Plan.from_settings(
    criterion="magnitude",
    scope="layer",
    restart="rewind",
    grid=(0.05, 0.1),
    schedule="constant",
    schedule_options={"lr": 0.1},
    exclude=("out*",),
    cycles=1,
)
"""The plan that it was made with; its publisher added "cost", "excluded" and "test quality"."""


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(EARLIER, tmp_path / "run"))


def test_results_of_an_earlier_version_are_read():
    first, last = stored_results(EARLIER, PLAN)
    assert (first.cycle, first.kept, first.density) == (0, first.prunable, 1.0)
    assert (last.cycle, last.kept, last.got) == (1, first.kept - last.got, first.dropped_next)
    assert last.layers["hidden.weight"] == (39, 48) and "out.weight" not in last.layers
    assert isinstance(last.grid, GridSearch) and [lr for lr, _ in last.grid.tried] == [0.05, 0.1]
    assert last.measures.keys() == {"quality", "test quality"} and last.training == {"steps": 4}
    assert last.cost == {"parameters": 1, "macs": 2, "bytes": 3} and last.notes == {"excluded": ["out*"]}
    assert [masks.digest() for masks in stored_masks(EARLIER)] == [first.masks, last.masks]
    assert stored_weights(EARLIER).keys() == ToyTask().build(0).state_dict().keys()


def test_a_run_of_an_earlier_version_is_found_finished_and_goes_on(folder, tmp_path):
    task = ToyTask()
    assert run(task, PLAN, folder) == stored_results(EARLIER) and not task.starts
    longer = PLAN.with_settings(cycles=2)
    found, wanted = run(ToyTask(), longer, folder), run(ToyTask(), longer, tmp_path / "anew")
    assert len(found) == 3
    for one, other in zip(found, wanted, strict=True):
        assert one.measures["quality"] == pytest.approx(other.measures["quality"])
        assert replace(one, measures={}, groups={}, notes={}, grid=None, seconds=Seconds()) == replace(
            other, measures={}, grid=None, seconds=Seconds()
        )


def test_a_run_of_an_earlier_version_is_refused_to_another_plan(folder):
    with pytest.raises(ValueError, match=r"belongs to another plan: fraction is 0.2 there, 0.5 here"):
        run(ToyTask(), PLAN.with_settings(fraction=0.5), folder)
    assert cycle_file(folder, 1).read_bytes() == cycle_file(EARLIER, 1).read_bytes()


def test_a_fraction_stored_beside_a_count_was_never_used(folder, tmp_path):
    plan = PLAN.with_settings(fraction=0.2, count=2, cycles=1)
    run(ToyTask(), plan, tmp_path)
    for cycle in (0, 1):
        path = cycle_file(tmp_path, cycle)
        tensors, header = read_tensors(path, KIND)
        write_tensors(path, tensors, KIND, {**header, "plan": {**header["plan"], "fraction": 0.9}})
    assert len(run(ToyTask(), plan, tmp_path)) == 2


def damaged(folder, **changes):
    """Writes the file of cycle 1 anew, with other values in its header."""
    path = cycle_file(folder, 1)
    tensors, header = read_tensors(path, KIND)
    for name, value in changes.items():
        header[name] = {**header[name], **value} if isinstance(value, dict) and value else value
    write_tensors(path, tensors, KIND, header)


DAMAGES = {
    "result is a list": {"result": []},
    "result is empty": {"result": {}},
    "result is a text": {"result": "x"},
    "plan is a list": {"plan": ["magnitude"]},
    "plan is a number": {"plan": 3},
    "task is a text": {"task": "x"},
    "cycle": {"result": {"cycle": "one"}},
    "infinite": {"result": {"kept": float("inf")}},
    "density": {"result": {"density": None}},
    "layers": {"result": {"layers": {"hidden.weight": 3}}},
    "other layers": {"result": {"layers": {"other": [1, 2]}}},
    "layers are a list": {"result": {"layers": [1]}},
    "training": {"result": {"training": {"steps": "four"}}},
    "training is a text": {"result": {"training": "x"}},
    "grid": {"result": {"grid": [[1, 2, 3]]}},
    "seconds": {"result": {"seconds": {"training": "x"}}},
    "left out": {"result": {"left out": 4}},
    "macs": {"result": {"sparse macs": "many"}},
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_header_is_one_line_with_the_file_and_the_remedy(folder, name):
    damaged(folder, **DAMAGES[name])
    path = cycle_file(folder, 1)
    remedy = "delete it and the files of all later cycles, then rerun"
    reads = [lambda: run(ToyTask(), PLAN.with_settings(cycles=2), folder), lambda: stored_masks(folder)]
    if "plan" in name or "task" in name:
        reads.pop()  # does not ask
    if name == "other layers":
        reads.pop(0)
    for read in reads:
        with pytest.raises(ValueError, match="is corrupt") as error:
            read()
        assert str(path) in str(error.value) and remedy in str(error.value) and "\n" not in str(error.value)


def test_numbers_that_a_reader_needs_are_asked_for(folder):
    assert stored_results(folder, measures=["test quality"], cost=["macs"]) == stored_results(folder)
    for needs, name in (({"measures": ["agreement"]}, "agreement"), ({"cost": ["macs", "ms"]}, "cost ms")):
        with pytest.raises(
            ValueError, match=rf"cycle-00.safetensors is corrupt: its result has no '{name}'; "
        ):
            stored_results(folder, **needs)


def test_a_deeply_nested_header_is_corrupt(folder):
    path = cycle_file(folder, 1)
    told = {"format": KIND, "version": "1", "header": "[" * 200_000}
    nested = json.dumps({"__metadata__": told}).encode()
    path.write_bytes(len(nested).to_bytes(8, "little") + nested)
    with pytest.raises(ValueError, match="is corrupt: its header cannot be read"):
        stored_results(folder)


def test_the_network_of_each_cycle_is_read_where_it_was_kept(folder):
    assert cycle_weights(folder, 1).keys() == stored_weights(folder).keys()
    path = cycle_file(folder, 0)
    tensors, header = read_tensors(path, KIND)
    write_tensors(path, {n: each for n, each in tensors.items() if "network." not in n}, KIND, header)
    with pytest.raises(ValueError, match="has no network: this run kept only the network of its last cycle"):
        cycle_weights(folder, 0)
