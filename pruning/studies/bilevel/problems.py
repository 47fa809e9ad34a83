"""The bilevel problems of the experiments: hyper-cleaning, and a penalty for each feature.

Both fit a softmax regression, y = {"w": [features, classes]}, to training samples. The upper loss is the
cross-entropy of validation samples, which the lower loss never uses. Test samples are only for measuring. The
label noise and the added features are drawn once from the seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from bttt.runs import require_at_least
from pruning.bilevel import Counter, Problem, State, Tree
from pruning.data import DataSet, ImageSplit

DECAY = 0.001
"""Weight decay in hyper-cleaning's lower loss: the factor of the sum of squared weights."""
SPREAD = 0.5
"""Standard deviation of the added pixels; their mean is 0.5, since pixels are in [0, 1]."""


@dataclass(frozen=True)
class Samples:
    """Inputs, float32 `[N, features]`, and labels, int64 `[N]`."""

    inputs: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, batch: Tensor) -> Samples:
        if len(batch) == len(self):  # all samples, without a copy
            return self
        return Samples(self.inputs[batch], self.labels[batch])


@dataclass(frozen=True)
class BilevelTask:
    """A bilevel problem with its data and measurements.

    Attributes:
        problem: The losses; their batches are indices of validation and training samples.
        start: Upper and lower variables at the start.
        validation: Samples of the upper loss.
        train: Samples of the lower loss, in the form that methods see.
        test: Samples for measuring only.
        scale: Factor of the outer steps.
        traits: Measurements of the upper variables alone.
        wrong: Whether each training sample has a wrong label, bool `[train]`.
    """

    problem: Problem
    start: State
    validation: Samples
    train: Samples
    test: Samples
    scale: float
    traits: Callable[[Tree], dict[str, float]]
    wrong: Tensor

    def measured(self, at: State) -> dict[str, float]:
        """Returns the losses and accuracies on validation and test samples, and the traits."""
        found = {}
        for name, samples in (("validation", self.validation), ("test", self.test)):
            logits = samples.inputs @ at.y["w"]
            found[f"{name} loss"] = float(cross_entropy(logits, samples.labels))
            found[f"{name} accuracy"] = float((logits.argmax(1) == samples.labels).double().mean())
        return found | self.traits(at.x)

    def solved(self, x: Tree, counter: Counter | None = None) -> State:
        """Returns x with the weights that minimise the lower loss, by L-BFGS on all samples."""
        everything = torch.arange(len(self.train))

        def loss(y: Tree) -> Tensor:
            if counter is not None:
                counter.add(everything, gradients=1)
            return self.problem.lower(x, y, everything)

        return State(x, minimised(loss, self.start.y))


