"""All pruning methods at one density on one small residual network, for the table of `bttt methods`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pruning.studies.alphazero import plan_settings
from pruning.studies.experiment import Claim
from pruning.studies.methods import KEPT_FRACTION, METHODS_COMPARED, ComparedMethod
from pruning.studies.vision.claims import ahead, not_behind
from pruning.studies.vision.experiment import Arm, Base, Recipe
from pruning.studies.vision.task import Training

WHOLE: Mapping[str, tuple[str, ...]] = {
    "weights": ("stem.weight", "blocks.*.short.weight", "out.weight"),
    "channels": ("stem", "blocks.*.conv2"),
}
LR = 0.05
AT: dict[str, Any] = {"densities": (0.0, 1.2 * KEPT_FRACTION)}


def _arm(method: ComparedMethod) -> Arm:
    plan = plan_settings(**method.options, lr=LR)
    base = "" if plan["untrained"] else "dense"
    return Arm({**plan, "exclude": WHOLE[method.of]}, base=base, epochs=method.time)


RECIPES = (
    Recipe(
        name="methods/resnet8-fashion-mnist",
        paper="ours: every method of the module at one density (rows and papers: bttt methods)",
        data="fashion-mnist",
        model="resnet8",
        subset=2000,
        training=Training(
            epochs=6, batch=32, momentum=0.9, weight_decay=5e-4, normalise=True, precision="bfloat16"
        ),
        arms={name: _arm(method) for name, method in METHODS_COMPARED.items()},
        bases={"dense": Base("clr", {"lr": LR})},
        small={"width": 0.5},
        claims=(
            Claim("RigL beats static (ERK)", ahead("rigl-erk", "static-erk", **AT)),
            Claim("RigL beats SET", ahead("rigl-erk", "set", **AT)),
            Claim(
                "SNIP beats a static random mask of uniform density", ahead("snip", "static-uniform", **AT)
            ),
            Claim(
                "GraSP beats a static random mask of uniform density", ahead("grasp", "static-uniform", **AT)
            ),
            Claim(
                "gradual pruning is no worse than RigL",
                not_behind("gradual", "rigl-erk", margin=0.003, **AT),
            ),
            Claim("pruning after training beats SNIP", ahead("magnitude", "snip", **AT)),
            Claim("local imitation beats L1", ahead("greedy-local", "l1", **AT)),
            Claim(
                "global imitation is no worse than local imitation",
                not_behind("greedy-global", "greedy-local", margin=0.003, **AT),
            ),
            Claim("local imitation beats random channels", ahead("greedy-local", "random", **AT)),
            Claim("DropNet beats random channels", ahead("dropnet", "random", **AT)),
        ),
        note="Every method trains for twice the epochs of the dense base in total. Tickets restart in each "
        "cycle and train for four times the epochs. Stem, shortcuts and the last layer are not pruned. "
        "Masked weights save no time here.",
    ),
)
