"""The plan of a `bttt prune` command: peaks that fit the network's training, and invalid input."""

import pytest

from agents.alphazero.network.checkpoint import save_network
from agents.alphazero.network.residual import PRESETS, PolicyValueNet
from bttt.runs.settings import from_options
from pruning.loop.parts import Amount
from pruning.loop.plan import Plan
from pruning.schedules.registry import SCHEDULES
from pruning.schedules.silo import silo_max_lr
from pruning.studies.alphazero.config import PruneConfig
from pruning.studies.alphazero.plans import make_plan
from pruning.studies.alphazero.run import load_subject
from pruning.studies.compression.arms import ARMS


def plan(**options):
    return make_plan(from_options(PruneConfig, agent="alphazero:d4", **options))


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_no_schedule_begins_above_the_networks_own_learning_rate(schedule):
    lr = plan(schedule=schedule).lr(0)
    peak = max(lr(step / 1000) for step in range(1000))
    if schedule == "ft":  # the lowest rate of a training run
        assert 0 < peak < 0.003
    else:
        assert peak == pytest.approx(0.003)


def test_silo_rises_by_a_third_more_than_all_with_the_share_that_is_cut():
    made = plan(schedule="silo", fraction=0.3)
    assert made.learning_rate.schedule_options == {"epsilon": 0.003, "delta": pytest.approx(0.004), "p": 0.3}
    for cycle in (0, 3, 9):
        peak = max(made.lr(cycle)(step / 1000) for step in range(1000))
        assert peak == pytest.approx(silo_max_lr(cycle, epsilon=0.003, delta=0.004, p=0.3), rel=1e-6)


def test_what_a_spec_says_goes_first():
    def options_of(schedule):
        return plan(schedule=schedule).learning_rate.schedule_options

    assert options_of("silo:epsilon=0.01")["delta"] == pytest.approx(0.04 / 3)
    options = options_of("silo:delta=0.5,p=0.1")
    assert (options["epsilon"], options["delta"], options["p"]) == (0.003, 0.5, 0.1)
    assert options_of("constant:lr=0.2") == {"lr": 0.2}
    linear = plan(schedule="silo-linear", cycles=7)
    assert linear.learning_rate.schedule_options["last"] == 7
    assert max(linear.lr(7)(step / 1000) for step in range(1000)) == pytest.approx(0.007, rel=1e-6)


@pytest.mark.parametrize("amount", [{"fraction": 0.1}, {"count": 3}])
def test_the_other_options_are_the_plans(amount):
    options = {
        **{"scope": "layer", **amount, "cycles": 5, "restart": "rewind", "rewind_to": 0.2},
        **{"floor": 2, "exclude": ("stem",), "until_density": 0.3, "kappa": 0.4, "grid": (0.1,)},
        **{"tolerance": 0.1, "seed": 9, "schedule": "constant"},
    }
    made = plan(method="l1", **options)
    wanted = Plan.from_settings(criterion="l1", **options, schedule_options={"lr": 0.003})
    assert made == wanted and made.settings() == wanted.settings()


def test_a_count_takes_the_place_of_the_methods_default_fraction():
    assert plan(method="snip", count=5).amount == Amount(count=5)
    assert plan(method="snip").amount.fraction == 0.9


@pytest.mark.parametrize("arm", ARMS)
def test_every_arm_of_the_study_is_a_plan(arm):
    made = plan(**ARMS[arm], **({"grid": (0.001, 0.01)} if arm == "oracle" else {}))
    assert made.stop.cycles == 12 and made.start.restart == ARMS[arm].get("restart", "keep")


UNTOLD = "does not record its training boards"
WRONG = "is corrupt: the entry 'boards' of its record must be a list"
RECORDS = [
    *(({}, UNTOLD), ({"boards": []}, UNTOLD)),
    *(({"boards": 5}, WRONG), ({"boards": [5]}, WRONG), ({"boards": None}, WRONG)),
]


@pytest.mark.parametrize(("record", "reason"), RECORDS)
def test_a_network_must_tell_its_boards(record, reason, tmp_path):
    path = tmp_path / "mine.safetensors"
    save_network(path, PolicyValueNet(PRESETS["small"]), record)
    with pytest.raises(ValueError, match=rf"mine\.safetensors {reason}"):
        load_subject(f"alphazero:{path}")
