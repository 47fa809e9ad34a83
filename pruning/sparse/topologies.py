"""Topologies: how a sparse network exchanges its weights while it trains.

`TOPOLOGIES` lists them; each is made by a function whose keywords are its options. All except the static one
are updated every few steps. An update of SET, SNFS and RigL drops in each layer the fraction

    f = alpha / 2 (1 + cos(pi progress / end))

of the layer's kept weights, rounded down: the weights of the smallest magnitude. It then grows as many
weights among all absent ones. A weight that was just dropped can be grown again, and then keeps its value.
Among equal magnitudes or gradients the earlier place is kept or grown. There is no update in the first step
or after `end`.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from pruning.masks import whole_numbers
from pruning.schedules import check_share, check_whole, check_within
from pruning.words import nearest

REDISTRIBUTIONS = ("", "gradient", "momentum")
"""Signals by which weights can move between layers; "" moves none."""
FULL = 0.99
"""Maximum fraction of a layer's free places that a redistribution fills, as in the published code."""


@dataclass(frozen=True)
class Moment:
    """The input of an update: tensors by weight name, flattened to `[n]`, in the order of the masks.

    Attributes:
        progress: Progress of the training run, in [0, 1].
        weights: The weights; weights that are not kept are 0, or become 0 after this step.
        kept: The places that have a weight, bool.
        final: Number of weights that each layer has at the end.
        signal: Returns a signal for all places, kept or not, averaged over all processes: the "gradient" of
            this step's batch, its running "average" (SNFS), or the optimizer's "momentum".
        generator: Generator of random numbers on the CPU, the same in all processes and on all devices.
    """

    progress: float
    weights: Mapping[str, Tensor]
    kept: Mapping[str, Tensor]
    final: Mapping[str, int]
    signal: Callable[[str], Mapping[str, Tensor]]
    generator: torch.Generator


@dataclass(frozen=True)
class Topology:
    """When and how the masks change.

    Attributes:
        update: Function from the current state to the new masks, bool `[n]` by name; None for fixed masks.
        every: Steps from one update to the next.
        begin: Fraction of the training run before which there is no update.
        end: Fraction of the training run from which on there is no update.
        replaces_step: Whether an update replaces the optimizer's step; otherwise it follows the step.
        decay: Decay of the running average of dense gradients; 0 keeps no average.
        starts_whole: Whether training starts dense and the masks describe the end. Weights then stay until
            they are dropped, and the first step at or after `end` makes the last update.
    """

    update: Callable[[Moment], dict[str, Tensor]] | None = None
    every: int = 1
    begin: float = 0.0
    end: float = 1.0
    replaces_step: bool = False
    decay: float = 0.0
    starts_whole: bool = False

    @property
    def grows(self) -> bool:
        """Whether updates grow weights, which the optimizer must then train."""
        return self.update is not None and not self.starts_whole


def static() -> Topology:
    """Static: the masks do not change."""
    return Topology()


def sparse_evolution(*, alpha: float = 0.3, every: int = 100, end: float = 0.75) -> Topology:
    """SET: grows weights at uniformly random free places, after the step.

    Mocanu et al. (Nature Communications 2018). Deviations, as in RigL's comparison: drops the smallest
    magnitudes instead of the smallest weights of each sign; update steps and cosine as in RigL. It needs no
    gradients of absent weights.
    """
    _check(alpha, every, end)
    return Topology(partial(_exchanged, alpha=alpha, end=end, grow=""), every, end=end)


def sparse_momentum(
    *, alpha: float = 0.3, every: int = 100, end: float = 0.75, momentum: float = 0.9, redistribute: str = ""
) -> Topology:
    """SNFS: grows weights where the running average of the dense gradient is largest, after the step.

    Dettmers and Zettlemoyer, "Sparse Networks from Scratch" (2019). In the paper alpha is 0.5, there is one
    update per epoch, and weights are redistributed by momentum; the defaults here follow RigL's comparison.
    The average is updated in every step until `end`, which reads each gradient and rewrites a buffer of each
    weight's shape.
    """
    _check(alpha, every, end, redistribute)
    check_share(momentum=momentum)
    worth = "average" if redistribute == "momentum" else redistribute
    update = partial(_exchanged, alpha=alpha, end=end, grow="average", worth=worth)
    return Topology(update, every, end=end, decay=momentum)


