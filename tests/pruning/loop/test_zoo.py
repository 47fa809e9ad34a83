"""Networks of other people: each is pruned, or refused with a ValueError of one line; never another error."""

import logging
import warnings
from dataclasses import replace

import pytest
import torch
from zoo import NETWORKS, ZooTask

from pruning.loop import KIND, Plan, cycle_file, prunable, run, stored_masks, stored_weights
from pruning.loop.prunable import _say
from pruning.loop.results import NEWER
from pruning.masks import read_tensors, write_tensors

REFUSED = {
    "prune": "the module '0' .Linear. has a computed 'weight', as torch.nn.utils.prune",
    "old weight_norm": "the module '0' .Linear. has a computed 'weight'",
    "old spectral_norm": "the module '0' .Linear. has a computed 'weight'",
    "compiled": "the network .OptimizedModule. is compiled by torch.compile",
    "scripted": "the network .RecursiveScriptModule. is scripted or traced by torch.jit",
    "meta": "the module '0' .Linear. has tensors on the meta device",
    "lazy": "the module '0' .LazyLinear. has lazy parameters without a shape",
    "no layers": "nothing to prune: no layer can be pruned .the network has none.",
}
"""The networks that no plan can prune."""
FIXED = ("one layer", "tied", "tied linear", "attention", "lstm", "unet", "series", "volumes", "bilinear")
"""The networks of which no channels can be pruned yet, each with a reason."""
PLANS = {
    "gradient": {"criterion": "gradient"},
    "grasp": {"criterion": "grasp", "untrained": True},
    "synflow": {"criterion": "synflow", "untrained": True, "rounds": 2},
    "rigl": {
        **{"criterion": "random-weights", "allocation": "erk", "untrained": True},
        **{"topology": "rigl", "topology_options": {"every": 1}},
    },
    "taylor": {"criterion": "taylor"},
    "greedy-global": {
        **{"criterion": "greedy-global", "scope": "layer"},
        "criterion_options": {"samples": 6, "batch": 3, "corrections": 1},
    },
}
UNITS = ("taylor", "greedy-global")


@pytest.fixture(autouse=True)
def _quiet(caplog):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_pruned_or_refused_in_one_line(tmp_path, name):
    for label, settings in PLANS.items():
        plan = Plan.from_settings(fraction=0.5, cycles=1, **settings)
        task, folder = ZooTask(name), tmp_path / label
        reason = REFUSED.get(name, "")
        if label in UNITS and name in FIXED:
            reason = "nothing to prune: no layer can be pruned "
        elif label in UNITS and name == "by branch":
            reason = "Of cannot be traced: symbolically traced variables"
        elif label == "rigl" and name == "frozen":
            reason = "'0.weight' is not trained, so no weight can grow in it"
        elif label == "greedy-global" and name == "inverted":
            reason = "nothing to prune: every layer is excluded or left out .stem: made by several layers"
        if reason:
            with pytest.raises(ValueError, match=reason) as error:
                run(task, plan, folder)
            assert "\n" not in str(error.value)
            continue
        last = run(task, plan, folder)[-1]
        assert last.kept < last.prunable and 0 < last.density_of_all < 1
        network = task.build(None)
        network.load_state_dict(stored_weights(folder))
        if label not in UNITS:
            for weight, mask in stored_masks(folder)[-1].items():
                assert not network.get_parameter(weight)[~mask].any()


@pytest.mark.parametrize("kind", ["tuple", "dict"])
def test_an_example_that_is_no_tensor_is_refused(tmp_path, kind):
    example = (torch.rand(2, 8), torch.rand(2, 8)) if kind == "tuple" else {"x": torch.rand(2, 8)}
    for criterion in ("magnitude", "dropnet"):
        with pytest.raises(ValueError, match=rf"the task's example must be one tensor .*, got a {kind}"):
            run(ZooTask("mlp", example), Plan.from_settings(criterion=criterion), tmp_path)


def test_batches_that_are_no_sequences_are_refused(tmp_path):
    class ByName(ZooTask):
        def batches(self):
            return [{"x": self.inputs}]

        sample = batches

    for criterion in ("snip", "dropnet"):
        with pytest.raises(ValueError, match=r"a batch must be a list or tuple of tensors.*got a dict"):
            run(ByName("mlp"), Plan.from_settings(criterion=criterion, cycles=1), tmp_path / criterion)


def test_an_error_inside_a_criterion_names_it(tmp_path):
    class Failing(ZooTask):
        def loss(self, network, batch):
            if not isinstance(network, torch.nn.Module):
                raise RuntimeError("no\nmemory")
            return super().loss(network, batch)

    with pytest.raises(ValueError, match=r"criterion 'snip' failed on Sequential: RuntimeError: no$"):
        run(Failing("mlp"), Plan.from_settings(criterion="snip", cycles=1), tmp_path)


def test_what_is_left_out_is_in_the_result_and_said_once(tmp_path, caplog):
    _say.cache_clear()
    plan = Plan.from_settings(criterion="magnitude", fraction=0.5, cycles=1, exclude=("out*",))
    with caplog.at_level(logging.WARNING, "pruning"):
        last = run(ZooTask("lstm"), plan, tmp_path / "a")[-1]
        run(ZooTask("lstm"), plan, tmp_path / "b")
    why = "an embedding, pruned on request (embeddings)"
    assert last.left_out == {"e.weight": why, "out.weight": "excluded by the plan"}
    assert [record.getMessage() for record in caplog.records] == [f"left out of pruning: e.weight ({why})"]
    weights = {"e": 11 * 8, "lstm": 24 * 8 + 24 * 6, "out": 3 * 6}
    assert last.prunable == weights["lstm"] and last.density == 0.5
    assert last.density_of_all == pytest.approx(1 - 168 / sum(weights.values()))
    assert (tmp_path / "a" / "results.csv").read_text().splitlines()[0].endswith("left out")


