"""The AlphaZero network as a task of the pruning loop: retrained on a self-play buffer or by new self-play.

Shapes: N samples, B samples in a batch.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from agents.alphazero import LearnerConfig, SearchConfig, SelfPlayConfig
from agents.alphazero.learning import Learner, Losses, images, make_batch
from agents.alphazero.network import PolicyValueNet, as_network, make_evaluator, untrained
from agents.alphazero.training import SelfPlay, SolverErrors
from bttt import Board
from pruning.criteria import Batch, Network, as_tuple
from pruning.digests import digest_of
from pruning.loop import Hold, Trained
from pruning.models import lay_out

SCORED_BATCH = 256
"""Batch size for scores and validation losses; larger activations no longer fit in the caches."""
SAMPLED = 512
"""Positions in the sample for scores before training."""


@dataclass(frozen=True)
class Retraining:
    """Settings of the training in one cycle.

    Attributes:
        steps: Training steps per cycle.
        learner: Settings of a step; its learning rate comes from the schedule.
        iterations: Self-play phases per cycle, between which the learner continues; 0 learns from the buffer
            alone.
        fresh: Whether self-play in the loop starts without the buffer, from the network's own games alone.
            These games are played with the averaged weights, which still contain a trace of weights that
            sparse training dropped recently.
        plies: Plies of every game in a self-play phase.
        selfplay: How games are played.
        search: How cells are chosen in these games.
        scored: Number of samples for scoring, evenly spaced over the training split.
    """

    steps: int = 400
    learner: LearnerConfig = field(default_factory=LearnerConfig)
    iterations: int = 0
    fresh: bool = False
    plies: int = 8
    selfplay: SelfPlayConfig = field(default_factory=SelfPlayConfig)
    search: SearchConfig = field(default_factory=lambda: SearchConfig(simulations=32, gumbel=True))
    scored: int = 20_000


class AlphaZeroTask:
    """A trained network, and self-play samples to retrain it on.

    Attributes:
        measure: The agreement of the raw policy's best cell with the search's, on the validation split.
        example: Planes of one position.

    Args:
        network: The trained network.
        boards: The boards it was trained on; self-play uses them too.
        train: Samples to train on, `[N]`.
        validation: Samples to validate on.
        seed: The seed of its training run, which determines its initial weights.
        retraining: Settings of the training in one cycle.
    """

    measure = "agreement"

    def __init__(
        self,
        network: PolicyValueNet,
        boards: Sequence[Board],
        train: np.ndarray,
        validation: np.ndarray,
        *,
        seed: int,
        retraining: Retraining,
    ):
        self.network = network
        self.boards = tuple(boards)
        self.size = self.boards[0].with_bricks(())
        self.samples = train
        self.validation = validation
        self.seed = seed
        self.retraining = retraining
        self.bricks_plane = network.config.encoding == "bricks"
        self.example = torch.zeros(1, 3, self.size.rows, self.size.cols)

    @cached_property
    def fingerprint(self) -> dict[str, Any]:
        """What the results depend on."""
        return {
            "network": digest_of(self.network.state_dict()),
            "boards": " ".join(map(str, self.boards)),
            "samples": digest_of(self.samples),
            "validation samples": digest_of(self.validation),
            "seed": self.seed,
            "retraining": asdict(self.retraining),
        }

    def build(self, seed: int | None) -> PolicyValueNet:
        """Returns an untrained network of this architecture; None gives its own initial weights."""
        return untrained(self.network.config, self.seed if seed is None else seed)

    def dense(self) -> PolicyValueNet:
        """Returns the trained network."""
        return copy.deepcopy(self.network)

    def train(
        self, network: nn.Module, hold: Hold, lr: Callable[[float], float], seed: int, share: float = 1.0
    ) -> Trained:
        """Trains a network in place; it ends with the weights averaged over the steps, like `bttt train`."""
        config = self.retraining
        learner = Learner(as_network(network), config.learner, self.size)
        hold(learner.optimizer)
        rng = np.random.default_rng(np.random.SeedSequence(seed))
        samples = self._samples(learner, rng)
        epoch = max(1, len(self.samples) // config.learner.batch)
        before: dict[str, Tensor] = {}
        losses: list[Losses] = []
        steps = round(share * config.steps)
        for step in range(steps):
            if step >= steps - epoch and not before:
                before = {name: weight.clone() for name, weight in learner.average.named_parameters()}
            losses.append(learner.learn_at(next(samples), 1, lr(step / config.steps), rng))
        network.load_state_dict(learner.average.state_dict())
        lay_out(network, torch.contiguous_format)
        network.eval()
        last = losses[-max(1, len(losses) // 10) :] or [Losses(0.0, 0.0, 0)]
        metrics = {
            "policy loss": float(np.mean([each.policy for each in last])),
            "value loss": float(np.mean([each.value for each in last])),
            "steps": len(losses),
        }
        return Trained(metrics, before)

    @torch.inference_mode()
    def evaluate(self, network: nn.Module) -> dict[str, float]:
        """Returns losses and agreements on the validation split, and the raw policy's value-losing moves.

        "agreement" is the fraction of positions in which the policy and the search have the same best cell.
        "signs" is the fraction of positions with a nonzero target in which the value has the target's sign.
        For a diverged network, "agreement" is nan and the only metric.
        """
        found: list[tuple[Tensor, ...]] = []
        for planes, policies, values in self._batches(self.validation):
            logits, expected = network(planes)
            losses = -(policies * functional.log_softmax(logits, 1)).sum(1)
            best = logits.masked_fill(~legal_cells(planes, self.bricks_plane), -torch.inf).argmax(1)
            agree = (best == policies.argmax(1)).float()
            found.append((losses, agree, (expected - values).square(), (expected * values).sign()))
        policy_loss, agree, value_error, signs = (torch.cat(parts) for parts in zip(*found, strict=True))
        if not policy_loss.isfinite().all():  # a diverged network must not play
            return {"agreement": float("nan")}
        measured = {
            "agreement": float(agree.mean()),
            "validation policy loss": float(policy_loss.mean()),
            "validation value error": float(value_error.mean()),
            "signs": float((signs[signs != 0] > 0).float().mean()),
        }
        return measured | {f"losing {name}": rate for name, rate in self._losing(network).items()}

    def batches(self) -> Iterator[Batch]:
        """Yields the part of the training split used for scoring, without symmetries."""
        number = len(self.samples)
        chosen = np.linspace(0, number - 1, min(number, self.retraining.scored)).astype(np.int64)
        return self._batches(self.samples[chosen])

    def sample(self) -> Iterator[Batch]:
        """Yields one batch with equally many positions of each number of stones, as far as available."""
        stones = np.bitwise_count(self.samples["mine"]) + np.bitwise_count(self.samples["theirs"])
        place = np.zeros(len(stones), np.int64)  # rank among positions with the same number of stones
        for number in np.unique(stones):
            place[stones == number] = np.arange((stones == number).sum())
        return self._batches(self.samples[np.argsort(place, kind="stable")[:SAMPLED]], SAMPLED)

    def loss(self, network: Network, batch: Batch) -> Tensor:
        """Returns the mean of the policy's cross entropy and the value's squared error, as in training."""
        planes, policies, values = batch
        logits, expected = as_tuple(network(planes))
        policy_loss = -(policies * functional.log_softmax(logits, 1)).sum(1).mean()
        return policy_loss + self.retraining.learner.value_weight * functional.mse_loss(expected, values)

    def _samples(self, learner: Learner, rng: np.random.Generator) -> Iterator[np.ndarray]:
        """Yields the samples of each step: the buffer, or the latest self-play of the network in training."""
        config = self.retraining
        if not config.iterations:
            while True:
                yield self.samples
        selfplay = SelfPlay(self.boards, config.selfplay, config.search, self.bricks_plane, rng)
        most = len(self.samples)
        samples = self.samples[:0] if config.fresh else self.samples
        steps = -(-config.steps // config.iterations)
        while True:
            evaluate = make_evaluator(learner.average, "selfplay")
            samples = np.concatenate([samples, selfplay.run(evaluate, config.plies, rng).samples])[-most:]
            while len(samples) < config.learner.batch:  # the first games end after several phases
                samples = np.concatenate([samples, selfplay.run(evaluate, config.plies, rng).samples])
            yield from [samples] * steps

    def _batches(self, samples: np.ndarray, size: int = SCORED_BATCH) -> Iterator[Batch]:
        upright = images(self.size, "none")
        for start in range(0, len(samples), size):
            part = samples[start : start + size]
            turns = upright[np.zeros(len(part), np.int64)]
            planes, *targets = map(torch.from_numpy, make_batch(part, self.size, turns, self.bricks_plane))
            yield [planes.contiguous(memory_format=torch.channels_last), *targets]

    @cached_property
    def _errors(self) -> SolverErrors | None:
        return SolverErrors(self.boards, self.bricks_plane) if SolverErrors.fits(self.size) else None

    def _losing(self, network: nn.Module) -> dict[str, float]:
        if self._errors is None:
            return {}
        return self._errors.rates(make_evaluator(as_network(network), "torch"))


def legal_cells(planes: Tensor, bricks_plane: bool) -> Tensor:
    """Returns the cells where a stone can be placed, `[B, A] bool`, from planes `[B, 3, rows, cols]`.

    Args:
        planes: The mover's stones, the opponent's stones, and cells without a brick.
        bricks_plane: Whether the third plane shows bricks instead.
    """
    mine, theirs, third = planes.flatten(2).bool().unbind(1)
    return ~(mine | theirs) & (third ^ bricks_plane)


def shrunk_config(config: Any, masks: Mapping[str, Tensor]) -> Any:
    """Returns the configuration of a network after removing the channels masked in each group."""
    left = {name: int(mask.sum()) for name, mask in masks.items()}
    names = {"stem": "stream", "policy_conv": "policy", "value_conv": "value", "value_hidden": "hidden"}
    blocks = [left.get(f"blocks.{i}.conv1", width) for i, width in enumerate(config.blocks)]
    return replace(
        config, blocks=tuple(blocks), **{field: left[name] for name, field in names.items() if name in left}
    )
