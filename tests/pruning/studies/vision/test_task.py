"""An image classifier as a task: its training compared with a plain loop, and data it must not use."""

import copy
import itertools
from dataclasses import replace
from math import inf, nan

import pytest
import torch
from tiny_vision import data_set, images
from torch.nn import functional

from pruning.loop.identity import difference, fingerprint
from pruning.masks.held import Masks, apply, hold_at_zero
from pruning.measures.spreads import measure_spread
from pruning.schedules.registry import make_schedule
from pruning.studies.vision.task import Training, VisionTask

PLAIN = Training(epochs=2, batch=16)
SEED = 5


def task_of(training=PLAIN, data=None, model="lenet:8-6", **options):
    return VisionTask(data or data_set(), model, training, seed=1, **options)


def falling(progress):
    return 0.2 * (1 - progress / 2)


def trained(task, lr=falling, share=1.0, seed=SEED, hold=lambda optimizer: None):
    """The network of a task after training, and the metrics of training."""
    network = task.build(None)
    told = task.train(network, hold, lr, seed, share=share)
    return network, told


def same_weights(one, other):
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(first, second) for first, second in pairs)


def plain_loop(task, data, training, lr=falling, mask=None):
    """The same training as a plain loop."""
    network = task.build(None)
    network.train()
    if mask is not None:
        apply(network, mask)
    pictures = data.train.images.float() / 255
    if training.normalise:
        mean, std = (torch.tensor(values).view(1, -1, 1, 1) for values in (data.mean, data.std))
        pictures = (pictures - mean) / std
    if training.optimizer == "adam":
        optimizer = torch.optim.Adam(network.parameters(), weight_decay=training.weight_decay)
    else:
        optimizer = torch.optim.SGD(
            network.parameters(),
            lr=1.0,
            momentum=training.momentum,
            nesterov=training.nesterov,
            weight_decay=training.weight_decay,
        )
    generator = torch.Generator().manual_seed(SEED)
    starts = list(range(0, len(pictures), training.batch))
    step = 0
    for _ in range(training.epochs):
        order = torch.arange(len(pictures))
        if training.shuffle:
            order = torch.randperm(len(pictures), generator=generator)
        for start in starts:
            chosen = order[start : start + training.batch]
            for group in optimizer.param_groups:
                group["lr"] = lr(step / (training.epochs * len(starts)))
            optimizer.zero_grad()
            functional.cross_entropy(network(pictures[chosen]), data.train.labels[chosen]).backward()
            optimizer.step()
            if mask is not None:
                apply(network, mask)
            step += 1
    return network


LENET, RESNET = ("lenet:8-6", 1.0, (1, 6, 6)), ("resnet8", 0.25, (3, 8, 8))


