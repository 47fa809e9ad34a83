"""The command `bttt games`: prints the stored games of a run, one a line."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from bttt.command_line import suggest
from bttt.runs import refuse_other_file, write_text
from tournaments.play import Store, store_path
from tournaments.records.text import FIRST_WORDS, games_text


@dataclass(frozen=True)
class GamesConfig:
    """Print the stored games of a run as text, one game a line.

    A line has the game's number, board, players, repeat, result, ending and moves, with tabs between them.
    """

    run: Annotated[Path, tyro.conf.Positional]
    """Run folder, or its tournament.sqlite."""
    out: Path | None = None
    """File to write; it replaces only files of this command. Default: print the games."""


def run(config: GamesConfig) -> int:
    """Prints or writes the games and returns 0.

    Raises:
        ValueError: There is no such run, or `out` is a file that this command has not written.
        OSError: The file cannot be written.
    """
    if config.out is not None:
        refuse_other_file(config.out, FIRST_WORDS, "is not a file of games; choose another --out")
    with Store.open(store_path(config.run), read_only=True) as store:
        text = games_text(store.games())
    if config.out is None:
        sys.stdout.write(text)
    else:
        write_text(config.out, text)
        print(f"written: {config.out}")
    suggest("replay", config.run, 0, why="print a game, move by move")
    return 0
