from math import nan

from pruning.measures.intervals import Interval
from pruning.studies.compression.answers import excess_text, oracle_text, threshold_text
from pruning.studies.compression.oracle import OracleCycle
from pruning.studies.compression.question import Excess, Ratio, Threshold


def excess(level, mean, half=None, *, brick_set="D4", simulations=0, seeds=3):
    ends = (nan, nan) if half is None else (mean - half, mean + half)
    key = "dropnet-layer", brick_set, simulations, level
    return Excess(*key, 0.5, 0.1, 0.1 + mean, Interval(mean, *ends, seeds))


def threshold(novelty, share, *, low=nan, high=nan, decisions=200, bound=False):
    interval = Interval(share, low, high, 3)
    return Threshold("dropnet-layer", "R3", 0, novelty, decisions, interval, bound)


def test_excesses_stand_in_points_a_row_a_level():
    rows = excess_text([excess(1, 0.02, 0.03), excess(None, -0.01, 0.005)]).splitlines()
    assert "3 seeds, so few" in rows[2]
    assert [row.split() for row in rows[3:6]] == [
        ["set", "level", "kept", "training", "raw", "novel", "raw", "excess", "raw"],
        ["D4", "1", "50.0%", "+10.0", "+12.0", "+2.0", "(-1.0", "to", "+5.0)"],
        ["D4", "mean", "+10.0", "+9.0", "-1.0", "(-1.5", "to", "-0.5)"],
    ]


def test_the_answer_is_what_the_intervals_leave_out():
    found = [
        *(excess(1, 0.02, 0.01), excess(2, 0.02, 0.03), excess(3, 0.05, 0.01), excess(None, 0.03, 0.01)),
        *(excess(1, -0.02, 0.01, simulations=100), excess(None, 0.0, 0.01, simulations=100)),
        *(excess(1, 0.0, 0.01, brick_set="R3"), excess(2, 0.0, 0.01, brick_set="R3")),
    ]
    assert excess_text(found).splitlines()[-3:] == [
        "D4 raw: excess above 0 on average over the levels, above 0 at levels 1 3",
        "D4 100: excess not clearly different from 0 on average over the levels, below 0 at level 1",
        "R3 raw: excess not clearly different from 0 on average over the levels",
    ]


def test_one_seed_gives_no_answer():
    text = excess_text([excess(1, 0.02, seeds=1)])
    assert "(one seed: no interval)" in text and "to +" not in text
    assert text.splitlines()[-1] == "D4 raw: no interval, so no conclusion"
    assert excess_text([]) == ""


def test_thresholds_stand_beside_each_other_with_their_ratio():
    found = [
        threshold("seen", 0.6, low=0.5, high=0.72, decisions=600),
        threshold("novel", 0.05, bound=True, decisions=8000),
        threshold("matched", 0.3, low=0.2, high=0.4, decisions=600),
    ]
    ratio = Ratio("dropnet-layer", "R3", 0, Interval(0.5, 0.25, 1.0, 3))
    head, row = threshold_text(found, [ratio]).splitlines()[-2:]
    assert head.split() == ["set", "search", "seeds", "training", "novel", "matched", "ratio", "decisions"]
    assert (
        " ".join(row.split()) == "R3 raw 3 60.0 (50-72) <=5.0 30.0 (20-40) 0.50 (0.25-1.00) 600 / 8000 / 600"
    )
    assert threshold_text(found[:1], []).splitlines()[-1].split()[-2:] == ["-", "600"]
    assert threshold_text([], []) == ""


def test_silo_s_peaks_are_counted():
    def cycle(number, inside, near):
        return OracleCycle("D4", 0, number, 0.003, 0.005, 0.005, 0.0064, inside, near)

    rows = oracle_text([cycle(1, True, True), cycle(2, False, True), cycle(3, False, False)]).splitlines()
    assert rows[3].split() == ["D4", "0", "1", "0.003-0.005", "0.005", "0.0064", "yes", "yes"]
    assert rows[-1] == "SILO's peak is inside in 1 of 3 (33%) cycles, near in 2 of 3 (67%)"
    assert oracle_text([]) == ""
