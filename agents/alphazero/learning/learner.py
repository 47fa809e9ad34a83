"""The learner: a network, the average of its weights over training, and the gradient steps on samples.

Shapes: N samples, B samples of a batch, A cells of the board, S symmetries.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from agents.alphazero.configs import LearnerConfig
from agents.alphazero.learning.gradients import Gradients, has_gradients, losses_of
from agents.alphazero.learning.replay import images, make_batch
from agents.alphazero.learning.shares import Helper, add_shared, as_vector, set_weights, shares
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

    def learn(
        self,
        samples: np.ndarray,
        steps: int,
        progress: float,
        rng: np.random.Generator,
        helpers: Sequence[Helper] = (),
    ) -> Losses:
        """Takes gradient steps on batches drawn from `samples` `[N]`, and returns their mean losses.

        Args:
            samples: The replay buffer.
            steps: Number of steps.
            progress: Fraction of the budget used, in [0, 1]; sets the learning rate.
            rng: Draws samples and symmetries.
            helpers: Processes that compute the gradients of parts of each batch.
        """
        return self.learn_at(samples, steps, self.config.lr_at(progress), rng, helpers)

    def learn_at(
        self,
        samples: np.ndarray,
        steps: int,
        lr: float,
        rng: np.random.Generator,
        helpers: Sequence[Helper] = (),
    ) -> Losses:
        """Takes steps like `learn`, with a given learning rate."""
        if not steps:
            return Losses(0.0, 0.0, 0)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        batch = self.config.batch
        chosen = rng.integers(len(samples), size=(steps, batch))
        turns = rng.integers(len(self._images), size=(steps, batch))
        own, *others = shares(batch, 1 + len(helpers))
        at_work = list(zip(helpers, others, strict=False))
        for helper, part in at_work:
            helper.start(samples[chosen[:, part]], turns[:, part])
        helping = [(helper, (part.stop - part.start) / batch) for helper, part in at_work]
        total = torch.zeros(2)
        for step in range(steps):
            total += self._step(samples[chosen[step, own]], turns[step, own], helping)
        policy, value = (total / steps).tolist()
        return Losses(policy, value, steps)

    def compute(self, samples: np.ndarray, turns: np.ndarray) -> Tensor:
        """Sets the parameters' gradients to those of the loss on a batch; returns the losses `[2]`.

        Args:
            samples: `[B]`.
            turns: `[B]`, the number of the symmetry that transforms each.
        """
        bricks_plane = self.network.config.encoding == "bricks"
        batch = make_batch(samples, self.size, self._images[turns], bricks_plane)
        planes, policies, values = (torch.from_numpy(array).to(self.device) for array in batch)
        self.optimizer.zero_grad(set_to_none=True)
        if self._gradients is not None:
            return self._gradients.add(planes, policies, values, self.config.value_weight)
        return self._add_by_autograd(planes, policies, values)

    def help(
        self,
        samples: np.ndarray,
        turns: np.ndarray,
        receive: Callable[[], np.ndarray],
        send: Callable[[object], None],
    ) -> None:
        """Computes what another learner asks its `Helper` for.

        Args:
            samples: `[steps, b]`, the own part of the batches.
            turns: `[steps, b]`, the numbers of their symmetries.
            receive: Returns the other learner's weights of a step, `[P] float32`.
            send: Takes gradient and losses of a step.
        """
        for chosen, turned in zip(samples, turns, strict=True):
            set_weights(list(self.network.parameters()), receive())
            losses = self.compute(chosen, turned)
            gradient = as_vector(parameter.grad for parameter in self.network.parameters())
            send((gradient.numpy(), losses.numpy()))

    def _step(
        self, samples: np.ndarray, turns: np.ndarray, helpers: Sequence[tuple[Helper, float]]
    ) -> Tensor:
        parameters = list(self.network.parameters())
        if helpers:
            weights = as_vector(parameters).numpy()
            for helper, _ in helpers:
                helper.ask(weights)
        losses = self.compute(samples, turns)
        if helpers:
            losses = add_shared(parameters, losses, helpers)
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
