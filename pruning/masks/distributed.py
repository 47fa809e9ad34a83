"""Data-parallel runs: scores are averaged over the processes, and all processes use process 0's masks.

If `torch.distributed` is not initialised, the functions return their arguments unchanged. All processes must
make the same calls.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from math import prod
from typing import TypeVar

import torch
from torch import Tensor, distributed

from pruning.masks.held import Masks

T = TypeVar("T")


def averaged(scores: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Returns the mean of the scores over all processes, with equal weight for each process.

    Args:
        scores: Name -> scores; the same names in the same order and the same shapes in every process.

    Returns:
        The means, on the device and in the type of the scores (float64 for whole numbers).

    Raises:
        RuntimeError: The processes have scores of different names or shapes; all processes raise it.
    """
    if not _running():
        return dict(scores)
    _require_equal(
        [(name, tuple(score.shape)) for name, score in scores.items()], "names or shapes of scores"
    )
    flat = [score.detach().to(_device(), torch.float64).flatten() for score in scores.values()]
    total = torch.cat([*flat, torch.zeros(1, device=_device(), dtype=torch.float64)])
    distributed.all_reduce(total)
    means = (total[:-1] / distributed.get_world_size()).split([score.numel() for score in scores.values()])
    return {
        name: mean.reshape(score.shape).to(score if score.is_floating_point() else mean)
        for (name, score), mean in zip(scores.items(), means, strict=True)
    }


def agreed(masks: Masks) -> Masks:
    """Returns the masks of process 0 in every process.

    Raises:
        RuntimeError: The processes have masks of different names or shapes, or received different masks; all
            processes raise it.
    """
    if not _running():
        return masks
    _require_equal(list(masks.shapes.items()), "names or shapes of masks")
    flat = [mask.flatten() for mask in masks.values()]
    bits = torch.cat([*flat, torch.ones(1, dtype=torch.bool)]).to(_device(), torch.uint8)
    distributed.broadcast(bits, src=0)
    parts = bits[:-1].bool().cpu().split([prod(shape) for shape in masks.shapes.values()])
    shared = {
        name: part.reshape(shape) for (name, shape), part in zip(masks.shapes.items(), parts, strict=True)
    }
    found = Masks(shared)
    _require_equal(found.digest(), "masks")
    return found


def of_first(value: T) -> T:
    """Returns the value of process 0, which must be picklable, in every process."""
    if not _running():
        return value
    found = [value]
    distributed.broadcast_object_list(found, src=0, device=_device())
    return found[0]


def _running() -> bool:
    return distributed.is_available() and distributed.is_initialized()


def _device() -> torch.device:
    """Returns the device on which the processes can exchange tensors."""
    if distributed.get_backend() == "nccl":
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("cpu")


def _require_equal(value: object, what: str) -> None:
    digest = hashlib.sha256(repr(value).encode()).hexdigest()
    found: list[str] = [""] * distributed.get_world_size()
    distributed.all_gather_object(found, digest)
    if odd := [rank for rank, other in enumerate(found) if other != found[0]]:
        raise RuntimeError(f"processes {', '.join(map(str, odd))} have different {what} than process 0")
