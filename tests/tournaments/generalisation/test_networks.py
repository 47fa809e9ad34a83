from dataclasses import asdict
from pathlib import Path

import pytest

from agents.alphazero.training.config import TrainConfig
from bttt.bricks import brick_set
from tournaments.generalisation.networks import BASE, VARIANTS, study_networks, training_bricks


def flat(values, prefix=""):
    """The entries of nested dicts under joined names."""
    found = {}
    for name, value in values.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return found


def changed(variant, config):
    """The options in which a variant differs from the configuration it is made of."""
    before, after = flat(asdict(config)), flat(asdict(VARIANTS[variant](config)))
    return {name: value for name, value in after.items() if value != before[name]}


def test_a_number_is_that_many_cells_drawn_by_the_seed():
    drawn = [training_bricks("5", seed) for seed in range(20)]
    assert all(len(set(cells)) == 5 for cells in drawn)
    assert len(set(drawn)) == 20
    assert training_bricks("5", 7) == drawn[7]
    assert {cell for cells in drawn for cell in cells} > {"A1", "D4"}  # all cells can be drawn
    assert [brick_set(cell)[0] for cell in training_bricks("49", 3)] == list(brick_set("all"))


def test_other_texts_are_brick_sets():
    assert training_bricks("R3", 5) == ("R3",)
    for text in ("0", "50", "Z9"):
        with pytest.raises(ValueError, match=text):
            training_bricks(text, 0)


def test_base_is_trained_on_all_sets_and_the_controls_on_theirs():
    networks = study_networks(["D4", "3"], 2, ["paper", BASE], ["R2"], 1)
    assert [network.name for network in networks] == [
        "base-D4-seed0",
        "base-3-seed0",
        "base-D4-seed1",
        "base-3-seed1",
        "paper-R2-seed0",
    ]
    assert [len(network.boards) for network in networks] == [1, 3, 1, 3, 2]
    assert networks[1].bricks == training_bricks("3", 0) != networks[3].bricks


def test_a_network_is_trained_on_its_cells_with_its_seed_in_its_folder():
    (network,) = study_networks(["orbit:D3"], 1)
    config = network.training(TrainConfig(iterations=7), Path("runs"))
    assert (config.bricks, config.seed, config.iterations) == (("orbit:D3",), 0, 7)
    assert config.out == Path("runs/base-orbit_D3-seed0")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((["D4"], 1, ["bsae"]), r"unknown variant 'bsae' \(did you mean 'base'\?\)"),
        ((["D4", "D4"], 1), "set 'D4' is named twice"),
        ((["D4"], 1, [BASE, BASE]), "variant 'base' is named twice"),
        ((["D4"], 1, ["paper"], ["R2", "R2"]), "control set 'R2' is named twice"),
    ],
)
def test_wrong_names_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        study_networks(*arguments)


def test_each_control_changes_one_factor():
    config = TrainConfig(iterations=100)
    assert {variant: changed(variant, config) for variant in VARIANTS} == {
        "base": {},
        "aug-none": {"learner.augmentation": "none"},
        "aug-flips": {"learner.augmentation": "flips"},
        "bricks-plane": {"encoding": "bricks"},
        "paper": {"preset": "paper", "encoding": "playable"},
        "paper-like": {"preset": "paper", "encoding": "bricks", "learner.augmentation": "flips"},
        "lookahead-0": {"search.lookahead": 0},
        "budget-x0.25": {"iterations": 25},
        "budget-x2.5": {"iterations": 250},
    }


def test_the_budget_is_changed_in_the_unit_it_is_given_in():
    assert changed("budget-x2.5", TrainConfig()) == {"minutes": 50.0}
    assert changed("budget-x0.25", TrainConfig(minutes=4, games=90)) == {"minutes": 1.0, "games": 22}
