"""Training of image classifiers: ours, with all images in memory, against torch's DataLoader with workers.

Both train DropNet's Model A (784-40-40-10) for one epoch on as many images as MNIST's training split has
after its validation split is taken off: batches of 32 in a new order, SGD with a learning rate of 0.1, one
thread. Seconds are of the wall clock, since workers are processes of their own, which the peer has beside
its thread. The images are random bytes: what they show takes no time.
"""

from __future__ import annotations

from functools import cache
from time import perf_counter

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from benchmarks.benchmark import Benchmark
from pruning.data import DataSet, Split
from pruning.models import make_model
from pruning.studies.vision_task import Training, VisionTask

IMAGES, HELD_OUT = 54_000, 500
SHAPE, CLASSES = (1, 28, 28), 10
MODEL, BATCH, LR = "dropnet-a:40-40", 32, 0.1
WORKERS = 2
TARGET = 5


class OneByOne(Dataset):
    """Gives one image at a time as float32 in [0, 1], `[C, H, W]`: as usual, but without a detour by PIL."""

    def __init__(self, split: Split):
        self.split = split

    def __len__(self) -> int:
        return len(self.split.labels)

    def __getitem__(self, number: int) -> tuple[Tensor, int]:
        return self.split.images[number].float().div(255), int(self.split.labels[number])


@cache
def _data() -> DataSet:
    torch.set_num_threads(1)
    parts = (_split(number, seed) for seed, number in enumerate((IMAGES, HELD_OUT, HELD_OUT)))
    return DataSet("random", tuple("0123456789"), *parts, mean=(0.5,), std=(0.29,))


def _split(number: int, seed: int) -> Split:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (number, *SHAPE), dtype=torch.uint8, generator=generator)
    return Split(images, torch.randint(0, CLASSES, (number,), generator=generator))


def train_from_memory() -> float:
    """Returns images a second of one epoch by the training loop of `bttt vision`."""
    task = VisionTask(_data(), MODEL, Training(epochs=1, batch=BATCH), seed=0)
    network = task.build(0)
    start = perf_counter()
    task.train(network, lambda optimizer: None, lambda progress: LR, 0)
    return IMAGES / (perf_counter() - start)


def train_from_workers() -> float:
    """Returns the same for the loop that torch's tutorials teach, with `WORKERS` worker processes."""
    images = OneByOne(_data().train)
    network = make_model(MODEL, shape=SHAPE, classes=CLASSES, seed=0)
    start = perf_counter()
    _train(network, DataLoader(images, batch_size=BATCH, shuffle=True, num_workers=WORKERS))
    return IMAGES / (perf_counter() - start)


def _train(network: nn.Module, batches: DataLoader) -> None:
    optimizer = torch.optim.SGD(network.parameters(), lr=LR)
    network.train()
    for images, labels in batches:
        optimizer.zero_grad()
        functional.cross_entropy(network(images), labels).backward()
        optimizer.step()


BENCHMARKS: list[Benchmark] = [
    Benchmark(
        name="training, Model A on 54,000 images, an epoch",
        unit="images/s",
        ours=train_from_memory,
        peer_name=f"torch DataLoader, {WORKERS} workers",
        peer=train_from_workers,
        target=TARGET,
    ),
]
