"""Sparse training: a network is sparse from the start, and its masks change while it trains.

    sparse = SparseTraining(network, masks, make_topology("rigl", alpha=0.3), seed)
    task.train(network, sparse.hold, sparse.watch(lr), ...)
    sparse.masks

Between two updates it works like a static mask, except for the running average of SNFS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from pruning.masks import Held, Masks, averaged, hold_at_zero
from pruning.sparse.topologies import Moment, Topology

MOMENTA = ("momentum_buffer", "exp_avg")
"""Names of the momentum buffers in the state of torch's optimizers."""


class SparseTraining:
    """The masks of one training run.

    A dropped weight is 0, and so are its buffers in the optimizer. A grown weight starts at 0 with zero
    buffers. If an update replaces a step, as in RigL, the optimizer finds no gradients and changes nothing in
    this step. Weight decay and momentum do not act, and its step counts do not advance.

    Steps are the optimizer's steps, counted from 0. If a task calls the learning rate less often than it
    steps, the progress of the last call is used. In a data-parallel run all processes have the same masks if
    they start with the same weights, masks and seed.

    Attributes:
        metrics: "mask updates", "weights dropped" and "weights grown" so far. Weights that are dropped and
            grown in the same update count as neither.

    Args:
        network: The network with the masked parameters. If the topology starts dense, all weights are still
            there.
        masks: The first masks; if the topology starts dense, they set how many weights each layer keeps at
            the end.
        topology: How the masks change, see `make_topology`.
        seed: Seed of random growth.
    """

    def __init__(self, network: nn.Module, masks: Masks, topology: Topology, seed: int):
        self._network, self._topology = network, topology
        self._final = {name: int(mask.sum()) for name, mask in masks.items()}
        self._masks: dict[str, Tensor] = dict(Masks.ones(masks.shapes) if topology.starts_whole else masks)
        self._generator = torch.Generator().manual_seed(seed)
        self._held: Held | None = None
        self._weights: dict[str, nn.Parameter] = {}
        self._averages: dict[str, Tensor] = {}
        self._progress: float | None = None
        self._step, self._due, self._over = 0, False, topology.update is None
        self.metrics = {"mask updates": 0.0, "weights dropped": 0.0, "weights grown": 0.0}

    @property
    def masks(self) -> Masks:
        """The current masks."""
        return Masks(self._masks)

    @property
    def held(self) -> bool:
        """Whether the masks are attached to an optimizer (`hold` was called)."""
        return self._held is not None

    def watch(self, lr: Callable[[float], float]) -> Callable[[float], float]:
        """Returns the learning-rate function, wrapped to report each step's progress in [0, 1]."""

        def watched(progress: float) -> float:
            self._progress = progress
            return lr(progress)

        return watched

    def hold(self, optimizer: Optimizer) -> None:
        """Attaches the masks to an optimizer, and updates them as it steps.

        Raises:
            ValueError: See `hold_at_zero`; the masks are attached already; or the optimizer does not train a
                layer in which weights can grow.
        """
        if self._held is not None:
            raise ValueError(
                "hold was called twice: make one SparseTraining for each training run and optimizer"
            )
        self._weights = dict(self._network.named_parameters(remove_duplicate=False))
        if self._topology.grows:
            self._require_trained(optimizer)
        self._held = hold_at_zero(self._network, optimizer, self._masks)
        if self._topology.update is None:
            return
        self._masks = {name: mask.to(self._weights[name].device) for name, mask in self._masks.items()}
        optimizer.register_step_pre_hook(self._before_step)
        if not self._topology.replaces_step:
            optimizer.register_step_post_hook(self._after_step)

    @torch.no_grad()
    def _before_step(self, optimizer: Optimizer, *_: object) -> None:
        self._due = not self._over and self._is_due()
        self._step += 1
        if self._over:
            return
        if self._topology.decay:
            self._average()
        if self._due and self._topology.replaces_step:
            self._update(optimizer)
            for group in optimizer.param_groups:
                for parameter in group["params"]:
                    parameter.grad = None

    @torch.no_grad()
    def _after_step(self, optimizer: Optimizer, *_: object) -> None:
        if self._due:
            self._update(optimizer)

    def _is_due(self) -> bool:
        """Returns whether this step has an update; records when there will be no more."""
        topology, progress = self._topology, self._known_progress()
        if progress >= topology.end:
            self._over, self._averages = True, {}
            return topology.starts_whole
        return self._step > 0 and self._step % topology.every == 0 and progress >= topology.begin

    def _known_progress(self) -> float:
        if self._progress is None:
            raise ValueError(
                "training progress is unknown: use the learning-rate function that watch(lr) returns"
            )
        return self._progress

    def _update(self, optimizer: Optimizer) -> None:
        """Updates the masks, and with them the entries that are kept at zero."""
        update, held = self._topology.update, self._held
        if update is None or held is None:  # hold() registers no hook then
            return
        moment = Moment(
            progress=self._known_progress(),
            weights={name: self._weights[name].detach().flatten() for name in self._masks},
            kept={name: mask.flatten() for name, mask in self._masks.items()},
            final=self._final,
            signal=lambda name: averaged(self._signal(name, optimizer)),
            generator=self._generator,
        )
        for name, after in update(moment).items():
            before = moment.kept[name]
            self.metrics["weights dropped"] += int((before & ~after).sum())
            self.metrics["weights grown"] += int((after & ~before).sum())
            self._masks[name] = after.view(self._masks[name].shape)
        self.metrics["mask updates"] += 1
        held.change(self._masks)

    def _signal(self, name: str, optimizer: Optimizer) -> dict[str, Tensor]:
        """Returns a signal for all places of each layer, flattened."""
        if name == "gradient":
            found = {layer: self._gradient(layer) for layer in self._masks}
        elif name == "average":
            found = {layer: self._averages[layer] for layer in self._masks}
        else:
            found = {layer: self._momentum(layer, optimizer) for layer in self._masks}
        return {layer: tensor.flatten() for layer, tensor in found.items()}

    def _average(self) -> None:
        for name in self._masks:
            gradient = self._gradient(name)
            if name not in self._averages:
                self._averages[name] = torch.zeros_like(gradient)
            self._averages[name].lerp_(gradient, 1 - self._topology.decay)

    def _gradient(self, name: str) -> Tensor:
        gradient = self._weights[name].grad
        if gradient is None:
            raise ValueError(
                f"no gradient of {name!r} to grow weights by: exclude the layer, the loss does not use it"
            )
        return gradient

    def _momentum(self, name: str, optimizer: Optimizer) -> Tensor:
        state: Mapping[str, Tensor] = optimizer.state.get(self._weights[name], {})
        for momentum in MOMENTA:
            if state.get(momentum) is not None:
                return state[momentum]
        kind = type(optimizer).__name__
        raise ValueError(
            f"{kind} has no momentum of {name!r} to redistribute weights by: use an optimizer with momentum"
        )

    def _require_trained(self, optimizer: Optimizer) -> None:
        trained = {id(weight) for group in optimizer.param_groups for weight in group["params"]}
        for name in filter(self._weights.__contains__, self._masks):  # hold_at_zero reports unknown names
            weight = self._weights[name]
            if not weight.requires_grad or id(weight) not in trained:
                raise ValueError(f"{name!r} is not trained, so no weight can grow in it: exclude the layer")
