"""A plan: its parts, its flat settings as files store them, and what is refused across parts."""

import json
from dataclasses import fields

import pytest

from pruning.loop.parts import Amount, LearningRate, Scoring, StartWeights, Stop
from pruning.loop.plan import LATER, PARTS, SETTINGS, Plan

DEFAULTS = {
    "criterion": "dropnet",
    "criterion_options": {},
    "scope": "global",
    "fraction": 0.2,
    "count": None,
    "cycles": 12,
    "restart": "keep",
    "rewind_to": 0.0,
    "schedule": "constant",
    "schedule_options": {},
    "floor": None,
    "exclude": [],
    "untrained": False,
    "rounds": 1,
    "allocation": "",
    "budget": "weights",
    "topology": "",
    "topology_options": {},
    "coupled": True,
    "until_density": 0.0,
    "kappa": 0.0,
    "grid": [],
    "tolerance": 0.005,
    "seed": 0,
}
"""What version 0.1.0 stored of a plan without any settings."""
OTHERS = {
    "criterion": "random-weights",
    "scope": "layer",
    "fraction": 0.5,
    "cycles": 3,
    "restart": "rewind",
    "schedule": "clr",
    "schedule_options": {"lr": 0.2},
    "exclude": ("out*", "stem"),
    "rounds": 2,
    "topology": "rigl",
    "topology_options": {"alpha": 0.1},
    "kappa": 0.5,
    "grid": (0.1, 0.2),
    "seed": 4,
}


def test_settings_are_those_that_earlier_versions_stored():
    assert Plan().settings() == Plan.from_settings().settings() == DEFAULTS
    assert (SETTINGS.keys() - LATER.keys()) | {"seed"} == DEFAULTS.keys()


def test_flat_settings_and_parts_make_the_same_plan():
    composed = Plan(
        Scoring("random-weights", rounds=2, topology="rigl", topology_options={"alpha": 0.1}),
        Amount(scope="layer", fraction=0.5, exclude=("out*", "stem")),
        StartWeights(restart="rewind"),
        LearningRate("clr", {"lr": 0.2}, grid=(0.1, 0.2)),
        Stop(cycles=3, kappa=0.5),
        seed=4,
    )
    assert composed == Plan.from_settings(**OTHERS)
    stored = composed.settings()
    assert stored == {**DEFAULTS, **json.loads(json.dumps(OTHERS))} == json.loads(json.dumps(stored))
    assert Plan().with_settings(**OTHERS) == composed
    assert composed.with_settings(fraction=0.25).settings() == {**stored, "fraction": 0.25}


def test_no_setting_is_of_two_parts():
    assert len(SETTINGS) == sum(len(fields(kind)) for kind in PARTS.values())


@pytest.mark.parametrize("make", [Plan.from_settings, Plan().with_settings])
def test_an_unknown_setting_is_refused_with_the_known_ones(make):
    with pytest.raises(
        TypeError,
        match=r"a plan has no setting 'fractions' \(did you mean 'fraction'\?\); its settings are criter",
    ):
        make(fractions=0.1)
