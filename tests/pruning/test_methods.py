"""The table of all pruning methods: it has every method, and says of each what its registry says."""

import subprocess
import sys

import pytest

from pruning.criteria.scores import CRITERIA
from pruning.loop.plan import Plan
from pruning.methods import PRUNING_METHODS, methods_table
from pruning.sparse.topologies import TOPOLOGIES

SHIPPED = [*CRITERIA, *TOPOLOGIES]
"""Read before any test of plug-ins adds to the registries."""


def test_the_table_has_every_criterion_and_every_topology():
    assert list(PRUNING_METHODS) == SHIPPED


@pytest.mark.parametrize("name", CRITERIA)
def test_a_criterion_has_the_function_and_the_kind_of_its_registry(name):
    row, criterion = PRUNING_METHODS[name], CRITERIA[name]
    assert row.load() is (criterion.score or criterion.choose)
    assert row.prunes == {"weights": "weights", "units": "channels"}[criterion.of]
    assert row.settings["criterion"] == name and row.when != "while training"


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_a_topology_has_the_function_of_its_registry(name):
    row = PRUNING_METHODS[name]
    assert row.load() is TOPOLOGIES[name]
    assert row.settings["topology"] == name and row.when == "while training" and row.prunes == "weights"


@pytest.mark.parametrize("name", PRUNING_METHODS)
def test_the_settings_of_a_method_are_those_of_a_plan_that_scores_when_it_says(name):
    row = PRUNING_METHODS[name]
    plan = Plan.from_settings(**row.settings, cycles=1)
    assert plan.start.untrained == (row.when != "after training")
    assert bool(plan.scoring.topology) == (row.when == "while training")
    assert plan.scoring.of == {"weights": "weights", "channels": "units"}[row.prunes]


def test_options_are_the_keywords_that_a_function_takes():
    assert PRUNING_METHODS["gradual"].options() == ("begin", "end", "every", "scope")
    assert PRUNING_METHODS["greedy-local"].options() == ("samples", "rows", "step", "corrections")
    assert PRUNING_METHODS["snip"].options() == PRUNING_METHODS["static"].options() == ()


def test_the_markdown_table_has_a_line_for_each_method():
    head, rule, *lines = methods_table().splitlines()
    assert head == "| method | prunes | when | score | options | paper | function |"
    assert rule == f"| {' | '.join(['---'] * 7)} |"
    assert [line.split(" | ")[0] for line in lines] == [f"| `{name}`" for name in PRUNING_METHODS]
    wanted = "weights | while training | a random mask that stays |  | control"
    assert f"| `static` | {wanted} | `pruning.sparse.topologies.static` |" in lines
    assert "| `begin`, `end`, `every`, `scope` | Zhu, Gupta 2017 |" in lines[-1]
    assert all(line.count("|") == 8 for line in lines)


def test_the_names_of_all_methods_load_no_torch():
    code = (
        "import sys; from pruning import PRUNING_METHODS; print(len(PRUNING_METHODS), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(len(PRUNING_METHODS)), "False"]
