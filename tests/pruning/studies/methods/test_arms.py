"""The methods side by side: each is a plan of both networks, and all leave the same number of weights."""

from pathlib import Path

import pytest
import torch

from agents.alphazero.network.residual import PRESETS, untrained
from bttt.runs.settings import from_options
from pruning.channels.groups import find_groups
from pruning.loop.prunable import enforced, whole
from pruning.masks.select import drop_lowest
from pruning.methods import PRUNING_METHODS
from pruning.models.registry import make_model
from pruning.sparse.topologies import TOPOLOGIES
from pruning.studies.alphazero.config import PruneConfig
from pruning.studies.alphazero.defaults import BEFORE_TRAINING, defaults
from pruning.studies.alphazero.plans import make_plan, plan_settings
from pruning.studies.methods.arms import HALVINGS, KEPT_FRACTION, METHODS_COMPARED, SELF_PLAY, STUDIES
from pruning.studies.methods.command import pruning_config
from pruning.studies.methods.config import MethodRun, MethodsConfig
from pruning.studies.vision.recipes.methods import RECIPES
from tournaments.generalisation.networks import study_networks

ROOT = Path(__file__).parents[4]
(RECIPE,) = RECIPES
(NETWORK,) = study_networks(("R3",), 1)


def weights_left(plan, network, example):
    """Number of weights that layers keep after a plan has run, for any scores."""
    groups = find_groups(network, example)
    masks = whole(plan, network, groups)
    for _ in range(plan.stop.cycles):
        zeros = {name: torch.zeros(mask.shape) for name, mask in masks.items()}
        amount = plan.amount
        masks = drop_lowest(
            zeros, masks, fraction=amount.fraction, scope=amount.scope, floor=plan.least
        ).masks
    shapes = {name: weight for name, weight in network.named_parameters() if weight.dim() > 1}
    held = enforced(plan, groups, masks, network)
    return sum(int(held[name].sum()) if name in held else weight.numel() for name, weight in shapes.items())


def alphazero_plan(name, study="methods"):
    return make_plan(pruning_config(MethodsConfig(), MethodRun(study, name, NETWORK)))


@pytest.mark.parametrize("name", METHODS_COMPARED)
def test_all_methods_keep_as_many_weights(name):
    vision = make_model("resnet8", shape=(1, 28, 28), classes=10, seed=0)
    images = RECIPE.plan_of(RECIPE.arms[name], 0, 0), vision, torch.zeros(1, 1, 28, 28)
    boards = alphazero_plan(name), untrained(PRESETS["small"], 0), torch.zeros(1, 3, 7, 7)
    for plan, network, example in (images, boards):
        blocks = sum(w.numel() for n, w in network.named_parameters() if "conv" in n and "blocks" in n)
        layers = sum(w.numel() for w in network.parameters() if w.dim() > 1)
        kept = layers - (0 if name.startswith("dense") else round((1 - KEPT_FRACTION) * blocks))
        assert weights_left(plan, network, example) == pytest.approx(kept, abs=1)


@pytest.mark.parametrize(("study", "name"), [(study, name) for study, own in STUDIES.items() for name in own])
def test_the_formula_of_every_method_has_its_file(study, name):
    assert (ROOT / "pruning" / STUDIES[study][name].file).exists()


def test_a_methods_plan_is_the_same_for_both_networks():
    for name in METHODS_COMPARED:
        plans = RECIPE.plan_of(RECIPE.arms[name], 0, 0), alphazero_plan(name)
        one, two = (plan.settings() for plan in plans)
        differing = {key for key in one if one[key] != two[key]}
        assert differing <= {"exclude", "schedule_options"}, name


def test_on_images_all_train_for_as_long_in_all_but_tickets():
    for name, method in METHODS_COMPARED.items():
        plan = alphazero_plan(name)
        total = (0 if plan.start.untrained else 1) + method.time * plan.stop.cycles
        assert total == pytest.approx(1 + HALVINGS if plan.start.restart == "rewind" else 2), name


