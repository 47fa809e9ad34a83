"""Data-parallel runs: two processes with different scores get the same masks."""

import pytest
import torch
from two_processes import in_two_processes

from pruning.masks.distributed import agreed, averaged
from pruning.masks.held import Masks
from pruning.masks.select import drop_lowest

WORKER = """
import json, sys
import torch
from torch import distributed
from pruning.masks.distributed import agreed, averaged
from pruning.masks.held import Masks
from pruning.masks.select import drop_lowest

rank, folder = int(sys.argv[1]), sys.argv[2]
meeting, out = f"{folder}/meeting", f"{folder}/{rank}.json"
torch.set_num_threads(1)
distributed.init_process_group("gloo", init_method="file://" + meeting, rank=rank, world_size=2)
torch.manual_seed(rank)
scores = {"a": torch.randn(40), "b": torch.randn(6, 10).half(), "none": torch.ones(0)}
if rank:
    scores["b"] = scores["b"].t().contiguous().t()  # another layout, the same entries
whole = Masks.ones({name: score.shape for name, score in scores.items()})
found = {"scores": {name: score.float().tolist() for name, score in scores.items()}}


def failed(call):
    try:
        call()
    except RuntimeError as error:
        return str(error)


means = averaged(scores)
found["types"] = {name: [str(mean.dtype), list(mean.shape)] for name, mean in means.items()}
found["means"] = {name: mean.float().tolist() for name, mean in means.items()}
found["counts"] = averaged({"a": torch.tensor([rank, 3])})["a"].tolist()
alone = drop_lowest(scores, whole, fraction=0.5).masks
found["alone"], found["agreed"] = alone.digest(), agreed(alone).digest()
found["order"] = list(agreed(alone))
found["from means"] = drop_lowest(means, whole, fraction=0.5).masks.digest()
found["other names"] = failed(lambda: averaged({str(rank): torch.ones(2)}))
found["other shapes"] = failed(lambda: agreed(Masks.ones({"a": (2 + rank,)})))
found["still"] = agreed(Masks({"a": torch.tensor([rank == 0, rank == 1])}))["a"].tolist()
found["nothing"] = [len(averaged({})), len(agreed(Masks({})))]
with open(out, "w") as file:
    json.dump(found, file)
distributed.destroy_process_group()
"""


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    """What two processes found, by rank."""
    return in_two_processes(WORKER, tmp_path_factory.mktemp("ranks"))


def test_each_process_alone_would_have_other_masks(ranks):
    assert ranks[0]["alone"] != ranks[1]["alone"]


def test_the_first_ones_masks_hold_for_all(ranks):
    assert ranks[0]["agreed"] == ranks[1]["agreed"] == ranks[0]["alone"]
    assert ranks[0]["order"] == ranks[1]["order"] == ["a", "b", "none"]
    assert ranks[0]["still"] == ranks[1]["still"] == [True, False]


def test_scores_are_averaged(ranks):
    assert ranks[0]["means"] == ranks[1]["means"]
    for name, tolerance in (("a", 1e-6), ("b", 1e-3)):
        both = torch.stack([torch.tensor(rank["scores"][name]) for rank in ranks])
        torch.testing.assert_close(
            torch.tensor(ranks[0]["means"][name]), both.mean(0), atol=tolerance, rtol=tolerance
        )
    assert ranks[0]["types"] == {
        "a": ["torch.float32", [40]],
        "b": ["torch.float16", [6, 10]],
        "none": ["torch.float32", [0]],
    }
    assert ranks[0]["counts"] == ranks[1]["counts"] == [0.5, 3.0]


def test_masks_from_the_means_are_the_same_everywhere(ranks):
    assert ranks[0]["from means"] == ranks[1]["from means"]
    means = {name: torch.tensor(values) for name, values in ranks[0]["means"].items()}
    whole = Masks.ones({name: mean.shape for name, mean in means.items()})
    assert drop_lowest(means, whole, fraction=0.5).masks.digest() == ranks[0]["from means"]


def test_processes_that_differ_fail_together_and_do_not_hang(ranks):
    for rank in ranks:
        assert rank["other names"] == "processes 1 have different names or shapes of scores than process 0"
        assert rank["other shapes"] == "processes 1 have different names or shapes of masks than process 0"


def test_nothing_to_exchange_is_nothing(ranks):
    assert ranks[0]["nothing"] == ranks[1]["nothing"] == [0, 0]


def test_a_process_alone_gets_back_what_it_gave():
    scores, masks = {"a": torch.tensor([1, 2])}, Masks.ones({"a": (2,)})
    assert averaged(scores) == scores
    assert averaged(scores)["a"] is scores["a"]
    assert agreed(masks) is masks
