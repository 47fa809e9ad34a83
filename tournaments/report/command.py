"""The command `bttt report`: rebuilds the report of a tournament."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from bttt.command_line import suggest
from bttt.runs import nearest
from tournaments.play import Store, store_path
from tournaments.report.publishing import publish


@dataclass(frozen=True)
class ReportConfig:
    """Rebuild the report of a stored tournament, and print its ratings and crosstable."""

    run: Annotated[Path, tyro.conf.Positional]
    """Run folder, or its tournament.sqlite."""
    csv: bool = False
    """Also write games.csv and crosstable.csv."""
    anchor: str | None = None
    """Player rated 0. Default: the anchor of the run."""
    rate_exceptions: bool = False
    """Rate games that a player forfeited by an exception, or by the end of its process, as losses. Default:
    as the run does."""


def run(config: ReportConfig) -> int:
    """Rebuilds the report and returns 0; raises ValueError if the anchor is wrong or there is no run."""
    path = store_path(config.run)
    with Store.open(path, read_only=True) as store:
        if config.anchor is not None and config.anchor not in store.players:
            hint = nearest(config.anchor, store.players)
            known = ", ".join(store.players)
            raise ValueError(f"anchor {config.anchor!r} is not a player{hint}; players are {known}")
        publish(
            path.parent,
            store,
            anchor=config.anchor,
            csv=config.csv,
            rate_exceptions=config.rate_exceptions,
        )
    suggest("replay", config.run, 0, why=f"print a game; {path.parent / 'report.html'} shows all games")
    return 0