def rigl(*, alpha: float = 0.3, every: int = 100, end: float = 0.75, redistribute: str = "") -> Topology:
    """RigL: grows weights where the dense gradient of the step's batch is largest, instead of the step.

    Evci et al., "Rigging the Lottery" (ICML 2020). The gradient is that of the loss with respect to all
    entries of the masked weights, so gradients must not be masked before. Deviation: no noise breaks ties
    between magnitudes. Redistribution follows the reproduction of Sundar and Dwaraknath (2021), see
    `shared_out`; "momentum" is the optimizer's momentum.
    """
    _check(alpha, every, end, redistribute)
    update = partial(_exchanged, alpha=alpha, end=end, grow="gradient", worth=redistribute)
    return Topology(update, every, end=end, replaces_step=True)


def gradual(*, begin: float = 0.0, end: float = 0.75, every: int = 100, scope: str = "layer") -> Topology:
    """Gradual pruning: starts dense, and drops the smallest weights until the masks' number remains.

    At progress v, which rises from 0 at `begin` to 1 at `end`, the fraction 1 - (1 - v)^3 of the weights to
    drop is dropped (Zhu and Gupta, 2017). At the end each layer has as many weights as its mask; with scope
    "global" only the total is the same.
    """
    check_whole(1, every=every)
    check_share(end=end)  # at 1 there would be no step left for the last update
    check_within(0, 1, begin=begin)
    if begin >= end:
        raise ValueError(f"begin must be before end, {end:g}, got {begin:g}")
    if scope not in ("layer", "global"):
        raise ValueError(f"scope must be layer or global, got {scope!r}")
    update = partial(_thinned, begin=begin, end=end, together=scope == "global")
    return Topology(update, every, begin, end, starts_whole=True)


TOPOLOGIES: dict[str, Callable[..., Topology]] = {
    "static": static,
    "set": sparse_evolution,
    "snfs": sparse_momentum,
    "rigl": rigl,
    "gradual": gradual,
}
"""The functions that make the topologies, by the names that users give; their keywords are the options."""


def make_topology(name: str, **options: Any) -> Topology:
    """Returns the topology with a name; missing options have their defaults.

    Raises:
        ValueError: The topology or an option is unknown, or a value is out of range.
    """
    if name not in TOPOLOGIES:
        raise ValueError(
            f"unknown topology {name!r}{nearest(name, TOPOLOGIES)}; topologies are {', '.join(TOPOLOGIES)}"
        )
    known = list(inspect.signature(TOPOLOGIES[name]).parameters)
    for option in options:
        if option not in known:
            raise ValueError(
                f"topology {name!r} has no option {option!r}{nearest(option, known)}; "
                f"options are {', '.join(known) or 'none'}"
            )
    try:
        found = TOPOLOGIES[name](**options)
    except ValueError as error:
        raise ValueError(f"topology {name!r}: {error}") from error
    except Exception as error:  # of a user's own topology
        raise ValueError(f"topology {name!r} cannot be made: {error!r}") from error
    if not isinstance(found, Topology):
        raise ValueError(f"topology {name!r} must return a Topology, got {found!r}")
    return found


def dropped_share(progress: float, alpha: float, end: float) -> float:
    """Returns the fraction f of a layer's weights that an update drops; 0 from `end` on."""
    return alpha / 2 * (1 + math.cos(math.pi * min(progress, end) / end))


def gone_share(progress: float, begin: float, end: float) -> float:
    """Returns the fraction of gradual pruning's drops that is already made, in [0, 1]."""
    done = (min(max(progress, begin), end) - begin) / (end - begin)
    return 1 - (1 - done) ** 3


def shared_out(
    dropped: Mapping[str, int], worth: Mapping[str, float], free: Mapping[str, int]
) -> dict[str, int]:
    """Returns how many weights each layer grows when all dropped weights are allocated again.

    The allocation is proportional to `worth`. No layer fills more than the fraction `FULL` of its free
    places, unless there are too few. The excess of a layer is divided equally among the others. The total
    does not change.

    Args:
        dropped: Number of weights that each layer has dropped.
        worth: Mean magnitude of a signal over the kept weights of each layer. If all are 0, each layer grows
            as many weights as it has dropped, if it has room.
        free: Number of places without a weight in each layer, including the places just dropped.
    """
    total = sum(dropped.values())
    most = {name: math.floor(FULL * places) for name, places in free.items()}
    if sum(most.values()) < total:
        most = dict(free)
    parts = worth if sum(worth.values()) > 0 else dropped
    shares = {name: total * (parts[name] / (sum(parts.values()) or 1)) for name in dropped}
    for _ in shares:  # each round fills at least one layer, or is the last
        over = sum(max(0.0, shares[name] - most[name]) for name in shares)
        room = [name for name in shares if shares[name] < most[name]]
        shares = {
            name: min(share, most[name]) + (over / len(room) if name in room else 0.0)
            for name, share in shares.items()
        }
    return whole_numbers(shares, total, most)