@pytest.mark.parametrize(
    ("model", "changes"),
    [
        *((model, {}) for model in (LENET, RESNET)),
        *((model, {"shuffle": False}) for model in (LENET, RESNET)),
        *((model, {"momentum": 0.9, "weight_decay": 0.01}) for model in (LENET, RESNET)),
        (LENET, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
        *((model, {"normalise": True, "batch": 32}) for model in (LENET, RESNET)),
        (LENET, {"optimizer": "adam", "weight_decay": 0.01, "batch": 100}),
    ],
)
def test_training_is_that_of_a_plain_loop(model, changes):
    name, width, shape = model
    data, training = data_set(shape=shape), replace(PLAIN, **changes)

    def lr(progress):  # small: large steps would widen the rounding of convolutions in another layout
        return 0.02 * (1 - progress)

    task = task_of(training, data, name, width=width)
    found, _ = trained(task, lr)
    wanted = plain_loop(task, data, training, lr)
    assert not same_weights(found, task.build(None))
    for (layer, one), other in zip(found.named_parameters(), wanted.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-6, msg=layer)


def test_what_is_pruned_stays_at_zero_and_the_rest_learns_as_without_it():
    training, data = replace(PLAIN, momentum=0.9), data_set()
    task = task_of(training, data)
    network = task.build(None)
    weights = {name: w for name, w in network.named_parameters() if name.endswith("weight")}
    generator = torch.Generator().manual_seed(0)
    mask = Masks({name: torch.rand(w.shape, generator=generator) > 0.5 for name, w in weights.items()})
    apply(network, mask)
    task.train(network, lambda optimizer: hold_at_zero(network, optimizer, mask), falling, SEED)
    wanted = plain_loop(task, data, training, mask=mask)
    for (name, one), other in zip(network.named_parameters(), wanted.named_parameters(), strict=True):
        assert name not in mask or not one[~mask[name]].any()
        torch.testing.assert_close(one, other[1], rtol=0, atol=1e-5, msg=name)


def test_only_the_seed_tells_two_trainings_apart():
    one, same, other = (trained(task_of(), seed=seed)[0] for seed in (3, 3, 4))
    assert same_weights(one, same) and not same_weights(one, other)
    fixed = replace(PLAIN, shuffle=False)
    assert same_weights(*(trained(task_of(fixed), seed=seed)[0] for seed in (3, 4)))


@pytest.mark.parametrize("augmentation", ["crop-flip", "affine"])
def test_augmented_images_are_others_in_each_epoch_and_only_in_training(augmentation):
    data = data_set(shape=(3, 8, 8))
    plain, changed = (
        task_of(replace(PLAIN, augmentation=name, shuffle=False), data, "resnet8", width=0.25)
        for name in ("none", augmentation)
    )
    assert not same_weights(trained(plain)[0], trained(changed)[0])
    assert not same_weights(*(trained(changed, seed=seed)[0] for seed in (3, 4)))
    assert same_weights(*(trained(changed, seed=3)[0] for _ in range(2)))
    network = plain.build(None)
    assert plain.evaluate(network) == changed.evaluate(network)
    for one, other in zip(plain.batches(), changed.batches(), strict=True):
        assert torch.equal(one[0], other[0])


def test_half_a_training_is_the_first_half_of_the_whole():
    task = task_of(replace(PLAIN, momentum=0.9))
    half, told = trained(task, share=0.5)
    _, whole = trained(task)
    assert (told.metrics["epochs"], whole.metrics["epochs"]) == (1, 2)
    for name, weight in half.named_parameters():
        assert torch.equal(weight, whole.before[name])  # an epoch before the end


def test_a_share_may_end_within_an_epoch_and_has_the_same_learning_rates():
    seen = []
    task = task_of()  # 2 epochs of 5 steps
    trained(task, lambda progress: seen.append(progress) or 0.1, share=0.7)
    assert seen == pytest.approx([step / 10 for step in range(7)])


class Told(VisionTask):
    """A task with given validation losses, epoch by epoch."""

    def __init__(self, losses, training):
        super().__init__(data_set(), "lenet:8-6", training, seed=1)
        self.losses = list(losses)

    def measured(self, network, split):
        found = super().measured(network, split)
        return {**found, "loss": self.losses.pop(0)} if split == "validation" else found


@pytest.mark.parametrize(
    ("losses", "patience", "epochs"),
    [
        ((5, 4, 3, 2, 1, 0), 1, 6),
        ((5, 6, 1, 1, 1, 1), 1, 2),
        ((5, 6, 4, 5, 5, 0), 2, 5),
        ((5, 4, 4, 4, 0, 0), 2, 4),  # an equal loss is not smaller
        ((nan, nan, 1, 1, 1, 1), 2, 2),
        ((5, nan, 4, nan, nan, 0), 2, 5),
        ((nan, 5, nan, 6, 1, 1), 2, 4),
        ((5, 6, 6, 6, 6, 6), 6, 6),
    ],
)
def test_training_stops_after_epochs_without_a_smaller_validation_loss(losses, patience, epochs):
    def lr(progress):
        return 0.1

    stopped, told = trained(Told(losses, replace(PLAIN, epochs=6, patience=patience)), lr)
    assert told.metrics["epochs"] == epochs
    last, _ = trained(task_of(replace(PLAIN, epochs=epochs)), lr)
    assert same_weights(stopped, last)  # the last weights, not the best


def test_without_patience_no_validation_image_is_looked_at():
    trained(Told((), replace(PLAIN, epochs=3)))


@pytest.mark.parametrize("patience", [0, 2])
def test_test_images_change_neither_weights_nor_scores_nor_what_is_compared(patience):
    training = replace(PLAIN, epochs=4, patience=patience, normalise=True)
    one, other = (task_of(training, data_set(test_seed=seed)) for seed in (2, 9))
    first, second = trained(one), trained(other)
    assert same_weights(first[0], second[0])
    assert first[1].metrics == second[1].metrics
    assert one.evaluate(first[0]) == other.evaluate(second[0])
    assert one.measured(first[0], "test") != other.measured(second[0], "test")
    for mine, its in zip(one.batches(), other.batches(), strict=True):
        assert torch.equal(mine[0], its[0]) and torch.equal(mine[1], its[1])


@pytest.mark.parametrize("from_epoch", [0, 1])
def test_a_training_that_diverges_ends_with_its_last_finite_epoch(from_epoch):
    def lr(progress):
        return 1e38 if progress >= from_epoch / 4 else 0.1

    task = task_of(replace(PLAIN, epochs=4, momentum=0.9))
    network, told = trained(task, lr)
    assert told.metrics["diverged"] == 1
    assert told.metrics["epochs"] == from_epoch + 1
    finite = trained(task, lr, share=0.25)[0] if from_epoch else task.build(None)
    assert all(tensor.isfinite().all() for tensor in network.state_dict().values())
    assert same_weights(network, finite)
    assert trained(task)[1].metrics["diverged"] == 0


def test_the_momentum_moves_as_torch_s_one_cycle_schedule_moves_it():
    training = replace(PLAIN, epochs=20, momentum=0.9, cycle_momentum=True)
    schedule = make_schedule("clr", lr=0.1)
    seen = []

    def hold(optimizer):
        optimizer.register_step_pre_hook(
            lambda optimizer, *_: seen.append(optimizer.param_groups[0]["momentum"])
        )

    trained(task_of(training), lambda progress: schedule(progress, 0), hold=hold)
    steps = 100
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1, momentum=0.9)
    # torch counts its last step as the end, and the peak as the step before the share it is given
    torchs = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=0.1, total_steps=steps + 1, pct_start=(0.1 * steps + 1) / (steps + 1)
    )
    wanted = []
    for _ in range(steps):
        wanted.append(optimizer.param_groups[0]["momentum"])
        optimizer.step()
        torchs.step()
    assert seen == pytest.approx(wanted, abs=1e-9)
    assert (seen[0], min(seen)) == pytest.approx((0.95, 0.85)) and seen[10] == min(seen)
    seen.clear()
    trained(task_of(replace(training, cycle_momentum=False)), hold=hold)
    assert set(seen) == {0.9}


