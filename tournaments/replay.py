"""The command `bttt replay`: prints a stored game, move by move."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from bttt import OUTCOME_TEXT
from bttt.command_line import suggest
from bttt.drawing import ansi
from tournaments.play import GameRecord, Store, store_path

PLIES_BACK, NODES = 3, 100_000
"""For the suggestion of `bttt solve`: plies before the end of the game, and a limit of some seconds."""


@dataclass(frozen=True)
class ReplayConfig:
    """Print a stored game, move by move."""

    run: Annotated[Path, tyro.conf.Positional]
    """Run folder, or its tournament.sqlite."""
    game: Annotated[int, tyro.conf.Positional]
    """Number of the game, shown in the report."""


def run(config: ReplayConfig) -> int:
    """Prints the game and returns 0; raises ValueError if the run or the game does not exist."""
    with Store.open(store_path(config.run), read_only=True) as store:
        games = store.games(config.game) if 0 <= config.game < store.scheduled else []
        if not games:
            raise ValueError(
                f"game {config.game} is not stored in {config.run}: the schedule has games 0 to "
                f"{store.scheduled - 1}, and {len(store.finished())} of them are stored"
            )
    print(replay_text(games[0]))
    moves = " ".join(map(games[0].board.cell_name, games[0].cells[:-PLIES_BACK]))
    search = ("--moves", moves, "--nodes", NODES)
    suggest("solve", games[0].board, *search, why="the value of every move shortly before the end")
    return 0


def replay_text(game: GameRecord) -> str:
    """Returns the game as text: the players, then each move with its time, value and nodes, and the board."""
    parts = [f"game {game.index} on {game.board}: {game.first} (O) against {game.second} (X)"]
    positions = game.positions()
    parts.append(ansi(positions[0]))
    for ply, position in enumerate(positions[1:]):
        mover = "opening" if ply < game.opening_plies else game.players[ply % 2]
        parts.append(f"{ply + 1}. {game.board.cell_name(game.cells[ply])}  {mover}{_said(game, ply)}")
        parts.append(ansi(position))
    ending = OUTCOME_TEXT[game.outcome]
    if game.forfeit is not None:
        ending += f" by forfeit: {game.forfeiter} {game.forfeit}"
    elif game.adjudicated:
        ending += " by adjudication"
    return "\n".join([*parts, ending])


def _said(game: GameRecord, ply: int) -> str:
    text = ""
    if ply >= game.opening_plies:
        text += f"  {1000 * game.seconds[ply]:.1f} ms"
    if game.values[ply] is not None:
        text += f"  value {game.values[ply]:+.3f}"
    if game.nodes[ply] is not None:
        text += f"  {game.nodes[ply]:,} nodes"
    return text