def _exchanged(moment: Moment, *, alpha: float, end: float, grow: str, worth: str = "") -> dict[str, Tensor]:
    """Drops and grows weights; `grow` names the signal to grow by, "" grows at random."""
    share = dropped_share(moment.progress, alpha, end)
    had = {name: int(kept.sum()) for name, kept in moment.kept.items()}
    dropped = {name: _floor(share * number) for name, number in had.items()}
    left = {
        name: largest(moment.weights[name].abs(), kept, had[name] - dropped[name])
        for name, kept in moment.kept.items()
    }
    grown = _redistributed(dropped, left, moment.signal(worth)) if worth else dropped
    if not grow:
        return {name: kept | _random(~kept, grown[name], moment.generator) for name, kept in left.items()}
    signal = moment.signal(grow)
    return {name: kept | largest(signal[name].abs(), ~kept, grown[name]) for name, kept in left.items()}


def _redistributed(
    dropped: Mapping[str, int], left: Mapping[str, Tensor], signal: Mapping[str, Tensor]
) -> dict[str, int]:
    worth = {
        name: float(signal[name][kept].double().abs().mean().nan_to_num(nan=0.0))
        for name, kept in left.items()
    }
    return shared_out(dropped, worth, {name: int((~kept).sum()) for name, kept in left.items()})


def _thinned(moment: Moment, *, begin: float, end: float, together: bool) -> dict[str, Tensor]:
    """Drops the weights that gradual pruning must have dropped by this step."""
    share = gone_share(moment.progress, begin, end)
    sizes = [kept.numel() for kept in moment.kept.values()]
    if together:
        number = sum(sizes) - _floor(share * (sum(sizes) - sum(moment.final.values())))
        weights = torch.cat([weight.abs() for weight in moment.weights.values()])
        kept = largest(weights, torch.cat(list(moment.kept.values())), number)
        return dict(zip(moment.kept, kept.split(sizes), strict=True))
    return {
        name: largest(moment.weights[name].abs(), kept, size - _floor(share * (size - moment.final[name])))
        for (name, kept), size in zip(moment.kept.items(), sizes, strict=True)
    }


def largest(values: Tensor, among: Tensor, count: int) -> Tensor:
    """Marks exactly `count` of some places: those with the largest values, earlier ones first among equals.

    nan counts as 0: a diverged training run continues with the same number of weights.

    Args:
        values: `[n]`, at least 0.
        among: The allowed places, bool `[n]`, at least `count` of them True.
        count: Number of places to mark.

    Returns:
        bool `[n]`.
    """
    if not count:
        return torch.zeros_like(among)
    values = values.nan_to_num(nan=0.0).masked_fill(~among, -1)
    threshold = values.topk(count, sorted=False).values.min()
    chosen = values > threshold
    equal = (values == threshold).nonzero().flatten()
    chosen[equal[: count - int(chosen.sum())]] = True
    return chosen


def _random(among: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Marks exactly `count` random places out of the allowed ones; bool `[n]`."""
    places = among.nonzero().flatten()
    chosen = torch.randperm(len(places), generator=generator)[:count].to(places.device)
    return torch.zeros_like(among).index_fill_(0, places[chosen], True)


def _floor(number: float) -> int:
    """Returns the whole part; 0.29 * 100 is slightly below 29 in binary, but 29 is meant."""
    return math.floor(number + max(1e-9, 4 * math.ulp(number)))


def _check(alpha: float, every: int, end: float, redistribute: str = "") -> None:
    check_share(alpha=alpha)
    check_whole(1, every=every)
    check_within(0, 1, end=end)
    if not end:
        raise ValueError("end must be above 0, got 0")
    if redistribute not in REDISTRIBUTIONS:
        allowed, hint = ", ".join(map(repr, REDISTRIBUTIONS)), nearest(redistribute, REDISTRIBUTIONS)
        raise ValueError(f"redistribute must be one of {allowed}, got {redistribute!r}{hint}")