def test_every_criterion_but_variants_is_compared():
    compared = {method.options["method"].partition(":")[0] for method in METHODS_COMPARED.values()}
    variants = {"dropnet-code", "apoz-code", "gradient-magnitude", "oracle"}
    assert PRUNING_METHODS.keys() - compared == variants


def test_self_play_is_sparse_from_the_first_game():
    for name in SELF_PLAY:
        config = pruning_config(MethodsConfig(study="self-play"), MethodRun("self-play", name, NETWORK))
        assert config.retraining.in_loop and config.start.untrained and config.stop.cycles == 1
        assert config.retraining.steps == 3 * MethodsConfig().steps
        density = float(name.rpartition("-")[2]) if name != "dense" else 1
        assert 1 - config.amount.fraction == pytest.approx(density)
        assert set(config.amount.exclude) == {"stem.weight", "policy_*.weight", "value_*.weight"}


# ------------------------------------------------------------------------- methods of bttt prune


def pruned(**options):
    return from_options(PruneConfig, agent="alphazero:d4", **options)


@pytest.mark.parametrize("method", [row.name for row in PRUNING_METHODS.values() if len(row.settings) > 1])
def test_methods_have_defaults_of_their_own(method):
    config = pruned(method=method)
    plan = make_plan(config)
    before = not method.startswith("greedy")
    assert plan.start.untrained == before
    assert (plan.stop.cycles, plan.amount.fraction) == ((1, 0.9) if before else (12, 0.2))
    assert plan.learning_rate.schedule == ("clr" if before else "silo")
    assert plan.scoring.rounds == (100 if method == "synflow" else 1)
    assert plan.amount.allocation == ("erk" if method in TOPOLOGIES else "")
    assert plan.amount.scope == ("global" if before else "layer")
    assert plan.scoring.topology == (method if method in TOPOLOGIES else "")


def test_what_is_asked_for_goes_before_a_methods_defaults():
    asked = {"cycles": 3, "fraction": 0.5, "schedule": "constant", "rounds": 7, "allocation": "er"}
    plan = make_plan(pruned(method="snip", **asked))
    assert plan.settings() == {**plan.settings(), **asked}
    untrained = make_plan(pruned(method="magnitude", untrained=True))
    assert untrained.learning_rate.schedule == "clr"
    assert not make_plan(pruned(method="snip", untrained=False)).start.untrained


def test_sparse_training_takes_options():
    plan = make_plan(pruned(method="rigl:alpha=0.5,every=20,redistribute=gradient"))
    assert plan.scoring.topology_options == {"alpha": 0.5, "every": 20, "redistribute": "gradient"}
    assert plan.scoring.changing.every == 20


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (
            "snip:alpha=1",
            "method 'snip' takes no options, got 'alpha=1'; methods with options are greedy-forward, ",
        ),
        ("rigl:alfa=1", r"method rigl:alfa=1: unknown option 'alfa' \(did you mean 'alpha'\?\)"),
        ("rigl:alpha=2", "alpha"),
        ("rigl:every=x", "method rigl:every=x: "),
        (
            "riggle",
            r"unknown method 'riggle' \(did you mean 'rigl'\?\); methods are magnitude, .*gradual",
        ),
    ],
)
def test_a_wrong_method_is_refused(method, message):
    with pytest.raises(ValueError, match=message):
        make_plan(pruned(method=method))


def test_defaults_know_methods_by_their_name_alone():
    assert (
        defaults("rigl:alpha=0.1", None) == defaults("rigl", None) == {**BEFORE_TRAINING, "allocation": "erk"}
    )
    assert defaults("rigl", False) == defaults("rigl", None)  # its own settings go first
    assert defaults("l1", True) == BEFORE_TRAINING
    assert plan_settings(method="l1", schedule="constant", lr=0.1)["fraction"] == 0.2
