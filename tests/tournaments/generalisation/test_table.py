from math import nan

from tournaments.generalisation.rates import Rate
from tournaments.generalisation.table import NO_INTERVAL, controls_text, study_text


def rate(
    share, measure="wins", on="single", novelty="novel", *, variant="base", simulations=0, seeds=3, half=0.05
):
    counts = dict(seeds=seeds, boards=4, trials=100, distinct=90)
    ends = dict(low=share - half, high=share + half)
    return Rate(variant, "D4", 1, measure, on, simulations, novelty, **counts, rate=share, **ends)


def test_each_measure_has_a_table_by_novelty():
    rates = [
        rate(0.9, novelty="seen"),
        rate(0.5),
        rate(0.6, novelty="all"),
        rate(0.75, simulations=100),
        rate(0.125, "losing", novelty="all"),
    ]
    assert study_text(rates) == (
        "% of games won as first player against minimax:depth=2\n"
        "variant  set  cells  seeds  simulations               seen              novel                all\n"
        "base     D4       1      3            0  90.00 (85.0-95.0)  50.00 (45.0-55.0)  60.00 (55.0-65.0)\n"
        "base     D4       1      3          100                  -  75.00 (70.0-80.0)                  -\n"
        "\n"
        "error rate, % of decisions\n"
        "variant  set  cells  seeds  simulations               all\n"
        "base     D4       1      3            0  12.50 (7.5-17.5)"
    )


def test_other_boards_have_tables_of_their_own():
    rates = [rate(0.25, "losing", "drawn", "all"), rate(0.5, "wins", "6x6x4", "all")]
    first, second = study_text(rates).split("\n\n")
    assert first.splitlines()[0] == "% of games won as first player against minimax:depth=2, on other boards"
    assert first.splitlines()[1].split()[-1] == "6x6x4" and "50.00 (45.0-55.0)" in first
    assert second.splitlines()[1].split()[-1] == "drawn" and "25.00 (20.0-30.0)" in second


def test_controls_are_compared_on_novel_cells():
    rates = [
        rate(0.5),
        rate(0.75, simulations=100),
        rate(0.1, "losing"),
        rate(0.9, novelty="seen"),
        rate(0.3, variant="paper", seeds=1),
        rate(0.4, "losing", "drawn", "all", variant="paper"),
    ]
    assert controls_text(rates) == (
        "controls, novel cells: % of games won, and error rate, by simulations\n"
        "set  variant  seeds         won %, raw         won %, 100      error %, raw  error %, 100\n"
        "D4   base         3  50.00 (45.0-55.0)  75.00 (70.0-80.0)  10.00 (5.0-15.0)             -\n"
        "D4   paper        1  30.00 (25.0-35.0)                  -                 -             -"
    )
    assert controls_text([]) == ""


def test_a_rate_without_an_interval_is_shown_with_the_reason():
    for text in (study_text([rate(0.5, half=nan)]), controls_text([rate(0.5, half=nan)])):
        assert " 50.00 (-)" in text and text.endswith(NO_INTERVAL) and "nan" not in text
    assert NO_INTERVAL not in study_text([rate(0.5)])
