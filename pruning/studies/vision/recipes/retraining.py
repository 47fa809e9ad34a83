"""How to retrain pruned networks: Le and Hua (ICLR 2021), and Renda, Frankle and Carbin (ICLR 2020)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pruning.studies.experiment import Claim, all_of
from pruning.studies.vision.claims import ahead, larger_gap, not_behind, wider_lead
from pruning.studies.vision.experiment import Arm, Base, Published, Recipe
from pruning.studies.vision.task import Training

LE_HUA = "Network Pruning That Matters: A Case Study on Retraining Variants (Le and Hua, ICLR 2021)"
RENDA = "Comparing Rewinding and Fine-tuning in Neural Network Pruning (Renda, Frankle, Carbin, ICLR 2020)"
CIFAR = Training(
    epochs=160, batch=64, momentum=0.9, weight_decay=1e-4, augmentation="crop-flip", normalise=True
)
MNIST = Training(epochs=10, batch=64, momentum=0.9, weight_decay=1e-4)
PRUNERS = {"l1": ("l1", "layer"), "random": ("random", "layer"), "magnitude": ("magnitude", "global")}
"""Criterion and scope of PFEC's filters (Li et al., 2017), of random filters, and of single weights."""
SCHEDULES = ("ft", "lrw", "slr", "clr")
LOW, MOST = (0.0, 0.55), (0.0, 0.15)
NOTE = (
    "All variants retrain for the same number of epochs from the trained, pruned weights. The momentum is "
    "constant, except in variants named momentum, which cycle it like torch's one-cycle schedule does by "
    "default. Filters of residual streams are not pruned; the first convolutions of the blocks are, with the "
    "same fraction in all stages. Test accuracy is measured after the last epoch."
)


def _arms(
    lr: float,
    drops: tuple[float, ...],
    share: float,
    parts: tuple[float, ...],
    streams: tuple[str, ...] = (),
) -> dict[str, Arm]:
    """Returns each pruner with each schedule; retraining takes the fraction `share` of the base's epochs.

    As in PFEC, the filters of `streams`, to which residual blocks add, are excluded.
    """

    def arm(pruner: str, schedule: str, **training: Any) -> Arm:
        criterion, scope = PRUNERS[pruner]
        options: dict[str, Any] = {"lr": lr, "drops": drops}
        options |= {"replayed": share} if schedule == "lrw" else {}
        plan = {"criterion": criterion, "scope": scope, "schedule": schedule, "schedule_options": options}
        plan |= {} if pruner == "magnitude" else {"exclude": streams}
        return Arm(plan, base="dense", epochs=share, training=training, parts=parts)

    named = {f"{pruner}-{schedule}": arm(pruner, schedule) for pruner in PRUNERS for schedule in SCHEDULES}
    return named | {"l1-clr-momentum": arm("l1", "clr", cycle_momentum=True)}


CLAIMS = (
    Claim(
        "(i) large learning rates explain LRW's lead over FT: SLR and CLR are no worse than LRW",
        all_of(
            not_behind("l1-slr", "l1-lrw", densities=LOW, margin=0.003),
            not_behind("l1-clr", "l1-lrw", densities=LOW, margin=0.003),
        ),
    ),
    Claim("(ii) CLR is no worse than SLR", not_behind("l1-clr", "l1-slr", densities=LOW, margin=0.003)),
    Claim("(ii) SLR is no worse than LRW", not_behind("l1-slr", "l1-lrw", densities=LOW, margin=0.003)),
    Claim("(ii) LRW beats FT", ahead("l1-lrw", "l1-ft", densities=LOW)),
    Claim(
        "(ii) CLR's lead over FT grows as more is pruned",
        larger_gap("l1-clr", "l1-ft", densities=(0.15, 0.55), lower=MOST),
    ),
    Claim(
        "(iii) random filters with CLR are no worse than L1 filters with FT",
        not_behind("random-clr", "l1-ft", densities=LOW, margin=0.003),
    ),
    Claim(
        "(iii) random filters with CLR beat L1 filters with FT", ahead("random-clr", "l1-ft", densities=LOW)
    ),
    Claim(
        "(iv) L1's lead over random is smaller with CLR than with FT",
        wider_lead(("l1-ft", "random-ft"), than=("l1-clr", "random-clr"), densities=LOW),
    ),
    Claim("magnitude pruning: CLR beats FT", ahead("magnitude-clr", "magnitude-ft", densities=LOW)),
    Claim(
        "CLR is no worse without cycling the momentum",
        not_behind("l1-clr", "l1-clr-momentum", densities=LOW, margin=0.003),
    ),
)


