"""Ratings: a Bradley-Terry model with draws (Davidson 1970) and a first-move term.

With strengths s, first-move advantage g and draw parameter nu, a game of i (first) against j (second) ends as

    i wins    with weight exp(s_i + g)
    a draw    with weight nu * exp((s_i + g + s_j) / 2)
    j wins    with weight exp(s_j)

divided by their sum. The parameters `[P + 2]` are the P strengths, g and log nu, in natural units; one
natural unit is 400 / ln 10 = 173.7 Elo.

Prior: every strength, g and log nu are Gaussian with mean 0 and a standard deviation of `prior_sd` Elo, by
default 800. The prior keeps the rating finite for a player that won or lost every game. Otherwise it is weak:
its curvature is about 20% of the curvature of one game between equals, and it allows differences of 2,000
Elo. The likelihood does not depend on a common shift of all strengths, so the shift is projected out: the
strengths sum to zero. Intervals that included the shift would not describe differences between players.

Evidence: copies of a game count once, and intervals take the games of a unit together (see `units`). The
model gives the variance of each game; the games themselves give the covariance within units, around the mean
result of each seat of a match. With H the posterior's curvature and C the sum of these covariances, the
parameters have the covariance

    H^-1 (H + C) H^-1

This is the cluster-robust "sandwich" (Liang and Zeger 1986, with units as clusters), except that the variance
of single games is the model's, not the empirical one. The empirical variance is useless for a player that won
or lost every game. If the games of a unit do not correlate, the result is H^-1, the covariance of independent
games. The covariance in a match with G units is multiplied by (G - 1) / (G + 1). Otherwise units that all end
1-1 would give intervals of width 0, and two or three units very unsteady ones. Units of different players are
taken as independent.

Shapes: P players, M ordered pairs of players that met, K = P + 2 parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, log, nan, sqrt

import numpy as np
from scipy.special import log_softmax, ndtr

from bttt.runs import Z95
from tournaments.play import GameRecord
from tournaments.standings.units import OUTCOMES, Matches, count_matches, count_outcomes, distinct_games

ELO = 400 / log(10)
"""Elo points in one natural unit of strength."""
PRIOR_SD = 800.0
DEFAULT_ANCHOR = "random"
MAX_NEWTON_STEPS = 200


@dataclass(frozen=True, eq=False)
class Ratings:
    """Fitted ratings; the values of a player without games are nan.

    Attributes:
        players: The players, in the order given.
        elo: `[P] float64`, the ratings in Elo, with the anchor (or the mean of the rated players) at 0.
        margin: `[P] float64`, half-width of each rating's 95% interval relative to the mean of the rated
            players. It is not relative to the anchor: compare two players by `superiority`.
        superiority: `[P, P] float64`, probability that the row's player is stronger than the column's.
        anchor: The player rated 0; None if the mean of the ratings is 0.
        first_move: The advantage of moving first, in Elo.
        first_move_margin: Half-width of its 95% interval, in Elo.
        draw: Davidson's nu. At 0, draws never happen. In a game with equal chances, a draw is nu times as
            likely as a win of either side.
        prior_sd: Standard deviation of the prior, in Elo.
        games: Number of games fitted, without copies.
        log_likelihood: Log-likelihood of the games at the fitted parameters, without the prior.
    """

    players: tuple[str, ...]
    elo: np.ndarray
    margin: np.ndarray
    superiority: np.ndarray
    anchor: str | None
    first_move: float
    first_move_margin: float
    draw: float
    prior_sd: float
    games: int
    log_likelihood: float

    @property
    def ranked(self) -> tuple[str, ...]:
        """The players from strongest to weakest, then players without games; ties in the order given."""
        # Rounded, so that rounding errors of the fit do not order players with equal results.
        keys = [inf if np.isnan(elo) else -round(elo, 6) for elo in self.elo]
        return tuple(self.players[i] for i in sorted(range(len(keys)), key=keys.__getitem__))

    def outcome_probabilities(self, difference: float = 0.0) -> np.ndarray:
        """Returns `[3]`, the probabilities by `OUTCOMES` if the first player is `difference` Elo stronger."""
        edge = (difference + self.first_move) / ELO
        weights = np.array([exp(edge / 2), self.draw, exp(-edge / 2)])
        return weights / weights.sum()


def fit_ratings(
    players: Sequence[str],
    games: Sequence[GameRecord],
    *,
    anchor: str | None = None,
    prior_sd: float = PRIOR_SD,
) -> Ratings:
    """Returns the ratings of `players` fitted to `games` without their copies; see `fit_counts`."""
    different = distinct_games(games)
    counts, matches = count_outcomes(players, different), count_matches(players, different)
    return fit_counts(players, counts, matches, anchor=anchor, prior_sd=prior_sd)


def fit_counts(
    players: Sequence[str],
    counts: np.ndarray,
    matches: Matches | None = None,
    *,
    anchor: str | None = None,
    prior_sd: float = PRIOR_SD,
) -> Ratings:
    """Returns the ratings at the maximum of the posterior, with intervals from its curvature there.

    Args:
        players: The P names.
        counts: `[P, P, 3]`, games of each first against each second player by `OUTCOMES`.
        matches: The same games by unit. By default all games are independent.
        anchor: The player rated 0. Default: "random" if it has games, otherwise the mean of all players.
        prior_sd: Standard deviation of the prior on every parameter, in Elo.

    Raises:
        ValueError: Players repeat, the shapes differ, or the anchor is unknown or has no games.
    """
    counts = np.asarray(counts, dtype=np.float64)
    if len(set(players)) != len(players):
        raise ValueError(f"players must differ, got {list(players)}")
    if counts.shape != (len(players), len(players), len(OUTCOMES)):
        raise ValueError(f"counts of {len(players)} players need shape [P, P, 3], got {counts.shape}")
    if not prior_sd > 0:
        raise ValueError(f"prior_sd must be above 0, got {prior_sd}")
    rated = np.flatnonzero(counts.sum(axis=(1, 2)) + counts.sum(axis=(0, 2)))
    anchor = _anchor(anchor, players, [players[int(i)] for i in rated])
    if not len(rated):
        return _unrated(players, prior_sd)

    parameters, curvature, likelihood = _fit(counts[np.ix_(rated, rated)], prior_sd / ELO)
    place = {int(player): number for number, player in enumerate(rated)}
    met = {(place[one], place[other]): units for (one, other), units in (matches or {}).items()}
    covariance = _covariance(curvature, met)
    count = len(rated)
    strengths = parameters[:count] - parameters[:count].mean()
    centre = np.eye(count) - 1 / count
    centred = centre @ covariance[:count, :count] @ centre
    variances = centred.diagonal()

    elo, margin = np.full((2, len(players)), nan)
    elo[rated] = ELO * strengths
    margin[rated] = Z95 * ELO * np.sqrt(np.maximum(variances, 0))
    superiority = np.full((len(players), len(players)), nan)
    superiority[np.ix_(rated, rated)] = _superiority(strengths, variances[:, None] + variances - 2 * centred)
    return Ratings(
        players=tuple(players),
        elo=elo if anchor is None else elo - elo[players.index(anchor)],
        margin=margin,
        superiority=superiority,
        anchor=anchor,
        first_move=float(ELO * parameters[-2]),
        first_move_margin=Z95 * ELO * sqrt(covariance[-2, -2]),
        draw=exp(parameters[-1]),
        prior_sd=prior_sd,
        games=int(counts.sum()),
        log_likelihood=likelihood,
    )


def log_likelihood(parameters: np.ndarray, counts: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Returns the log-likelihood of `counts` `[P, P, 3]`, its gradient `[K]` and its Hessian `[K, K]`."""
    features, met = _features(counts)
    log_probabilities = log_softmax(features @ parameters, axis=1)  # [M, 3]
    expected = met.sum(axis=1, keepdims=True) * np.exp(log_probabilities)
    gradient = np.einsum("mo,mok->k", met - expected, features)
    mean = np.einsum("mo,mok->mk", np.exp(log_probabilities), features)
    deviations = np.sqrt(expected)[:, :, None] * (features - mean[:, None])
    deviations = deviations.reshape(-1, len(parameters))
    return float((met * log_probabilities).sum()), gradient, -deviations.T @ deviations


