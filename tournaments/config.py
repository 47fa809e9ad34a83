"""The settings of a tournament: `bttt tournament` turns them into options."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from bttt.runs import option, part, require_at_least
from tournaments.play import DEFAULT_PLAYERS, IN_FLIGHT, Conditions
from tournaments.standings import Hypotheses


@dataclass(frozen=True)
class TournamentConfig:
    """Play, rate and report a tournament between agents.

    Stores every game, prints ratings and a crosstable, and writes report.html. Rerun the command to resume;
    stored games are not played again.
    """

    players: tuple[str, ...] = DEFAULT_PLAYERS
    """Player specs, for example mcts:iterations=1000,c=1.0 or python:package.module:Class; bttt agents lists
    them."""
    bricks: tuple[str, ...] = option(("all",), setting=False)
    """Brick sets, each board once: D4, D4+E5, none, R2, R3, all, orbit:K, drawn:K,
    random:K,count=N,seed=S, or a function of your own, python:module:function."""
    board: str = option("7x7x4", setting=False)
    """Board size and win length, ROWSxCOLSxWIN."""
    repeats: int = 1
    """Games of each pairing on each board in each seat."""
    schedule: Literal["round-robin", "gauntlet", "bipartite"] = "round-robin"
    """round-robin: every player meets every other player. gauntlet: the first player meets each of the
    others. bipartite: each player meets each of those given with --against."""
    against: tuple[str, ...] = option((), later=True)
    """The other side of a bipartite schedule: player specs, for example baselines that need not meet each
    other."""
    sprt: str | None = option(None, setting=False)
    """Two differences in Elo, for example 0,20: stop as soon as a sequential test decides between them. It
    tests the first player against the other one, or against the others of a gauntlet or bipartite schedule.
    Error rates are 5%, and --repeats limits the games. Default: play all games."""
    conditions: Annotated[Conditions, tyro.conf.arg(name="")] = part(Conditions)
    out: Path | None = option(None, setting=False)
    """Run folder. Default: runs/tournament-<hash of the settings>."""
    workers: int = option(0, setting=False)
    """Worker processes; 0 starts one per core. The games do not depend on it."""
    isolate: tuple[str, ...] | None = option(None, setting=False)
    """Players that run in processes of their own: a player that hangs or ends its process then only forfeits
    the game. Give their specs, all or none; without a value, all. The games do not depend on it. Default:
    with --seconds-per-move all but random and alphazero, otherwise none."""
    in_flight: int = option(IN_FLIGHT, setting=False)
    """Games that each process plays at once, so that agents are queried in batches. These games are lost if
    the process is killed; with several workers, a batch is stored only once all its games are finished."""
    csv: bool = option(False, setting=False)
    """Also write games.csv and crosstable.csv."""
    anchor: str | None = option(None, setting=False)
    """Player rated 0. Default: the anchor stored with this run; if there is none, random if it plays;
    otherwise the mean of all players."""
    rate_exceptions: bool = option(False, setting=False)
    """Rate games that a player forfeited by an exception, or by the end of its process, as losses. Default:
    they are not rated. Illegal moves and moves that took too long are always losses."""
    strict: bool = option(False, setting=False)
    """Exit with code 1 if any game was forfeited."""

    def __post_init__(self) -> None:
        require_at_least(0, workers=self.workers)
        require_at_least(1, in_flight=self.in_flight)
        if self.against and self.schedule != "bipartite":
            raise ValueError("--against needs --schedule bipartite")
        if self.schedule == "bipartite" and not self.against:
            raise ValueError("--schedule bipartite needs players in --against")
        self.hypotheses()

    @property
    def everyone(self) -> tuple[str, ...]:
        """The players of both sides."""
        return (*self.players, *self.against)

    def hypotheses(self) -> Hypotheses | None:
        """Returns the hypotheses of the sequential test, if there is one.

        Raises:
            ValueError: They have another form, or the schedule tests no single player.
        """
        if self.sprt is None:
            return None
        if self.schedule == "round-robin" and len(self.players) != 2:
            raise ValueError("--sprt tests one player: give two players, or --schedule gauntlet or bipartite")
        if self.schedule == "bipartite" and len(self.players) != 1:
            raise ValueError(f"--sprt tests one player: give one in --players, got {len(self.players)}")
        return Hypotheses.parse(self.sprt)
