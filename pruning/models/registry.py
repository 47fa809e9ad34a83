"""Image classifiers by name: the networks of the vision experiments.

A specification is a name, and for some models the numbers of units after a colon: "dropnet-c:64-64-128-128".
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import nn

from pruning.models import dropnet, dropnet_deep
from pruning.models.convnets import cnn
from pruning.models.initialisation import INITS
from pruning.models.resnets import ResNet
from pruning.models.sizes import Shape
from pruning.models.vggs import VGG
from pruning.models.vit import vit
from pruning.models.wrns import WideResNet
from pruning.words import nearest

LARGEST_UNITS = 65536
LARGEST_WIDTH = 16.0


@dataclass(frozen=True)
class Model:
    """How a network is built.

    Attributes:
        build: Function of the image shape, the number of classes, the width factor and, if any, `units`.
        units: Published numbers of units, which a specification may change; () if it may not.
        unmasked: Patterns of the layers that DropNet does not prune, for `Amount.exclude`.
    """

    build: Callable[..., nn.Module]
    units: tuple[int, ...] = ()
    unmasked: tuple[str, ...] = ()


MODELS: dict[str, Model] = {
    "dropnet-a": Model(dropnet.dense, units=(40, 40)),
    "dropnet-b": Model(dropnet.model_b, units=(64, 64)),
    "dropnet-c": Model(dropnet.model_c, units=(64, 64, 128, 128), unmasked=("hidden*",)),
    "dropnet-resnet18": Model(dropnet_deep.ResNet18),
    "dropnet-vgg19": Model(dropnet_deep.VGG19, unmasked=("hidden*",)),
    "cnn": Model(cnn, units=(16, 32, 64)),
    "lenet": Model(dropnet.dense, units=(300, 100)),
    "resnet8": Model(partial(ResNet, blocks=1)),
    "resnet20": Model(partial(ResNet, blocks=3)),
    "resnet32": Model(partial(ResNet, blocks=5)),
    "resnet56": Model(partial(ResNet, blocks=9)),
    "vgg16": Model(partial(VGG, layers=16)),
    "vgg19": Model(partial(VGG, layers=19)),
    "vit": Model(vit),
    "wrn10-2": Model(partial(WideResNet, blocks=1, widen=2)),
    "wrn22-2": Model(partial(WideResNet, blocks=3, widen=2)),
}
"""The models by name."""


def make_model(
    spec: str, *, shape: Shape, classes: int, width: float = 1.0, init: str = "default", seed: int
) -> nn.Module:
    """Returns an untrained network from images `[B, C, H, W]` to logits `[B, classes]`, on the CPU.

    The same arguments give the same weights. The caller's random state does not change.

    Args:
        spec: A name in `MODELS`, or for models with `units` also "name:count-count".
        shape: Channels, rows and columns of an image. Pools that would leave an empty map are skipped.
        classes: Number of classes.
        width: Factor of the widths of all hidden layers, which are rounded and at least 1.
        init: A name in `INITS`.
        seed: Seed of the initial weights.

    Raises:
        ValueError: The model or initialisation is unknown, or a value is out of range.
    """
    model, units = _parsed(spec)
    _check_sizes(shape, classes, width, seed)
    if init not in INITS:
        raise ValueError(_unknown("initialisation", init, INITS))
    chosen = {"units": units} if units else {}
    with torch.random.fork_rng(devices=[]):  # preserves the caller's random state
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed GPUs too
        network = model.build(tuple(shape), classes, width, **chosen)
        INITS[init](network)
    return network


def check_model(spec: str, width: float) -> None:
    """Raises ValueError if the model is unknown or the width is out of range."""
    _parsed(spec)
    _check_sizes((1, 1, 1), 1, width, 0)


def unmasked(spec: str) -> tuple[str, ...]:
    """Returns patterns of the layers that DropNet does not prune, except the output, for `Amount.exclude`.

    They match the names of groups of units and the names of weights.

    Raises:
        ValueError: The model is unknown.
    """
    return _parsed(spec)[0].unmasked


def _parsed(spec: str) -> tuple[Model, tuple[int, ...]]:
    """Returns the model of a specification and its numbers of units."""
    name, colon, given = spec.partition(":")
    if name not in MODELS:
        raise ValueError(_unknown("model", name, MODELS))
    model = MODELS[name]
    if not colon:
        return model, model.units
    if not model.units:
        raise ValueError(f"model {name!r} has fixed numbers of units: expected {name!r}, got {spec!r}")
    units = tuple(map(int, given.split("-"))) if re.fullmatch(r"[0-9]{1,9}(-[0-9]{1,9})*", given) else ()
    if len(units) != len(model.units) or not all(1 <= each <= LARGEST_UNITS for each in units):
        example = "-".join(map(str, model.units))
        raise ValueError(
            f"model {name!r} takes {len(model.units)} numbers of units from 1 to {LARGEST_UNITS}, "
            f"for example {name}:{example}, got {spec!r}"
        )
    return model, units


def _check_sizes(shape: Shape, classes: int, width: float, seed: int) -> None:
    if len(shape) != 3 or not all(isinstance(size, int) and size >= 1 for size in shape):
        raise ValueError(f"shape must be channels, rows and columns, each at least 1, got {shape!r}")
    if not (isinstance(classes, int) and classes >= 1):
        raise ValueError(f"classes must be a whole number, at least 1, got {classes!r}")
    if not (math.isfinite(width) and 0 < width <= LARGEST_WIDTH):
        raise ValueError(f"width must be above 0 and at most {LARGEST_WIDTH:g}, got {width!r}")
    if not (isinstance(seed, int) and 0 <= seed < 2**63):
        raise ValueError(f"seed must be a whole number from 0 to 2**63 - 1, got {seed!r}")


def _unknown(kind: str, name: str, known: Mapping[str, object] | Iterable[str]) -> str:
    return f"unknown {kind} {name!r}{nearest(name, known)}; {kind}s are {', '.join(known)}"
