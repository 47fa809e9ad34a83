"""The pruning loop on a toy task: counts, restarts, resuming, stopping, and what it refuses."""

import copy
from dataclasses import astuple, replace
from itertools import pairwise

import pytest
import torch
from toy_task import Toy, ToyTask

from pruning.channels.groups import find_groups
from pruning.channels.removal import shrink
from pruning.criteria.scores import CRITERIA, Criterion, gradient
from pruning.loop.cycles import run
from pruning.loop.endings import ending
from pruning.loop.plan import Plan
from pruning.loop.results import GridSearch, Seconds
from pruning.loop.stored import KIND, cycle_file, stored_masks, stored_results, stored_weights
from pruning.masks.files import read_tensors, write_tensors
from pruning.masks.held import Masks, apply, hold_at_zero, weight_masks

STREAM = ("stem", "inner", "hidden")
WEIGHTS = {
    f"{name}.weight": module.weight.numel() for name, module in Toy().named_children() if "norm" not in name
}


def pruned(folder, plan, task=None):
    """The task after a run, its results, and its levels."""
    task = task or ToyTask()
    levels = []
    results = run(task, plan, folder, levels.append)
    return task, results, levels


def comparable(folder):
    """All that a run has written but the seconds."""
    found = {}
    for path in sorted(folder.glob("*.safetensors")):
        tensors, header = read_tensors(path, KIND)
        header.get("result", {}).pop("seconds", None)
        found[path.name] = tensors, header
    return found


def same_runs(one, other):
    found, wanted = comparable(one), comparable(other)
    assert found.keys() == wanted.keys()
    for name, (tensors, header) in found.items():
        assert header == wanted[name][1]
        assert tensors.keys() == wanted[name][0].keys()
        assert all(torch.equal(tensor, wanted[name][0][key]) for key, tensor in tensors.items())


def equal_states(one, other):
    assert one.keys() == other.keys()
    return all(torch.equal(one[name], other[name]) for name in one)


def enforced(level):
    """The weight masks of a level."""
    if level.removable is None and set(level.masks) <= set(WEIGHTS):
        return level.masks
    return weight_masks(level.groups, level.masks, level.network)


def by_fraction(sizes, cycles):
    """What is left after each cycle where each drops a fifth, in each of several parts."""
    found = [list(sizes)]
    for _ in range(cycles):
        found.append([size - max(1, int(0.2 * size)) for size in found[-1]])
    return found


@pytest.mark.parametrize("criterion", ["dropnet", "random"])
def test_each_cycle_drops_a_fifth_of_all_units(tmp_path, criterion):
    _, results, levels = pruned(tmp_path, Plan.from_settings(criterion=criterion, cycles=6))
    kept = [sum(each) for each in by_fraction([19], 6)]
    assert kept == [19, 16, 13, 11, 9, 8, 7]
    assert [result.kept for result in results] == kept
    assert [result.density for result in results] == pytest.approx([each / 19 for each in kept])
    assert [result.asked for result in results] == [0, 3, 3, 2, 2, 1, 1]
    assert [result.got for result in results] == [0, 3, 3, 2, 2, 1, 1]
    assert [result.cycle for result in results] == list(range(7))
    for result, level in zip(results, levels, strict=True):
        assert result.masks == level.masks.digest()
        assert result.layers == {name: (int(m.sum()), len(m)) for name, m in level.masks.items()}
    for before, after in pairwise(levels):
        assert after.masks.within(before.masks)


def test_each_layer_loses_a_fifth_of_its_own(tmp_path):
    _, results, _ = pruned(tmp_path, Plan.from_settings(scope="layer", cycles=3))
    wanted = by_fraction([6, 5, 8], 3)
    assert [[kept for kept, _ in result.layers.values()] for result in results] == wanted
    assert [tuple(result.layers) for result in results] == [STREAM] * 4


