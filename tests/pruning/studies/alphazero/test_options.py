"""The options of `bttt prune`: their run folders are those of earlier versions, and the flags stay flat."""

import re
import shlex

import pytest
import tyro

from bttt.runs.folder import default_folder
from bttt.runs.settings import from_options, options_of, settings_of, with_options
from pruning.methods import PRUNING_METHODS
from pruning.studies.alphazero.config import PruneConfig
from pruning.studies.alphazero.options import method_help

FINGERPRINT = "8be665119ae09f0d"
"""Of the network alphazero:d4."""


def parsed(line):
    return tyro.cli(PruneConfig, args=["alphazero:d4", *shlex.split(line)])


@pytest.mark.parametrize(
    ("line", "folder"),
    [
        ("", "3b678a7e"),
        ("--scope layer --fraction 0.2 --cycles 3", "a46f8ea2"),
        ("--method magnitude --restart rewind --rewind-to 0.5 --schedule warmup-step:lr=0.003", "59247adb"),
        ("--method snip --rounds 3 --exclude stem.weight policy_*", "7788a58b"),
        ("--method rigl:every=1,end=1 --in-loop --iterations 1 --fraction 0.8", "ae9f9a88"),
        ("--method greedy-local:samples=100 --count 3 --floor 2", "c0ae87cb"),
        (
            "--method taylor --until-density 0.5 --kappa 0.3 --simulations 4 --buffer b.npz --out o",
            "3f6ddd4d",
        ),
        (
            "--schedule warmup-step --grid 0.001 0.01 --tolerance 0.01 --steps 7 --positions 300 --seed 5",
            "c5159c7d",
        ),
        ("--learner.lr 0.01 --selfplay.games 16 --search.simulations 2 --search.no-gumbel", "d1da9976"),
        ("--method magnitude --untrained True --allocation erk", "93548a32"),
        ("--method synflow --untrained False --no-in-loop", "843d9e16"),
    ],
)
def test_the_settings_of_a_run_name_the_folder_that_version_0_1_0_named(line, folder):
    settings = {**settings_of(parsed(line)), "network": FINGERPRINT}
    assert default_folder("prune", settings).name == f"prune-{folder}"


def test_what_only_ends_a_run_or_measures_more_of_it_is_no_setting():
    options, settings = options_of(parsed("")), settings_of(parsed(""))
    later = {"embeddings", "round_to"}  # their defaults are not stored
    apart = {"cycles", "until_density", "kappa", "simulations", "buffer", "out"} | later
    assert options.keys() - settings.keys() == apart


def test_options_that_are_not_given_have_the_defaults_of_the_method():
    dropnet, synflow = parsed(""), parsed("--method synflow")
    assert (dropnet.stop.cycles, dropnet.amount.fraction, dropnet.scoring.rounds) == (12, 0.2, 1)
    assert (synflow.stop.cycles, synflow.amount.fraction, synflow.scoring.rounds) == (1, 0.9, 100)
    assert (dropnet.start.untrained, synflow.start.untrained) == (False, True)
    assert (dropnet.learning_rate.schedule, synflow.learning_rate.schedule) == ("silo", "clr")
    assert dropnet.amount.count is None and dropnet.retraining.buffer is None


def test_python_gives_options_flat_as_the_command_line_does():
    config = from_options(PruneConfig, agent="alphazero:d4", method="snip", fraction=0.5, seed=3, steps=7)
    assert config == parsed("--method snip --fraction 0.5 --seed 3 --steps 7")
    assert with_options(config, cycles=2) == parsed(
        "--method snip --fraction 0.5 --seed 3 --steps 7 --cycles 2"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"positions": 0}, "positions must be at least 1, got 0"),
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"iterations": 0}, "iterations must be at least 1, got 0"),
        ({"simulations": -1}, "simulations must be at least 0, got -1"),
        ({"cycles": -1}, "cycles must be at least 0, got -1"),
    ],
)
def test_numbers_that_are_too_small_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        from_options(PruneConfig, agent="alphazero:d4", **options)


def test_the_help_of_the_method_lists_every_method_once():
    listed = method_help().partition(". Options")[0]
    assert all(len(re.findall(rf"(?<![\w-]){name}(?![\w-])", listed)) == 1 for name in PRUNING_METHODS)
