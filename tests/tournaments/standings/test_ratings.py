from dataclasses import replace
from math import log10, nan

import numpy as np
import pytest
from records import random_round_robin, record
from scipy.special import ndtr

from bttt.board import Board
from tournaments.standings.ratings import ELO, fit_counts, fit_ratings, log_likelihood


def davidson(strength_first, strength_second, gamma, log_nu):
    """Returns the chances of win, draw and loss, written out as in the module's docstring."""
    win = np.exp(strength_first + gamma)
    draw = np.exp(log_nu) * np.exp((strength_first + gamma + strength_second) / 2)
    loss = np.exp(strength_second)
    return np.array([win, draw, loss]) / (win + draw + loss)


def simulate(strengths, gamma, log_nu, games, rng):
    """Returns counts `[P, P, 3]` of a round robin with `games` games of each ordered pair."""
    players = len(strengths)
    counts = np.zeros((players, players, 3))
    for first in range(players):
        for second in range(players):
            if first != second:
                chances = davidson(strengths[first], strengths[second], gamma, log_nu)
                counts[first, second] = rng.multinomial(games, chances)
    return counts


def small_counts():
    return simulate(np.array([-0.8, 0.1, 0.7]), 0.4, -0.5, 12, np.random.default_rng(1))


def test_intervals_cover_the_strengths_of_simulated_players():
    elo = np.array([-250.0, -80.0, 0.0, 120.0, 210.0])
    first_move, nu = 90.0, 0.4
    rng = np.random.default_rng(0)
    covered, first_move_covered, draws, errors = [], [], [], []
    for _ in range(300):
        fit = fit_counts("abcde", simulate(elo / ELO, first_move / ELO, np.log(nu), 40, rng))
        error = (fit.elo - fit.elo.mean()) - (elo - elo.mean())
        covered.append(np.abs(error) <= fit.margin)
        errors.append(error)
        first_move_covered.append(abs(fit.first_move - first_move) <= fit.first_move_margin)
        draws.append(fit.draw)
    # Three standard deviations of 1500 and 300 trials at 95% are 1.7% and 3.8%; five share a tournament.
    assert 0.925 < np.mean(covered) < 0.975
    assert 0.912 < np.mean(first_move_covered) < 0.988
    assert np.abs(np.mean(errors, axis=0)).max() < 5
    assert np.mean(draws) == pytest.approx(nu, rel=0.05)


def test_likelihood_is_the_sum_over_games():
    counts = small_counts()
    parameters = np.array([-0.3, 0.2, 0.6, 0.25, -0.7])
    expected = sum(
        counts[first, second] @ np.log(davidson(parameters[first], parameters[second], *parameters[3:]))
        for first in range(3)
        for second in range(3)
    )
    assert log_likelihood(parameters, counts)[0] == pytest.approx(expected, rel=1e-12)


def test_gradient_and_hessian_agree_with_finite_differences():
    counts = small_counts()
    parameters = np.array([-0.3, 0.2, 0.6, 0.25, -0.7])
    _, gradient, hessian = log_likelihood(parameters, counts)
    step = 1e-5
    for direction, unit in enumerate(np.eye(5)):
        above = log_likelihood(parameters + step * unit, counts)
        below = log_likelihood(parameters - step * unit, counts)
        assert gradient[direction] == pytest.approx((above[0] - below[0]) / (2 * step), abs=1e-6)
        assert hessian[direction] == pytest.approx((above[1] - below[1]) / (2 * step), abs=1e-6)


def balanced(wins, draws, losses):
    """Returns counts of two players with the same results in both seats, so that nothing favours a seat."""
    counts = np.zeros((2, 2, 3))
    counts[0, 1] = wins, draws, losses
    counts[1, 0] = losses, draws, wins
    return counts


def test_two_players_without_a_prior_have_the_closed_form():
    fit = fit_counts("ab", balanced(30, 8, 10), prior_sd=1e6)
    assert fit.elo[0] - fit.elo[1] == pytest.approx(400 * log10(30 / 10), rel=1e-6)
    assert fit.draw == pytest.approx(8 / np.sqrt(30 * 10), rel=1e-6)
    assert fit.first_move == pytest.approx(0, abs=1e-6)