def test_accuracy_and_loss_are_those_of_all_images_of_a_split():
    data = data_set(test_seed=3)
    data = replace(data, test=images(1203, seed=4))  # more than one batch
    task = task_of(data=data)
    network, _ = trained(task)
    for name, split in (("validation", data.validation), ("test", data.test)):
        with torch.no_grad():
            logits = network(split.images / 255)
        right = (logits.argmax(1) == split.labels).double().mean()
        loss = functional.cross_entropy(logits, split.labels)
        found = task.measured(network.train(), name)
        assert found == {"accuracy": float(right), "loss": pytest.approx(float(loss), rel=1e-5)}
        assert not network.training
    told = task.evaluate(network)
    assert told.keys() == {"validation accuracy", "validation loss"} and task.measure in told


@pytest.mark.parametrize(("scored", "number"), [(0, 70), (20, 20), (70, 70)])
def test_scores_are_taken_on_the_first_training_images(scored, number):
    data = data_set()
    batches = list(task_of(replace(PLAIN, scored=scored), data).batches())
    found, labels = (torch.cat(parts) for parts in zip(*batches, strict=True))
    assert torch.equal(labels, data.train.labels[:number])
    torch.testing.assert_close(found, data.train.images[:number] / 255)


def test_spreads_are_measured_during_the_training_and_change_nothing_of_it():
    training = replace(PLAIN, epochs=4)  # 20 steps
    task = task_of(replace(training, spread=True))
    network, told = trained(task)
    plain, without = trained(task_of(training))
    assert same_weights(network, plain)
    measured = {name for name in told.metrics if "spread" in name}
    assert measured == {
        f"{what} spread at {at}" for what in ("gradient", "activation") for at in ("0.25", "1")
    }
    assert told.metrics == {**without.metrics, **{name: told.metrics[name] for name in measured}}
    quarter, _ = trained(task_of(training), share=0.25)
    data = data_set()
    batch = data.train.images / 255, data.train.labels
    for at, state in (("0.25", quarter), ("1", network)):
        for name, value in measure_spread(state, batch, task.loss).items():
            assert told.metrics[f"{name} spread at {at}"] == pytest.approx(value, rel=1e-5)


