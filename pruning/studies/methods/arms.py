"""The methods that `bttt methods` sets side by side, all at one density, for AlphaZero and a vision network.

What is pruned are the insides of the residual blocks: weights of their convolutions, or the channels between
them. Stem, shortcuts and heads stay whole. Three halvings, or one cut of seven eighths, leave an eighth of
either, which is the same number of weights.

A method's options are those of `bttt prune`. `time` is how long each of its cycles trains, in units of what a
network that is cut once is retrained for. On images the dense network is trained for as long, and all methods
for 2 in all; tickets for 4, the last 1 of them from initial weights.

On AlphaZero the budgets are not equal, and no comparison across that line is fair: what is cut after training
starts from a network that has trained by self-play for long, and is retrained for 1; what is pruned before it
starts from initial weights and has 2, on the games of that very network: it is a distillation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CUT = 7 / 8
HALVINGS = 3
KEPT_FRACTION = 1 - CUT


WHOLE_PARTS: Mapping[str, tuple[str, ...]] = {
    "weights": ("stem.weight", "policy_*.weight", "value_*.weight"),
    "channels": ("stem", "policy_conv", "value_conv", "value_hidden"),
}
"""What stays whole of an AlphaZero network."""


@dataclass(frozen=True)
class ComparedMethod:
    """A row of the comparison.

    Attributes:
        of: "weights" or "channels".
        paper: Whose method it is.
        file: Where its formula stands.
        options: Options of `bttt prune`.
        time: How long each cycle trains.
    """

    of: str
    paper: str
    file: str
    options: Mapping[str, Any] = field(default_factory=dict)
    time: float = 1.0

    @property
    def starts(self) -> str:
        """From which weights the last cycle begins: "trained" or "initial"."""
        anew = self.options.get("untrained") or self.options.get("restart") in ("rewind", "reinit")
        return "initial" if anew else "trained"


ONCE: Mapping[str, Any] = {"cycles": 1, "fraction": CUT, "schedule": "clr"}
AGAIN: Mapping[str, Any] = {"cycles": HALVINGS, "fraction": 0.5, "schedule": "clr"}
NEW: Mapping[str, Any] = {**ONCE, "untrained": True}


def _once(
    method: str, paper: str, of: str = "channels", file: str = "criteria/scores.py", **more: Any
) -> ComparedMethod:
    scope = "global" if of == "weights" else "layer"
    return ComparedMethod(of, paper, file, {"method": method, "scope": scope, **ONCE, **more})


def _again(
    method: str, paper: str, of: str = "channels", time: float = 1 / HALVINGS, **more: Any
) -> ComparedMethod:
    scope = "global" if of == "weights" else "layer"
    return ComparedMethod(
        of, paper, "criteria/scores.py", {"method": method, "scope": scope, **AGAIN, **more}, time
    )


def _new(method: str, paper: str, file: str, **more: Any) -> ComparedMethod:
    return ComparedMethod("weights", paper, file, {"method": method, **NEW, **more}, 2.0)


ERDOS_RENYI = {"allocation": "erk"}
UNIFORM = {"allocation": "uniform"}
METHODS_COMPARED: dict[str, ComparedMethod] = {
    "dense": _new("magnitude", "nothing is cut", "loop/cycles.py", fraction=0.0),
    "dense-retrained": ComparedMethod(
        "weights", "nothing is cut", "loop/cycles.py", {"method": "magnitude", **ONCE, "fraction": 0.0}
    ),
    "small-dense": ComparedMethod(
        "channels",
        "as small from the start (weights as wide ones)",
        "loop/cycles.py",
        {"method": "random", "scope": "layer", **NEW, "restart": "reinit"},
        2.0,
    ),
    "magnitude": _once("magnitude", "Han et al. 2015", "weights"),
    "magnitude-ft": _once("magnitude", "Han et al. 2015", "weights", schedule="ft"),
    "magnitude-cycles": _again("magnitude", "Renda et al. 2020", "weights"),
    "magnitude-silo": _again("magnitude", "Liu et al. 2023", "weights", schedule="silo"),
    "gradient-silo": _again("gradient", "Liu et al. 2023", "weights", schedule="silo"),
    "random-weights": _once("random-weights", "control", "weights"),
    "tickets": _again("magnitude", "Frankle, Carbin 2019", "weights", time=1.0, restart="rewind"),
    "magnitude-untrained": _new("magnitude", "Frankle et al. 2021", "criteria/scores.py"),
    "snip": _new("snip", "Lee et al. 2019", "criteria/initial.py"),
    "grasp": _new("grasp", "Wang et al. 2020", "criteria/initial.py"),
    "synflow": _new("synflow", "Tanaka et al. 2020", "criteria/initial.py", rounds=100),
    "static-uniform": _new("static", "control", "sparse/topologies.py", **UNIFORM),
    "static-erk": _new("static", "Mocanu et al. 2018", "masks/allocation.py", **ERDOS_RENYI),
    "set": _new("set:every=50", "Mocanu et al. 2018", "sparse/topologies.py", **ERDOS_RENYI),
    "snfs": _new("snfs:every=50", "Dettmers et al. 2019", "sparse/topologies.py", **ERDOS_RENYI),
    "rigl-uniform": _new("rigl:every=50", "Evci et al. 2020", "sparse/topologies.py", **UNIFORM),
    "rigl-erk": _new("rigl:every=50", "Evci et al. 2020", "sparse/topologies.py", **ERDOS_RENYI),
    "gradual": _new("gradual:every=50", "Zhu, Gupta 2017", "sparse/topologies.py", **UNIFORM),
    "dropnet": _again("dropnet", "Tan, Motani 2020"),
    "dropnet-silo": _again("dropnet", "Tan, Motani 2020; Liu et al. 2023", schedule="silo"),
    "maximum": _again("maximum", "control"),
    "random": _once("random", "Le, Hua 2021"),
    "apoz": _once("apoz", "Hu et al. 2016"),
    "l1": _once("l1", "Li et al. 2017"),
    "l2": _once("l2", "Li et al. 2017"),
    "taylor": _once("taylor", "Molchanov et al. 2019"),
    "greedy-forward": _once("greedy-forward", "Ye et al. 2020", file="criteria/greedy.py"),
    "greedy-local": _once("greedy-local", "Ye, Wu, Liu 2020", file="criteria/imitation.py"),
    "greedy-global": _once("greedy-global", "Ye, Wu, Liu 2020", file="criteria/imitation.py"),
}
"""The methods by name, in the table's order."""
SELF_PLAY_TIME = 3.0
SELF_PLAY_DENSITIES = (0.2, 0.1)


