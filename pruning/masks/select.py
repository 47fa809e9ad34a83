"""Selection: drops exactly the entries with the lowest scores, over all layers or layer by layer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

import torch
from torch import Tensor

from pruning.limits import require_one_of, require_whole
from pruning.masks.held import Masks
from pruning.masks.rounding import rounded

Scope = Literal["global", "layer"]


@dataclass(frozen=True)
class Selection:
    """The result of a selection: the masks, and the requested and actual number of dropped entries.

    Attributes:
        masks: The masks after the selection.
        asked: Number of entries to drop.
        got: Number of entries dropped: fewer than `asked` if the floor was reached or no entries were left;
            with `round_to`, the number nearest to `asked` that the multiples allow.
        per_layer: Name -> entries kept after the selection, and the layer's size; only layers that took part.
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
    round_to: int = 1,
) -> Selection:
    """Drops the alive entries with the lowest scores; scores of entries dropped before are ignored.

    Among equal scores the later entry (in the order of `alive`, then of the flattened tensor) is dropped
    first. If the floor keeps an entry of one layer, global selection drops the next lowest of another layer.

    Args:
        scores: Name -> score of each entry, on any device; larger is kept. The same names and shapes as
            `alive`.
        alive: The entries that are kept so far.
        fraction: Fraction of the alive entries to drop, in [0, 1]; rounded down, but at least one entry
            unless it is 0. With scope "layer", of each layer's alive entries.
        count: Number of entries to drop instead. With scope "layer", in each layer that still has entries.
        scope: "global" ranks all entries together, "layer" ranks each layer separately.
        floor: Minimum number of alive entries that each layer keeps.
        round_to: Each layer keeps a multiple of this, or all its alive entries, see `rounded`; those with the
            highest scores.

    Raises:
        ValueError: Both or neither of `fraction` and `count` are given, or one is out of range; scores and
            `alive` differ in names or shapes; or the score of an alive entry is not finite.
    """
    _check_request(fraction, count, scope, floor)
    require_whole(1, round_to=round_to)
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
    if round_to > 1:
        wanted = {name: count for name, (count, _) in per_layer.items()}
        has = {name: len(value) for name, value in values.items()}
        return replace(keep_highest(scores, alive, rounded(wanted, has, round_to, floor=floor)), asked=asked)
    return Selection(kept, asked, alive.kept - kept.kept, per_layer)


def keep_highest(scores: Mapping[str, Tensor], alive: Masks, keep: Mapping[str, int]) -> Selection:
    """Keeps a number of alive entries of each layer, those with the highest scores; ties as in `drop_lowest`.

    Args:
        scores: Name -> score of each entry, on any device; larger is kept. The same names and shapes as
            `alive`.
        alive: The entries that are kept so far.
        keep: Name -> number of entries to keep; a layer with fewer alive entries keeps all of them.

    Raises:
        ValueError: Names or shapes differ; a count is not a whole number of at least 0; or the score of an
            alive entry is not finite.
    """
    values = _alive_scores(scores, alive)
    masks, asked = {}, 0
    for name, mask in alive.items():
        count = keep.get(name)
        if not isinstance(count, int) or count < 0:
            raise ValueError(f"keep must have a whole number, at least 0, for {name!r}, got {count!r}")
        dropped = max(0, len(values[name]) - count)
        asked += len(values[name]) - count
        masks[name] = mask.masked_scatter(mask, ~_lowest(values[name], dropped))
    per_layer = {name: (int(mask.sum()), mask.numel()) for name, mask in masks.items()}
    kept = Masks(masks)
    return Selection(kept, asked, alive.kept - kept.kept, per_layer)


def _wanted(alive: int, fraction: float | None, count: int | None) -> int:
    """Returns how many entries to drop out of a number of alive entries."""
    if count is not None:
        return count
    if not alive or not fraction:
        return 0
    share = fraction * alive
    # 0.29 * 100 is slightly below 29 in binary, but 29 is meant
    whole = math.floor(share + max(1e-9, 4 * math.ulp(share)))
    return max(1, min(whole, alive))


def _lowest_of_all(
    values: Mapping[str, Tensor], droppable: Mapping[str, int], count: int
) -> dict[str, Tensor]:
    """Marks the `count` lowest entries of all layers, or as many as can be dropped."""
    # only a layer's own lowest entries can be dropped from it, whatever the other layers hold
    may_go = {name: _lowest(value, droppable[name]) for name, value in values.items()}
    candidates = torch.cat([value[may_go[name]] for name, value in values.items()] or [torch.empty(0)])
    chosen = _lowest(candidates, min(count, len(candidates)))
    parts = chosen.split([droppable[name] for name in values])
    return {
        name: may_go[name].masked_scatter(may_go[name], part)
        for name, part in zip(values, parts, strict=True)
    }


def _lowest(values: Tensor, count: int) -> Tensor:
    """Marks the `count` lowest of `values` `[n]`, later ones first among equal values; bool `[n]`."""
    if count in (0, len(values)):  # kthvalue has no 0th value
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
            raise ValueError(f"the scores of {name!r} have shape {shapes}: expected equal shapes")
        found[name] = scores[name].detach().to("cpu", torch.float64)[mask]
        if not found[name].isfinite().all():
            raise ValueError(f"the scores of {name!r} must be finite, got nan or infinity")
    return found


def _check_request(fraction: float | None, count: int | None, scope: str, floor: int) -> None:
    if (fraction is None) == (count is None):
        raise ValueError(f"give either fraction or count, got fraction={fraction} and count={count}")
    if fraction is not None and not 0 <= fraction <= 1:
        raise ValueError(f"fraction must be in [0, 1], got {fraction}")
    if count is not None and (not isinstance(count, int) or count < 0):
        raise ValueError(f"count must be a whole number, at least 0, got {count!r}")
    require_one_of(get_args(Scope), scope=scope)
    if not isinstance(floor, int) or floor < 0:
        raise ValueError(f"floor must be a whole number, at least 0, got {floor!r}")
