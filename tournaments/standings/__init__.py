"""Standings of the players: Elo ratings with 95% intervals, and tallies of wins, draws and losses.

>>> from agents import make_agent
>>> from bttt import Board
>>> from tournaments.play import Conditions, play_games, schedule_games
>>> from tournaments.standings import fit_ratings
>>> players = ("random", "minimax:depth=2")
>>> games = schedule_games("round-robin", players, [Board.parse("4x4x3:A1")], repeats=5)
>>> records = list(play_games(games, {name: make_agent(name) for name in players}, Conditions()))
>>> fit_ratings(players, records).ranked  # strongest first
('minimax:depth=2', 'random')

Modules: `units` says which games are evidence, and which belong together. `ratings` fits a Bradley-Terry
model with draws, `crosstable` counts games by pair, seat and board, and `scores` gives scores intervals.
`sequential` tests whether a player is stronger by so much, and says when it has played enough.
"""

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
from tournaments.standings.scores import score_intervals
from tournaments.standings.sequential import Hypotheses, SequentialTest, pairs_in_order, sequential_test

__all__ = [
    "Hypotheses",
    "Ratings",
    "SequentialTest",
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
    "pairs_in_order",
    "ratings_table",
    "score_intervals",
    "sequential_test",
    "sum_tallies",
    "tally_games",
]
