"""What `bttt prune` suggests next on a task of the user's own: the same amounts, chosen at random."""

from pathlib import Path

import pytest

from bttt.runs.settings import from_options
from pruning.studies.alphazero import command
from pruning.studies.alphazero.config import PruneConfig
from pruning.studies.alphazero.plans import make_plan


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, ["--method", "random", "--scope", "global", "--fraction", "0.2"]),
        (
            {"scope": "layer", "round_to": 8},
            ["--method", "random", "--scope", "layer", "--fraction", "0.2", "--round-to", "8"],
        ),
        ({"method": "magnitude"}, ["--method", "random-weights", "--scope", "global", "--fraction", "0.2"]),
    ],
)
def test_a_control_prunes_as_much(options, words, monkeypatch):
    suggested = []
    monkeypatch.setattr(command, "suggest", lambda *words, why: suggested.extend(map(str, words)))
    config = from_options(PruneConfig, agent="python:tasks:Task", **options)
    command._suggest_control(config, make_plan(config), Path("runs/a"))
    given = dict(zip(suggested[2::2], suggested[3::2], strict=True))
    rest = ["--cycles", "12", "--schedule", "silo", "--out", "runs/a-control"]
    wanted = [*words, *rest]
    assert suggested[:2] == ["prune", "python:tasks:Task"]
    assert given == dict(zip(wanted[::2], wanted[1::2], strict=True))
