"""Sparse training: RigL (Evci et al., ICML 2020) and its reproduction (Sundar and Dwaraknath, 2021)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from pruning.studies.vision_claims import Check, Claim, ahead, ahead_in, all_of, near, not_behind, not_behind_in
from pruning.studies.vision_experiment import Arm, Published, Recipe
from pruning.studies.vision_sparse_sections import (
    cell_name,
    costlier,
    costs,
    default_is_good,
    grid_table,
    layer_densities,
    level_pairs,
)
from pruning.studies.vision_task import Training

RIGL = "Rigging the Lottery: Making All Tickets Winners (Evci et al., ICML 2020)"
REPRODUCTION = (
    "RigL's reproduction (Sundar and Dwaraknath, ML Reproducibility Challenge 2020, ReScience C 2021)"
)
STEP = {"schedule": "step", "schedule_options": {"lr": 0.1, "drops": (0.5, 0.75)}}
NOTE = (
    "All arms train once, from the same initial weights; arms but gradual and dense are sparse from the start, "
    "and end with the same number of weights to the one. RigL, SET and SNFS drop 0.3 of a layer's weights at "
    "first (cosine), every 100 steps until three quarters of the training. macs and training cost are shares "
    "of the dense network's, by the formulas; nothing is saved in time, since masked weights are multiplied."
)
EQUAL_SECTIONS = {
    "density of each layer after training, % (mean over the seeds)": layer_densities,
    "multiply-adds of inference and of training, % of the dense network's": costs,
}


def _arm(criterion: str, plan: Mapping[str, Any] | None = None, **rest: Any) -> Arm:
    return Arm({"untrained": True, "criterion": criterion, "cycles": 1, **(plan or {})}, **rest)


def _dense(**rest: Any) -> Arm:
    return _arm("magnitude", {"fraction": 0.0}, **rest)


def _sparse(allocation: str, topology: str = "", *, budget: str = "weights", **options: Any) -> Mapping[str, Any]:
    """Returns the settings of random masks by an allocation, that a topology changes."""
    changing = {"topology": topology, "topology_options": options} if topology else {}
    return {"allocation": allocation, "budget": budget, **changing}


# ------------------------------------------------------------------ the comparison, on MNIST

LENET_PART = (0.98,)
LENET_NARROW = (0.0266,)
"""Factor of LeNet's width with which it has as many weights in all as the sparse ones: 8 and 3 units."""


def _compared(parts: tuple[float, ...], narrow: tuple[float, ...]) -> dict[str, Arm]:
    """Returns RigL's comparison: what is static, what changes, what prunes; a narrow network; a dense one."""
    random = partial(_arm, "random-weights", parts=parts)
    return {
        "static-uniform": random(_sparse("uniform")),
        "static-erk": random(_sparse("erk")),
        "set-uniform": random(_sparse("uniform", "set")),
        "set-erk": random(_sparse("erk", "set")),
        "snfs-erk": random(_sparse("erk", "snfs")),
        "snfs-moving": random(_sparse("erk", "snfs", redistribute="momentum")),
        "rigl-uniform": random(_sparse("uniform", "rigl")),
        "rigl-erk": random(_sparse("erk", "rigl")),
        "snip-uniform": _arm("snip", _sparse("uniform"), parts=parts),
        "snip-erk": _arm("snip", _sparse("erk"), parts=parts),
        "snip": _arm("snip", parts=parts),
        "grasp": _arm("grasp", parts=parts),
        "gradual-uniform": random(_sparse("uniform", "gradual")),
        "gradual": random(_sparse("uniform", "gradual", scope="global")),
        "small-dense": _dense(parts=(0.0,) * len(parts), widths=narrow),
        "dense": _dense(),
    }


