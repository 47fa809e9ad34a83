"""The learner: a network, the average of its weights over training, and the gradient steps on samples.

Shapes: N samples, B samples of a batch, A cells of the board, S symmetries.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from agents.alphazero.configs import LearnerConfig
from agents.alphazero.learning.gradients import Gradients, has_gradients, losses_of
from agents.alphazero.learning.replay import SampleBatch, images, make_batch
from agents.alphazero.network import AlphaZeroNetwork, bfloat16_is_fast, channels_last
from bttt import Board


@dataclass(frozen=True, slots=True)
class Losses:
    """Mean losses over gradient steps.

    Attributes:
        policy: Cross entropy to the search's policy, in nats.
        value: Squared error of the value.
        steps: Number of steps.
    """

    policy: float
    value: float
    steps: int


class Learner:
    """Trains a network on samples.

    Attributes:
        network: The network in training.
        average: The exponential moving average of its weights and normalisation statistics.

    Args:
        network: The network, changed in place.
        config: The learner's settings.
        size: A board of the samples' size.
        device: Device of the training.
    """

    def __init__(self, network: AlphaZeroNetwork, config: LearnerConfig, size: Board, device: str = "cpu"):
        self.network = channels_last(network.to(device)).train()
        self.average = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.config = config
        self.device = device
        self.size = size
        self._images = images(size, config.augmentation)
        fast = bfloat16_is_fast()
        self._amp = device != "cpu" or fast
        self._gradients: Gradients | None = None
        if device == "cpu" and fast and has_gradients(self.network):
            self._gradients = Gradients(self.network, torch.bfloat16)
        tensors = zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True)
        pairs = list(tensors)
        self._averaged = [pair for pair in pairs if pair[0].is_floating_point()]
        self._counted = [pair for pair in pairs if not pair[0].is_floating_point()]
        self._average = get_ema_multi_avg_fn(config.averaging)
        weights = self.network.parameters()
        if config.optimizer == "adamw":
            self.optimizer: torch.optim.Optimizer = torch.optim.AdamW(
                weights, lr=config.lr, weight_decay=config.weight_decay, fused=True
            )
        else:
            self.optimizer = torch.optim.SGD(
                weights, lr=config.lr, momentum=0.9, weight_decay=config.weight_decay
            )

    def learn(self, samples: np.ndarray, steps: int, progress: float, rng: np.random.Generator) -> Losses:
        """Takes gradient steps on batches drawn from `samples` `[N]`, and returns their mean losses.

        Args:
            samples: The replay buffer.
            steps: Number of steps.
            progress: Fraction of the budget used, in [0, 1]; sets the learning rate.
            rng: Draws samples and symmetries.
        """
        return self.learn_at(samples, steps, self.config.lr_at(progress), rng)

    def learn_at(self, samples: np.ndarray, steps: int, lr: float, rng: np.random.Generator) -> Losses:
        """Takes steps like `learn`, with a given learning rate."""
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        total = torch.zeros(2)
        for _ in range(steps):
            chosen = samples[rng.integers(len(samples), size=self.config.batch)]
            turns = self._images[rng.integers(len(self._images), size=len(chosen))]
            bricks_plane = self.network.config.encoding == "bricks"
            total += self._step(make_batch(chosen, self.size, turns, bricks_plane))
        policy, value = (total / max(steps, 1)).tolist()
        return Losses(policy, value, steps)

    def _step(self, batch: SampleBatch) -> Tensor:
        planes, policies, values = (torch.from_numpy(array).to(self.device) for array in batch)
        self.optimizer.zero_grad(set_to_none=True)
        if self._gradients is not None:
            losses = self._gradients.add(planes, policies, values, self.config.value_weight)
        else:
            losses = self._add_by_autograd(planes, policies, values)
        self.optimizer.step()
        self._move_average()
        return losses.cpu()

    def _add_by_autograd(self, planes: Tensor, policies: Tensor, values: Tensor) -> Tensor:
        with torch.autocast(self.device, torch.bfloat16, enabled=self._amp):
            logits, expected = self.network(planes.contiguous(memory_format=torch.channels_last))
        losses = losses_of(logits, expected, policies, values)
        (losses[0] + self.config.value_weight * losses[1]).backward()
        return losses.detach()

    @torch.no_grad()
    def _move_average(self) -> None:
        self._average(*map(list, zip(*self._averaged, strict=True)), 0)
        for mean, tensor in self._counted:
            mean.copy_(tensor)

    def state(self) -> dict[str, Tensor]:
        """Returns all tensors that determine the next step, by name, for `restore`."""
        tensors = {f"network.{name}": tensor for name, tensor in self.network.state_dict().items()}
        tensors |= {f"average.{name}": tensor for name, tensor in self.average.state_dict().items()}
        for number, values in self.optimizer.state_dict()["state"].items():
            tensors |= {
                f"optimizer.{number}.{name}": torch.as_tensor(value)
                for name, value in values.items()
                if value is not None
            }
        return tensors

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Restores the tensors returned by `state`."""
        for name, network in (("network", self.network), ("average", self.average)):
            own = {
                key.removeprefix(f"{name}."): value
                for key, value in tensors.items()
                if key.startswith(f"{name}.")
            }
            network.load_state_dict(own)
        weights = list(self.network.parameters())
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            if key.startswith("optimizer."):
                _, number, name = key.split(".")
                if value.dim():  # fused kernels need the memory layout of the weight
                    value = torch.empty_like(weights[int(number)]).copy_(value)
                state.setdefault(int(number), {})[name] = value
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})