def _playing(method: str, paper: str, density: float, **more: Any) -> ComparedMethod:
    """Returns a network that learns from nothing but its own games, sparse from the first one."""
    options = {**NEW, "method": method, "fraction": 1 - density, "in_loop": True, "iterations": 20, **more}
    return ComparedMethod("weights", paper, "sparse/topologies.py", options, SELF_PLAY_TIME)


SELF_PLAY: dict[str, ComparedMethod] = {
    "dense": _playing("magnitude", "nothing is cut", 1.0),
    **{
        f"{name}-{density:g}": _playing(method, paper, density, allocation=allocation)
        for density in SELF_PLAY_DENSITIES
        for name, method, paper, allocation in (
            ("static-erk", "static", "Mocanu et al. 2018", "erk"),
            ("set-erk", "set:every=50", "Mocanu et al. 2018", "erk"),
            ("rigl-erk", "rigl:every=50", "Evci et al. 2020", "erk"),
            ("rigl-uniform", "rigl:every=50", "Evci et al. 2020", "uniform"),
        )
    },
}
"""Sparse training by self-play: the end of the updates is a share of all of a network's steps."""
STUDIES: Mapping[str, dict[str, ComparedMethod]] = {"methods": METHODS_COMPARED, "self-play": SELF_PLAY}
