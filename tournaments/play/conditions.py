"""The options that determine how games are played, besides the players and the board."""

from __future__ import annotations

from dataclasses import dataclass

from bttt.runs import option, require_at_least
from tournaments.play.openings import DEFAULT_PLIES, OpeningKind

MOST_SECONDS = 86_400.0
"""Maximum time limit of a move: a day."""


@dataclass(frozen=True)
class Conditions:
    """The conditions that all games of a run share.

    Raises:
        ValueError: A value is out of range.
    """

    seed: int = 0
    """Seed of all random numbers. Each game has its own random stream, so other games do not change it."""
    openings: OpeningKind = option("random", later=True)
    """How opening plies are drawn. random: uniformly. balanced: so that under perfect play each seat wins
    half of the openings (on drawn boards, all are draws)."""
    opening_plies: int | None = None
    """Opening plies before the players take over, the same for both seats. Default: 0 if random, 5 if
    balanced."""
    adjudicate: int | None = option(None, later=True)
    """Stop a game once the solver proves its result within this many plies, and store that result. Default:
    play all games to the end."""
    seconds_per_move: float | None = None
    """Time limit in seconds. A player that takes longer forfeits the game. Players in processes of their own
    (see --isolate) are stopped then; for others the limit is checked after the move. Agents are then queried
    one position at a time. Default: no limit."""

    def __post_init__(self) -> None:
        require_at_least(0, seed=self.seed, opening_plies=self.opening_plies)
        require_at_least(1, adjudicate=self.adjudicate)
        limit = self.seconds_per_move
        if limit is not None and not 0 < limit <= MOST_SECONDS:
            raise ValueError(f"seconds_per_move must be above 0 and at most {MOST_SECONDS}, got {limit}")

    @property
    def plies(self) -> int:
        """Number of opening plies; if none is given, the default for this kind of opening."""
        return DEFAULT_PLIES[self.openings] if self.opening_plies is None else self.opening_plies