@pytest.mark.parametrize("criterion", ["magnitude", "gradient", "gradient-magnitude", "random-weights"])
@pytest.mark.parametrize("trained", [False, True])
def test_weights_are_counted_exactly_and_stay_zero(tmp_path, criterion, trained):
    plan = Plan.from_settings(criterion=criterion, cycles=3, schedule_options={"lr": 0.1})
    _, results, levels = pruned(tmp_path, plan, ToyTask(trained=trained))
    whole = sum(WEIGHTS.values())
    assert [[result.kept] for result in results] == by_fraction([whole], 3)
    for level in levels:
        assert dict(level.masks.shapes).keys() == WEIGHTS.keys()
        assert level.removable is None
        tensors = dict(level.network.named_parameters())
        assert sum(int((tensors[name] != 0).sum()) for name in WEIGHTS) == level.masks.kept
        assert all(not tensors[name][~mask].any() for name, mask in level.masks.items())


def test_a_number_can_be_dropped_instead_until_nothing_is_left(tmp_path):
    _, results, _ = pruned(tmp_path / "units", Plan.from_settings(count=4, cycles=9))
    assert [result.kept for result in results] == [19, 15, 11, 7, 3]
    assert [(result.asked, result.got) for result in results] == [(0, 0)] + [(4, 4)] * 4
    assert (results[-1].asks_next, results[-1].dropped_next) == (4, 0)
    _, results, _ = pruned(tmp_path / "few", Plan.from_settings(count=7, cycles=9, floor=2))
    assert [result.kept for result in results] == [19, 12, 6]
    assert (results[-1].asked, results[-1].got) == (7, 6)


def test_layers_keep_multiples_until_each_has_one(tmp_path):
    """By hand: of 6, 5, 8 a fifth leaves 5, 4, 7, and of 4, 4, 8 it leaves 3, 3, 7: 16 and nearly 12."""
    plan = Plan.from_settings(scope="layer", round_to=4, cycles=9)
    task, results, levels = pruned(tmp_path, plan)
    assert [[result.layers[name][0] for name in STREAM] for result in results] == [
        [6, 5, 8],
        [4, 4, 8],
        [4, 4, 4],
    ]
    assert [(result.asked, result.got) for result in results] == [(0, 0), (3, 3), (3, 4)]
    assert results[1].density == 16 / 19
    over = ending(plan, task.measure, results)
    assert (
        over.early and over.reason == "nothing more can be pruned: each layer keeps at least 4, or all it has"
    )
    assert levels[2].removable == levels[2].masks


def test_nothing_is_dropped_with_fraction_0(tmp_path):
    task, results, levels = pruned(tmp_path, Plan.from_settings(fraction=0.0, cycles=3))
    assert [result.density for result in results] == [1.0] * 4
    assert [(result.asked, result.got) for result in results] == [(0, 0)] * 4
    assert len(task.starts) == 4
    assert equal_states(task.starts[1], levels[0].network.state_dict())


def test_layers_can_be_left_out(tmp_path):
    _, results, levels = pruned(tmp_path, Plan.from_settings(exclude=("st*", "hidden"), cycles=2))
    assert [result.layers for result in results] == [{"inner": (kept, 5)} for kept in (5, 4, 3)]
    assert levels[-1].network.stem.weight.all()
    with pytest.raises(ValueError, match="exclude matches no layer: 'out'; layers are stem, inner, hidden"):
        pruned(tmp_path / "outputs", Plan.from_settings(exclude=("out",)))
    with pytest.raises(ValueError, match="every layer is excluded"):
        pruned(tmp_path / "all", Plan.from_settings(exclude=("*",)))


@pytest.mark.parametrize("criterion", ["magnitude", "dropnet"])
@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_kept_weights_are_rewound_bit_for_bit(tmp_path, criterion, trained, share):
    plan = Plan.from_settings(criterion=criterion, restart="rewind", rewind_to=share, cycles=2)
    task, _, levels = pruned(tmp_path, plan, ToyTask(trained=trained))
    early = task.build(None)
    if share:
        early.load_state_dict(task.states[0][1])  # after two steps of the four of a dense training
        assert not equal_states(early.state_dict(), task.build(None).state_dict())
        assert equal_states(read_tensors(tmp_path / "rewind.safetensors", KIND)[0], early.state_dict())
    for start, level in zip(task.starts[-2:], levels[-2:], strict=True):
        wanted = copy.deepcopy(early)
        if level.removable is not None:
            wanted, _ = shrink(wanted, level.groups, level.removable)
        else:
            apply(wanted, enforced(level))
        assert equal_states(start, wanted.state_dict())  # statistics of the normalisations too