def _ordering(parts: tuple[float, ...]) -> tuple[Claim, ...]:
    """Returns the claims of RigL's paper on what does better than what, at equal numbers of weights."""
    every = {"densities": (0.0, 0.5)}
    numbers = range(len(parts))

    def both(one: str, other: str) -> Check:
        return all_of(*(ahead(f"{one}-{a}", f"{other}-{a}", **every) for a in ("uniform", "erk")))

    return (
        Claim("RigL beats static masks, uniform and ERK", both("rigl", "static")),
        Claim("RigL beats SET, uniform and ERK", both("rigl", "set")),
        Claim("SET beats static masks, uniform and ERK", both("set", "static")),
        Claim(
            "RigL is not behind SNFS (ERK)",
            not_behind("rigl-erk", "snfs-erk", margin=0.003, **every),
        ),
        *(
            Claim(f"ERK beats uniform densities: {name}", ahead(f"{name}-erk", f"{name}-uniform", **every))
            for name in ("static", "set", "rigl")
        ),
        Claim(
            "SNIP by layer beats static masks (uniform)", ahead("snip-uniform", "static-uniform", **every)
        ),
        Claim("RigL beats SNIP by layer (uniform)", ahead("rigl-uniform", "snip-uniform", **every)),
        Claim(
            "a narrow dense network is not behind SNIP by layer (uniform)",
            not_behind_in("small-dense", "snip-uniform", parts=numbers, margin=0.003),
        ),
        Claim(
            "SET beats a narrow dense network of as many weights (uniform)",
            ahead_in("set-uniform", "small-dense", parts=numbers),
        ),
        Claim(
            "RigL beats a narrow dense network of as many weights (ERK)",
            ahead_in("rigl-erk", "small-dense", parts=numbers),
        ),
        Claim("RigL beats one threshold for SNIP (ERK)", ahead("rigl-erk", "snip", **every)),
        Claim("RigL beats GraSP (ERK)", ahead("rigl-erk", "grasp", **every)),
        Claim(
            "gradual pruning is the ceiling: not behind RigL (ERK)",
            not_behind("gradual", "rigl-erk", margin=0.003, **every),
        ),
    )


# ---------------------------------------------------- equal parameters against equal multiply-adds

CNN_PARTS = (0.9, 0.95)
METHODS = ("static", "rigl")


def _budgets(parts: tuple[float, ...]) -> dict[str, Arm]:
    """Returns static masks and RigL: uniform, ERK with as many weights, ERK with as many multiply-adds."""
    random = partial(_arm, "random-weights", parts=parts)
    arms = {}
    for method in METHODS:
        topology = "" if method == "static" else method
        arms[f"{method}-uniform"] = random(_sparse("uniform", topology))
        arms[f"{method}-erk"] = random(_sparse("erk", topology))
        arms[f"{method}-erk-macs"] = random(_sparse("erk", topology, budget="macs"))
    for signal in ("gradient", "momentum"):
        arms[f"rigl-uniform-{signal}"] = random(_sparse("uniform", "rigl", redistribute=signal))
    return {**arms, "dense": _dense()}


BUDGET_CLAIMS = (
    *(
        Claim(
            f"ERK beats uniform at equal numbers of weights: {method}",
            ahead(f"{method}-erk", f"{method}-uniform", densities=(0.0, 0.5)),
        )
        for method in METHODS
    ),
    *(
        Claim(
            f"uniform beats ERK at equal multiply-adds: {method}",
            ahead_in(f"{method}-uniform", f"{method}-erk-macs", parts=range(len(CNN_PARTS))),
        )
        for method in METHODS
    ),
    *(
        Claim(
            f"uniform is not behind ERK at equal multiply-adds: {method}",
            not_behind_in(
                f"{method}-uniform", f"{method}-erk-macs", parts=range(len(CNN_PARTS)), margin=0.005
            ),
        )
        for method in METHODS
    ),
    Claim("RigL beats static masks (ERK)", ahead("rigl-erk", "static-erk", densities=(0.0, 0.5))),
    *(
        Claim(
            f"weights that move between layers by {signal} close the gap to ERK",
            near(f"rigl-uniform-{signal}", "rigl-erk", densities=(0.0, 0.5), margin=0.01),
        )
        for signal in ("gradient", "momentum")
    ),
    *(
        Claim(
            f"weights that move between layers by {signal} cost more multiply-adds",
            costlier(f"rigl-uniform-{signal}", "rigl-uniform"),
        )
        for signal in ("gradient", "momentum")
    ),
)

