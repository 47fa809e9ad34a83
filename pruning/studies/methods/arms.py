"""The methods that `bttt methods` compares, all at one density, for AlphaZero and a vision network.

They prune the layers inside the residual blocks: weights of the convolutions, or the channels between them.
Stem, shortcuts and heads are excluded. Three halvings, or pruning 87.5% at once, keep 12.5% of either. Both
keep the same number of weights.

A method takes the options of `bttt prune`. `time` is the length of training in each cycle; the unit is the
retraining of a network that is pruned once. On images the dense network trains for 1 unit, and every method
trains for 2 units in total. Tickets train for 4 units, the last one from initial weights.

On AlphaZero the budgets differ, so methods that prune before and after training are not comparable. Methods
that prune after training start from a network with a long self-play training run, and retrain for 1 unit.
Methods that prune before training start from initial weights, and train for 2 units on the games of the
trained network, which is distillation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from bttt.runs import is_plugin
from pruning import PRUNING_METHODS, PruningMethod

CUT = 7 / 8
HALVINGS = 3
KEPT_FRACTION = 1 - CUT


WHOLE_PARTS: Mapping[str, tuple[str, ...]] = {
    "weights": ("stem.weight", "policy_*.weight", "value_*.weight"),
    "channels": ("stem", "policy_conv", "value_conv", "value_hidden"),
}
"""Excluded layers of an AlphaZero network."""


@dataclass(frozen=True)
class ComparedMethod:
    """A row of the comparison: a method of `PRUNING_METHODS` with its options in the comparison.

    Attributes:
        options: Options of `bttt prune`.
        time: Length of training in each cycle, see the module docstring.
        variant_of: Authors of this variant of the method; "" for the original method.
        variant_file: File with the variant's formula; "" if it is the method's file.
    """

    options: Mapping[str, Any]
    time: float = 1.0
    variant_of: str = ""
    variant_file: str = ""

    @property
    def method(self) -> PruningMethod:
        """The method, without its options."""
        return _method(self.options["method"])

    @property
    def of(self) -> Literal["weights", "channels"]:
        """The kind of entries that it prunes."""
        return self.method.prunes

    @property
    def paper(self) -> str:
        """The paper of the method."""
        return self.variant_of or self.method.paper

    @property
    def file(self) -> str:
        """The file with its formula."""
        return self.variant_file or self.method.file

    @property
    def starts(self) -> str:
        """The weights from which the last cycle starts: "trained" or "initial"."""
        anew = self.options.get("untrained") or self.options.get("restart") in ("rewind", "reinit")
        return "initial" if anew else "trained"


ONCE: Mapping[str, Any] = {"cycles": 1, "fraction": CUT, "schedule": "clr"}
AGAIN: Mapping[str, Any] = {"cycles": HALVINGS, "fraction": 0.5, "schedule": "clr"}
NEW: Mapping[str, Any] = {**ONCE, "untrained": True}


def _once(method: str, **more: Any) -> ComparedMethod:
    return ComparedMethod({"method": method, "scope": _scope(method), **ONCE, **more})


def _again(method: str, *, time: float = 1 / HALVINGS, of: str = "", **more: Any) -> ComparedMethod:
    return ComparedMethod({"method": method, "scope": _scope(method), **AGAIN, **more}, time, of)


def _new(method: str, *, of: str = "", file: str = "", **more: Any) -> ComparedMethod:
    return ComparedMethod({"method": method, **NEW, **more}, 2.0, of, file)


def _scope(method: str) -> str:
    return "global" if _method(method).prunes == "weights" else "layer"


def _method(text: str) -> PruningMethod:
    """Returns the method of a name with options, for example "rigl:every=50"."""
    if not is_plugin(text):
        return PRUNING_METHODS[text.partition(":")[0]]
    from pruning.studies.plugins import find_method  # torch, for plug-ins alone

    return find_method(text)


ERDOS_RENYI = {"allocation": "erk"}
UNIFORM = {"allocation": "uniform"}
NOTHING, NARROW = "nothing is pruned", "a narrow network from the start (initial weights of the wide one)"
THE_LOOP = "loop/cycles.py"
METHODS_COMPARED: dict[str, ComparedMethod] = {
    "dense": _new("magnitude", of=NOTHING, file=THE_LOOP, fraction=0.0),
    "dense-retrained": ComparedMethod(
        {"method": "magnitude", **ONCE, "fraction": 0.0}, variant_of=NOTHING, variant_file=THE_LOOP
    ),
    "small-dense": _new("random", of=NARROW, file=THE_LOOP, scope="layer", restart="reinit"),
    "magnitude": _once("magnitude"),
    "magnitude-ft": _once("magnitude", schedule="ft"),
    "magnitude-cycles": _again("magnitude", of="Renda et al. 2020"),
    "magnitude-silo": _again("magnitude", of="Liu et al. 2023", schedule="silo"),
    "gradient-silo": _again("gradient", schedule="silo"),
    "random-weights": _once("random-weights"),
    "tickets": _again("magnitude", of="Frankle, Carbin 2019", time=1.0, restart="rewind"),
    "magnitude-untrained": _new("magnitude", of="Frankle et al. 2021"),
    "snip": _new("snip"),
    "grasp": _new("grasp"),
    "synflow": _new("synflow", rounds=100),
    "static-uniform": _new("static", **UNIFORM),
    "static-erk": _new("static", of="Mocanu et al. 2018", file="masks/allocation.py", **ERDOS_RENYI),
    "set": _new("set:every=50", **ERDOS_RENYI),
    "snfs": _new("snfs:every=50", **ERDOS_RENYI),
    "rigl-uniform": _new("rigl:every=50", **UNIFORM),
    "rigl-erk": _new("rigl:every=50", **ERDOS_RENYI),
    "gradual": _new("gradual:every=50", **UNIFORM),
    "dropnet": _again("dropnet"),
    "dropnet-silo": _again("dropnet", of="Tan, Motani 2020; Liu et al. 2023", schedule="silo"),
    "maximum": _again("maximum"),
    "random": _once("random"),
    "apoz": _once("apoz"),
    "l1": _once("l1"),
    "l2": _once("l2"),
    "taylor": _once("taylor"),
    "greedy-forward": _once("greedy-forward"),
    "greedy-local": _once("greedy-local"),
    "greedy-global": _once("greedy-global"),
}
"""The methods by name, in the order of the table."""
SELF_PLAY_TIME = 3.0
SELF_PLAY_DENSITIES = (0.2, 0.1)


def _playing(method: str, density: float, *, of: str = "", **more: Any) -> ComparedMethod:
    """Returns sparse training from the first step, on the network's own games alone."""
    options = {**NEW, "method": method, "fraction": 1 - density, "in_loop": True, "iterations": 20, **more}
    return ComparedMethod(options, SELF_PLAY_TIME, of, "sparse/topologies.py")


SELF_PLAY: dict[str, ComparedMethod] = {
    "dense": _playing("magnitude", 1.0, of=NOTHING),
    **{
        f"{name}-{density:g}": _playing(method, density, of=of, allocation=allocation)
        for density in SELF_PLAY_DENSITIES
        for name, method, of, allocation in (
            ("static-erk", "static", "Mocanu et al. 2018", "erk"),
            ("set-erk", "set:every=50", "", "erk"),
            ("rigl-erk", "rigl:every=50", "", "erk"),
            ("rigl-uniform", "rigl:every=50", "", "uniform"),
        )
    },
}
"""Sparse training by self-play; mask updates end at a fraction of all training steps."""
STUDIES: Mapping[str, dict[str, ComparedMethod]] = {"methods": METHODS_COMPARED, "self-play": SELF_PLAY}


def compared_method(study: str, name: str) -> ComparedMethod:
    """Returns a method of a study, or a user's own in the study "methods"; ValueError if it cannot be loaded.

    A criterion of a user's own prunes once, after training. A topology trains sparsely from initial weights.
    """
    if not is_plugin(name):
        return STUDIES[study][name]
    own = _new(name) if _method(name).when == "while training" else _once(name)
    return replace(own, variant_of="your own", variant_file=name)