@pytest.mark.parametrize("criterion", ["magnitude", "dropnet"])
def test_kept_weights_go_on_from_the_cycle_before(tmp_path, criterion):
    task, _, levels = pruned(tmp_path, Plan.from_settings(criterion=criterion, cycles=2))
    for start, before, level in zip(task.starts[1:], levels, levels[1:], strict=False):
        wanted = copy.deepcopy(before.network)
        if level.removable is not None:
            wanted, _ = shrink(wanted, level.groups, level.removable)
        else:
            apply(wanted, enforced(level))
        assert equal_states(start, wanted.state_dict())


def test_new_weights_are_drawn_in_each_cycle_and_pruned(tmp_path):
    task, _, levels = pruned(tmp_path, Plan.from_settings(criterion="magnitude", restart="reinit", cycles=2))
    whole = [task.build(None).state_dict(), *task.starts[1:]]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        both = levels[max(one, other)].masks["stem.weight"]
        assert (whole[one]["stem.weight"] != whole[other]["stem.weight"])[both].all()
    for start, level in zip(task.starts[1:], levels[1:], strict=True):
        assert torch.equal(start["inner.weight"] != 0, level.masks["inner.weight"])
        assert not start["stem_norm.running_mean"].any()


def test_a_rewound_cycle_does_the_rest_of_the_training(tmp_path):
    plan = Plan.from_settings(
        criterion="magnitude",
        restart="rewind",
        rewind_to=0.5,
        cycles=1,
        schedule="linear",
        schedule_options={"lr": 0.1},
    )
    task, _, _ = pruned(tmp_path, plan)
    dense, early, rewound = task.lrs
    assert dense == pytest.approx([0.1, 0.075, 0.05, 0.025])
    assert (early, rewound) == (dense[:2], dense[2:])


def test_a_change_of_weights_is_that_of_the_last_epoch_of_one_more_training(tmp_path, monkeypatch):
    task, seen = ToyTask(trained=True), []
    criterion = Criterion(
        lambda evidence: seen.append(evidence) or gradient(evidence), "weights", before=True
    )
    monkeypatch.setitem(CRITERIA, "gradient", criterion)
    plan = Plan.from_settings(criterion="gradient", cycles=1, schedule_options={"lr": 0.1})
    _, _, levels = pruned(tmp_path, plan, task)
    assert equal_states(levels[0].network.state_dict(), task.dense().state_dict())
    more = task.states[0]  # of the training that is not kept
    for name, score in gradient(seen[0]).items():
        torch.testing.assert_close(score, (more[-1][name] - more[-2][name]).abs(), rtol=0, atol=1e-12)


def test_each_cycle_has_its_own_learning_rate(tmp_path):
    options = {"epsilon": 0.01, "delta": 0.02}
    plan = Plan.from_settings(schedule="silo-step", schedule_options=options, cycles=5)
    task, _, _ = pruned(tmp_path, plan)
    peaks = [max(lrs) for lrs in task.lrs]
    assert peaks[:4] == [peaks[0]] * 4 and peaks[4:] == pytest.approx([3 * peaks[0]] * 2)


def test_a_training_that_does_not_hold_is_an_error(tmp_path):
    plan = Plan.from_settings(criterion="magnitude", cycles=2, schedule_options={"lr": 0.1})
    with pytest.raises(ValueError, match=r"did not keep \S+.weight at zero: it must call hold"):
        pruned(tmp_path, plan, ToyTask(holds=False))
    assert len(stored_results(tmp_path)) == 1