def test_two_players_have_the_maximum_of_a_grid():
    wins, draws, losses, prior_sd = 9, 3, 2, 300.0
    fit = fit_counts("ab", balanced(wins, draws, losses), prior_sd=prior_sd)
    step = 0.002
    difference = np.arange(0, 3, step)[:, None]
    log_nu = np.arange(-3, 1, step)
    weights = np.array(np.broadcast_arrays(difference / 2, log_nu, -difference / 2))
    log_chances = weights - np.log(np.exp(weights).sum(axis=0))
    likelihood = 2 * np.tensordot([wins, draws, losses], log_chances, axes=1)
    log_prior = -(2 * (difference / 2) ** 2 + log_nu**2) / (2 * (prior_sd / ELO) ** 2)
    at = np.unravel_index(np.argmax(likelihood + log_prior), likelihood.shape)
    assert (fit.elo[0] - fit.elo[1]) / ELO == pytest.approx(difference[at[0], 0], abs=step)
    assert np.log(fit.draw) == pytest.approx(log_nu[at[1]], abs=step)
    assert fit.log_likelihood == pytest.approx(likelihood[at], abs=1e-3)


def test_order_of_the_players_does_not_matter():
    counts = small_counts()
    order = [2, 0, 1]
    fit = fit_counts("abc", counts)
    other = fit_counts("cab", counts[np.ix_(order, order)])
    assert other.elo == pytest.approx(fit.elo[order])
    assert other.margin == pytest.approx(fit.margin[order])
    assert other.superiority == pytest.approx(fit.superiority[np.ix_(order, order)])
    assert (other.first_move, other.draw) == pytest.approx((fit.first_move, fit.draw))


def test_exchanging_the_seats_turns_the_first_move_advantage_round():
    counts = small_counts()
    fit = fit_counts("abc", counts)
    exchanged = fit_counts("abc", counts.transpose(1, 0, 2)[:, :, ::-1])
    assert exchanged.elo == pytest.approx(fit.elo)
    assert exchanged.first_move == pytest.approx(-fit.first_move)


def test_intervals_do_not_hold_the_common_shift():
    # The shift is known by the prior alone: were it inside, the margin would grow with the prior.
    counts = simulate(np.array([-0.5, 0.0, 0.5]), 0.2, -0.5, 400, np.random.default_rng(2))
    narrow, wide = fit_counts("abc", counts), fit_counts("abc", counts, prior_sd=80_000)
    assert wide.margin == pytest.approx(narrow.margin, rel=0.01)
    assert wide.elo == pytest.approx(narrow.elo, abs=1)


def test_superiority_of_two_players_follows_from_their_interval():
    fit = fit_counts("ab", balanced(9, 3, 5))
    # The centred strengths are plus and minus half the difference.
    deviation = 2 * fit.margin[0] / 1.959964
    likelihood = ndtr((fit.elo[0] - fit.elo[1]) / deviation)
    assert fit.superiority == pytest.approx(np.array([[0.5, likelihood], [1 - likelihood, 0.5]]), abs=1e-6)
    assert 0.8 < likelihood < 0.95


def test_who_wins_everything_stays_finite_and_the_prior_decides_how_far():
    fit = fit_counts("ab", balanced(50, 0, 0))
    difference = fit.elo[0] - fit.elo[1]
    assert 800 < difference < 2000
    assert fit.margin[0] > 200
    assert fit.elo[0] - fit_counts("ab", balanced(50, 0, 0), prior_sd=400).elo[0] > 100


def test_without_draws_the_draw_parameter_is_small_and_finite():
    fit = fit_counts("ab", balanced(60, 0, 40))
    assert 0 < fit.draw < 0.05
    assert fit.outcome_probabilities()[1] < 0.02


def test_a_single_one_sided_pair_is_rated():
    counts = np.zeros((2, 2, 3))
    counts[0, 1] = 3, 1, 2
    fit = fit_counts("ab", counts)
    assert fit.games == 6
    # Strength and first move cannot be told apart by these games; the prior shares the credit.
    assert fit.elo[0] > 0
    assert fit.first_move > 0
    assert fit.first_move_margin > 800


def test_extreme_counts_converge():
    counts = np.zeros((3, 3, 3))
    counts[0, 1] = 1_000_000, 0, 0
    counts[1, 0] = 1_000_000, 5, 10
    counts[1, 2] = 0, 0, 1
    fit = fit_counts("abc", counts)
    assert np.isfinite(fit.elo).all()
    assert fit.elo.sum() == pytest.approx(0, abs=1e-6)


