"""Topologies: how the weights that a sparse network has are exchanged while it trains.

`TOPOLOGIES` names them; each is made by a function whose keywords are its options. All but the static one are
updated every few steps. An update of SET, SNFS and RigL drops in each layer the share

    f = alpha / 2 (1 + cos(pi progress / end))

of the weights that the layer has, rounded down, those of the smallest magnitude. It grows as many, of all
that the layer then does not have: those just dropped may come back, and have then never gone. Among equal
magnitudes or gradients the earlier place is kept or grown. There is no update in the first step, nor after
`end`.
"""

from __future__ import annotations

import difflib
import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from pruning.masks import whole_numbers
from pruning.schedules import check_share, check_whole, check_within

REDISTRIBUTIONS = ("", "gradient", "momentum")
"""What weights may move between layers by."""
FULL = 0.99
"""Share of a layer's free places that a redistribution fills at most, as in the published code."""


@dataclass(frozen=True)
class Moment:
    """What an update sees: tensors by the name of the weight, flattened to `[n]`, in the order of the masks.

    Attributes:
        progress: Progress of the training, in [0, 1].
        weights: The weights; those that are not kept are 0, or are about to be.
        kept: bool, the places that have a weight.
        final: How many weights each layer is to have at the end.
        signal: What is known of all places, kept or not: the "gradient" of this step's batch, its running
            "average" (SNFS), the optimizer's "momentum". The mean over all processes.
        generator: Random numbers, on the CPU: the same in all processes and on all devices.
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
        update: From what is there to what is kept then, bool `[n]` by name; None never changes anything.
        every: Steps from one update to the next.
        begin: Share of the training before which there is no update.
        end: Share of the training from which on there is none.
        replaces_step: Whether the optimizer rests in the step of an update; else the update follows its step.
        decay: Of the running average of dense gradients; 0 keeps none.
        starts_whole: Whether the masks are those of the end: all weights are there until they are dropped,
            and the first step at or after `end` has the last update.
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
        """Whether weights are grown, which must be trained then."""
        return self.update is not None and not self.starts_whole


def static() -> Topology:
    """The masks stay as they are."""
    return Topology()


def sparse_evolution(*, alpha: float = 0.3, every: int = 100, end: float = 0.75) -> Topology:
    """SET: grows at random, each free place as likely as the other; after the step.

    Mocanu et al. (Nature Communications 2018). Deviations, which are those of RigL's comparison: drops by
    magnitude, not the smallest of each sign; steps and cosine as RigL. Needs no gradient of absent weights.
    """
    _check(alpha, every, end)
    return Topology(partial(_exchanged, alpha=alpha, end=end, grow=""), every, end=end)


def sparse_momentum(
    *, alpha: float = 0.3, every: int = 100, end: float = 0.75, momentum: float = 0.9, redistribute: str = ""
) -> Topology:
    """SNFS: grows where the running average of the dense gradient is largest; after the step.

    Dettmers and Zettlemoyer, "Sparse Networks from Scratch" (2019): there alpha is 0.5, updates come once an
    epoch, and weights are redistributed by momentum. The defaults are those of RigL's comparison. The average
    is taken in every step until `end`: it reads each gradient and rewrites a buffer of each weight's shape.
    """
    _check(alpha, every, end, redistribute)
    check_share(momentum=momentum)
    worth = "average" if redistribute == "momentum" else redistribute
    update = partial(_exchanged, alpha=alpha, end=end, grow="average", worth=worth)
    return Topology(update, every, end=end, decay=momentum)


def rigl(*, alpha: float = 0.3, every: int = 100, end: float = 0.75, redistribute: str = "") -> Topology:
    """RigL: grows where the dense gradient of the step's batch is largest; instead of the step.

    Evci et al., "Rigging the Lottery" (ICML 2020). The gradient is the loss's with respect to the masked
    weights, so it must not have been masked. Deviation: no noise breaks the ties of magnitudes.
    Redistribution is that of Sundar and Dwaraknath's reproduction (2021), see `shared_out`; by "momentum" is
    by the optimizer's.
    """
    _check(alpha, every, end, redistribute)
    update = partial(_exchanged, alpha=alpha, end=end, grow="gradient", worth=redistribute)
    return Topology(update, every, end=end, replaces_step=True)


def gradual(*, begin: float = 0.0, end: float = 0.75, every: int = 100, scope: str = "layer") -> Topology:
    """Gradual pruning: starts whole, and drops the smallest weights until the masks' number is left.

    Of what is to go the share 1 - (1 - v)^3 has gone, with v rising from 0 at `begin` to 1 at `end` (Zhu and
    Gupta, 2017). Each layer ends with its mask's number of weights, or with scope "global" all together do.
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
"""What makes each topology, by the name that users give; the keywords are its options."""


