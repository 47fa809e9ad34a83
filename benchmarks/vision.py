"""Training of image classifiers: ours, with all images in memory, against torch's DataLoader with workers.

Both train DropNet's Model A (784-40-40-10) for one epoch on as many images as MNIST's training split has
after its validation split is taken off: batches of 32 in a new order, SGD with a learning rate of 0.1, one
thread. Seconds are of the wall clock, since workers are processes of their own, which the peer has beside
its thread. The images are random bytes: what they show takes no time.

The usual data set of MNIST makes a PIL image of each entry and a tensor of that. The second peer takes
tensors from memory at once, image by image; the rest of its loop is the same.
"""

from __future__ import annotations

from functools import cache, partial
from time import perf_counter

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, Subset

from benchmarks.benchmark import Benchmark
from pruning.data import DataSet, ImageSplit
from pruning.models import make_model
from pruning.studies.vision import Training, VisionTask

IMAGES, HELD_OUT = 54_000, 500
SHAPE, CLASSES = (1, 28, 28), 10
MODEL, BATCH, LR = "dropnet-a:40-40", 32, 0.1
WORKERS = 2
WARM_UP = 0.05
"""Share of an epoch before the clock starts."""


class OneByOne(Dataset):
    """Gives one image at a time as float32 in [0, 1], `[C, H, W]`, and its label.

    Args:
        split: Images of one channel.
        pil: Whether by way of a PIL image.
    """

    def __init__(self, split: ImageSplit, pil: bool):
        self.split, self.pil = split, pil

    def __len__(self) -> int:
        return len(self.split.labels)

    def __getitem__(self, number: int) -> tuple[Tensor, int]:
        image = self.split.images[number]
        if self.pil:
            image = torch.from_numpy(np.array(Image.fromarray(image[0].numpy())))[None]
        return image.float().div(255), int(self.split.labels[number])


@cache
def _data() -> DataSet:
    torch.set_num_threads(1)
    parts = (_split(number, seed) for seed, number in enumerate((IMAGES, HELD_OUT, HELD_OUT)))
    return DataSet("random", tuple("0123456789"), *parts, mean=(0.5,), std=(0.29,))


def _split(number: int, seed: int) -> ImageSplit:
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (number, *SHAPE), dtype=torch.uint8, generator=generator)
    return ImageSplit(images, torch.randint(0, CLASSES, (number,), generator=generator))


def train_from_memory() -> float:
    """Returns images a second of one epoch by the training loop of `bttt vision`."""
    task = VisionTask(_data(), MODEL, Training(epochs=1, batch=BATCH), seed=0)

    def train(share: float) -> float:
        network = task.build(0)
        start = perf_counter()
        task.train(network, lambda optimizer: None, lambda progress: LR, 0, share)
        return perf_counter() - start

    train(WARM_UP)
    return IMAGES / train(1.0)


def train_from_workers(pil: bool) -> float:
    """Returns the same for the loop that torch's tutorials teach, with `WORKERS` worker processes."""
    images = OneByOne(_data().train, pil)
    few = Subset(images, range(round(WARM_UP * IMAGES)))

    def train(images: Dataset) -> float:
        network = make_model(MODEL, shape=SHAPE, classes=CLASSES, seed=0)
        start = perf_counter()
        _train(network, DataLoader(images, batch_size=BATCH, shuffle=True, num_workers=WORKERS))
        return perf_counter() - start

    train(few)
    return IMAGES / train(images)


def _train(network: nn.Module, batches: DataLoader) -> None:
    optimizer = torch.optim.SGD(network.parameters(), lr=LR)
    network.train()
    for images, labels in batches:
        optimizer.zero_grad()
        functional.cross_entropy(network(images), labels).backward()
        optimizer.step()


def _benchmark(pil: bool, target: float | None) -> Benchmark:
    return Benchmark(
        name="training, Model A on 54,000 images",
        unit="images/s",
        ours=train_from_memory,
        peer_name=f"torch DataLoader, {WORKERS} workers, {'PIL images' if pil else 'tensors'}",
        peer=partial(train_from_workers, pil),
        target=target,
    )


BENCHMARKS: list[Benchmark] = [_benchmark(pil=True, target=5), _benchmark(pil=False, target=None)]
