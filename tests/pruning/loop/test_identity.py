"""Fingerprints of tasks: a changed task is noticed and named, in any process, and no other is."""

import copy
import json
import logging
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Subset, TensorDataset
from toy_task import ToyTask

from pruning.loop import Plan, finished_cycles, run
from pruning.loop.identity import changes, difference, fingerprint, unchanged, with_dense
from pruning.loop.stored import KIND, cycle_file
from pruning.masks.files import read_tensors, write_tensors

PLAN = Plan.from_settings(criterion="magnitude", cycles=1)
OUTSIDE = 3


class Own(ToyTask):
    """A task that states nothing."""

    wide = 7

    def __init__(self, **more):
        super().__init__()
        del self.fingerprint
        self.steps, self.name, self.calls = 120, "digits", 0
        self.training = self.images, self.labels
        for name, value in more.items():
            setattr(self, name, value)

    def train(self, *args, **options):
        self.calls += OUTSIDE  # a counter is no property of the task
        return super().train(*args, **options)


def changed(**more):
    return fingerprint(Own(**more))


def test_equal_tasks_have_equal_fingerprints_in_every_process(tmp_path):
    assert fingerprint(Own()) == fingerprint(Own())
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    code = "import json, test_identity as t; print(json.dumps(t.fingerprint(t.Own())))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "1"},
    )
    assert json.loads(done.stdout) == fingerprint(Own())


