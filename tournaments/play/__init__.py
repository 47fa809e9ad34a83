"""Playing a schedule of games between agents, and storing each game as it ends.

>>> from agents import make_agent
>>> from bttt import Board
>>> from tournaments.play import Conditions, play_games, schedule_games
>>> players = ("random", "minimax:depth=1")
>>> games = schedule_games("round-robin", players, [Board.parse("3x3x3:B2")], repeats=1)
>>> agents = {player: make_agent(player) for player in players}
>>> records = play_games(games, agents, Conditions(seed=0))  # each game as it ends
>>> sorted((record.index, record.first) for record in records)
[(0, 'random'), (1, 'minimax:depth=1')]

Modules: `schedule` lists the games, `players` makes the agents, and `conditions` and `openings` say how a
game is played. `runner` plays the games and returns a `game_record` of each. `store` is the SQLite file, and
`stored_run` resumes a run from it, and `growth` lets it grow.
"""

from tournaments.play.conditions import Conditions
from tournaments.play.game_record import GameRecord, broken_players
from tournaments.play.growth import joined_settings, open_growing
from tournaments.play.openings import opening
from tournaments.play.players import (
    TRAINED_ON,
    expanded,
    isolated_players,
    made_from,
    make_again,
    make_players,
    source_files,
    training_boards,
)
from tournaments.play.proven import proven_outcome
from tournaments.play.runner import IN_FLIGHT, play_games
from tournaments.play.schedule import DEFAULT_PLAYERS, ScheduledGame, schedule_games, schedule_of
from tournaments.play.store import STORE_FILE, Store, store_path
from tournaments.play.stored_run import missing_games, open_store, play_and_store

__all__ = [
    "DEFAULT_PLAYERS",
    "IN_FLIGHT",
    "STORE_FILE",
    "TRAINED_ON",
    "Conditions",
    "GameRecord",
    "ScheduledGame",
    "Store",
    "broken_players",
    "expanded",
    "isolated_players",
    "joined_settings",
    "made_from",
    "make_again",
    "make_players",
    "missing_games",
    "open_growing",
    "open_store",
    "opening",
    "play_and_store",
    "play_games",
    "proven_outcome",
    "schedule_games",
    "schedule_of",
    "source_files",
    "store_path",
    "training_boards",
]
