"""The reproduction of RigL (Sundar and Dwaraknath, 2021): equal weights or multiply-adds, grid, protocol."""

from __future__ import annotations

from functools import partial

from pruning.studies.experiment import Claim, all_of
from pruning.studies.vision.claims import ahead, ahead_in, not_behind, not_behind_in
from pruning.studies.vision.experiment import Arm, Published, Recipe
from pruning.studies.vision.recipes.sparse import (
    EVERY_LEVEL,
    NOTE,
    SECTIONS,
    STEP,
    allocated,
    dense_arm,
    sparse_arm,
)
from pruning.studies.vision.recipes.sparse_sections import (
    ALPHAS,
    EVERY,
    cell_name,
    costlier,
    default_is_good,
    grid_table,
    level_pairs,
)
from pruning.studies.vision.task import Training

PAPER = "RigL's reproduction (Sundar and Dwaraknath, ML Reproducibility Challenge 2020, ReScience C 2021)"
CNN_PARTS = (0.9, 0.95)
METHODS = ("static", "rigl")


def _budgets(parts: tuple[float, ...]) -> dict[str, Arm]:
    """Returns static masks and RigL: uniform, ERK at equal weights, ERK at equal multiply-adds."""
    random = partial(sparse_arm, "random-weights", parts=parts)
    arms = {}
    for method in METHODS:
        topology = "" if method == "static" else method
        arms[f"{method}-uniform"] = random(allocated("uniform", topology))
        arms[f"{method}-erk"] = random(allocated("erk", topology))
        arms[f"{method}-erk-macs"] = random(allocated("erk", topology, budget="macs"))
    for signal in ("gradient", "momentum"):
        arms[f"rigl-uniform-{signal}"] = random(allocated("uniform", "rigl", redistribute=signal))
    return {**arms, "dense": dense_arm()}


BUDGET_CLAIMS = (
    *(
        Claim(
            f"ERK beats uniform at equal numbers of weights: {method}",
            ahead(f"{method}-erk", f"{method}-uniform", **EVERY_LEVEL),
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
            f"uniform is no worse than ERK at equal multiply-adds: {method}",
            not_behind_in(
                f"{method}-uniform", f"{method}-erk-macs", parts=range(len(CNN_PARTS)), margin=0.005
            ),
        )
        for method in METHODS
    ),
    Claim("RigL beats static masks (ERK)", ahead("rigl-erk", "static-erk", **EVERY_LEVEL)),
    *(
        Claim(
            f"moving weights between layers by {signal} closes the gap to ERK",
            all_of(
                ahead("rigl-erk", "rigl-uniform", **EVERY_LEVEL),
                not_behind(f"rigl-uniform-{signal}", "rigl-erk", **EVERY_LEVEL, margin=0.005),
            ),
        )
        for signal in ("gradient", "momentum")
    ),
    *(
        Claim(
            f"moving weights between layers by {signal} costs more multiply-adds",
            costlier(f"rigl-uniform-{signal}", "rigl-uniform"),
        )
        for signal in ("gradient", "momentum")
    ),
)

GRID = {
    cell_name(alpha, every): sparse_arm(
        "random-weights", allocated("erk", "rigl", alpha=alpha, every=every), parts=(0.9,)
    )
    for alpha in ALPHAS
    for every in EVERY
}

WRN_PART = (0.8,)
WRN_NARROW = (0.446,)
"""Width factor at which WRN-22-2 has 20% of its weights."""
WRN_STEP = {"schedule": "step", "schedule_options": {"lr": 0.1, "drops": (0.3413, 0.6827), "factor": 0.2}}
"""The learning rate drops to 20% every 30,000 of 87,891 steps; the third drop, at 1.02, is never reached."""


def _wrn_arms() -> dict[str, Arm]:
    random = partial(sparse_arm, "random-weights", parts=WRN_PART)
    gradual = allocated("uniform", "gradual", begin=0.008, end=0.75, every=100, scope="global")
    arms = {
        "static": random(allocated("uniform")),
        "static-erk": random(allocated("erk")),
        "snip": sparse_arm("snip", parts=WRN_PART),
        "set": random(allocated("uniform", "set")),
        "set-erk": random(allocated("erk", "set")),
        "snfs-erk": random(allocated("erk", "snfs")),
        "rigl": random(allocated("uniform", "rigl")),
        "rigl-erk": random(allocated("erk", "rigl")),
        "rigl-2x": random(allocated("uniform", "rigl"), epochs=2.0),
        "rigl-2x-erk": random(allocated("erk", "rigl"), epochs=2.0),
        "gradual": random(gradual),
        "small-dense": dense_arm(parts=(0.0,), widths=WRN_NARROW),
        "dense": dense_arm(),
    }
    return arms


