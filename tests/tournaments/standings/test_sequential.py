"""The sequential test: its ratio by hand, its error rates by simulation, and what it does not depend on."""

from dataclasses import replace
from math import log

import numpy as np
import pytest
from records import record

from bttt import Board, Outcome
from tournaments.play.schedule import schedule_games
from tournaments.standings.sequential import (
    SCORES,
    UPPER,
    Hypotheses,
    after_pairs,
    pairs_in_order,
    sequential_test,
)

WIN, LOSS = "A1 B1 A2 B2 A3", "A1 B1 A2 B2 C3 B3"
WIDE = Hypotheses(-1000, 1000)


def test_the_ratio_is_that_of_the_formula():
    found = after_pairs([1.0, 0.5, 0.75], Hypotheses(0, 100))
    expected = [0.5, 1 / (1 + 10**-0.25)]
    values = [0, 0.25, 0.5, 0.75, 1, 1.0, 0.5, 0.75]  # the pairs, and one of each score
    ratio = 3 * (expected[1] - expected[0]) * (2 * 0.75 - sum(expected)) / (2 * np.var(values))
    assert found.ratio == pytest.approx(ratio)
    assert (found.pairs, found.score, found.accepted) == (3, 0.75, None)
    assert after_pairs([], Hypotheses(0, 100)).ratio == 0


def test_the_first_crossing_decides():
    scores = [1.0] * 50 + [0.0] * 1000
    found = after_pairs(scores, Hypotheses(0, 100))
    assert found.accepted == 100 and found.pairs < 50 and found.ratio >= UPPER == log(19)
    assert after_pairs([0.0] * 50, Hypotheses(0, 100)).accepted == 0
    assert "100 Elo accepted after" in str(found)
    assert "undecided after 1 pairs" in str(after_pairs([1.0], Hypotheses(0, 100)))


@pytest.mark.parametrize("correlation", [0, 1, -1])
@pytest.mark.parametrize("truth", [0, 1])
def test_error_rates_are_those_promised(truth, correlation):
    """Games with 30% draws; +1: both games of a pair have the same luck, -1: the opposite."""
    hypotheses = Hypotheses(-40, 40)
    rng = np.random.default_rng(7)
    expected = 1 / (1 + 10 ** (-(hypotheses.elo0, hypotheses.elo1)[truth] / 400))
    bounds = np.array([0.85 - expected, 1.15 - expected])  # loss, draw, win
    errors, undecided = 0, 0
    for _ in range(150):
        luck = rng.random((2, 400))
        if correlation:
            luck[1] = luck[0] if correlation > 0 else 1 - luck[0]
        scores = np.searchsorted(bounds, luck).sum(axis=0) / 4
        accepted = after_pairs(map(float, scores), hypotheses).accepted
        undecided += accepted is None
        errors += accepted not in (None, (hypotheses.elo0, hypotheses.elo1)[truth])
    # Three standard deviations of 150 trials at 5% are 5.3%.
    assert errors / 150 < 0.104
    assert undecided / 150 < 0.06


def games_of(schedule, results):
    """Returns the records of a schedule; `results` gives the cells of a game."""
    return [
        record(game.first, game.second, results(game), game.board, index=game.index, repeat=game.repeat)
        for game in schedule
    ]


BOARDS = [Board.parse(f"4x4x3:{cell}") for cell in ("D1", "D2", "D3")]


def test_the_order_in_which_games_end_does_not_matter_and_a_missing_one_ends_the_test():
    schedule = schedule_games("gauntlet", "abc", BOARDS, 2)
    games = games_of(schedule, lambda game: WIN if game.repeat else LOSS)
    whole = sequential_test(schedule, games, "a", WIDE)
    assert sequential_test(schedule, games[::-1], "a", WIDE) == whole
    order = [game.index for pair in pairs_in_order(schedule, "a") for game in pair]
    assert sorted(order) == list(range(len(schedule)))
    pairs = [order[place : place + 2] for place in range(0, len(order), 2)]
    for one, other in pairs:
        assert schedule[one].first == schedule[other].second
        assert schedule[one].board == schedule[other].board
    left = [game for game in games if game.index not in pairs[2]]
    assert sequential_test(schedule, left, "a", WIDE).pairs == 2


def test_opponents_and_boards_take_turns():
    order = pairs_in_order(schedule_games("gauntlet", "abc", BOARDS, 2), "a")
    assert [{*pair[0].key[:2]} - {"a"} for pair in order[:4]] == [{"b"}, {"c"}, {"b"}, {"c"}]
    assert [pair[0].board for pair in order[:6:2]] == BOARDS
    assert [pair[0].repeat for pair in order] == [0] * 6 + [1] * 6


def test_copies_of_a_pair_are_no_evidence():
    hypotheses = Hypotheses(0, 5)
    schedule = schedule_games("round-robin", "ab", BOARDS, 20)
    games = games_of(schedule, lambda game: WIN if game.first == "a" else LOSS)
    once = sequential_test(schedule[:6], games[:6], "a", hypotheses)
    assert once.pairs == 3 and once.score == 1
    assert sequential_test(schedule, games, "a", hypotheses) == once
    other = [replace(game, cells=(*game.cells[:-1], 8), seconds=game.seconds) for game in games[6:8]]
    assert sequential_test(schedule, [*games[:6], *other, *games[8:]], "a", hypotheses).pairs == 5


def test_exceptions_are_no_evidence_and_do_not_hold_up_the_test():
    schedule = schedule_games("round-robin", "ab", BOARDS, 1)
    games = games_of(schedule, lambda game: WIN if game.first == "a" else LOSS)
    games[1] = replace(games[1], forfeit="raised ValueError: no idea", outcome=Outcome.SECOND_WINS)
    assert games[1].broke_down
    found = sequential_test(schedule, games, "a", Hypotheses(0, 5))
    assert (found.pairs, found.score) == (2, 1)


def test_the_score_is_the_tested_player_s():
    schedule = schedule_games("round-robin", "ab", BOARDS, 1)
    games = games_of(schedule, lambda game: WIN if game.first == "a" else LOSS)
    assert sequential_test(schedule, games, "a", WIDE).score == 1
    assert sequential_test(schedule, games, "b", WIDE).score == 0
    assert set(SCORES) >= {0, 0.25, 0.5, 0.75, 1}


@pytest.mark.parametrize("text", ["", "20", "0,20,40", "a,b", "20,0", "5,5", "nan,1", "0,inf", "-9999,0"])
def test_wrong_hypotheses_are_named(text):
    with pytest.raises(ValueError, match="sprt must be") as caught:
        Hypotheses.parse(text)
    assert repr(text) in str(caught.value)
    assert Hypotheses.parse("-2.5, 20") == Hypotheses(-2.5, 20)
