"""Recipes of pruning at initialisation on a subset of digits: untrained networks, controls, reports."""

import csv

import pytest
import torch
from tiny_vision import conducted

from pruning.loop.stored import KIND, cycle_file, stored_masks, stored_results
from pruning.masks.files import read_tensors
from pruning.models.registry import make_model
from pruning.studies.published.catalogue import find_recipe
from pruning.studies.vision.experiment import Job
from pruning.studies.vision.recipes.initial import SCORED
from pruning.studies.vision.run import read_points

NAME, SETTINGS = "init/lenet-mnist", {"width": 0.2, "subset": 150, "epochs": 1}
HOSTS = ("snip", "synflow")
ARMS = ("dense", "random", "snip", "snip-shuffled", "snip-reinit", "synflow", "ticket")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One seed of some variants of the recipe."""
    return conducted(NAME, tmp_path_factory.mktemp("initial") / "run", arms=ARMS, **SETTINGS)


def recipe():
    changes = {"data": "digits", "seeds": 1, "arms": ARMS, "training": {"epochs": 1}}
    return find_recipe(NAME).with_changes({**changes, "width": 0.2, "subset": 150})


def run_of(folder, arm, part=0):
    return folder / Job(arm, "", part, 0).folder


def initial():
    sizes = {"shape": (1, 8, 8), "classes": 10, "width": 0.2, "init": "kaiming-normal"}
    return make_model("lenet:300-100", **sizes, seed=0).state_dict()


def network_of(folder, cycle):
    tensors, _ = read_tensors(cycle_file(folder, cycle), KIND)
    return {
        name.removeprefix("network."): each for name, each in tensors.items() if name.startswith("network.")
    }


def test_what_is_pruned_is_untrained_and_trained_once(folder):
    for arm in ("dense", "random", *HOSTS):
        untrained, trained = stored_results(run_of(folder, arm))
        assert not untrained.training and trained.training["epochs"] == 1
        assert untrained.seconds.training == 0
    dense = stored_results(run_of(folder, "dense"))
    assert [result.density for result in dense] == [1, 1]
    weights = [network_of(folder / "networks" / "dense" / "seed-0", 0), initial()]
    assert not torch.equal(*(each["out.weight"] for each in weights))  # a ticket's dense network is trained


def test_each_part_drops_its_share(folder):
    for arm, each in recipe().arms.items():
        for part, share in enumerate(each.parts):
            last = stored_results(run_of(folder, arm, part))[-1]
            assert last.density == pytest.approx(1 - share, abs=2e-3), (arm, part)


def test_controls_have_the_host_s_counts_or_its_masks(folder):
    masks, shuffled, again = (
        stored_masks(run_of(folder, f"snip{suffix}"))[-1] for suffix in ("", "-shuffled", "-reinit")
    )
    assert again == masks != shuffled
    counts = [{name: int(each.sum()) for name, each in own.items()} for own in (masks, shuffled)]
    assert counts[0] == counts[1]


def test_a_new_initialisation_is_one_and_the_others_keep_theirs(folder):
    before = initial()["hidden.0.weight"]

    def drift(arm):
        weight = network_of(run_of(folder, arm), 1)["hidden.0.weight"]
        return float((weight - before)[weight != 0].abs().mean())

    assert drift("snip-reinit") > 3 * drift("snip")
    assert drift("snip") < 0.1 * float(before.abs().mean())


def test_synflow_prunes_in_rounds_so_that_no_layer_is_lost(folder):
    for part in range(3):
        assert all(mask.any() for mask in stored_masks(run_of(folder, "synflow", part))[-1].values())
    assert recipe().plan_of(recipe().arms["synflow"], 0, 0).scoring.rounds == 100


def test_untrained_networks_are_no_points(folder):
    points = read_points(recipe(), folder)
    assert {point.cycle for point in points if point.arm != "ticket"} == {1}
    assert {point.cycle for point in points if point.arm == "ticket"} == {0, 1}
    dense = [point for point in points if point.arm == "dense"]
    assert [point.density for point in dense] == [1.0]


def test_the_points_tell_what_masked_networks_would_cost(folder):
    with (folder / "points.csv").open() as file:
        rows = {(row["arm"], row["part"], row["cycle"]): row for row in csv.DictReader(file)}
    weights = sum(a * b for a, b in ((64, 60), (60, 20), (20, 10)))
    row = rows["snip", "1", "1"]
    kept = float(row["kept"]) * weights
    assert float(row["sparse macs"]) == pytest.approx(kept, abs=0.5)  # in linear layers each has one
    assert (
        float(row["inference cost"]) == float(row["training cost"]) == pytest.approx(kept / weights, rel=1e-4)
    )
    layers = [(float(row[f"kept {name}.weight"]), size) for name, size in SIZES.items()]
    assert sum(share * size for share, size in layers) == pytest.approx(kept, abs=0.5)
    for whole in (rows["ticket", "0", "0"], rows["dense", "0", "1"]):
        assert int(whole["sparse macs"]) == weights
        assert float(whole["inference cost"]) == float(whole["training cost"]) == 1


SIZES = {"hidden.0": 64 * 60, "hidden.1": 60 * 20, "out": 20 * 10}


def test_the_report_shows_no_untrained_network_as_the_dense_one(folder):
    report = (folder / "report.txt").read_text()
    table = report.split("test accuracy, %")[1].split("claims")[0]
    dense, shots = table.split("\n\n")[:2]
    assert "dense" in dense and "dense" not in shots
    lines = {line.split()[0]: line.split() for line in shots.splitlines() if line.split()}
    assert lines["%"][2:] == ["100", "10", "2", "1.01"]
    assert len(lines["snip"]) == 4 and len(lines["ticket"]) == 5  # only a ticket has a trained dense network


@pytest.mark.parametrize("name", ["init/lenet-mnist", "init/resnet32-cifar10", "init/vgg19-cifar10"])
def test_each_score_has_its_controls(name):
    arms = find_recipe(name).arms
    for host in SCORED:
        shuffled, again = arms[f"{host}-shuffled"], arms[f"{host}-reinit"]
        assert shuffled.follows == again.follows == host and shuffled.parts == again.parts == arms[host].parts
        assert (shuffled.shuffled, again.shuffled) == (True, False)
        assert again.plan == {**arms[host].plan, "restart": "reinit"} and shuffled.plan == arms[host].plan