# --------------------------------------------------------------------------------- the grid

ALPHAS, EVERY = (0.1, 0.2, 0.3, 0.4, 0.5), (25, 50, 100, 200, 400)
GRID = {
    cell_name(alpha, every): _arm(
        "random-weights", _sparse("erk", "rigl", alpha=alpha, every=every), parts=(0.9,)
    )
    for alpha in ALPHAS
    for every in EVERY
}

# ----------------------------------------------------------------------- the published protocol

WRN_PART = (0.8,)
WRN_NARROW = (0.446,)
"""Factor of WRN-22-2's width with which it has a fifth of the weights."""
WRN_STEP = {"schedule": "step", "schedule_options": {"lr": 0.1, "drops": (0.3413, 0.6827), "factor": 0.2}}
"""A fifth every 30,000 of 87,891 steps: the third drop, at 1.02, never comes."""


def _wrn_arms() -> dict[str, Arm]:
    random = partial(_arm, "random-weights", parts=WRN_PART)
    pruning = {"begin": 0.008, "end": 0.75, "every": 100, "scope": "global"}
    arms = {
        "static": random(_sparse("uniform")),
        "static-erk": random(_sparse("erk")),
        "snip": _arm("snip", parts=WRN_PART),
        "set": random(_sparse("uniform", "set")),
        "set-erk": random(_sparse("erk", "set")),
        "snfs-erk": random(_sparse("erk", "snfs")),
        "rigl": random(_sparse("uniform", "rigl")),
        "rigl-erk": random(_sparse("erk", "rigl")),
        "rigl-2x": random(_sparse("uniform", "rigl"), epochs=2.0),
        "rigl-2x-erk": random(_sparse("erk", "rigl"), epochs=2.0),
        "gradual": random(_sparse("uniform", "gradual", **pruning)),
        "small-dense": _dense(parts=(0.0,), widths=WRN_NARROW),
        "dense": _dense(),
    }
    return arms


WRN_PUBLISHED = tuple(
    Published(arm, 0.2, accuracy, "text")
    for arm, accuracy in {
        "static": 0.912,
        "set": 0.927,
        "set-erk": 0.929,
        "rigl": 0.926,
        "rigl-erk": 0.931,
        "rigl-2x": 0.930,
        "rigl-2x-erk": 0.933,
        "gradual": 0.932,
    }.items()
) + (Published("small-dense", 1.0, 0.910, "text"),)
AT: dict[str, Any] = {"densities": (0.0, 0.5)}
WRN_CLAIMS = (
    Claim("RigL beats static masks", ahead("rigl", "static", **AT)),
    Claim("SET beats static masks", ahead("set", "static", **AT)),
    Claim("RigL is not behind SET (ERK)", not_behind("rigl-erk", "set-erk", margin=0.003, **AT)),
    Claim("RigL is not behind SNFS (ERK)", not_behind("rigl-erk", "snfs-erk", margin=0.003, **AT)),
    Claim("RigL beats SNIP (ERK)", ahead("rigl-erk", "snip", **AT)),
    *(
        Claim(f"ERK beats uniform at equal numbers of weights: {name}", ahead(f"{name}-erk", name, **AT))
        for name in ("static", "set", "rigl")
    ),
    Claim("a narrow dense network is no better than static masks", not_behind_in("static", "small-dense", parts=(0,), margin=0.003)),
    Claim("RigL beats a narrow dense network of as many weights", ahead_in("rigl", "small-dense", parts=(0,))),
    Claim(
        "trained twice as long, RigL (ERK) is not behind gradual pruning",
        not_behind("rigl-2x-erk", "gradual", margin=0.003, **AT),
    ),
    Claim("longer training helps RigL (ERK)", ahead("rigl-2x-erk", "rigl-erk", **AT)),
)