def _rewinding_arms(
    lr: float, drops: tuple[float, ...], shares: tuple[float, ...], parts: tuple[float, ...], scope: str
) -> dict[str, Arm]:
    """Returns the four variants of Renda et al. for each retraining time, a fraction of the base training."""
    prune = {"criterion": "magnitude", "scope": scope}
    base: dict[str, Any] = {"lr": lr, "drops": drops}
    named: dict[str, Arm] = {}

    def add(name: str, plan: Mapping[str, Any], epochs: float) -> None:
        named[name] = Arm({**prune, **plan}, base="dense", epochs=epochs, parts=parts)

    for share in shares:
        of = f"{round(100 * share)}"
        step = {"schedule": "step", "schedule_options": base}
        add(f"rewind-{of}", {**step, "restart": "rewind", "rewind_to": 1 - share}, 1.0)
        replayed = {"schedule": "lrw", "schedule_options": {**base, "replayed": share}}
        if share > 1 - drops[-1]:  # otherwise it is fine-tuning
            add(f"lr-rewind-{of}", replayed, share)
        add(f"fine-tune-{of}", {"schedule": "ft", "schedule_options": base}, share)
    add("reinit", {"schedule": "step", "schedule_options": base, "restart": "reinit"}, 1.0)
    return named


REWINDING_NOTE = (
    "Rewinding resets the optimizer and shows the images in another order. Pruning is one-shot: each density "
    "is pruned once from the dense network. We did not run the control with rewound weights and the last "
    "learning rate."
)
REWINDING_CLAIMS = (
    *(
        Claim(
            f"LR rewinding is no worse than fine-tuning (retraining for {of}% of the training epochs)",
            not_behind(f"lr-rewind-{of}", f"fine-tune-{of}", densities=MOST, margin=0.003),
        )
        for of in (50, 100)
    ),
    Claim(
        "LR rewinding to the start of training is no worse than rewinding to the initial weights",
        not_behind("lr-rewind-100", "rewind-100", densities=MOST, margin=0.003),
    ),
    Claim(
        "weight rewinding needs a later point: rewinding to the middle beats rewinding to initial weights",
        ahead("rewind-50", "rewind-100", densities=MOST),
    ),
    Claim(
        "new initial weights are worst: rewinding to the middle and fine-tuning both beat them",
        all_of(ahead("rewind-50", "reinit", densities=MOST), ahead("fine-tune-50", "reinit", densities=MOST)),
    ),
)
DROPS = (0.5, 0.75)
PUBLISHED_ONE_SHOT = tuple(
    Published(arm, density, accuracy, "data")
    for density, row in (
        (0.2097, (0.9121, 0.9097, 0.9081, 0.8906)),
        (0.1074, (0.8926, 0.8949, 0.8865, 0.8742)),
    )
    for arm, accuracy in zip(("rewind-50", "lr-rewind-50", "fine-tune-50", "reinit"), row, strict=True)
)
"""ResNet-20, one-shot: the best of all retraining times, next to ours with half the training."""

RECIPES = (
    Recipe(
        name="retraining/lenet-mnist",
        paper=LE_HUA,
        data="mnist",
        model="lenet:300-100",
        training=MNIST,
        arms=_arms(0.1, DROPS, 0.5, (0.5, 0.8, 0.9, 0.95)),
        bases={"dense": Base("step", {"lr": 0.1, "drops": DROPS})},
        small={"subset": 20_000},
        claims=CLAIMS,
        note=NOTE,
    ),
    Recipe(
        name="retraining/resnet56-cifar10",
        paper=LE_HUA,
        data="cifar10",
        model="resnet56",
        training=CIFAR,
        arms=_arms(0.1, DROPS, 0.55, (0.6, 0.9), streams=("stem", "blocks.*.conv2")),
        bases={"dense": Base("step", {"lr": 0.1, "drops": DROPS})},
        small={
            "model": "resnet8",
            "width": 0.5,
            "subset": 1500,
            "training": {"epochs": 20, "precision": "bfloat16"},
            "arms": (*(f"{pruner}-{s}" for pruner in ("l1", "random") for s in SCHEDULES), "l1-clr-momentum"),
        },
        claims=CLAIMS,
        note=NOTE,
    ),
    Recipe(
        name="retraining/rewinding-lenet-mnist",
        paper=RENDA,
        data="mnist",
        model="lenet:300-100",
        training=MNIST,
        arms=_rewinding_arms(0.1, DROPS, (0.25, 0.5, 1.0), (0.9, 0.95, 0.98), "global"),
        bases={"dense": Base("step", {"lr": 0.1, "drops": DROPS})},
        small={"subset": 10_000},
        claims=REWINDING_CLAIMS,
        note=REWINDING_NOTE,
    ),
    Recipe(
        name="retraining/rewinding-resnet20-cifar10",
        paper=RENDA,
        data="cifar10",
        model="resnet20",
        training=replace(CIFAR, epochs=182, batch=128, weight_decay=2e-4),
        arms=_rewinding_arms(0.1, DROPS, (0.25, 0.5, 1.0), (0.7903, 0.8926), "global"),
        plan={"exclude": ("out.weight",)},
        bases={"dense": Base("step", {"lr": 0.1, "drops": DROPS})},
        small={
            "model": "resnet8",
            "width": 0.5,
            "subset": 1500,
            "training": {"epochs": 16, "batch": 64, "precision": "bfloat16"},
        },
        claims=REWINDING_CLAIMS,
        published=PUBLISHED_ONE_SHOT,
        note=f"{REWINDING_NOTE} The paper's numbers are the best over all retraining times; ours retrain "
        "for half the training. Its dense networks reached 91.7%. The last layer is not pruned.",
    ),
)