def make_topology(name: str, **options: Any) -> Topology:
    """Returns the topology of that name; options not given are its defaults.

    Raises:
        ValueError: There is no such topology or option, or a value is out of its range.
    """
    if name not in TOPOLOGIES:
        raise ValueError(
            f"unknown topology {name!r}{_nearest(name, TOPOLOGIES)}; topologies are {', '.join(TOPOLOGIES)}"
        )
    known = list(inspect.signature(TOPOLOGIES[name]).parameters)
    for option in options:
        if option not in known:
            raise ValueError(
                f"topology {name!r} has no option {option!r}{_nearest(option, known)}; "
                f"options are {', '.join(known) or 'none'}"
            )
    try:
        return TOPOLOGIES[name](**options)
    except ValueError as error:
        raise ValueError(f"topology {name!r}: {error}") from error


def dropped_share(progress: float, alpha: float, end: float) -> float:
    """Returns the share f of a layer's weights that an update drops; 0 from `end` on."""
    return alpha / 2 * (1 + math.cos(math.pi * min(progress, end) / end))


def gone_share(progress: float, begin: float, end: float) -> float:
    """Returns which share of what gradual pruning is to drop has gone, in [0, 1]."""
    done = (min(max(progress, begin), end) - begin) / (end - begin)
    return 1 - (1 - done) ** 3


def shared_out(
    dropped: Mapping[str, int], worth: Mapping[str, float], free: Mapping[str, int]
) -> dict[str, int]:
    """Returns how many weights each layer grows when those that all have dropped are shared out anew.

    Each layer's part is its worth's; no layer fills more than `FULL` of its free places, unless there are too
    few. What a layer cannot take goes to the others, to each the same. The sum stays.

    Args:
        dropped: Weights that each layer has dropped.
        worth: The mean magnitude of a signal over the weights that each has left. If all are 0, each layer
            grows what it has dropped, if it may.
        free: Places of each layer without a weight, those just dropped among them.
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
    """Drops and grows weights; `grow` names the signal to grow by, "" is at random."""
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
    """Drops the weights that are to have gone by now."""
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
    """Marks exactly `count` of some places, those with the largest values; of equal ones the earlier.

    What is not a number counts as 0: a training that diverges goes on, with as many weights.

    Args:
        values: `[n]`, at least 0.
        among: bool `[n]`, at least `count` of them True.
        count: How many.

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
    """Marks exactly `count` of some places; bool `[n]`."""
    places = among.nonzero().flatten()
    chosen = torch.randperm(len(places), generator=generator)[:count].to(places.device)
    return torch.zeros_like(among).index_fill_(0, places[chosen], True)


def _floor(number: float) -> int:
    """Returns the whole part; 0.29 * 100 is a little below 29 in binary, and means 29."""
    return math.floor(number + max(1e-9, 4 * math.ulp(number)))


def _check(alpha: float, every: int, end: float, redistribute: str = "") -> None:
    check_share(alpha=alpha)
    check_whole(1, every=every)
    check_within(0, 1, end=end)
    if not end:
        raise ValueError("end must be above 0, got 0")
    if redistribute not in REDISTRIBUTIONS:
        allowed = ", ".join(map(repr, REDISTRIBUTIONS))
        raise ValueError(f"redistribute must be one of {allowed}, got {redistribute!r}")


def _nearest(name: str, known: Iterable[str]) -> str:
    match = difflib.get_close_matches(name.lower(), list(known), n=1)
    return f" (did you mean {match[0]!r}?)" if match else ""