CHANGES = {
    "steps": ({"steps": 5}, "steps is 120 there, 5 here"),
    "text": ({"name": "mnist"}, "name is 'digits' there, 'mnist' here"),
    "class attribute": ({"wide": 8}, "wide is 7 there, 8 here"),
    "images": (
        {"training": (torch.zeros(30, 1, 4, 4, dtype=torch.double), torch.arange(30) % 3)},
        "training.0 is 'float64 [30, 1, 4, 4] .*' there, 'float64 [30, 1, 4, 4] .*' here",
    ),
    "type": (
        {"training": (ToyTask().images.float(), 0)},
        "training.0 is 'float64 .*' there, 'float32 .*' here",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_task_is_named(name):
    more, expected = CHANGES[name]
    found = difference(changed(), changed(**more))
    start, *rest = expected.split(".*")
    assert found.startswith(start) and all(part in found for part in rest)


def test_the_source_of_the_class_and_its_bases_counts_but_not_comments(tmp_path, monkeypatch):
    text = "class Base:\n    def loss(self):\n        return 1\n\nclass Mine(Base):\n    lr = 0.1\n"
    found = []
    for number, source in enumerate(
        (text, text.replace("1\n\n", "1  # a comment\n\n\n"), text.replace("return 1", "return 2"))
    ):
        (tmp_path / f"own_{number}.py").write_text(source)
        monkeypatch.syspath_prepend(tmp_path)
        found.append(fingerprint(getattr(__import__(f"own_{number}"), "Mine")()))  # noqa: B009
    assert found[0] == found[1]
    assert difference(found[0], found[2]) == "the source of Base has changed"


def test_what_the_class_uses_of_its_module_counts(tmp_path, monkeypatch):
    text = (
        "def helper():\n    return inner()\n\ndef inner():\n    return 1\n\n"
        "class Net:\n    def forward(self, x):\n        return x + 1\n\n"
        "class Mine:\n    def build(self):\n        return Net()\n    def train(self):\n        helper()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    found = []
    for number, source in enumerate(
        (text, text.replace("return 1", "return 2"), text.replace("x + 1", "x + 2"))
    ):
        (tmp_path / f"uses_{number}.py").write_text(source)
        found.append(fingerprint(__import__(f"uses_{number}").Mine()))
    assert difference(found[0], found[1]) == "the source of inner has changed"
    assert difference(found[0], found[2]) == "the source of Net has changed"


def test_without_a_source_the_compiled_code_counts():
    def made(value):
        space = {}
        exec(f"class Typed:\n def train(self):\n  return {value}, 'a' in {{'a', 'b', 'c'}}", space)
        return fingerprint(space["Typed"]())

    assert made(1) == made(1) and "source of Typed (compiled" in difference(made(1), made(2))


def test_variables_that_the_methods_use_count(monkeypatch):
    before = changed()
    monkeypatch.setitem(globals(), "OUTSIDE", 4)
    assert difference(before, changed()) == "OUTSIDE is 3 there, 4 here"

    def enclosed(steps):
        class Inner:
            def train(self):
                return steps

        return fingerprint(Inner())

    assert difference(enclosed(120), enclosed(5)) == "steps is 120 there, 5 here"


def test_functions_of_a_namespace_count():
    one = fingerprint(SimpleNamespace(measure="x", train=lambda: 1))
    assert difference(one, fingerprint(SimpleNamespace(measure="x", train=lambda: 2))).startswith(
        "the source of tr"
    )


images = torch.arange(40.0).reshape(10, 4)
DATA = {
    "array": (np.arange(9), np.arange(9) + 1),
    "list of pairs": ([(each, 0) for each in images] * 3, [(each + 1, 0) for each in images] * 3),
    "data set": (TensorDataset(images), TensorDataset(images + 1)),
    "subset": (Subset(TensorDataset(images), [1, 2]), Subset(TensorDataset(images), [1, 3])),
    "loader": (DataLoader(TensorDataset(images)), DataLoader(TensorDataset(images + 1))),
    "mapping": ({"x": images, "y": 1}, {"x": images, "y": 2}),
    "numpy number": (np.float32(1), np.float32(2)),
    "bool": (images > 3, images > 4),
    "set": ({1, 2}, {1, 3}),
    "long text": ("a" * 1000, "a" * 999 + "b"),
    "large": (torch.zeros(2**25), torch.ones(2**25)),
    "network": (torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)),
    "network of other modules": (torch.nn.ReLU(), torch.nn.GELU()),
    "network that was none": (None, torch.nn.ReLU()),
    "networks of a list": ([torch.nn.Linear(2, 2)], [torch.nn.Linear(2, 2)]),
    "longer list": ([60], [60, 80]),
    "list that was empty": ([], [60]),
    "list that was a tensor": (images, [images]),
    "mapping of more": ({"x": 1}, {"x": 1, "y": 1}),
    "bfloat16": (images.bfloat16(), images.bfloat16() + 1),
}


@pytest.mark.parametrize("name", DATA)
def test_what_a_task_trains_on_counts(name):
    one, other = DATA[name]
    assert changed(data=one) == changed(data=one)
    assert difference(changed(data=one), changed(data=other)).startswith("data")


def test_what_has_no_content_is_left_out():
    class Broken:
        def __len__(self):
            raise RuntimeError

        __getitem__ = __len__

    looped = []
    looped.append(looped)
    left_out = {
        "function": print,
        "device": torch.device("cpu"),
        "generator": torch.Generator(),
        "numpy generator": np.random.default_rng(),
        "broken": Broken(),
        "looped": looped,
        "meta": torch.zeros(3, device="meta"),
        "objects": np.array([object()]),
    }
    assert changed(**left_out) == changed()


@dataclass
class Settings:
    steps: int
    data: object = None


@pytest.mark.parametrize("kind", [Settings, lambda steps: SimpleNamespace(steps=steps, name="x")])
def test_settings_count_one_by_one(kind):
    found = difference(changed(config=kind(120)), changed(config=kind(5)))
    assert found == "config.steps is 120 there, 5 here"


def test_where_and_how_fast_a_task_runs_does_not_count():
    loaders = [DataLoader(TensorDataset(images), num_workers=number) for number in (0, 2)]
    assert changed(data=loaders[0], device="cpu") == changed(data=loaders[1], device="cuda")


def test_a_task_of_slots_counts():
    class Slots:
        __slots__ = ("steps",)

        def __init__(self, steps):
            self.steps = steps

    assert difference(fingerprint(Slots(120)), fingerprint(Slots(5))) == "steps is 120 there, 5 here"


def test_a_folder_counts_by_its_files(tmp_path):
    for name, text in (("a", "one"), ("b", "one"), ("c", "three")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "images").write_text(text)
    one, moved, other = (changed(data=tmp_path / name) for name in "abc")
    assert one == moved and difference(one, other).startswith("data is ")


def test_a_run_of_a_changed_task_is_refused(tmp_path):
    results = run(Own(), PLAN, tmp_path)
    assert run(Own(), PLAN, tmp_path) == results
    black = torch.zeros(30, 1, 4, 4, dtype=torch.double)
    for task, reason in [
        (Own(steps=5), "steps is 120 there, 5 here; use another folder"),
        (Own(training=(black, torch.arange(30) % 3)), r"training\.0 is 'float64 \[30, 1, 4, 4\] "),
    ]:
        with pytest.raises(ValueError, match=rf"cycle-00.safetensors belongs to another task: {reason}"):
            run(task, PLAN, tmp_path)


class Flip(Own):
    def evaluate(self, network):
        return {"quality": 1 - super().evaluate(network)["quality"]}


class Stated(Own):
    fingerprint = "v1"

    def __init__(self):
        ToyTask.__init__(self)
        del self.__dict__["fingerprint"]


class Other(ToyTask):
    def __init__(self):
        super().__init__()
        del self.fingerprint

    def evaluate(self, network):
        return {"quality": 0.5}


def replaced():
    task = Own()
    task.evaluate = lambda network: {"quality": 0.5}
    return task


ANOTHER = {
    "subclass": (Own, Flip, "the source of Flip is only here"),
    "base class": (Flip, Own, "the source of Flip is only there"),
    "other class": (Own, Other, "the source of Own is only there"),
    "replaced method": (Own, replaced, "the source of evaluate is only here"),
    "stated": (Own, Stated, "fingerprint is missing there, 'v1' here"),
    "no longer stated": (Stated, Own, "fingerprint is 'v1' there, missing here"),
    "stated by a mapping": (Own, ToyTask, "the source of Own is only there"),
}


@pytest.mark.parametrize("earlier", [False, True])
@pytest.mark.parametrize("name", ANOTHER)
def test_another_task_is_refused_and_named(name, earlier):
    one, other, reason = ANOTHER[name]
    found = difference(fingerprint(one()), fingerprint(other()), None if earlier else ())
    assert re.match(reason, found)


@pytest.mark.parametrize("more", [{"a": 1}, {"a": 1, "b.0": 1, "source of T (compiled, Python 3.1)": "x"}])
def test_an_earlier_version_stored_fewer_parts(more):
    ours = {"a": 1, "b.0": 1, "b.1": 2, "source of T (compiled, Python 3.9)": "y"}
    assert difference({}, ours, None) == "" and not difference({"c": 1}, {"a": 1})
    assert difference(more, ours, None) == ("" if len(more) > 1 else f"the {[*ours][-1]} is only here")


def test_a_stated_mapping_may_get_more_names_but_no_longer_lists():
    one, more = (
        {"training.epochs": 2, "drops.0": 60} | each for each in ({}, {"training.new": 1, "seed": 1})
    )
    assert not difference(one, more) and not difference(more, one)
    assert difference(one, more | {"drops.1": 80}) == "drops.1 is missing there, 80 here"


def test_a_run_of_another_class_or_network_is_refused(tmp_path):
    def starts_from(seed):
        torch.manual_seed(seed)
        task = Own(trained=True, teacher=torch.nn.Linear(2, 2))
        factor = 1.1 + seed
        task.dense = lambda: (
            ToyTask(trained=True)
            .build(None)
            .requires_grad_(False)
            .apply(lambda each: [tensor.mul_(factor) for tensor in each.parameters(recurse=False)])
        )
        return task

    run(starts_from(0), PLAN, tmp_path)
    run(starts_from(0), PLAN, tmp_path)
    with pytest.raises(ValueError, match=r"belongs to another task: factor is 1\.1 there, 2\.1 here"):
        run(starts_from(1), PLAN, tmp_path)
    other = starts_from(0)
    other.teacher = torch.nn.Linear(2, 2)
    with pytest.raises(ValueError, match=r"teacher is 'Linear .*' there, 'Linear .*' here"):
        run(other, PLAN, tmp_path)
    run(Own(), PLAN, tmp_path / "own")
    with pytest.raises(ValueError, match="belongs to another task: the source of Flip is only here"):
        run(Flip(), PLAN, tmp_path / "own")


def test_the_network_that_dense_returns_counts_unless_stated():
    one, other = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    parts = fingerprint(Own())
    assert difference(with_dense(parts, one), with_dense(parts, other)).startswith("dense is 'Linear ")
    assert with_dense(parts, one) == with_dense(parts, copy.deepcopy(one).train(False))
    assert with_dense({"fingerprint": "v1"}, one) == {"fingerprint": "v1"}


def test_what_a_cycle_makes_is_no_difference_to_the_same_task(tmp_path):
    class Making(Own):
        def train(self, *args, **options):
            self.seen = [*getattr(self, "seen", ()), 1]
            self.helper = lambda: 1
            return super().train(*args, **options)

    task = Making(history=[0])
    task.evaluate = lambda network: task.history.append(0) or {"quality": 0.5}
    run(task, PLAN, tmp_path)
    assert len(task.history) == 3 and len(run(task, PLAN.with_settings(cycles=2), tmp_path)) == 3


def test_the_same_task_goes_on_after_its_own_changes(tmp_path):
    task = Own()
    run(task, PLAN, tmp_path)
    assert task.calls == 2 * OUTSIDE and task.starts
    assert len(run(task, PLAN.with_settings(cycles=2), tmp_path)) == 3
    assert "calls" not in read_tensors(cycle_file(tmp_path, 0), KIND)[1]["task"]


def test_a_run_without_a_fingerprint_goes_on(tmp_path):
    run(Own(), PLAN, tmp_path)
    for cycle in range(2):
        tensors, header = read_tensors(cycle_file(tmp_path, cycle), KIND)
        assert header.pop("task") and header.pop("task changes")
        write_tensors(cycle_file(tmp_path, cycle), tensors, KIND, header)
    assert len(run(Own(steps=5), PLAN.with_settings(cycles=2), tmp_path)) == 3


def test_a_task_can_state_its_fingerprint(tmp_path):
    stated = Own(fingerprint="v1")
    assert fingerprint(stated) == {"fingerprint": "v1"}
    assert fingerprint(Own(fingerprint={"data": images, "steps": 3})).keys() == {"data", "steps"}
    run(stated, PLAN, tmp_path)
    run(Own(fingerprint="v1", steps=5), PLAN, tmp_path)
    with pytest.raises(ValueError, match="fingerprint is 'v1' there, 'v2' here"):
        run(Own(fingerprint="v2"), PLAN, tmp_path)


def test_cycles_found_are_counted_and_logged(tmp_path, caplog):
    assert finished_cycles([tmp_path]) == 0
    with caplog.at_level(logging.INFO, "pruning"):
        run(ToyTask(), PLAN, tmp_path)
        assert not caplog.records
        run(ToyTask(), PLAN, tmp_path)
        run(ToyTask(), PLAN.with_settings(cycles=2), tmp_path)
    assert [record.getMessage() for record in caplog.records] == [
        f"2 finished cycles found in {tmp_path}; nothing was run",
        f"2 finished cycles found in {tmp_path}; cycles 2 to 2 were run",
    ]
    assert finished_cycles([tmp_path]) == 3


def test_only_what_stays_is_stored():
    assert unchanged({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 3}) == {"a": 1}
    assert changes({"a": 1, "b.0": 2, "c": 3}, {"a": 1, "b.0": 3, "b.1": 3}) == ["b", "c"]
