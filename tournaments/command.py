"""The command `bttt tournament`: plays a schedule, stores every game, rates the players and reports."""

from __future__ import annotations

from bttt.command_line import suggest
from bttt.runs import INTERRUPTED
from tournaments.config import TournamentConfig
from tournaments.running import run_tournament


def run(config: TournamentConfig) -> int:
    """Plays or resumes the tournament and returns the exit code: 0, 1 (forfeits) or 130 (Ctrl-C).

    Raises:
        ValueError: An option is wrong, or the folder holds a run with other settings or other files.
        OSError: The folder cannot be written; games stored earlier are kept.
    """
    code, folder = run_tournament(config)
    if code != INTERRUPTED:
        suggest("replay", folder, 0, why=f"print a game; {folder / 'report.html'} shows all games")
    return code