def _features(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns `[M, 3, K]`, the coefficients of each outcome's log weight, and the counts `[M, 3]`."""
    met = np.argwhere(counts.sum(axis=2))
    features = np.array([outcome_features(len(counts), *seats) for seats in met])
    return features, counts[tuple(met.T)]


def outcome_features(players: int, first: int, second: int) -> np.ndarray:
    """Returns `[3, K]`, the coefficients of the outcomes' log weights in a game of `first` and `second`."""
    win, draw, loss = range(len(OUTCOMES))
    features = np.zeros((len(OUTCOMES), players + 2))
    features[win, [first, players]] = 1
    features[loss, second] = 1
    features[draw] = (features[win] + features[loss]) / 2
    features[draw, players + 1] = 1
    return features


def _fit(counts: np.ndarray, prior_sd: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Returns the maximum, the curvature there and the log-likelihood, by Newton's method.

    The log-posterior is strictly concave, so Newton steps that are halved until it increases converge.
    """
    precision = prior_sd**-2
    parameters = np.zeros(len(counts) + 2)

    def log_posterior(at: np.ndarray) -> float:
        return log_likelihood(at, counts)[0] - float(precision * at @ at / 2)

    for _ in range(MAX_NEWTON_STEPS):
        likelihood, gradient, hessian = log_likelihood(parameters, counts)
        curvature = precision * np.eye(len(parameters)) - hessian
        slope = gradient - precision * parameters
        step = np.linalg.solve(curvature, slope)
        # The squared step, in standard deviations. A step of 1e-4 standard deviations is negligible, and the
        # next one would be far smaller. With millions of games, rounding prevents a stricter limit.
        if slope @ step < 1e-8:
            return parameters + step, curvature, likelihood
        here = likelihood - precision * parameters @ parameters / 2
        while log_posterior(parameters + step) < here - 1e-12 * abs(here):
            step /= 2
        parameters = parameters + step
    raise ArithmeticError(f"ratings did not converge in {MAX_NEWTON_STEPS} Newton steps")


def _covariance(curvature: np.ndarray, matches: Matches) -> np.ndarray:
    """Returns the covariance `[K, K]` of the parameters; see the module's docstring."""
    if not matches:
        return np.linalg.inv(curvature)
    inverse_root = np.linalg.inv(np.linalg.cholesky(curvature))
    relative, vectors = np.linalg.eigh(inverse_root @ _within_units(matches, len(curvature)) @ inverse_root.T)
    # In theory no value is below -1. Estimates can be, if a match has more spread than the model gives it.
    least = 1 / (1 + sum(map(len, matches.values())))
    root = inverse_root.T @ vectors * np.sqrt(np.maximum(1 + relative, least))
    return root @ root.T


def _within_units(matches: Matches, parameters: int) -> np.ndarray:
    """Returns C `[K, K]`: the covariance between the games of a unit, summed over all units."""
    total = np.zeros((parameters, parameters))
    for (one, other), units in matches.items():
        count = len(units)
        sums = np.zeros((count, parameters))
        single = np.zeros_like(total)
        for seat, players in enumerate(((one, other), (other, one))):
            outcomes = units[:, seat].sum(axis=0)
            games = outcomes.sum()
            if games > 1:
                residuals = outcome_features(parameters - 2, *players)
                residuals -= outcomes @ residuals / games
                sums += units[:, seat] @ residuals
                single += games / (games - 1) * (outcomes * residuals.T) @ residuals
        total += (count * sums.T @ sums - (count - 1) * single) / (count + 1)
    return total


def _superiority(strengths: np.ndarray, variances: np.ndarray) -> np.ndarray:
    deviations = np.sqrt(np.maximum(variances, 0))
    np.fill_diagonal(deviations, 1)  # a player's difference to itself is exactly 0
    return ndtr((strengths[:, None] - strengths) / deviations)


def _anchor(anchor: str | None, players: Sequence[str], rated: Sequence[str]) -> str | None:
    if anchor is None:
        return DEFAULT_ANCHOR if DEFAULT_ANCHOR in rated else None
    if anchor not in players:
        raise ValueError(f"anchor {anchor!r} is not a player; players are {list(players)}")
    if anchor not in rated:
        raise ValueError(f"anchor {anchor!r} has no games; players with games are {list(rated)}")
    return anchor


def _unrated(players: Sequence[str], prior_sd: float) -> Ratings:
    """Returns the ratings if no game was played."""
    count = len(players)
    elo, margin, superiority = np.full(count, nan), np.full(count, nan), np.full((count, count), nan)
    return Ratings(tuple(players), elo, margin, superiority, None, nan, nan, nan, prior_sd, 0, 0.0)