WRN_PUBLISHED = tuple(
    Published(arm, 1.0 if arm == "small-dense" else 0.2, accuracy, "text")
    for arm, accuracy in {
        "small-dense": 0.910,
        "static": 0.912,
        "set": 0.927,
        "set-erk": 0.929,
        "rigl": 0.926,
        "rigl-erk": 0.931,
        "rigl-2x": 0.930,
        "rigl-2x-erk": 0.933,
        "gradual": 0.932,
    }.items()
)
WRN_CLAIMS = (
    Claim("RigL beats static masks", ahead("rigl", "static", **EVERY_LEVEL)),
    Claim("SET beats static masks", ahead("set", "static", **EVERY_LEVEL)),
    Claim("RigL is no worse than SET (ERK)", not_behind("rigl-erk", "set-erk", margin=0.003, **EVERY_LEVEL)),
    Claim(
        "RigL is no worse than SNFS (ERK)", not_behind("rigl-erk", "snfs-erk", margin=0.003, **EVERY_LEVEL)
    ),
    Claim("RigL beats SNIP (ERK)", ahead("rigl-erk", "snip", **EVERY_LEVEL)),
    *(
        Claim(
            f"ERK beats uniform at equal numbers of weights: {name}",
            ahead(f"{name}-erk", name, **EVERY_LEVEL),
        )
        for name in ("static", "set", "rigl")
    ),
    Claim(
        "a narrow dense network is no better than static masks",
        not_behind_in("static", "small-dense", parts=(0,), margin=0.003),
    ),
    Claim(
        "RigL beats a narrow dense network with the same number of weights",
        ahead_in("rigl", "small-dense", parts=(0,)),
    ),
    Claim(
        "trained twice as long, RigL (ERK) is no worse than gradual pruning",
        not_behind("rigl-2x-erk", "gradual", margin=0.003, **EVERY_LEVEL),
    ),
    Claim("longer training helps RigL (ERK)", ahead("rigl-2x-erk", "rigl-erk", **EVERY_LEVEL)),
)

CNN = Training(epochs=40, batch=64, momentum=0.9, nesterov=True, weight_decay=5e-4, normalise=True)
RECIPES = (
    Recipe(
        name="rigl/cnn-cifar10",
        paper=PAPER,
        data="cifar10",
        model="cnn",
        init="kaiming-normal",
        subset=10_000,
        training=CNN,
        arms=_budgets(CNN_PARTS),
        plan={**STEP, "exclude": ("out.weight",)},
        small={"subset": 3000, "training": {"epochs": 20, "batch": 32, "precision": "bfloat16"}},
        claims=BUDGET_CLAIMS,
        sections={"ERK minus uniform, points of accuracy": level_pairs, **SECTIONS},
        note=f"{NOTE} A network of three convolutions replaces the paper's networks; its first layer is "
        "sparse, its last layer dense. erk-macs has the density at which ERK's multiply-adds equal "
        "those of uniform.",
    ),
    Recipe(
        name="rigl/grid-cnn",
        paper=PAPER,
        data="cifar10",
        model="cnn",
        init="kaiming-normal",
        subset=10_000,
        training=CNN,
        arms=GRID,
        plan={**STEP, "exclude": ("out.weight",)},
        small={"subset": 2000, "training": {"epochs": 15, "batch": 32, "precision": "bfloat16"}},
        claims=(
            Claim(
                "tuning gains little: the default (alpha 0.3, every 100 steps) is within one standard "
                "deviation of the best cell in validation",
                default_is_good,
            ),
        ),
        sections={"RigL (ERK) by alpha and steps between updates": grid_table},
        note=f"{NOTE} The paper draws 15 settings with Optuna at each density.",
    ),
    Recipe(
        name="rigl/wrn22-2-cifar10",
        paper=PAPER,
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
            "arms": (
                "static",
                "static-erk",
                "set",
                "set-erk",
                "rigl",
                "rigl-erk",
                "gradual",
                "small-dense",
                "dense",
            ),
        },
        claims=WRN_CLAIMS,
        published=WRN_PUBLISHED,
        sections=SECTIONS,
        note=f"{NOTE} The first convolution is dense and not counted; the last layer is sparse.",
    ),
)
