from dataclasses import replace

import pytest
from measured_prunings import level, losing

from bttt.runs.settings import from_options, with_options
from pruning.loop.results import GridSearch
from pruning.schedules.silo import silo_max_lr
from pruning.studies.alphazero.config import PruneOptions
from pruning.studies.compression.config import CompressionConfig
from pruning.studies.compression.oracle import oracle_cycles

GRID = tuple((lr, 0.5) for lr in (0.001, 0.003, 0.005, 0.007, 0.01))
CONFIG = CompressionConfig(prune=from_options(PruneOptions, fraction=0.2))
"""SILO's peak goes from 0.003, the learner's rate, to 0.007."""


def tried(cycle, low, high):
    return level(cycle, grid=GridSearch(GRID, best=high, interval=(low, high)))


def oracle(*levels, **options):
    hits = [{"D4": 1}] * (1 + len(levels))
    return losing(*hits, arm="oracle", levels=[level(0), *levels], **options)


def judged(measured, config=CONFIG):
    return [(each.cycle, each.inside, each.near) for each in oracle_cycles(config, [measured])]


def test_silo_s_peak_is_that_of_its_formula_at_the_learner_s_rate():
    measured = oracle(*(tried(cycle, 0.003, 0.005) for cycle in range(1, 9)))
    found = oracle_cycles(CONFIG, [measured])
    expected = [silo_max_lr(cycle, epsilon=0.003, delta=0.004, p=0.2) for cycle in range(1, 9)]
    assert [each.silo for each in found] == pytest.approx(expected)
    assert found[0].silo == 0.003 and 0.0068 < found[-1].silo < 0.007
    half = with_options(CONFIG.prune, fraction=0.5)
    assert oracle_cycles(replace(CONFIG, prune=half), [measured])[3].silo > found[3].silo


def test_a_peak_is_inside_with_the_interval_s_ends_and_near_by_the_value_nearest_to_it():
    assert judged(oracle(tried(1, 0.003, 0.005))) == [(1, True, True)]  # 0.003
    assert judged(oracle(tried(1, 0.005, 0.01))) == [(1, False, False)]
    late = [
        tried(cycle, *ends) for cycle, ends in ((9, (0.005, 0.007)), (9, (0.007, 0.01)), (9, (0.003, 0.005)))
    ]
    # about 0.00699 in cycle 9
    assert [judged(oracle(each)) for each in late] == [
        [(9, True, True)],
        [(9, False, True)],
        [(9, False, False)],
    ]


def test_only_cycles_with_a_grid_and_the_oracle_count():
    assert judged(oracle(level(1), tried(2, 0.003, 0.005))) == [(2, True, True)]
    other = losing({"D4": 1}, {"D4": 1}, levels=[level(0), tried(1, 0.003, 0.005)])
    assert judged(other) == []


def test_seeds_and_sets_are_told():
    measured = [oracle(tried(1, 0.003, 0.005)), oracle(tried(1, 0.005, 0.007), brick_set="R3", seed=1)]
    found = oracle_cycles(CONFIG, measured)
    assert [(each.brick_set, each.seed, each.low, each.high, each.best) for each in found] == [
        ("D4", 0, 0.003, 0.005, 0.005),
        ("R3", 1, 0.005, 0.007, 0.007),
    ]