def test_a_player_without_games_has_no_rating_and_changes_no_other():
    counts = np.zeros((4, 4, 3))
    counts[:3, :3] = small_counts()
    fit, without = fit_counts("abcd", counts), fit_counts("abc", small_counts())
    assert np.isnan([fit.elo[3], fit.margin[3], *fit.superiority[3]]).all()
    assert fit.elo[:3] == pytest.approx(without.elo)
    assert fit.margin[:3] == pytest.approx(without.margin)
    assert fit.ranked == (*without.ranked, "d")


def test_without_games_nobody_is_rated():
    fit = fit_ratings(["random", "b"], [])
    assert fit.games == 0
    assert fit.anchor is None
    assert fit.ranked == ("random", "b")
    assert np.isnan([*fit.elo, *fit.margin, fit.first_move, fit.draw]).all()


def test_anchor():
    counts = small_counts()
    mean = fit_counts("abc", counts)
    assert mean.anchor is None
    assert mean.elo.sum() == pytest.approx(0, abs=1e-6)
    anchored = fit_counts("abc", counts, anchor="b")
    assert anchored.elo[1] == 0
    assert np.diff(anchored.elo) == pytest.approx(np.diff(mean.elo))
    assert anchored.margin == pytest.approx(mean.margin)
    assert fit_counts(["a", "random", "c"], counts).anchor == "random"
    assert fit_counts(["a", "random", "c"], counts, anchor="c").elo[2] == 0


def test_ranking_is_by_strength_with_ties_as_given():
    counts = simulate(np.zeros(3), 0, 0, 0, np.random.default_rng(0))
    counts[0, 1] = counts[1, 0] = counts[0, 2] = counts[2, 0] = 3, 0, 3
    assert fit_counts("abc", counts).ranked == ("a", "b", "c")
    assert fit_counts("abc", small_counts()).ranked == ("c", "b", "a")


def test_outcome_probabilities():
    fit = fit_counts("abc", small_counts())
    chances = fit.outcome_probabilities(150)
    assert chances == pytest.approx(davidson(150 / ELO, 0, fit.first_move / ELO, np.log(fit.draw)))
    assert chances.sum() == pytest.approx(1)


def test_copies_of_games_change_neither_ratings_nor_intervals():
    boards = [Board.parse(f"3x3x3:{cell}") for cell in ("A1", "A2", "B2", "C3")]
    games = random_round_robin("abc", boards, opening_plies=1)
    copies = [replace(game, index=len(games) + n, repeat=1 + n) for n, game in enumerate(games * 9)]
    once, often = fit_ratings("abc", games), fit_ratings("abc", [*games, *copies])
    assert often.games == once.games == len(games)
    assert often.elo == pytest.approx(once.elo)
    assert often.margin == pytest.approx(once.margin)
    assert often.superiority == pytest.approx(once.superiority)
    assert often.first_move_margin == pytest.approx(once.first_move_margin)


def correlated_pairs(elo, first_move, log_nu, units, correlation, rng):
    """Returns counts and matches of pairs; +1: the same player does well in both games, -1: the same seat."""
    players, unit = len(elo), np.eye(3, dtype=int)
    counts, matches = np.zeros((players, players, 3)), {}
    for one in range(players):
        for other in range(one + 1, players):
            luck, other_luck = rng.random((2, units))
            if correlation:
                other_luck = luck if correlation < 0 else 1 - luck
            games = []
            for seats, fortune in (((one, other), luck), ((other, one), other_luck)):
                chances = davidson(*(elo[list(seats)] / ELO), first_move / ELO, log_nu)
                games.append(unit[np.searchsorted(np.cumsum(chances)[:2], fortune)])
                counts[seats] = games[-1].sum(axis=0)
            matches[one, other] = np.stack(games, axis=1)
    return counts, matches


