"""An image classifier as a task of the pruning loop: trained from scratch on images in memory.

Shapes: N images in a split, B in a batch, C channels, H x W pixels.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from bttt.runs import require_at_least
from pruning.criteria import Batch, Network, as_tuple
from pruning.data import AUGMENTATIONS, DataSet, ImageSplit
from pruning.digests import digest_of
from pruning.limits import require_one_of
from pruning.loop import Hold, Trained
from pruning.measures import measure_spread
from pruning.models import lay_out, make_model
from pruning.schedules import half_cosine, rise_and_rest

EVALUATED_BATCH = 500
"""Batch size for evaluation and scoring."""
MOMENTA = (0.85, 0.95)
"""Bounds of the momentum in one-cycle training (Smith and Topin; the defaults of torch)."""
OF_EACH_CLASS = 10
"""Images of each class in the sample for scores before training, like GraSP for ten classes."""
SPREAD_IMAGES = 512
"""Number of training images for measuring spreads; all cycles use the same images."""
SPREAD_AT = (0.25, 1.0)
"""Fractions of the training steps at which spreads are measured: before the rate drops, and at the end."""


@dataclass(frozen=True)
class Training:
    """How a classifier is trained, except for the learning rate.

    Attributes:
        epochs: Epochs per cycle, or the maximum with early stopping; 0 trains nothing.
        batch: Images per step.
        optimizer: "sgd", or "adam" with torch's defaults for its other settings.
        momentum: Momentum of SGD.
        nesterov: Whether to use Nesterov momentum.
        weight_decay: L2 penalty.
        patience: Stop after this many epochs in a row without a smaller validation loss; 0 never stops early.
            The last weights are kept, not the best.
        shuffle: Whether to reshuffle the images in each epoch.
        augmentation: A name in `pruning.data.augmentation.AUGMENTATIONS`.
        normalise: Whether to normalise channels to mean 0 and standard deviation 1 over the training images;
            otherwise values are 0 to 1.
        cycle_momentum: Whether SGD's momentum goes from 0.95 to 0.85 and back, the default of torch's
            one-cycle schedule.
        precision: "float32", or "bfloat16" for the layers' products (autocast), also in evaluation.
        scored: Number of training images for scoring, counted from the first; 0 uses all.
        spread: Whether to measure the spreads of gradients and activations (see `measure_spread`).

    Raises:
        ValueError: A value is out of range.
    """

    epochs: int = 100
    batch: int = 32
    optimizer: Literal["sgd", "adam"] = "sgd"
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0
    patience: int = 0
    shuffle: bool = True
    augmentation: str = "none"
    normalise: bool = False
    cycle_momentum: bool = False
    precision: Literal["float32", "bfloat16"] = "float32"
    scored: int = 0
    spread: bool = False

    def __post_init__(self) -> None:
        require_at_least(0, epochs=self.epochs, patience=self.patience, scored=self.scored)
        require_at_least(1, batch=self.batch)
        require_at_least(0, below=1, momentum=self.momentum)
        require_at_least(0, below=math.inf, weight_decay=self.weight_decay)
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov needs a momentum above 0")
        choices = {"optimizer": ("sgd", "adam"), "precision": ("float32", "bfloat16")}
        for name, known in {**choices, "augmentation": tuple(AUGMENTATIONS)}.items():
            require_one_of(known, **{name: getattr(self, name)})


class VisionTask:
    """A network from the registry, and images to train it on.

    Attributes:
        measure: Accuracy on the validation split.
        example: One image in the network's input format.

    Args:
        data: The images.
        model: The network's spec in `pruning.models.registry`.
        training: Training settings of a cycle.
        seed: Seed of the initial weights.
        width: Factor of the network's width.
        init: How weights are drawn, a name in `pruning.models.registry.INITS`.
        device: The device for all tensors and computations.
        trained: The state of a trained network to start from; None trains one in cycle 0.
    """

    measure = "validation accuracy"

    def __init__(
        self,
        data: DataSet,
        model: str,
        training: Training,
        *,
        seed: int,
        width: float = 1.0,
        init: str = "default",
        device: str = "cpu",
        trained: dict[str, Tensor] | None = None,
    ):
        self.model, self.training, self.seed, self.width, self.init = model, training, seed, width, init
        self.device, self.trained = torch.device(device), trained
        self.shape, self.classes = data.shape, len(data.classes)
        self._data = data
        self.splits = {
            name: ImageSplit(split.images.to(self.device), split.labels.to(self.device))
            for name, split in (("train", data.train), ("validation", data.validation), ("test", data.test))
        }
        mean, std = (data.mean, data.std) if training.normalise else ((0.0,), (1.0,))
        channels = (1, -1, 1, 1)
        self._shift = torch.tensor(mean, device=self.device).view(channels)
        self._scale = 1 / torch.tensor(std, device=self.device).view(channels)
        self.example = self._inputs(self.splits["train"].images[:1])

    @cached_property
    def fingerprint(self) -> dict[str, Any]:
        """What the results depend on; the device is left out."""
        trained = {"trained network": None if self.trained is None else digest_of(self.trained)}
        own = {"model": self.model, "width": self.width, "init": self.init, "seed": self.seed}
        return {**own, "training": asdict(self.training), "data": self._data.fingerprint, **trained}

    def build(self, seed: int | None) -> nn.Module:
        """Returns an untrained network; None gives the run's initial weights."""
        seed = self.seed if seed is None else seed
        network = make_model(
            self.model, shape=self.shape, classes=self.classes, width=self.width, init=self.init, seed=seed
        )
        return network.to(self.device)

    def dense(self) -> nn.Module | None:
        """Returns the trained network if there is one."""
        if self.trained is None:
            return None
        network = self.build(None)
        network.load_state_dict(self.trained)
        return network

    def train(
        self, network: nn.Module, hold: Hold, lr: Callable[[float], float], seed: int, share: float = 1.0
    ) -> Trained:
        """Trains a network in place; see `Training`.

        If the weights stop being finite, training stops and restores the weights of the last finite epoch.
        The metric "diverged" is then 1.
        """
        lay_out(network, torch.channels_last)
        network.train()
        optimizer = self._optimizer(network)
        hold(optimizer)
        generator = torch.Generator().manual_seed(seed)
        config, parameters = self.training, list(network.parameters())
        whole = config.epochs * self._steps
        most, done, epoch = round(share * whole), 0, 0
        metrics: dict[str, float] = {"diverged": 0.0}
        patience = _Patience(config.patience)
        before: dict[str, Tensor] = {}
        last, loss = copy.deepcopy(network.state_dict()), torch.zeros(())
        while done < most and not patience.over:
            before = {name: weight.detach().clone() for name, weight in network.named_parameters()}
            for images, labels in self._epoch(generator, most - done):
                self._set(optimizer, lr, done / whole)
                loss = self._loss(network, images, labels)
                for parameter in parameters:
                    parameter.grad = None  # like `zero_grad`, which takes 10% of a small network's step
                loss.backward()
                optimizer.step()
                done += 1
                self._measure_spread(network, done, most, metrics)
            epoch += 1
            if not (loss.isfinite() and all(parameter.isfinite().all() for parameter in parameters)):
                metrics["diverged"] = 1.0
                network.load_state_dict(last)
                break
            if config.patience:
                patience.see(self.measured(network, "validation")["loss"])
                network.train()
            last = copy.deepcopy(network.state_dict())
        lay_out(network, torch.contiguous_format)
        network.eval()
        return Trained({"epochs": epoch, "training loss": float(loss.detach()), **metrics}, before)

    def evaluate(self, network: nn.Module) -> dict[str, float]:
        """Returns accuracy and loss on the validation split."""
        return {f"validation {name}": value for name, value in self.measured(network, "validation").items()}

    @torch.no_grad()
    def measured(self, network: nn.Module, split: str) -> dict[str, float]:
        """Returns the accuracy and the mean loss on a split; the network is left in evaluation mode."""
        network.eval()
        right, loss = (torch.zeros((), dtype=torch.double, device=self.device) for _ in range(2))
        for images, labels in self._batches(self.splits[split], EVALUATED_BATCH):
            logits = self._logits(network, images)
            right += (logits.argmax(1) == labels).sum()
            loss += functional.cross_entropy(logits, labels, reduction="sum")
        number = len(self.splits[split].labels)
        return {"accuracy": float(right) / number, "loss": float(loss) / number}

    def batches(self) -> Iterator[Batch]:
        """Yields the part of the training split used for scoring, without augmentation."""
        train = self.splits["train"]
        number = self.training.scored or len(train.labels)
        return self.inputs(ImageSplit(train.images[:number], train.labels[:number]))

    def inputs(self, split: ImageSplit) -> Iterator[Batch]:
        """Yields a split's images in the network's input format, with labels."""
        return self._batches(split, EVALUATED_BATCH)

    def sample(self) -> Iterator[Batch]:
        """Yields one batch: the first images of each class, equally many of each."""
        labels = self.splits["train"].labels
        chosen = torch.cat([(labels == each).nonzero().flatten()[:OF_EACH_CLASS] for each in labels.unique()])
        return self._batches(
            ImageSplit(self.splits["train"].images[chosen], labels[chosen]), max(1, len(chosen))
        )

    def loss(self, network: Network, batch: Batch) -> Tensor:
        """Returns the mean cross entropy of a batch."""
        (logits,) = as_tuple(network(batch[0]))
        return functional.cross_entropy(logits, batch[1])

    @property
    def _steps(self) -> int:
        """Steps per epoch; a last batch of one image is skipped, since its deviation is undefined."""
        return max(1, -(-(len(self.splits["train"].labels) - 1) // self.training.batch))

    def _logits(self, network: nn.Module, images: Tensor) -> Tensor:
        if self.training.precision == "float32":  # autocast takes time even if it is disabled
            return network(images)
        with torch.autocast(self.device.type, torch.bfloat16):
            return network(images).float()

    def _loss(self, network: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
        return functional.cross_entropy(self._logits(network, images), labels)

    def _optimizer(self, network: nn.Module) -> torch.optim.Optimizer:
        config = self.training
        if config.optimizer == "adam":
            return torch.optim.Adam(network.parameters(), weight_decay=config.weight_decay)
        return torch.optim.SGD(
            network.parameters(),
            lr=0.1,
            momentum=config.momentum,
            nesterov=config.nesterov,
            weight_decay=config.weight_decay,
        )

    def _set(self, optimizer: torch.optim.Optimizer, lr: Callable[[float], float], progress: float) -> None:
        group = optimizer.param_groups[0]
        group["lr"] = lr(progress)
        if self.training.cycle_momentum:
            low, high = MOMENTA
            group["momentum"] = high - (high - low) * _one_cycle(progress)

    def _epoch(self, generator: torch.Generator, most: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yields at most `most` batches of an epoch in the network's input format for training."""
        config, train = self.training, self.splits["train"]
        augment = AUGMENTATIONS[config.augmentation]
        order = torch.randperm(len(train.labels), generator=generator) if config.shuffle else None
        for start in range(0, min(self._steps, most) * config.batch, config.batch):
            part = slice(start, start + config.batch)
            chosen = part if order is None else order[part].to(self.device)
            images = train.images[chosen].float().mul_(1 / 255)
            yield self._normalised(augment(images, generator)), train.labels[chosen]

    def _batches(self, split: ImageSplit, size: int) -> Iterator[Batch]:
        for start in range(0, len(split.labels), size):
            part = slice(start, start + size)
            yield [self._inputs(split.images[part]), split.labels[part]]

    def _inputs(self, images: Tensor) -> Tensor:
        return self._normalised(images.float().mul_(1 / 255))

    def _normalised(self, images: Tensor) -> Tensor:
        if self.training.normalise:
            images = (images - self._shift) * self._scale
        return images.contiguous(memory_format=torch.channels_last) if images.shape[1] > 1 else images

    def _measure_spread(self, network: nn.Module, done: int, most: int, metrics: dict[str, float]) -> None:
        """Measures the spreads once training has reached a given fraction of its steps."""
        for at in SPREAD_AT if self.training.spread else ():
            if done == math.ceil(at * most):
                train = self.splits["train"]
                batch = self._inputs(train.images[:SPREAD_IMAGES]), train.labels[:SPREAD_IMAGES]
                found = measure_spread(network, batch, self.loss)
                metrics |= {f"{name} spread at {at:g}": value for name, value in found.items()}


class _Patience:
    """Counts epochs without a smaller loss; a nan loss never counts as smaller."""

    def __init__(self, most: int):
        self.most, self.best, self.waited = most, math.inf, 0

    @property
    def over(self) -> bool:
        return bool(self.most) and self.waited >= self.most

    def see(self, loss: float) -> None:
        self.waited = 0 if loss < self.best else self.waited + 1
        self.best = min(self.best, loss) if loss == loss else self.best


def _one_cycle(progress: float) -> float:
    """Returns 0 at the ends and 1 at the peak of the one-cycle schedule, which rises over the first 10%."""
    return rise_and_rest(
        progress, start=0.0, rise=0.1, rest=lambda rest: half_cosine(rest, start=1.0, end=0.0)
    )
