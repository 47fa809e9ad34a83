"""Pruning: scores before training, RigL against a static mask, local imitation; one thread, CPU seconds.

The data are random numbers: what they show takes no time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache, partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from agents.alphazero.network import PRESETS, untrained
from benchmarks.benchmark import Benchmark, rate
from pruning.channels import find_groups
from pruning.criteria import Layer, Network, line_search_weights, local_discrepancy
from pruning.loop import Amount, Plan, Scoring, StartWeights, Stop, choose, whole
from pruning.masks import Masks, apply, keep_highest
from pruning.models import make_model
from pruning.sparse import SparseTraining, make_topology
from pruning.studies.alphazero import SAMPLED

ROUNDS = {"snip": 1, "grasp": 1, "synflow": 100}
UNITS, INPUTS, SUPPORT = 300, 2000, 60
BATCH, DENSITY, STEPS = 100, 0.1, 300


class BoardTask:
    """Just what is asked of a task for scores: random positions, and the joint loss."""

    def __init__(self):
        generator = torch.Generator().manual_seed(0)
        planes = torch.randint(0, 2, (SAMPLED, 3, 7, 7), generator=generator).float()
        policies = torch.rand(SAMPLED, 49, generator=generator).softmax(1)
        self._batch = [planes, policies, 2 * torch.rand(SAMPLED, generator=generator) - 1]
        self.example = planes[:1]

    def sample(self) -> list[list[Tensor]]:
        """Returns one batch of 512 positions."""
        return [self._batch]

    batches = sample

    def loss(self, network: Network, batch: list[Tensor]) -> Tensor:
        """Returns the cross entropy of the policy and the squared error of the value."""
        logits, values = network(batch[0])
        policy = -(batch[1] * functional.log_softmax(logits, 1)).sum(1).mean()
        return policy + functional.mse_loss(values, batch[2])


def _seconds(work: Callable[[], object]) -> float:
    torch.set_num_threads(1)
    work()
    start = time.process_time()
    work()
    return time.process_time() - start


def score_at_start(criterion: str) -> float:
    """Returns the seconds in which the `small` AlphaZero network is scored and pruned before training."""
    task = BoardTask()
    network = untrained(PRESETS["small"], 0).eval()
    groups = find_groups(network, task.example)
    scoring = Scoring(criterion, rounds=ROUNDS[criterion])
    plan = Plan(scoring, Amount(fraction=0.9), StartWeights(untrained=True), stop=Stop(cycles=1))
    masks = whole(plan, network, groups)
    return _seconds(lambda: choose(task, plan, network, groups, masks, before={}, seed=0))


def imitate() -> float:
    """Returns the seconds in which 60 of 300 units are chosen by local imitation on 2,000 inputs."""
    generator = torch.Generator().manual_seed(0)
    network = make_model("lenet:300-100", shape=(1, 28, 28), classes=10, seed=0).eval()
    inputs = torch.rand(INPUTS, 1, 28, 28, generator=generator)
    group = find_groups(network, inputs[:1])[0]
    layer = Layer(network, group, torch.ones(UNITS, dtype=torch.bool), SUPPORT)
    return _seconds(
        lambda: line_search_weights(local_discrepancy(layer, inputs, generator), [SUPPORT])[SUPPORT]
    )


@cache
def _masks() -> Masks:
    network = make_model("lenet:300-100", shape=(1, 28, 28), classes=10, seed=0)
    layers = {name: weight for name, weight in network.named_parameters() if weight.dim() > 1}
    alive = Masks.ones({name: weight.shape for name, weight in layers.items()})
    keep = {name: round(DENSITY * weight.numel()) for name, weight in layers.items()}
    generator = torch.Generator().manual_seed(0)
    scores = {name: torch.rand(weight.shape, generator=generator) for name, weight in layers.items()}
    return keep_highest(scores, alive, keep).masks


def train_sparsely(topology: str) -> float:
    """Returns steps a second of LeNet 300-100 at density 0.1 with SGD, batches of 100."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(BATCH, 1, 28, 28, generator=generator)
    labels = torch.randint(0, 10, (BATCH,), generator=generator)
    network = make_model("lenet:300-100", shape=(1, 28, 28), classes=10, seed=0)
    apply(network, _masks())
    sparse = SparseTraining(network, _masks(), make_topology(topology), 0)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
    sparse.hold(optimizer)
    watched = sparse.watch(lambda progress: 0.01)

    def steps() -> int:
        for _ in range(STEPS):
            watched(0.1)  # long before updates end
            optimizer.zero_grad()
            _loss(network, images, labels).backward()
            optimizer.step()
        return STEPS

    return rate(steps)


def _loss(network: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    return functional.cross_entropy(network(images), labels)


BENCHMARKS: list[Benchmark] = [
    *(
        Benchmark(
            name=f"scores before training, {name}"
            + (f", {rounds} rounds" if rounds > 1 else "")
            + ", small AlphaZero network",
            unit="CPU-s",
            ours=partial(score_at_start, name),
            limit=2,
        )
        for name, rounds in ROUNDS.items()
    ),
    Benchmark(
        name="RigL, LeNet 300-100, density 0.1, update every 100 steps",
        unit="steps/CPU-s",
        ours=partial(train_sparsely, "rigl"),
        peer_name="the same with a static mask",
        peer=partial(train_sparsely, "static"),
        target=0.9,
    ),
    Benchmark(name="local imitation, 60 of 300 units, 2,000 inputs", unit="CPU-s", ours=imitate, limit=5),
]