@pytest.mark.parametrize(
    ("optimizer", "round_to"), [(torch.optim.SGD, 1), (torch.optim.AdamW, 1), (torch.optim.SGD, 4)]
)
def test_training_without_the_cut_channels_is_training_with_them_at_zero(tmp_path, optimizer, round_to):
    plan = Plan.from_settings(cycles=3, schedule_options={"lr": 0.05}, round_to=round_to)
    task, results, levels = pruned(tmp_path, plan, ToyTask(optimizer=optimizer))
    groups = find_groups(task.build(None), task.example)
    for before, level in pairwise(levels):
        network = copy.deepcopy(before.network)
        masks = weight_masks(groups, level.masks, network)
        other = ToyTask(optimizer=optimizer)
        other.train(
            network,
            lambda made, network=network, masks=masks: hold_at_zero(network, made, masks),
            plan.lr(level.cycle),
            plan.seed_of(level.cycle),
        )
        assert len(task.starts[level.cycle]["stem.weight"]) == int(level.masks["stem"].sum())
        for (name, found), wanted in zip(level.network.named_parameters(), network.parameters(), strict=True):
            torch.testing.assert_close(found, wanted, rtol=0, atol=1e-10, msg=name)
        quality = other.evaluate(network.eval())["quality"]
        assert results[level.cycle].measures["quality"] == pytest.approx(quality, abs=1e-10)


