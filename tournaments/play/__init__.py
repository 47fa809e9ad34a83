"""tournaments/play."""

from tournaments.play.game_record import GameRecord
from tournaments.play.openings import DEFAULT_PLIES, OpeningKind, opening
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
from tournaments.play.runner import Conditions, play_games
from tournaments.play.schedule import DEFAULT_PLAYERS, ScheduledGame, schedule_games
from tournaments.play.store import STORE_FILE, Store
from tournaments.play.stored_run import missing_games, open_run, play_and_store

__all__ = [
    "DEFAULT_PLAYERS",
    "DEFAULT_PLIES",
    "STORE_FILE",
    "TRAINED_ON",
    "Conditions",
    "GameRecord",
    "OpeningKind",
    "ScheduledGame",
    "Store",
    "expanded",
    "made_from",
    "make_again",
    "make_players",
    "missing_games",
    "open_run",
    "opening",
    "play_and_store",
    "play_games",
    "proven_outcome",
    "schedule_games",
    "source_files",
    "training_boards",
]
