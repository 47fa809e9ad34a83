"""Winning tickets: Frankle and Carbin (ICLR 2019), and the verdict of Ma et al. (NeurIPS 2021)."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import Any

import numpy as np

from bttt.runs import aligned
from pruning.measures import Bounds, TicketVerdict, verdict
from pruning.studies.experiment import Claim
from pruning.studies.vision.claims import ahead, ahead_at, as_dense, near, not_behind, wider_lead
from pruning.studies.vision.experiment import Arm, Base, Recipe
from pruning.studies.vision.points import Point, by_level
from pruning.studies.vision.task import Training

PAPER = (
    "The Lottery Ticket Hypothesis (Frankle and Carbin, ICLR 2019); "
    "Sanity Checks for Lottery Tickets (Ma et al., NeurIPS 2021)"
)
LATE = 0.05
"""Fraction of the training after which late rewinding saves the weights."""
WEAK, TUNED = "weak", "tuned"
TICKET, REINIT, RANDOM, LATER, ONE_SHOT, KEPT = "imp", "reinit", "shuffled", "late", "one-shot", "lr-rewound"
NOTE = (
    "imp prunes the smallest weights of all layers together and rewinds to the initial weights. reinit "
    "trains imp's masks from new initial weights. shuffled keeps imp's number of weights in each layer, at "
    "random positions. late rewinds to the weights after 5% of training. lr-rewound continues from the "
    "trained weights. one-shot prunes the dense network once. The optimizer and the image order are reset."
)


SIGNS = {"recipe": ">=", "nontrivial": "<", "gap": ">", "match": ">", "second": ">="}
"""The verdict's conditions, each with the required relation of its figure to its constant."""
TEXT_WIDTH = 110


def _arms(recipe: str, base: Base, shots: tuple[float, ...]) -> dict[str, Arm]:
    """Returns the variants of a recipe."""
    learning = {"schedule": base.schedule, "schedule_options": base.options}
    prune = {"criterion": "magnitude", "restart": "rewind", **learning}

    def arm(plan: dict[str, Any] | None = None, **rest: Any) -> Arm:
        return Arm({**prune, **(plan or {})}, base=recipe, epochs=base.epochs, **rest)

    arms = {
        TICKET: arm(),
        REINIT: arm({"restart": "reinit"}, follows=f"{recipe}-{TICKET}"),
        RANDOM: arm(follows=f"{recipe}-{TICKET}", shuffled=True),
        LATER: arm({"rewind_to": LATE}),
        KEPT: arm({"restart": "keep"}),
        ONE_SHOT: arm(parts=shots),
    }
    return {f"{recipe}-{name}": each for name, each in arms.items()}


def _recipe(
    name: str, data: str, model: str, training: Training, weak: Base, tuned: Base, **rest: Any
) -> Recipe:
    shots = (1 - 0.8**6, 1 - 0.8**12)
    arms = _arms(TUNED, tuned, shots) | _arms(WEAK, weak, shots)
    return Recipe(
        name=name,
        paper=PAPER,
        data=data,
        model=model,
        training=training,
        arms=arms,
        bases={WEAK: weak, TUNED: tuned},
        sections={"verdict of Ma et al. on the tickets of imp": verdicts},
        note=NOTE,
        **rest,
    )


def verdicts(points: Sequence[Point]) -> str:
    """Returns the verdict on the tickets of each recipe and level; "" if a variant is missing."""
    parts = []
    for recipe in (WEAK, TUNED):
        kinds = {name: by_level(points, f"{recipe}-{name}") for name in (TICKET, REINIT, RANDOM)}
        dense = {
            "dense": kinds[TICKET].get((0, 0), {}),
            "tuned": by_level(points, f"{TUNED}-{TICKET}").get((0, 0), {}),
        }
        for level, tickets in kinds[TICKET].items():
            found = {
                **dense,
                "ticket": tickets,
                "reinit": kinds[REINIT].get(level, {}),
                "random_mask": kinds[RANDOM].get(level, {}),
            }
            seeds = sorted(set.intersection(*(set(own) for own in found.values())))
            if level[1] and seeds:
                accuracies = {name: [own[seed].accuracy for seed in seeds] for name, own in found.items()}
                ruling = verdict(
                    dense=accuracies["dense"],
                    tuned=accuracies["tuned"],
                    ticket=accuracies["ticket"],
                    reinit=accuracies["reinit"],
                    random_mask=accuracies["random_mask"],
                )
                kept = 100 * float(np.mean([tickets[seed].density for seed in seeds]))
                parts.append([recipe, f"{kept:.3g}", *_row(ruling)])
    if not parts:
        return ""
    head = ["recipe", "% kept", "verdict", *(f"{name} {sign}" for name, sign in SIGNS.items())]
    bounds = Bounds()
    constants = ", ".join(
        f"{name} {100 * getattr(bounds, name):g}" for name in ("recipe", "match", "gap", "second")
    )
    told = fill(
        f"Constants in points: {constants}; one-sided bounds of {bounds.confidence:.0%} over the seeds. "
        "recipe: dense minus tuned dense; nontrivial: random mask minus dense; gap: ticket minus reinit, "
        "lower bound; match: ticket minus dense, lower bound; second: ticket minus dense. An asterisk marks "
        "a condition that fails.",
        TEXT_WIDTH,
    )
    return "\n".join([*aligned([head, *parts], left=(0, 2)), told])


