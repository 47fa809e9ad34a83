"""Sparse training against static masks and gradual pruning: RigL (Evci et al., ICML 2020), on MNIST."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from pruning.studies.experiment import Check, Claim, all_of
from pruning.studies.vision.claims import ahead, ahead_in, not_behind, not_behind_in
from pruning.studies.vision.experiment import Arm, Recipe
from pruning.studies.vision.points import Point
from pruning.studies.vision.recipes.sparse_sections import costs, layer_densities
from pruning.studies.vision.task import Training

PAPER = "Rigging the Lottery: Making All Tickets Winners (Evci et al., ICML 2020)"
EVERY_LEVEL: dict[str, Any] = {"densities": (0.0, 0.5)}
STEP = {"schedule": "step", "schedule_options": {"lr": 0.1, "drops": (0.5, 0.75)}}
NOTE = (
    "All variants train once, from the same initial weights. Sparse variants are sparse from the start, "
    "gradual at the end; they keep exactly the same number of weights. RigL, SET and SNFS replace 30% of a "
    "layer's weights at first (a cosine lowers this), every 100 steps until 75% of training. Costs are "
    "counted multiply-adds. No time is saved, because masked weights are multiplied too."
)
SECTIONS = {
    "density of each layer after training, % (mean over the seeds)": layer_densities,
    "multiply-adds of inference and of training, % of the dense network's": costs,
}
PARTS = (0.98,)
NARROW = (0.0266,)
"""Width factor at which LeNet has the sparse networks' number of weights: 8 and 3 units."""


def sparse_arm(criterion: str, plan: Mapping[str, Any] | None = None, **rest: Any) -> Arm:
    """Returns a variant that prunes untrained networks and trains them once."""
    return Arm({"untrained": True, "criterion": criterion, "cycles": 1, **(plan or {})}, **rest)


def dense_arm(**rest: Any) -> Arm:
    """Returns a variant that trains a dense network in the same way."""
    return sparse_arm("magnitude", {"fraction": 0.0}, **rest)


def allocated(
    allocation: str, topology: str = "", *, budget: str = "weights", **options: Any
) -> Mapping[str, Any]:
    """Returns the settings of an allocation, and of a topology that changes the masks."""
    changing = {"topology": topology, "topology_options": options} if topology else {}
    return {"allocation": allocation, "budget": budget, **changing}


def _arms() -> dict[str, Arm]:
    """Returns RigL's comparison: static and changing masks, pruning, a narrow and a dense network."""
    random = partial(sparse_arm, "random-weights", parts=PARTS)
    return {
        "static-uniform": random(allocated("uniform")),
        "static-erk": random(allocated("erk")),
        "set-uniform": random(allocated("uniform", "set")),
        "set-erk": random(allocated("erk", "set")),
        "snfs-erk": random(allocated("erk", "snfs")),
        "snfs-moving": random(allocated("erk", "snfs", redistribute="momentum")),
        "rigl-uniform": random(allocated("uniform", "rigl")),
        "rigl-erk": random(allocated("erk", "rigl")),
        "snip-uniform": sparse_arm("snip", allocated("uniform"), parts=PARTS),
        "snip-erk": sparse_arm("snip", allocated("erk"), parts=PARTS),
        "snip": sparse_arm("snip", parts=PARTS),
        "grasp": sparse_arm("grasp", parts=PARTS),
        "gradual-uniform": random(allocated("uniform", "gradual")),
        "gradual": random(allocated("uniform", "gradual", scope="global")),
        "small-dense": dense_arm(parts=(0.0,), widths=NARROW),
        "dense": dense_arm(),
    }


def _claims() -> tuple[Claim[Point], ...]:
    """Returns the claims of RigL's paper: rankings of the variants at equal numbers of weights."""

    def both(one: str, other: str) -> Check[Point]:
        return all_of(*(ahead(f"{one}-{a}", f"{other}-{a}", **EVERY_LEVEL) for a in ("uniform", "erk")))

    return (
        Claim("RigL beats static masks (uniform and ERK)", both("rigl", "static")),
        Claim("RigL beats SET (uniform and ERK)", both("rigl", "set")),
        Claim("SET beats static masks (uniform and ERK)", both("set", "static")),
        Claim(
            "RigL is no worse than SNFS (ERK)",
            not_behind("rigl-erk", "snfs-erk", margin=0.003, **EVERY_LEVEL),
        ),
        *(
            Claim(
                f"ERK beats uniform densities: {name}", ahead(f"{name}-erk", f"{name}-uniform", **EVERY_LEVEL)
            )
            for name in ("static", "set", "rigl")
        ),
        Claim(
            "layer-wise SNIP beats static masks (uniform)",
            ahead("snip-uniform", "static-uniform", **EVERY_LEVEL),
        ),
        Claim("RigL beats layer-wise SNIP (uniform)", ahead("rigl-uniform", "snip-uniform", **EVERY_LEVEL)),
        Claim(
            "a narrow dense network is no worse than layer-wise SNIP (uniform)",
            not_behind_in("small-dense", "snip-uniform", parts=(0,), margin=0.003),
        ),
        Claim(
            "SET beats a narrow dense network with the same number of weights (uniform)",
            ahead_in("set-uniform", "small-dense", parts=(0,)),
        ),
        Claim(
            "RigL beats a narrow dense network with the same number of weights (ERK)",
            ahead_in("rigl-erk", "small-dense", parts=(0,)),
        ),
        Claim("RigL (ERK) beats SNIP with one global threshold", ahead("rigl-erk", "snip", **EVERY_LEVEL)),
        Claim("RigL beats GraSP (ERK)", ahead("rigl-erk", "grasp", **EVERY_LEVEL)),
        Claim(
            "gradual pruning is the upper limit: it is no worse than RigL (ERK)",
            not_behind("gradual", "rigl-erk", margin=0.003, **EVERY_LEVEL),
        ),
    )


RECIPES = (
    Recipe(
        name="rigl/lenet-mnist",
        paper=PAPER,
        data="mnist",
        model="lenet:300-100",
        init="kaiming-normal",
        training=Training(epochs=200, batch=100, momentum=0.9, nesterov=True, weight_decay=1e-4),
        arms=_arms(),
        plan={**STEP, "exclude": ("out.weight",)},
        small={"subset": 20_000, "training": {"epochs": 15}},
        claims=_claims(),
        sections=SECTIONS,
        note=f"{NOTE} The last layer is dense, as in RigL's own MNIST experiment. There the two other layers "
        "had different densities, and the learning rate had smaller drops. In a network of linear layers, "
        "multiply-adds and weights are the same. snfs-moving moves weights between layers by momentum, as in "
        "the SNFS paper. small-dense is narrower, with the same total number of weights.",
    ),
)
