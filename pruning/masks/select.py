"""Selection: drops exactly the entries with the lowest scores, in all or layer by layer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from pruning.masks.held import Masks

Scope = Literal["global", "layer"]


@dataclass(frozen=True)
class Selection:
    """What a selection kept, and whether it could do what it was asked for.

    Attributes:
        masks: What is kept now.
        asked: Entries to drop.
        got: Entries dropped: fewer than `asked` where the floor, or the end of the entries, was reached.
        per_layer: Name -> entries kept now, and the layer's size. The layers that took part, and no others.
    """

    masks: Masks
    asked: int
    got: int
    per_layer: dict[str, tuple[int, int]]


def drop_lowest(
    scores: Mapping[str, Tensor],
    alive: Masks,
    *,
    fraction: float | None = None,
    count: int | None = None,
    scope: Scope = "global",
    floor: int = 0,
) -> Selection:
    """Drops the alive entries with the lowest scores; entries dropped before are never looked at.

    Of equal scores the later entry (in the order of `alive`, then of the flattened tensor) goes first. Where
    the floor keeps an entry of one layer, global selection takes the next lowest elsewhere.

    Args:
        scores: Name -> score of each entry, larger is kept; any device. The same names and shapes as `alive`.
        alive: What is kept until now.
        fraction: Share of the alive entries to drop, in [0, 1]; rounded down, at least one unless it is 0.
            With scope "layer", of each layer's alive entries.
        count: Entries to drop instead. With scope "layer", in each layer that still has one.
        scope: "global" ranks all entries together, "layer" each layer alone.
        floor: Entries that each layer keeps, of those that it still has.

    Raises:
        ValueError: Not one of `fraction` and `count`, or out of range; scores and `alive` do not fit each
            other; the score of an alive entry is not finite.
    """
    _check_request(fraction, count, scope, floor)
    values = _alive_scores(scores, alive)
    droppable = {name: max(0, len(value) - floor) for name, value in values.items()}
    if scope == "layer":
        wanted = {
            name: _wanted(len(value), fraction, count) if len(value) else 0 for name, value in values.items()
        }
        lost = {name: _lowest(value, min(wanted[name], droppable[name])) for name, value in values.items()}
        asked = sum(wanted.values())
    else:
        asked = _wanted(alive.kept, fraction, count)
        lost = _lowest_of_all(values, droppable, asked)
    masks = {name: mask.masked_scatter(mask, ~lost[name]) for name, mask in alive.items()}
    kept = Masks(masks)
    per_layer = {name: (int(mask.sum()), mask.numel()) for name, mask in masks.items()}
    return Selection(kept, asked, alive.kept - kept.kept, per_layer)


def keep_highest(scores: Mapping[str, Tensor], alive: Masks, keep: Mapping[str, int]) -> Selection:
    """Keeps so many of the alive entries of each layer, those with the highest scores; ties as `drop_lowest`.

    Args:
        scores: Name -> score of each entry, larger is kept; any device. The same names and shapes as `alive`.
        alive: What is kept until now.
        keep: Name -> entries to keep; all that are alive where there are no more.

    Raises:
        ValueError: Names or shapes do not fit each other; a count is not a whole number, at least 0; the
            score of an alive entry is not finite.
    """
    values = _alive_scores(scores, alive)
    masks, asked = {}, 0
    for name, mask in alive.items():
        count = keep.get(name)
        if not isinstance(count, int) or count < 0:
            raise ValueError(f"keep must say how many entries of {name!r} to keep, got {count!r}")
        dropped = max(0, len(values[name]) - count)
        asked += len(values[name]) - count
        masks[name] = mask.masked_scatter(mask, ~_lowest(values[name], dropped))
    per_layer = {name: (int(mask.sum()), mask.numel()) for name, mask in masks.items()}
    kept = Masks(masks)
    return Selection(kept, asked, alive.kept - kept.kept, per_layer)


def _wanted(alive: int, fraction: float | None, count: int | None) -> int:
    """Returns how many of so many alive entries are to go."""
    if count is not None:
        return count
    if not alive or not fraction:
        return 0
    share = fraction * alive
    # 0.29 * 100 is a little below 29 in binary, and means 29
    whole = math.floor(share + max(1e-9, 4 * math.ulp(share)))
    return max(1, min(whole, alive))


def _lowest_of_all(
    values: Mapping[str, Tensor], droppable: Mapping[str, int], count: int
) -> dict[str, Tensor]:
    """Marks the `count` lowest entries of all layers, or as many as may go."""
    # a layer's own lowest are the only ones of it that can go, whatever the others hold
    may_go = {name: _lowest(value, droppable[name]) for name, value in values.items()}
    candidates = torch.cat([value[may_go[name]] for name, value in values.items()] or [torch.empty(0)])
    chosen = _lowest(candidates, min(count, len(candidates)))
    parts = chosen.split([droppable[name] for name in values])
    return {
        name: may_go[name].masked_scatter(may_go[name], part)
        for name, part in zip(values, parts, strict=True)
    }


def _lowest(values: Tensor, count: int) -> Tensor:
    """Marks the `count` lowest of `values` `[n]`, later ones first among equals; bool `[n]`."""
    if count in (0, len(values)):  # kthvalue knows no 0th
        return torch.full((len(values),), count > 0)
    threshold = values.kthvalue(count).values
    lowest = values < threshold
    equal = (values == threshold).nonzero().flatten()
    lowest[equal[len(equal) - (count - int(lowest.sum())) :]] = True
    return lowest


def _alive_scores(scores: Mapping[str, Tensor], alive: Masks) -> dict[str, Tensor]:
    """Returns the scores of each layer's alive entries, float64 `[alive]` on the CPU."""
    if odd := sorted(set(scores) ^ set(alive)):
        where = "scores" if odd[0] in scores else "alive masks"
        raise ValueError(f"scores and alive masks differ: {odd[0]!r} is only in the {where}")
    found = {}
    for name, mask in alive.items():
        if scores[name].shape != mask.shape:
            shapes = f"{tuple(scores[name].shape)}, its mask {tuple(mask.shape)}"
            raise ValueError(f"the scores of {name!r} have shape {shapes}")
        found[name] = scores[name].detach().to("cpu", torch.float64)[mask]
        if not found[name].isfinite().all():
            raise ValueError(f"the scores of {name!r} hold a number that is not finite")
    return found


def _check_request(fraction: float | None, count: int | None, scope: str, floor: int) -> None:
    if (fraction is None) == (count is None):
        raise ValueError(f"give one of fraction and count, got fraction={fraction} and count={count}")
    if fraction is not None and not 0 <= fraction <= 1:
        raise ValueError(f"fraction must be in [0, 1], got {fraction}")
    if count is not None and (not isinstance(count, int) or count < 0):
        raise ValueError(f"count must be a whole number, at least 0, got {count!r}")
    if scope not in get_args(Scope):
        raise ValueError(f"scope must be one of {', '.join(get_args(Scope))}, got {scope!r}")
    if not isinstance(floor, int) or floor < 0:
        raise ValueError(f"floor must be a whole number, at least 0, got {floor!r}")