@pytest.mark.parametrize("correlation", [-1, 0, 1])
def test_intervals_cover_the_strengths_whatever_the_correlation_in_a_pair(correlation):
    elo, rng = np.array([-60.0, 60.0]), np.random.default_rng(3)
    covered, independent, widths, first_move = [], [], [], []
    for _ in range(250):
        counts, matches = correlated_pairs(elo, 90.0, np.log(0.4), 40, correlation, rng)
        fit, alone = fit_counts("ab", counts, matches), fit_counts("ab", counts)
        covered.append(abs(fit.elo[1] - 60) <= fit.margin[1])
        independent.append(abs(alone.elo[1] - 60) <= alone.margin[1])
        first_move.append(abs(fit.first_move - 90) <= fit.first_move_margin)
        widths.append(fit.margin[1] / alone.margin[1])
    # Three standard deviations of 250 trials at 95% are 4%.
    assert 0.91 <= np.mean(covered) <= 0.99
    assert 0.91 <= np.mean(first_move) <= 0.99
    if correlation == 0:
        assert np.mean(widths) == pytest.approx(1, abs=0.03)
    else:  # both errors of intervals that ignore pairs
        assert (np.mean(independent) < 0.9) if correlation > 0 else (np.mean(independent) > 0.985)
        assert (np.mean(widths) > 1.25) if correlation > 0 else (np.mean(widths) < 0.75)


def test_pairs_that_all_end_one_to_one_keep_an_interval():
    match = np.zeros((40, 2, 3), dtype=int)
    match[:20, :, 0] = match[20:, :, 2] = 1  # the first seat wins both games of a pair, or the second seat
    counts = np.zeros((2, 2, 3))
    counts[0, 1], counts[1, 0] = match.sum(axis=0)
    alone, fit = fit_counts("ab", counts), fit_counts("ab", counts, {(0, 1): match})
    assert fit.elo == pytest.approx([0, 0], abs=1e-9)
    assert 0.15 * alone.margin[0] < fit.margin[0] < 0.3 * alone.margin[0]
    assert fit.first_move_margin == pytest.approx(np.sqrt(2) * alone.first_move_margin, rel=0.05)


def test_two_pairs_that_split_make_the_interval_narrower_already():
    match = np.array([[[1, 0, 0], [1, 0, 0]], [[0, 0, 1], [0, 0, 1]]])
    counts = np.zeros((2, 2, 3))
    counts[0, 1], counts[1, 0] = match.sum(axis=0)
    fit, alone = fit_counts("ab", counts, {(0, 1): match}), fit_counts("ab", counts)
    assert fit.margin[0] < 0.95 * alone.margin[0]
    assert fit.first_move_margin > 1.02 * alone.first_move_margin


def test_a_single_unit_tells_nothing_of_the_spread_over_units():
    match = np.array([[[30, 0, 10], [15, 0, 25]]])
    counts = np.zeros((2, 2, 3))
    counts[0, 1], counts[1, 0] = match[0]
    fit, alone = fit_counts("ab", counts, {(0, 1): match}), fit_counts("ab", counts)
    assert fit.margin == pytest.approx(alone.margin)


def test_who_wins_everything_keeps_a_wide_interval():
    match = np.zeros((49, 2, 3), dtype=int)
    match[:, 0, 0] = match[:, 1, 2] = 1
    counts = np.zeros((2, 2, 3))
    counts[0, 1], counts[1, 0] = match.sum(axis=0)
    fit, alone = fit_counts("ab", counts, {(0, 1): match}), fit_counts("ab", counts)
    assert fit.margin == pytest.approx(alone.margin)


@pytest.mark.parametrize(
    ("players", "options", "message"),
    [
        ("abc", {"anchor": "x"}, "anchor 'x' is not a player"),
        ("abd", {"anchor": "d"}, "anchor 'd' has no games"),
        ("aab", {}, "players must differ"),
        ("abcd", {}, "shape"),
        ("abc", {"prior_sd": 0}, "prior_sd must be above 0, got 0"),
        ("abc", {"prior_sd": nan}, "prior_sd must be above 0"),
    ],
)
def test_wrong_arguments_are_named(players, options, message):
    counts = small_counts()
    if players == "abd":
        counts[2] = counts[:, 2] = 0
    with pytest.raises(ValueError, match=message):
        fit_counts(players, counts, **options)


def test_a_game_of_an_unknown_player_is_named():
    with pytest.raises(ValueError, match="game 7: unknown player 'x'"):
        fit_ratings(["a", "b"], [record("a", "x", "A1", index=7, outcome=1, forfeit="gave up")])


def test_millions_of_games_converge():
    counts = np.zeros((2, 2, 3))
    counts[0, 1] = counts[1, 0][::-1] = (10**7, 0, 0)
    ratings = fit_counts(["a", "b"], counts)
    assert ratings.elo[0] > ratings.elo[1] + 2000
