"""A sequential test of one player's strength: play until the games decide between two hypotheses.

The hypotheses are that the player is `elo0` or `elo1` Elo stronger than its opponents. After each
pair of games, the generalised sequential probability ratio test (GSPRT; Li, Liu and Ying 2014) compares the
log-likelihood ratio with Wald's bounds for error rates of 5%. Its normal approximation for pairs is that of
tournament managers for chess engines (after Van den Bergh): with N pairs of mean score m and variance v,

    LLR = N (s1 - s0) (2 m - s0 - s1) / (2 v)

where s0 and s1 are the expected scores, 1 / (1 + 10^(-elo / 400)). Deviation: the variance includes one more
pair with each of the five scores. Otherwise a few equal pairs would decide at once.

The pairs are taken in a fixed order, and the first crossing of a bound decides. The result therefore does not
depend on the order in which games end. Copies of an earlier pair are left out, and so are pairs with a game
that a player forfeited by an exception, which says nothing of its strength.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, log

from tournaments.play import GameRecord, ScheduledGame

ERROR_RATE = 0.05
UPPER = log((1 - ERROR_RATE) / ERROR_RATE)
"""The log-likelihood ratio at which `elo1` is accepted; at its negative, `elo0` is."""
SCORES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""The possible scores of a pair."""
PRIOR = 1.0
"""Pairs of each score that the variance includes besides the games."""
MOST_ELO = 2000.0


@dataclass(frozen=True, slots=True)
class Hypotheses:
    """Two differences in strength, in Elo.

    Attributes:
        elo0: The smaller one.
        elo1: The larger one.
    """

    elo0: float
    elo1: float

    @classmethod
    def parse(cls, text: str) -> Hypotheses:
        """Returns the hypotheses of a text such as "0,20"; ValueError if it has another form."""
        try:
            elo0, elo1 = map(float, text.split(","))
        except ValueError:
            raise ValueError(f"--sprt must be two numbers in Elo, for example 0,20, got {text!r}") from None
        if not (isfinite(elo0) and isfinite(elo1) and -MOST_ELO <= elo0 < elo1 <= MOST_ELO):
            raise ValueError(
                f"--sprt must be a smaller and a larger difference of at most {MOST_ELO:g} Elo, got {text!r}"
            )
        return cls(elo0, elo1)


@dataclass(frozen=True, slots=True)
class SequentialTest:
    """The state of a test.

    Attributes:
        hypotheses: The hypotheses.
        pairs: Number of pairs until the decision, or so far.
        score: Their mean score, in [0, 1].
        ratio: The log-likelihood ratio.
    """

    hypotheses: Hypotheses
    pairs: int
    score: float
    ratio: float

    @property
    def accepted(self) -> float | None:
        """The accepted difference in Elo, or None as long as neither is."""
        if abs(self.ratio) < UPPER:
            return None
        return self.hypotheses.elo1 if self.ratio > 0 else self.hypotheses.elo0

    def __str__(self) -> str:
        elo0, elo1 = self.hypotheses.elo0, self.hypotheses.elo1
        found = "undecided" if self.accepted is None else f"{self.accepted:g} Elo accepted"
        return (
            f"sequential test of {elo0:g} against {elo1:g} Elo: {found} after {self.pairs} pairs, "
            f"LLR {self.ratio:.2f} (bounds {-UPPER:.2f} and {UPPER:.2f})"
        )


def after_pairs(scores: Iterable[float], hypotheses: Hypotheses) -> SequentialTest:
    """Returns the test after the pairs with these `scores` (of `SCORES`), or after those that decide it."""
    expected = [1 / (1 + 10 ** (-elo / 400)) for elo in (hypotheses.elo0, hypotheses.elo1)]
    counts = dict.fromkeys(SCORES, 0)
    pairs, total, ratio = 0, 0.0, 0.0
    for score in scores:
        counts[score] += 1
        pairs, total = pairs + 1, total + score
        ratio = pairs * (expected[1] - expected[0]) * (2 * total / pairs - sum(expected))
        ratio /= 2 * _variance([counts[each] + PRIOR for each in SCORES])
        if abs(ratio) >= UPPER:
            break
    return SequentialTest(hypotheses, pairs, total / pairs if pairs else 0.5, ratio)


def _variance(counts: Sequence[float]) -> float:
    total = sum(counts)
    mean = sum(count * score for count, score in zip(counts, SCORES, strict=True)) / total
    return sum(count * (score - mean) ** 2 for count, score in zip(counts, SCORES, strict=True)) / total


def sequential_test(
    schedule: Sequence[ScheduledGame],
    games: Iterable[GameRecord],
    player: str,
    hypotheses: Hypotheses,
) -> SequentialTest:
    """Returns the test of a player, after its pairs up to the first that is not finished.

    Args:
        schedule: All games of the run.
        games: The finished ones.
        player: The player.
        hypotheses: What to decide between.
    """
    finished = {game.index: game for game in games}
    return after_pairs(_scores(pairs_in_order(schedule, player), finished, player), hypotheses)


def pairs_in_order(games: Iterable[ScheduledGame], player: str) -> list[list[ScheduledGame]]:
    """Returns the pairs of games that a player has to play: by repeat, then by board, then by opponent."""
    pairs: dict[tuple[object, ...], list[ScheduledGame]] = {}
    for game in games:
        if player in (game.first, game.second):
            opponent = game.second if game.first == player else game.first
            pairs.setdefault((game.repeat, str(game.board), opponent), []).append(game)
    boards = {board: number for number, board in enumerate(dict.fromkeys(key[1] for key in pairs))}
    return sorted(pairs.values(), key=lambda pair: (pair[0].repeat, boards[str(pair[0].board)]))


def _scores(
    pairs: Iterable[Sequence[ScheduledGame]], finished: Mapping[int, GameRecord], player: str
) -> Iterator[float]:
    """Yields the player's score in each pair, until a game is missing.

    Copies of earlier pairs, and pairs in which a player broke down, are left out.
    """
    seen = set()
    for pair in pairs:
        records = [finished[game.index] for game in pair if game.index in finished]
        if len(records) < len(pair):
            return
        content = tuple((*record.players, record.board, record.cells, record.outcome) for record in records)
        if content not in seen and not any(record.broke_down for record in records):
            seen.add(content)
            points = [
                record.first_score if record.first == player else 1 - record.first_score for record in records
            ]
            yield sum(points) / len(points)
