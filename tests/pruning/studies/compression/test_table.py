from dataclasses import replace
from math import nan

import pytest
from measured_prunings import level

from pruning.studies.alphazero.measures import LevelTimes
from pruning.studies.compression.rates import LevelRate
from pruning.studies.compression.table import arms_text, levels_text, share_text, short, times_text


def rate(
    share, level=0, novelty="all", measure="losing", *, arm="dropnet-layer", kept=1.0, simulations=0, **more
):
    counts = {
        "seeds": 3,
        "boards": 4,
        "trials": 100,
        "distinct": 90,
        "low": share - 0.03,
        "high": share + 0.05,
    }
    costs = {"parameters": round(60_929 * kept), "macs": round(2_855_840 * kept), "bytes": 4000, "kept": 224}
    costs |= {"latency_1": 0.1, "latency_64": 3.0, "evaluations": 41_379.7, "density": kept, "share": kept}
    values = {"brick_set": "R3", "arm": arm, "level": level, "measure": measure, "novelty": novelty}
    return LevelRate(**{**counts, **costs, **values, "rate": share, "simulations": simulations, **more})


def test_levels_have_a_table_for_each_training_set():
    rates = [
        rate(0.06, novelty="seen"),
        rate(0.058, novelty="novel"),
        rate(0.98, measure="wins", high=1.0),
        rate(0.012, novelty="novel", simulations=100, low=0.008),
        rate(0.3, 12, "seen", kept=0.011),
        rate(0.4, novelty="seen", brick_set="all", seeds=1),
    ]
    first, second = levels_text(rates).split("\n\n")
    assert first.splitlines()[0].startswith("dropnet-layer, trained on R3, 3 seeds: ")
    assert first.splitlines()[2:] == [
        "lvl   ch  params   MACs   ev/s  training raw     novel raw      novel 100     wins raw",
        "  0  224   60.9k  2.86M  41.4k  6.0 (3.0-11)  5.8 (2.8-11)  1.2 (0.8-6.2)  98 (95-100)",
        " 12  224     670  31.4k  41.4k  30.0 (27-35)             -              -            -",
    ]
    assert "trained on all, 1 seed:" in second and second.splitlines()[-1].split()[-2:] == ["40.0", "(37-45)"]


def test_a_table_tells_where_levels_have_other_numbers_of_seeds():
    rates = [rate(0.1, novelty="seen"), rate(0.1, 1, "seen", seeds=2), rate(0.1, 2, "seen", seeds=1)]
    assert "1-3 seeds" in levels_text(rates)


def test_arms_stand_below_each_other_and_tell_a_share_kept_that_is_not_the_head_s():
    rates = [
        rate(0.05),
        rate(0.08, 2, kept=0.436),
        rate(0.4, 12, kept=0.011),
        rate(0.5, 3, kept=0.3),
        rate(0.05, arm="dense"),
        rate(0.06, 2, arm="dense"),
        rate(0.07, 12, arm="dense"),
        rate(0.09, 2, arm="dropnet", kept=0.52, seeds=2),
        rate(0.1, 2, arm="magnitude", kept=0.64),
        rate(0.99, 2, "novel"),
        rate(0.01, 2, simulations=100),
    ]
    rates.append(rate(0.05, arm="magnitude"))
    channels, weights = arms_text(rates).split("\n\n")
    assert channels == (
        "variants that prune channels, trained on R3: % of decisions that are value-losing, all cells, "
        "raw policy; 5.0 (2.0-10) at level 0\n"
        "variant          seeds             level 2            level 12\n"
        "parameters kept                      43.6%                1.1%\n"
        "dropnet-layer        3        8.0 (5.0-13)        40.0 (37-45)\n"
        "dense                3  6.0 (3.0-11) @100%  7.0 (4.0-12) @100%\n"
        "dropnet              2   9.0 (6.0-14) @52%                   -"
    )
    assert [line.split() for line in weights.splitlines()[1:]] == [
        ["variant", "seeds", "level", "2"],
        ["parameters", "kept", "64.0%"],
        ["magnitude", "3", "10.0", "(7.0-15)"],
    ]


def test_arms_of_few_levels_show_their_last():
    text = arms_text([rate(0.05), rate(0.1, 1, kept=0.6)])
    assert text.splitlines()[1].split() == ["variant", "seeds", "level", "1"] and "10.0 (7.0-15)" in text
    assert arms_text([]) == ""


@pytest.mark.parametrize(
    ("number", "text"),
    [
        *((0, "0"), (667, "667"), (999.4, "999"), (999.6, "1.00k"), (1121, "1.12k"), (60_929, "60.9k")),
        *((166_000, "166k"), (999_600, "1.00M"), (2_855_840, "2.86M"), (12_345_678, "12.3M")),
    ],
)
def test_counts_are_told_to_three_digits(number, text):
    assert short(number) == text


def test_shares_are_told_in_per_cent_with_their_interval():
    assert share_text(0.06, 0.041, 0.0996) == "6.0 (4.1-10)"
    assert share_text(0.06, nan, nan) == "6.0"
    assert share_text(1.0, 0.0, 1.0) == "100 (0.0-100)"


def test_a_rate_without_an_interval_is_shown_with_the_reason():
    two = {"seeds": 1, "boards": 2, "low": nan, "high": nan}
    rates = [rate(0.06, novelty="seen", **two), rate(0.98, measure="wins", **two), rate(0.06, **two)]
    for text in (levels_text(rates), arms_text(rates)):
        assert "6.0 (-)" in text and text.splitlines()[-1].startswith("(-): two networks or two boards")
        assert "nan" not in text


def test_the_evaluators_of_the_times_are_named():
    def timed(*evaluators):
        return [
            replace(level(number), times=LevelTimes(0.1, 1.0, None if name else 2.0, name))
            for number, name in enumerate(evaluators)
        ]

    assert times_text(timed("", "")) == ""  # as the stored tables were
    assert times_text(timed("torch, float32", "torch, float32")) == "ev/s: times on torch, float32"
    mixed = times_text(timed("openvino, bfloat16", ""))
    assert mixed.startswith("ev/s are of different evaluators (times of an earlier version: ")
    assert mixed.endswith("; times on openvino, bfloat16); delete times.json of a run to measure again")