PLANS = {
    "dropnet": Plan.from_settings(cycles=3),
    "random, reinit": Plan.from_settings(criterion="random", restart="reinit", cycles=3),
    "gradient": Plan.from_settings(criterion="gradient", cycles=3),
    "magnitude, rewind": Plan.from_settings(criterion="magnitude", restart="rewind", rewind_to=0.5, cycles=3),
    "grid": Plan.from_settings(grid=(0.01, 0.1), cycles=3),
}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The folders of the runs of PLANS in one go."""
    folders = {}
    for name, plan in PLANS.items():
        folders[name] = tmp_path_factory.mktemp("whole")
        run(ToyTask(), plan, folders[name])
    return folders


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("where", ["first", "training", "publish", "progress"])
def test_a_killed_run_goes_on_to_the_same_end(tmp_path, uninterrupted, name, where):
    plan = PLANS[name]
    trainings = {"first": 0, "training": 3}

    def stop(cycle):
        if cycle == 2:
            raise KeyboardInterrupt

    killed = ToyTask(fails=trainings.get(where))
    published, counted = [], []
    with pytest.raises(KeyboardInterrupt):
        run(
            killed,
            plan,
            tmp_path,
            lambda level: stop(level.cycle) if where == "publish" else published.append(level.cycle),
            lambda result: stop(result.cycle) if where == "progress" else counted.append(result.cycle),
        )
    finished = len(stored_results(tmp_path))
    assert finished == {"first": 0, "publish": 2, "progress": 3}.get(where, finished) < 4
    task = ToyTask()
    levels = []
    run(task, plan, tmp_path, levels.append)
    assert [level.cycle for level in levels] == list(range(finished, 4))
    same_runs(tmp_path, uninterrupted[name])


def test_a_finished_run_trains_nothing_and_can_be_extended(tmp_path, uninterrupted):
    task, results, _ = pruned(tmp_path, Plan.from_settings(cycles=1))
    assert len(task.starts) == 2
    again, same, none = pruned(tmp_path, Plan.from_settings(cycles=1))
    assert (again.starts, none, same) == ([], [], results)
    extended, _, _ = pruned(tmp_path, Plan.from_settings(cycles=3))
    assert len(extended.starts) == 2
    for name in ("cycle-02.safetensors", "cycle-03.safetensors"):
        one, other = (read_tensors(folder / name, KIND)[0] for folder in (tmp_path, uninterrupted["dropnet"]))
        assert equal_states(one, other)
    assert stored_results(tmp_path)[:2] == results
    fewer = pruned(tmp_path, Plan.from_settings(cycles=1))[1]
    assert fewer == results


def test_a_folder_of_another_plan_is_refused(tmp_path):
    pruned(tmp_path, Plan.from_settings(cycles=1))
    with pytest.raises(ValueError, match=r"another plan: fraction is 0.2 there, 0.5 here"):
        pruned(tmp_path, Plan.from_settings(cycles=1, fraction=0.5))
    with pytest.raises(ValueError, match=r"another plan: schedule_options is \{\} there, \{'lr': 0.2\} here"):
        pruned(tmp_path, Plan.from_settings(cycles=1, schedule_options={"lr": 0.2}))
    pruned(tmp_path, Plan.from_settings(cycles=2, kappa=0.1, until_density=0.1))


def test_a_corrupt_cycle_is_refused(tmp_path):
    pruned(tmp_path, Plan.from_settings(cycles=2))
    path = cycle_file(tmp_path, 1)
    path.write_bytes(path.read_bytes()[:-20])
    for again in (lambda: pruned(tmp_path, Plan.from_settings(cycles=2)), lambda: stored_results(tmp_path)):
        with pytest.raises(ValueError, match=r"cycle-01\.safetensors is corrupt"):
            again()
    path.unlink()
    assert len(stored_results(tmp_path)) == 1


def test_a_run_stops_at_a_density(tmp_path):
    _, results, _ = pruned(tmp_path, Plan.from_settings(until_density=0.5, cycles=9))
    assert [result.kept for result in results] == [19, 16, 13, 11, 9]
    _, results, _ = pruned(tmp_path / "exactly", Plan.from_settings(until_density=11 / 19, cycles=9))
    assert [result.kept for result in results] == [19, 16, 13, 11]


def test_a_run_stops_one_cycle_after_the_fall(tmp_path):
    values = [0.8, 0.9, 0.41, 0.4, 0.7, 0.7]
    _, results, _ = pruned(tmp_path, Plan.from_settings(kappa=0.5, cycles=9), ToyTask(values=values))
    assert [result.measures["quality"] for result in results] == values[:5]


def test_global_selection_can_empty_a_layer_or_stops_at_a_floor(tmp_path):
    def small_inner():
        task = ToyTask(trained=True)
        build = task.build

        def made(seed):
            network = build(seed)
            network.inner.weight.data.mul_(1e-3)
            return network

        task.build = made
        return task

    plan = {"criterion": "l1", "count": 6, "cycles": 2, "schedule_options": {"lr": 1e-6}}
    _, results, levels = pruned(tmp_path / "0", Plan.from_settings(**plan, floor=0), small_inner())
    assert results[1].layers["inner"] == (0, 5) and results[1].got == 6
    assert levels[1].removable is None and levels[2].removable is None
    assert not levels[2].network.inner.weight.any() and not levels[2].network.back.weight.any()
    assert results[2].kept == 7
    _, results, levels = pruned(tmp_path / "1", Plan.from_settings(**plan), small_inner())
    assert results[1].layers["inner"] == (1, 5) and results[1].got == 6
    assert levels[1].removable == levels[1].masks


def test_layers_before_an_addition_can_be_masked_each_alone(tmp_path):
    task, results, levels = pruned(tmp_path, Plan.from_settings(coupled=False, scope="layer", cycles=2))
    assert [kept for kept, _ in results[2].layers.values()] == [4, 3, 4, 6]
    assert tuple(results[2].layers) == ("stem", "inner", "back", "hidden")
    assert levels[2].removable is None
    network, masks = levels[2].network, levels[2].masks
    assert torch.equal(network.back_norm.weight != 0, masks["back"])
    assert torch.equal(network.stem_norm.weight != 0, masks["stem"])
    assert len(task.starts[2]["stem.weight"]) == 6


def test_of_a_grid_the_best_goes_on(tmp_path):
    plan = Plan.from_settings(grid=(0.1, 0.2, 0.3, 0.4), tolerance=0.05, cycles=1)
    values = [0.5, 0.5, 0.5, 0.6, 0.52, 0.7, 0.66, 0.65]
    task, results, levels = pruned(tmp_path, plan, ToyTask(values=values))
    assert task.lrs == [[lr] * 4 for _ in range(2) for lr in plan.learning_rate.grid]
    first, second = results
    assert first.grid == GridSearch(((0.1, 0.5), (0.2, 0.5), (0.3, 0.5), (0.4, 0.6)), 0.4, (0.4, 0.4))
    assert first.measures["quality"] == 0.6
    assert (second.grid.best, second.grid.interval, second.measures["quality"]) == (0.2, (0.2, 0.4), 0.7)
    for level, chosen in zip(levels, (task.states[3][-1], task.states[5][-1]), strict=True):
        whole = (
            level.network if level.removable is None else shrink(level.network, level.groups, level.masks)[0]
        )
        assert equal_states(whole.state_dict(), chosen)
    # all of them have begun alike
    assert all(equal_states(task.starts[4], start) for start in task.starts[5:])


def test_a_rate_whose_measure_is_no_number_is_not_the_best(tmp_path):
    plan = Plan.from_settings(grid=(0.1, 0.2, 0.3), cycles=0)
    _, results, _ = pruned(tmp_path, plan, ToyTask(values=[float("nan"), 0.4, 0.39]))
    assert (results[0].grid.best, results[0].grid.interval) == (0.2, (0.2, 0.2))


def test_only_the_seed_tells_two_runs_apart(tmp_path):
    for name, seed in (("one", 1), ("same", 1), ("other", 2)):
        pruned(tmp_path / name, Plan.from_settings(criterion="random", seed=seed, cycles=2))
    same_runs(tmp_path / "one", tmp_path / "same")
    one, other = (stored_results(tmp_path / name) for name in ("one", "other"))
    assert one[1].masks != other[1].masks
    assert one[0].measures["quality"] != other[0].measures["quality"]


def test_seconds_are_told_apart(tmp_path):
    _, results, _ = pruned(tmp_path, Plan.from_settings(cycles=1))
    for result in results:
        assert all(seconds > 0 for seconds in astuple(result.seconds))
        assert result.seconds.total == sum(astuple(result.seconds))


def test_the_task_is_not_changed_by_a_run(tmp_path):
    task = ToyTask(trained=True)
    before = copy.deepcopy(task.dense().state_dict())
    pruned(tmp_path, Plan.from_settings(cycles=1), task)
    assert equal_states(task.dense().state_dict(), before)
    assert not task.starts[0]["stem.weight"].isnan().any() and len(task.starts) == 1


def test_what_was_asked_and_what_is_left_are_in_the_files_too(tmp_path):
    _, results, levels = pruned(tmp_path, Plan.from_settings(cycles=2))
    assert stored_results(tmp_path) == results
    for cycle in range(2):
        tensors, header = read_tensors(cycle_file(tmp_path, cycle), KIND)
        following = Masks({name: tensors[f"next.{name}"] for name in STREAM})
        assert following == levels[cycle + 1].masks
        assert header["plan"]["criterion"] == "dropnet"


HOST = Plan.from_settings(criterion="magnitude", restart="rewind", cycles=3, schedule_options={"lr": 0.1})


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """The folder of a run that chooses masks, and its levels."""
    folder = tmp_path_factory.mktemp("host")
    return folder, pruned(folder, HOST)[2]


def networks(folder):
    """What each file of a run says of its network."""
    return [
        {name: tensor for name, tensor in tensors.items() if name.startswith("network.")}
        for tensors, _ in comparable(folder).values()
    ]


def test_what_a_run_kept_and_its_last_weights_are_found_again(host):
    folder, levels = host
    assert stored_masks(folder) == [level.masks for level in levels]
    assert equal_states(stored_weights(folder), levels[-1].network.state_dict())


@pytest.mark.parametrize("restart", ["rewind", "reinit", "keep"])
def test_given_masks_are_kept_in_each_cycle(tmp_path, host, restart):
    given = stored_masks(host[0])
    plan = HOST.with_settings(restart=restart, criterion="random-weights", fraction=0.5, kappa=1.0, cycles=1)
    task, levels = ToyTask(), []
    results = run(task, plan, tmp_path, levels.append, given=given)
    assert [level.masks for level in levels] == given  # all of them, whatever the plan says
    assert [result.kept for result in results] == [masks.kept for masks in given]
    of_host = stored_results(host[0])
    for name in ("asked", "got", "density", "masks", "layers"):
        assert [getattr(result, name) for result in results] == [getattr(each, name) for each in of_host]
    for start, masks in zip(task.starts[1:], given[1:], strict=True):
        assert all(not start[name][~mask].any() for name, mask in masks.items())


def test_a_run_that_is_given_its_own_choice_is_the_same_run(tmp_path, host):
    run(ToyTask(), HOST, tmp_path, given=stored_masks(host[0]))
    pairs = zip(networks(tmp_path), networks(host[0]), strict=True)
    assert all(equal_states(one, other) for one, other in pairs)


@pytest.mark.parametrize("criterion", ["dropnet", "magnitude"])
def test_a_run_of_given_masks_goes_on_when_more_are_given(tmp_path, criterion):
    plan = Plan.from_settings(criterion=criterion, cycles=3)
    run(ToyTask(), plan, tmp_path / "host")
    given = stored_masks(tmp_path / "host")
    again = plan.with_settings(restart="reinit")
    for folder, parts in (("whole", [4]), ("parts", [1, 2, 4, 4])):
        for number in parts:
            results = run(ToyTask(), again, tmp_path / folder, given=given[:number])
            assert len(results) == number
    pairs = zip(networks(tmp_path / "whole"), networks(tmp_path / "parts"), strict=True)
    assert all(equal_states(one, other) for one, other in pairs)
    one, other = (stored_results(tmp_path / folder) for folder in ("whole", "parts"))
    for name in ("asked", "got", "masks", "measures"):
        assert [getattr(result, name) for result in one] == [getattr(result, name) for result in other]


def test_other_masks_than_those_given_before_are_refused(tmp_path, host):
    given = stored_masks(host[0])
    run(ToyTask(), HOST, tmp_path, given=given[:3])
    shuffled = [Masks({name: mask.flip(0) for name, mask in masks.items()}) for masks in given]
    with pytest.raises(ValueError, match=r"cycle-01\.safetensors has other masks than the given ones"):
        run(ToyTask(), HOST, tmp_path, given=shuffled)
    with pytest.raises(ValueError, match="first of the given masks must keep everything"):
        run(ToyTask(), HOST, tmp_path / "late", given=given[1:])
    with pytest.raises(
        ValueError, match="given masks do not fit: expected the names and shapes of the layers that the plan"
    ):
        run(ToyTask(), Plan.from_settings(criterion="dropnet"), tmp_path / "units", given=given)


@pytest.mark.parametrize("name", PLANS)
def test_a_thin_run_keeps_the_weights_of_its_last_network_alone(tmp_path, uninterrupted, name):
    whole = uninterrupted[name]
    run(ToyTask(), PLANS[name].with_settings(cycles=1), tmp_path, thin=True)
    assert [bool(state) for state in networks_of_cycles(tmp_path)] == [False, True]
    run(ToyTask(), PLANS[name], tmp_path, thin=True)  # and goes on from them
    assert [bool(state) for state in networks_of_cycles(tmp_path)] == [False] * 3 + [True]
    assert equal_states(networks_of_cycles(tmp_path)[-1], networks_of_cycles(whole)[-1])
    assert stored_masks(tmp_path) == stored_masks(whole)
    assert equal_states(stored_weights(tmp_path), stored_weights(whole))
    without = [replace(result, seconds=Seconds()) for result in stored_results(tmp_path)]
    assert without == [replace(result, seconds=Seconds()) for result in stored_results(whole)]


def networks_of_cycles(folder):
    """The networks in the files of cycles, without early weights."""
    paths = sorted(folder.glob("cycle-*.safetensors"))
    return [
        {name: tensor for name, tensor in read_tensors(path, KIND)[0].items() if name.startswith("network.")}
        for path in paths
    ]


@pytest.mark.parametrize("name", PLANS)
def test_a_killed_thin_run_goes_on_to_the_same_end(tmp_path, uninterrupted, name):
    with pytest.raises(KeyboardInterrupt):
        run(ToyTask(fails=3), PLANS[name], tmp_path, thin=True)
    assert 1 <= len(stored_results(tmp_path)) < 4
    run(ToyTask(), PLANS[name], tmp_path, thin=True)
    assert equal_states(stored_weights(tmp_path), stored_weights(uninterrupted[name]))
    assert stored_masks(tmp_path) == stored_masks(uninterrupted[name])


def test_a_folder_without_cycles_or_with_other_masks_in_a_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match="holds no finished cycle"):
        stored_masks(tmp_path)
    with pytest.raises(ValueError, match="is not a file"):
        stored_weights(tmp_path)
    pruned(tmp_path, Plan.from_settings(cycles=2))
    path = cycle_file(tmp_path, 0)
    tensors, header = read_tensors(path, KIND)
    tensors["next.stem"] = ~tensors["next.stem"]
    write_tensors(path, tensors, KIND, header)
    with pytest.raises(ValueError, match=r"cycle-01\.safetensors is corrupt: its masks do not match"):
        stored_masks(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"criterion": "dropnets"}, "criterion must be one of magnitude, .*oracle.*, got 'dropnets'"),
        ({"scope": "row"}, "scope must be one of global, layer, got 'row'"),
        ({"restart": "start"}, "restart must be one of keep, rewind, reinit, got 'start'"),
        ({"fraction": 1.0}, "fraction must be at least 0 and below 1, got 1.0"),
        ({"fraction": float("nan")}, "fraction must be at least 0"),
        ({"count": 0}, "count must be a whole number, at least 1, got 0"),
        (
            {"count": 5, "fraction": 0.3},
            "count and fraction exclude each other: got count 5 and fraction 0.3",
        ),
        ({"rewind_to": 1.5}, "rewind_to must be at least 0 and below 1, got 1.5"),
        ({"until_density": -1.0}, "until_density must be 0 to 1, got -1.0"),
        ({"kappa": 2.0}, "kappa must be 0 to 1, got 2.0"),
        ({"cycles": -1}, "cycles must be a whole number, at least 0, got -1"),
        ({"round_to": 0}, "round_to must be a whole number, at least 1, got 0"),
        (
            {"round_to": 8, "criterion": "magnitude"},
            "round_to needs a criterion that scores units, 'magnitude' scores weights",
        ),
        ({"round_to": 8, "rounds": 2}, "round_to needs one round: rounds must be 1, got 2"),
        ({"round_to": 8, "coupled": False}, "round_to needs coupled channels.* must be True, got False"),
        (
            {
                **{"round_to": 8, "criterion": "greedy-forward", "scope": "layer"},
                "criterion_options": {"tolerance": 0.02},
            },
            "and so does tolerance: tolerance must be None, got 0.02",
        ),
        ({"floor": -1}, "floor must be a whole number, at least 0, got -1"),
        ({"seed": -1}, "seed must be a whole number, at least 0, got -1"),
        ({"tolerance": float("nan")}, "tolerance must be at least 0, got nan"),
        ({"grid": (0.1, 0.0)}, "grid must hold learning rates above 0, got 0.0"),
        ({"schedule": "sillo"}, "unknown schedule 'sillo'"),
        ({"schedule": "silo", "grid": (0.1,)}, "grid needs a schedule whose peak is lr: .*silo"),
        ({"schedule_options": {"lr": -1.0}}, "lr .*got -1"),
    ],
)
def test_a_wrong_plan_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Plan.from_settings(**options)


def test_more_than_the_largest_layer_cannot_be_a_multiple(tmp_path):
    with pytest.raises(ValueError, match="round_to must be below the size of the largest layer, 8, got 8"):
        pruned(tmp_path, Plan.from_settings(round_to=8))


def test_units_chosen_one_by_one_are_multiples_too(tmp_path):
    plan = Plan.from_settings(criterion="greedy-local", scope="layer", fraction=0.5, round_to=4, cycles=1)
    _, results, _ = pruned(tmp_path, plan)
    assert results[1].layers == {"inner": (4, 5), "hidden": (4, 8)}
