"""tournaments/play."""

from tournaments.play.conditions import Conditions
from tournaments.play.game_record import GameRecord
from tournaments.play.openings import opening
from tournaments.play.players import (
    TRAINED_ON,
    expanded,
    made_from,
    make_again,
    make_players,
    source_files,
    training_boards,
)
from tournaments.play.proven import proven_outcome
from tournaments.play.runner import IN_FLIGHT, play_games
from tournaments.play.schedule import DEFAULT_PLAYERS, ScheduledGame, schedule_games
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
    "expanded",
    "made_from",
    "make_again",
    "make_players",
    "missing_games",
    "open_store",
    "opening",
    "play_and_store",
    "play_games",
    "proven_outcome",
    "schedule_games",
    "source_files",
    "store_path",
    "training_boards",
]
