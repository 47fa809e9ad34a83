"""The loop in two processes with different data: the same masks in both, also where one has lost a file."""

import pytest
import torch
from toy_task import ToyTask
from two_processes import in_two_processes

from pruning.criteria.evidence import Evidence
from pruning.criteria.scores import dropnet
from pruning.loop.cycles import Level, run
from pruning.loop.plan import Plan
from pruning.masks.select import drop_lowest

WORKER = """
import json, sys
from pathlib import Path
import torch
from torch import distributed
from toy_task import ToyTask
from pruning.loop import cycle_file, run
from pruning.loop.plan import Plan

rank, folder = int(sys.argv[1]), Path(sys.argv[2])
own = folder / str(rank)
torch.set_num_threads(1)
meeting = f"file://{folder / 'meeting'}"
distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=2)
task = ToyTask(data=1 - rank)
plan = Plan.from_settings(cycles=3, fraction=0.5, restart="rewind", rewind_to=0.5)
found = {"first": [result.to_json() for result in run(task, plan, own)], "trainings": len(task.starts)}
# as if the processes had been killed at different times
for cycle in (3,) if rank == 0 else (2, 3):
    cycle_file(own, cycle).unlink()
if rank:
    (own / "rewind.safetensors").unlink()
distributed.barrier()
task = ToyTask(data=1 - rank)
again = [result.to_json() for result in run(task, plan, own)]
found |= {"again": again, "trainings again": len(task.starts)}
(folder / f"{rank}.json").write_text(json.dumps(found))
distributed.destroy_process_group()
"""


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    """What two processes found, by rank."""
    return in_two_processes(WORKER, tmp_path_factory.mktemp("ranks"))


def told(results):
    return [{name: value for name, value in result.items() if name != "seconds"} for result in results]


def scores_of(level, task):
    return dropnet(
        Evidence(
            network=level.network,
            alive=level.masks,
            groups=level.groups,
            batches=task.batches,
            loss=task.loss,
            before={},
            generator=torch.Generator(),
            sample=task.sample,
            example=task.example,
        )
    )


def test_both_have_the_same_masks_and_measurements(ranks):
    assert [result["kept"] for result in ranks[0]["first"]] == [19, 10, 5, 3]
    assert told(ranks[0]["first"]) == told(ranks[1]["first"])


def test_masks_come_from_the_means_of_both(ranks, tmp_path):
    dense: list[Level] = []
    plan = Plan.from_settings(fraction=0.5, cycles=0)
    for rank in range(2):
        run(ToyTask(data=1 - rank), plan, tmp_path / str(rank), dense.append)
    qualities = [level.result.measures["quality"] for level in dense]
    assert qualities[0] != qualities[1]
    assert ranks[0]["first"][0]["quality"] == pytest.approx(sum(qualities) / 2)
    scores = [scores_of(level, ToyTask(data=1 - rank)) for rank, level in enumerate(dense)]
    means = {name: (score + scores[1][name]) / 2 for name, score in scores[0].items()}
    alone, both = (
        drop_lowest(each, dense[0].masks, fraction=0.5, floor=1).masks.digest() for each in (scores[0], means)
    )
    assert alone != both
    assert ranks[0]["first"][1]["masks"] == both


def test_what_one_process_has_lost_both_do_again(ranks):
    for rank in ranks:
        assert (rank["trainings"], rank["trainings again"]) == (5, 3)
        assert told(rank["again"]) == told(rank["first"])