def test_narrow_products_learn_almost_the_same():
    task = task_of(replace(PLAIN, precision="bfloat16"))
    network, told = trained(task)
    wide, wanted = trained(task_of())
    assert all(parameter.dtype == torch.float32 for parameter in network.parameters())
    assert not same_weights(network, wide)
    assert told.metrics["training loss"] == pytest.approx(wanted.metrics["training loss"], rel=0.1)


def test_the_dense_network_is_the_one_that_is_given():
    task = task_of()
    assert task.dense() is None
    network, _ = trained(task)
    state = copy.deepcopy(network.state_dict())
    given = task_of(trained=state)
    assert same_weights(given.dense(), network)
    assert same_weights(given.build(None), task.build(None))
    assert same_weights(given.build(1), task.build(None)) and not same_weights(given.build(2), given.build(1))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": -1}, "epochs must be at least 0, got -1"),
        ({"batch": 0}, "batch must be at least 1, got 0"),
        ({"patience": -1}, "patience must be at least 0, got -1"),
        ({"scored": -1}, "scored must be at least 0, got -1"),
        ({"momentum": 1.0}, "momentum must be at least 0 and below 1, got 1.0"),
        ({"weight_decay": inf}, "weight_decay must be at least 0 and finite, got inf"),
        ({"weight_decay": nan}, "weight_decay must be at least 0 and finite, got nan"),
        ({"optimizer": "adamw"}, "optimizer must be one of sgd, adam, got 'adamw'"),
        ({"precision": "float16"}, "precision must be one of float32, bfloat16, got 'float16'"),
        ({"augmentation": "mixup"}, "augmentation must be one of none, .*got 'mixup'"),
    ],
)
def test_a_wrong_training_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(PLAIN, **changes)


def test_the_task_knows_its_images_and_its_training(tmp_path):
    one = fingerprint(task_of())
    assert one == fingerprint(task_of()) and one["training.epochs"] == 2
    assert difference(one, fingerprint(task_of(data=data_set(seed=4)))).startswith("data.training images is")
    assert difference(one, fingerprint(task_of(data=data_set(test_seed=4)))).startswith("data.test images is")
    other = fingerprint(task_of(replace(PLAIN, epochs=3)))
    assert difference(one, other) == "training.epochs is 2 there, 3 here"
    states = [{"w": torch.ones(2)}, {"w": torch.zeros(2)}, None]
    for pair in itertools.combinations(states, 2):
        found = difference(*(fingerprint(task_of(trained=state)) for state in pair))
        assert found.startswith("trained network is ")