def _row(found: TicketVerdict) -> list[str]:
    checks = {check.name: check for check in found.checks}
    figures = [f"{100 * checks[name].value:+.2f}{'' if checks[name].passed else '*'}" for name in SIGNS]
    return [found.name, *figures]


SPARSE, SPARSEST = (0.0, 0.3), 0.8**12
_GAP = (f"{TUNED}-{TICKET}", f"{TUNED}-{REINIT}")
_CLAIMS = (
    Claim(
        "initial weights matter under the weak recipe: tickets beat their masks with new initial weights",
        ahead(f"{WEAK}-{TICKET}", f"{WEAK}-{REINIT}", densities=SPARSE),
    ),
    Claim(
        "tickets match the tuned dense network (with 10 to 30% kept)",
        as_dense(f"{TUNED}-{TICKET}", densities=(0.1, 0.3), margin=0.01),
    ),
    Claim(
        "initial weights matter more under the weak recipe than under the tuned one",
        wider_lead((f"{WEAK}-{TICKET}", f"{WEAK}-{REINIT}"), than=_GAP, densities=SPARSE),
    ),
    Claim(
        "under the tuned recipe, LR rewinding from the trained weights beats tickets",
        ahead(f"{TUNED}-{KEPT}", f"{TUNED}-{TICKET}", densities=SPARSE),
    ),
    Claim(
        "the positions of the weights matter: tickets beat shuffled masks",
        ahead(f"{TUNED}-{TICKET}", f"{TUNED}-{RANDOM}", densities=SPARSE),
    ),
    Claim(
        "late rewinding is no worse than rewinding to the initial weights",
        not_behind(f"{TUNED}-{LATER}", f"{TUNED}-{TICKET}", densities=SPARSE, margin=0.003),
    ),
)
LENET_CLAIMS = (
    *_CLAIMS,
    Claim("initial weights matter under the tuned recipe too", ahead(*_GAP, densities=SPARSE)),
    Claim(
        "pruning in cycles beats pruning once",
        ahead_at(f"{TUNED}-{TICKET}", f"{TUNED}-{ONE_SHOT}", density=SPARSEST),
    ),
)
RESNET_CLAIMS = (
    *_CLAIMS,
    Claim(
        "with a large learning rate, initial weights do not matter in a residual network",
        near(*_GAP, densities=SPARSE, margin=0.01),
    ),
)
"""Ma et al. find no jackpot tickets for ResNet-20 at a learning rate of 0.1."""
RECIPES = (
    _recipe(
        "tickets/lenet-mnist",
        "mnist",
        "lenet:300-100",
        Training(epochs=20, batch=128),
        Base("constant", {"lr": 0.01}, epochs=0.2),
        Base("step", {"lr": 0.1, "drops": (0.5, 0.75)}),
        cycles=15,
        init="kaiming-normal",
        plan={"fraction": 0.2, "exclude": ("out.weight",)},
        small={"subset": 10_000, "cycles": 7, "plan": {"fraction": 0.36}},
        claims=LENET_CLAIMS,
    ),
    _recipe(
        "tickets/resnet20-cifar10",
        "cifar10",
        "resnet20",
        Training(
            epochs=160, batch=64, momentum=0.9, weight_decay=1e-4, augmentation="crop-flip", normalise=True
        ),
        Base("step", {"lr": 0.01, "drops": (0.5, 0.75)}),
        Base("step", {"lr": 0.1, "drops": (0.5, 0.75)}),
        cycles=14,
        init="kaiming-normal",
        plan={"fraction": 0.2, "exclude": ("stem.weight", "out.weight")},
        small={
            "model": "resnet8",
            "width": 0.5,
            "subset": 1500,
            "cycles": 4,
            "plan": {"fraction": 0.36},
            "training": {"epochs": 12, "precision": "bfloat16"},
            "arms": tuple(
                f"{each}-{name}" for each in (WEAK, TUNED) for name in (TICKET, REINIT, RANDOM, KEPT)
            ),
        },
        claims=RESNET_CLAIMS,
    ),
)