CNN = Training(epochs=40, batch=64, momentum=0.9, nesterov=True, weight_decay=5e-4, normalise=True)
RECIPES = (
    Recipe(
        name="rigl/lenet-mnist",
        paper=RIGL,
        data="mnist",
        model="lenet:300-100",
        init="kaiming-normal",
        training=Training(epochs=200, batch=100, momentum=0.9, nesterov=True, weight_decay=1e-4),
        arms=_compared(LENET_PART, LENET_NARROW),
        plan={**STEP, "exclude": ("out.weight",)},
        small={"subset": 20_000, "training": {"epochs": 15}},
        claims=_ordering(LENET_PART),
        sections=EQUAL_SECTIONS,
        note=f"{NOTE} The last layer is dense, as in RigL's own MNIST experiment, whose two other layers had "
        "different shares and which had smaller drops of the learning rate. In a network of linear layers "
        "multiply-adds and weights are the same. snfs-moving redistributes weights between layers by momentum, "
        "as SNFS did in its paper; small-dense has fewer units, and as many weights in its hidden layers.",
    ),
    Recipe(
        name="rigl/cnn-cifar10",
        paper=REPRODUCTION,
        data="cifar10",
        model="cnn",
        init="kaiming-normal",
        subset=10_000,
        training=CNN,
        arms=_budgets(CNN_PARTS),
        plan={**STEP, "exclude": ("out.weight",)},
        small={"subset": 3000, "training": {"epochs": 20, "batch": 32, "precision": "bfloat16"}},
        claims=BUDGET_CLAIMS,
        sections={"ERK less uniform, points of accuracy": level_pairs, **EQUAL_SECTIONS},
        note=f"{NOTE} Three convolutions stand for the paper's networks; the first is sparse, the last layer "
        "is dense. erk-macs has the density at which ERK's multiply-adds are uniform's.",
    ),
    Recipe(
        name="rigl/grid-cnn",
        paper=REPRODUCTION,
        data="cifar10",
        model="cnn",
        init="kaiming-normal",
        subset=10_000,
        training=CNN,
        arms=GRID,
        plan={**STEP, "exclude": ("out.weight",)},
        small={"subset": 2000, "training": {"epochs": 20, "batch": 32, "precision": "bfloat16"}},
        claims=(
            Claim(
                "tuning gives little: the default of alpha 0.3 every 100 steps is within one standard "
                "deviation of the best in validation",
                default_is_good,
            ),
        ),
        sections={"RigL (ERK) by alpha and steps between updates": grid_table},
        note=f"{NOTE} The paper draws 15 settings by Optuna for each density.",
    ),
    Recipe(
        name="rigl/wrn22-2-cifar10",
        paper=REPRODUCTION,
        data="cifar10",
        model="wrn22-2",
        init="kaiming-normal",
        training=Training(
            epochs=250,
            batch=128,
            momentum=0.9,
            nesterov=True,
            weight_decay=5e-4,
            augmentation="crop-flip",
            normalise=True,
        ),
        arms=_wrn_arms(),
        plan={**WRN_STEP, "exclude": ("stem.weight",)},
        small={
            "model": "wrn10-2",
            "width": 0.5,
            "subset": 1500,
            "training": {"epochs": 15, "batch": 32, "precision": "bfloat16"},
            "arms": ("static", "static-erk", "set", "set-erk", "rigl", "rigl-erk", "gradual", "small-dense", "dense"),
        },
        claims=WRN_CLAIMS,
        published=WRN_PUBLISHED,
        sections=EQUAL_SECTIONS,
        note=f"{NOTE} The first convolution is dense and not counted, the last layer is sparse.",
    ),
)
