"""The problems: noise is drawn once, splits are disjoint, each sample has its own weight; measurements."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_vision import data_set
from torch.nn.functional import cross_entropy

from pruning.bilevel.problem import Counter, hypergradient, lower_gradient
from pruning.bilevel.solvers import ConjugateGradients
from pruning.bilevel.start import State
from pruning.studies.bilevel.baselines import BASELINES
from pruning.studies.bilevel.problems import auc, cleaning, minimised, noisy, penalties

SIZES = {"train": 40, "validation": 30}


def cleaned(noise=0.4, seed=0, **options):
    return cleaning(data_set(), **{**SIZES, **options}, noise=noise, seed=seed)


def rows(samples):
    return {tuple(row.tolist()) for row in samples.inputs}


def test_labels_are_made_others_in_an_exact_share_and_all_others_alike():
    labels = torch.arange(30_000) % 5
    found, wrong = noisy(labels, 0.4, 5, torch.Generator().manual_seed(0))
    assert int(wrong.sum()) == 12_000
    assert torch.equal(found != labels, wrong) and int(found.min()) == 0 and int(found.max()) == 4
    shifts = torch.bincount((found - labels)[wrong] % 5, minlength=5)
    assert int(shifts[0]) == 0 and (shifts[1:] - 3000).abs().max() < 5 * (3000 * 0.75) ** 0.5


def test_noise_is_drawn_once_and_in_no_one_else_s_data():
    """Drawing batches changes neither labels nor images."""
    data = data_set()
    before = data.train.labels.clone(), data.train.images.clone()
    task = cleaning(data, **SIZES, noise=0.4, seed=0)
    labels = task.train.labels.clone()
    for _ in range(3):
        lower_gradient(task.problem, task.start.x, task.start.y, torch.tensor([0, 1, 2]))
    assert torch.equal(task.train.labels, labels) and int(task.wrong.sum()) == 16
    assert torch.equal(data.train.labels, before[0]) and torch.equal(data.train.images, before[1])
    again = cleaning(data, **SIZES, noise=0.4, seed=0)
    assert torch.equal(again.train.labels, labels)
    clean = cleaning(data, **SIZES, noise=0.0, seed=0)
    assert torch.equal(clean.train.inputs, task.train.inputs)
    assert torch.equal(clean.train.labels != labels, task.wrong)


def test_the_losses_samples_are_apart():
    task = cleaned()
    train, validation, test = (rows(each) for each in (task.train, task.validation, task.test))
    assert (len(train), len(validation), len(test)) == (40, 30, 40)
    assert not train & validation and not (train | validation) & test


def test_seeds_choose_other_samples():
    assert rows(cleaned(seed=0).train) != rows(cleaned(seed=1).train)


def test_each_weight_is_its_own_sample_s():
    task = cleaned()
    generator = torch.Generator().manual_seed(0)
    y = {"w": torch.randn(task.start.y["w"].shape, generator=generator)}
    x = {"weight": torch.randn(40, generator=generator)}
    batch = torch.tensor([7, 3, 7])
    losses = cross_entropy(task.train.inputs @ y["w"], task.train.labels, reduction="none")
    weighted = x["weight"].sigmoid() * losses
    decay = 0.001 * y["w"].square().sum()
    assert torch.allclose(task.problem.lower(x, y, batch), weighted[batch].mean() + decay)
    assert torch.allclose(task.problem.lower(x, y, torch.arange(40)), weighted.mean() + decay)
    held = cross_entropy(task.validation.inputs @ y["w"], task.validation.labels, reduction="none")
    assert torch.allclose(task.problem.upper(x, y, batch), held[batch].mean())


def test_a_step_of_cleaning_trusts_clean_samples_more():
    task = cleaning(data_set(400), train=300, validation=100, noise=0.3, seed=0)
    at = task.solved(task.start.x)
    gradient = hypergradient(
        task.problem,
        at.x,
        at.y,
        upper_batch=torch.arange(100),
        lower_batches=[torch.arange(300)],
        solver=ConjugateGradients(100, 1e-5),
    ).gradient["weight"]
    assert auc(-gradient[~task.wrong], -gradient[task.wrong]) > 0.8


def test_the_penalty_is_the_mean_over_features_and_classes():
    task = penalties(data_set(), **SIZES, added=5, seed=0)
    features = task.start.x["penalty"].shape[0]
    assert features == 36 + 1 + 5 and task.scale == features
    generator = torch.Generator().manual_seed(0)
    y = {"w": torch.randn(features, 3, generator=generator)}
    x = {"penalty": torch.randn(features, generator=generator)}
    fit = cross_entropy(task.train.inputs @ y["w"], task.train.labels)
    mean = (y["w"].double() ** 2 * x["penalty"].double().exp()[:, None]).sum() / (features * 3)
    assert float(task.problem.lower(x, y, torch.arange(40))) == pytest.approx(float(fit + 0.5 * mean))


def test_added_features_are_other_numbers_in_each_sample():
    task = penalties(data_set(), **SIZES, added=5, seed=0)
    added = torch.cat([each.inputs[:, -5:] for each in (task.train, task.validation, task.test)])
    assert len(added.unique()) == added.numel() and abs(float(added.std()) - 0.5) < 0.1


def test_auc_counts_pairs():
    generator = torch.Generator().manual_seed(0)
    above, below = (torch.randint(0, 9, (size,), generator=generator).float() for size in (30, 20))
    pairs = [(a > b) + 0.5 * (a == b) for a in above.tolist() for b in below.tolist()]
    assert auc(above, below) == pytest.approx(float(np.mean(pairs)))
    assert (auc(torch.ones(3), torch.zeros(2)), auc(torch.zeros(3), torch.zeros(2))) == (1.0, 0.5)
    assert auc(torch.ones(3), torch.zeros(0)) == 0.5


def test_solved_is_where_the_lower_loss_is_flat():
    task = cleaned(noise=0.1)
    at = task.solved(task.start.x)
    slope = lower_gradient(task.problem, at.x, at.y, torch.arange(40))["w"]
    assert slope.abs().max() < 1e-4


def test_lbfgs_finds_a_known_minimum():
    found = minimised(
        lambda y: (y["a"] - 3).square().sum() + (y["b"] + 1).pow(4).sum(),
        {"a": torch.zeros(2), "b": torch.zeros(1)},
    )
    assert torch.allclose(found["a"], torch.full((2,), 3.0), atol=1e-4)


def test_what_is_measured():
    task = cleaned()
    at = State({"weight": torch.where(task.wrong, -2.0, 2.0)}, task.start.y)
    found = task.measured(at)
    assert found["AUC"] == 1.0 and found["movement"] == pytest.approx(2.0)
    assert found["weight of clean"] == pytest.approx(1 - found["weight of noisy"])
    assert found["validation loss"] == pytest.approx(np.log(3)) == found["test loss"]
    accuracy = float((task.test.labels == 0).double().mean())
    assert found["test accuracy"] == pytest.approx(accuracy)  # equal logits are the first class


def test_baselines_are_what_they_say():
    task = cleaned(noise=0.4)
    found = {name: baseline(task, Counter()) for name, baseline in BASELINES.items()}
    kept = replace(task.train, inputs=task.train.inputs, labels=task.train.labels)
    clean = minimised(
        lambda y: (
            (cross_entropy(kept.inputs @ y["w"], kept.labels, reduction="none") * ~task.wrong).mean()
            + 0.001 * y["w"].square().sum()
        ),
        task.start.y,
    )
    assert torch.allclose(found["oracle"].y["w"], clean["w"], atol=1e-2)
    losses = {name: task.measured(state)["validation loss"] for name, state in found.items()}
    assert losses["validation-alone"] < losses["oracle"] < losses["none"]
    assert losses["one-number"] <= losses["none"] + 1e-6
    assert len(found["one-number"].x["weight"].unique()) == 1


def test_what_baselines_compute_is_counted():
    counter = Counter()
    BASELINES["none"](cleaned(), counter)
    assert counter.gradients > 1 and counter.gradient_samples == 40 * counter.gradients


def test_wrong_input_is_told():
    with pytest.raises(ValueError, match="noise must be at least 0 and below 1, got 1"):
        cleaned(noise=1)
    with pytest.raises(ValueError, match="at least 1 each and at most 70 together, got 40 and 31"):
        cleaned(validation=31)