def minimised(loss: Callable[[Tree], Tensor], start: Tree, steps: int = 300) -> Tree:
    """Returns the minimiser of a smooth convex loss, by L-BFGS with a line search."""
    found = {name: value.clone().requires_grad_() for name, value in start.items()}
    optimizer = torch.optim.LBFGS(
        list(found.values()),
        max_iter=steps,
        tolerance_grad=1e-6,
        tolerance_change=1e-10,
        history_size=20,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = loss(found)
        value.backward()
        return value

    optimizer.step(closure)
    return {name: value.detach() for name, value in found.items()}


def cleaning(data: DataSet, *, train: int, validation: int, noise: float, seed: int) -> BilevelTask:
    """Returns hyper-cleaning: x = {"weight": [train]}, whose sigmoid weights each training sample.

    The lower loss is mean(sigmoid(weight_i) CE_i) + 0.001 ||w||^2, with the bias among the weights w.

    Args:
        data: Images; those of its training split become training and validation samples.
        train: Training samples.
        validation: Validation samples, with clean labels.
        noise: Fraction of training samples whose label is replaced by another class, drawn uniformly.
        seed: Seed of the choice of samples and of the noise.
    """
    generator = torch.Generator().manual_seed(seed)
    chosen, held, test = _parts(data, train, validation, generator)
    labels, wrong = noisy(chosen.labels, noise, len(data.classes), generator)
    chosen = Samples(chosen.inputs, labels)

    def lower(x: Tree, y: Tree, batch: Tensor) -> Tensor:
        own = chosen[batch]
        weights = x["weight"] if own is chosen else x["weight"][batch]
        losses = cross_entropy(own.inputs @ y["w"], own.labels, reduction="none")
        return (weights.sigmoid() * losses).mean() + DECAY * y["w"].square().sum()

    def traits(x: Tree) -> dict[str, float]:
        weights = x["weight"].sigmoid()
        return {
            "AUC": auc(weights[~wrong], weights[wrong]),
            "weight of clean": float(weights[~wrong].mean()),
            "weight of noisy": float(weights[wrong].mean()) if wrong.any() else 0.0,
            "movement": float(x["weight"].square().mean().sqrt()),
        }

    start = State({"weight": torch.zeros(train)}, _zeros(chosen, data))
    return BilevelTask(_held(held, lower), start, held, chosen, test, float(train), traits, wrong)


def penalties(data: DataSet, *, train: int, validation: int, added: int, seed: int) -> BilevelTask:
    """Returns logistic regression with a penalty for each feature: x = {"penalty": [features]}, log scale.

    The lower loss is mean CE + 0.5 mean(w^2 exp(penalty)), the second mean over all features and classes.

    Args:
        data: Images; those of its training split become training and validation samples.
        train: Training samples.
        validation: Validation samples.
        added: Number of appended noise features: normal random numbers.
        seed: Seed of the choice of samples and of the added features.
    """
    generator = torch.Generator().manual_seed(seed)
    parts = _parts(data, train, validation, generator)
    chosen, held, test = (_with_noise(each, added, generator) for each in parts)
    real = chosen.inputs.shape[1] - added

    def lower(x: Tree, y: Tree, batch: Tensor) -> Tensor:
        own = chosen[batch]
        penalty = 0.5 * (y["w"].square() * x["penalty"].exp()[:, None]).mean()
        return cross_entropy(own.inputs @ y["w"], own.labels) + penalty

    def traits(x: Tree) -> dict[str, float]:
        found = x["penalty"]
        return {
            "penalty of pixels": float(found[:real].mean()),
            "penalty of added": float(found[real:].mean()) if added else 0.0,
            "AUC": auc(found[real:], found[:real]) if added else 0.5,
            "movement": float(found.square().mean().sqrt()),
        }

    start = State({"penalty": torch.zeros(chosen.inputs.shape[1])}, _zeros(chosen, data))
    right = torch.zeros(train, dtype=torch.bool)
    return BilevelTask(_held(held, lower), start, held, chosen, test, float(real + added), traits, right)


def noisy(labels: Tensor, share: float, classes: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Returns labels with a fraction (to the nearest sample) replaced, and which ones, bool `[N]`."""
    require_at_least(0, below=1, noise=share)
    wrong = torch.zeros(len(labels), dtype=torch.bool)
    wrong[torch.randperm(len(labels), generator=generator)[: round(share * len(labels))]] = True
    shift = torch.randint(1, classes, labels.shape, generator=generator)
    return torch.where(wrong, (labels + shift) % classes, labels), wrong


def auc(above: Tensor, below: Tensor) -> float:
    """Returns the probability that one of `above` is larger than one of `below`; ties count half."""
    if not len(above) or not len(below):
        return 0.5
    ordered = below.sort().values
    less, upto = (torch.searchsorted(ordered, above, right=right) for right in (False, True))
    return float((less + upto).double().mean() / (2 * len(below)))


def _parts(
    data: DataSet, train: int, validation: int, generator: torch.Generator
) -> tuple[Samples, Samples, Samples]:
    """Returns the training, validation and test samples; the first two are random and disjoint."""
    order = torch.randperm(len(data.train), generator=generator)
    if min(train, validation) < 1 or train + validation > len(order):
        raise ValueError(
            f"training and validation samples must be at least 1 each and at most {len(order)} together, "
            f"got {train} and {validation}"
        )
    chosen, held = (
        ImageSplit(data.train.images[own], data.train.labels[own])
        for own in (order[:train], order[train : train + validation])
    )
    return _samples(chosen), _samples(held), _samples(data.test)


def _samples(split: ImageSplit) -> Samples:
    """Returns pixels in [0, 1] and a column of ones, for the bias."""
    pixels = split.images.flatten(1).float() / 255
    return Samples(torch.cat([pixels, torch.ones(len(split), 1)], 1), split.labels)


def _with_noise(samples: Samples, added: int, generator: torch.Generator) -> Samples:
    drawn = SPREAD * torch.randn(len(samples), added, generator=generator)
    return Samples(torch.cat([samples.inputs, drawn], 1), samples.labels)


def _held(held: Samples, lower: Callable[[Tree, Tree, Tensor], Tensor]) -> Problem:
    """Returns the problem whose upper loss is the cross-entropy of held-out samples."""

    def upper(x: Tree, y: Tree, batch: Tensor) -> Tensor:
        own = held[batch]
        return cross_entropy(own.inputs @ y["w"], own.labels)

    return Problem(upper, lower)


def _zeros(samples: Samples, data: DataSet) -> dict[str, Tensor]:
    return {"w": torch.zeros(samples.inputs.shape[1], len(data.classes))}
