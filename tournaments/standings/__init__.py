"""tournaments/standings."""

from tournaments.standings.crosstable import (
    Tallies,
    Tally,
    by_board,
    by_pair,
    by_player,
    by_seats,
    crosstable_rows,
    crosstable_text,
    milliseconds_text,
    move_times,
    orbit_name,
    ratings_table,
    sum_tallies,
    tally_games,
)
from tournaments.standings.ratings import Ratings, fit_ratings

__all__ = [
    "Ratings",
    "Tallies",
    "Tally",
    "by_board",
    "by_pair",
    "by_player",
    "by_seats",
    "crosstable_rows",
    "crosstable_text",
    "fit_ratings",
    "milliseconds_text",
    "move_times",
    "orbit_name",
    "ratings_table",
    "sum_tallies",
    "tally_games",
]