def test_convolutions_of_series_are_pruned(tmp_path):
    plan = Plan.from_settings(criterion="magnitude", fraction=0.9, cycles=1)
    last = run(ZooTask("series"), plan, tmp_path)[-1]
    assert last.layers.keys() == {"0.weight", "2.weight", "6.weight"} and last.left_out == {}
    assert last.density == last.density_of_all == pytest.approx(0.1, abs=0.01)
    assert last.dense_macs == 10 * 8 * 12 + 8 * 8 * 12 + 24
    assert last.sparse_macs < 0.2 * last.dense_macs and last.sparse_bytes < 0.5 * last.dense_bytes


def test_embeddings_are_pruned_on_request(tmp_path):
    plan = Plan.from_settings(criterion="magnitude", fraction=0.5, cycles=1, embeddings=True)
    assert run(ZooTask("lstm"), plan, tmp_path / "lstm")[-1].left_out == {}
    assert plan.settings()["embeddings"] is True and "embeddings" not in Plan().settings()
    with pytest.raises(ValueError, match="embeddings: the network has no embedding"):
        run(ZooTask("mlp"), plan, tmp_path / "mlp")
    with pytest.raises(ValueError, match="embeddings is True there, False here"):
        run(ZooTask("lstm"), plan.with_settings(embeddings=False), tmp_path / "lstm")
    with pytest.raises(ValueError, match="embeddings needs a criterion that scores weights"):
        Plan.from_settings(embeddings=True)


WRONG = {
    "build": (None, "the task's build must return a network, it returned a NoneType"),
    "train": (None, r"the task's train must return Trained\(metrics, before\), it returned a NoneType"),
    "evaluate": (3.0, "the task's evaluate must return numbers by name, it returned a float"),
}


@pytest.mark.parametrize("method", WRONG)
def test_a_task_that_returns_something_else_is_refused(tmp_path, method):
    task, (value, reason) = ZooTask("mlp"), WRONG[method]
    setattr(task, method, lambda *args, **options: value)
    with pytest.raises(ValueError, match=reason):
        run(task, Plan.from_settings(criterion="magnitude"), tmp_path)


@pytest.mark.parametrize("criterion", ["magnitude", "dropnet"])
def test_a_training_that_replaces_layers_is_refused(tmp_path, criterion):
    task = ZooTask("mlp")
    train = task.train

    def replaces(network, *args, **options):
        trained = train(network, *args, **options)
        network[0] = torch.nn.Linear(8, 5)
        return trained

    task.train = replaces
    with pytest.raises(ValueError, match=r"must train the network in place, but 0\.weight has another shape"):
        run(task, Plan.from_settings(criterion=criterion), tmp_path)


def test_a_measure_that_is_no_name_is_refused(tmp_path):
    task = ZooTask("mlp")
    task.measure = None
    with pytest.raises(ValueError, match="the task's measure must name a measurement of evaluate, got None"):
        run(task, Plan.from_settings(criterion="magnitude"), tmp_path)


def test_what_is_no_task_is_refused(tmp_path):
    class Half:
        measure = "quality"

    plan = Plan.from_settings(criterion="magnitude")
    with pytest.raises(
        ValueError, match="Half is no task: it has no example, build, dense, train, evaluate, ba"
    ):
        run(Half(), plan, tmp_path)
    task = ZooTask("mlp")
    for network, reason in (
        (3, "the task's dense must return a network or None, it returned an int"),
        (torch.nn.Linear(8, 3), r"a network like that of build: 0\.weight is missing there, \(8, 8\) here"),
    ):
        task.dense = lambda network=network: network
        with pytest.raises(ValueError, match=reason):
            run(task, plan, tmp_path)


def test_measures_are_numbers(tmp_path):
    task = ZooTask("mlp")
    task.evaluate = lambda network: {"quality": torch.tensor(0.5)}
    plan = Plan.from_settings(criterion="magnitude", cycles=0)
    assert run(task, plan, tmp_path / "tensor")[0].measures == {"quality": 0.5}
    for value in ("high", torch.ones(2), None):
        task.evaluate = lambda network, value=value: {"quality": value}
        with pytest.raises(ValueError, match="the task's evaluate must return numbers, 'quality' is "):
            run(task, plan, tmp_path / "other")


def test_a_run_that_pruned_fewer_kinds_of_layers_goes_on_with_these(tmp_path, monkeypatch):
    """A run that an earlier version began on convolutions of series; its files lack the newer keys."""
    plan = Plan.from_settings(criterion="magnitude", fraction=0.5, cycles=1)
    whole = prunable.find_weights

    def linear_only(network, **options):
        found = whole(network, **options)
        return replace(
            found, prunable={name: size for name, size in found.prunable.items() if name[0] == "6"}
        )

    with monkeypatch.context() as patch:
        patch.setattr(prunable, "find_weights", linear_only)
        run(ZooTask("series"), plan, tmp_path)
    for cycle in range(2):
        tensors, header = read_tensors(cycle_file(tmp_path, cycle), KIND)
        header["result"] = {
            n: each for n, each in header["result"].items() if n not in NEWER or "sparse m" in n
        }
        write_tensors(cycle_file(tmp_path, cycle), tensors, KIND, header)
    last = run(ZooTask("series"), plan.with_settings(cycles=2), tmp_path)[-1]
    assert last.layers == {"6.weight": (6, 24)}
    assert last.left_out["0.weight"] == "left out by the version that began this run"
