"""A run that an earlier version stored (version 0.1.0): it is read, continued and refused like a new one."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from toy_task import ToyTask

from pruning.loop.cycles import run
from pruning.loop.plan import Plan
from pruning.loop.results import GridSearch, Seconds
from pruning.loop.stored import cycle_file, stored_masks, stored_results, stored_weights

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
