"""When a run is over: one function says so, to the loop and to whoever asks for the reason."""

import math

import pytest
from toy_task import ToyTask

from pruning.loop.cycles import run
from pruning.loop.endings import Ending, ending
from pruning.loop.plan import Plan

FALLEN = "quality fell to 0.5 of the dense network's"


@pytest.mark.parametrize(
    ("settings", "values", "over"),
    [
        ({"cycles": 2}, (), Ending("cycle 2 is finished", early=False)),
        ({"until_density": 0.7}, (), Ending("density 0.684 is at most 0.7")),
        ({"count": 7, "floor": 2}, (), Ending("nothing more can be pruned: each layer keeps at least 2")),
        ({"kappa": 0.5}, (0.8, 0.4, 0.4), Ending(FALLEN)),
        ({"kappa": 0.5}, (0.8, math.nan, 0.7), Ending(FALLEN)),
    ],
)
def test_a_run_ends_when_its_ending_says_so_and_not_before(settings, values, over, tmp_path):
    plan = Plan.from_settings(**{"cycles": 9, **settings})
    results = run(ToyTask(values=values), plan, tmp_path)
    assert len(results) == 3
    assert ending(plan, "quality", results) == over
    assert not any(ending(plan, "quality", results[:number]) for number in range(3))


def test_a_run_that_has_more_cycles_than_its_plan_now_asks_for_is_not_early(tmp_path):
    results = run(ToyTask(), Plan.from_settings(cycles=2), tmp_path)
    assert not ending(Plan.from_settings(cycles=1, until_density=1.0), "quality", results).early
