"""Self-play: many games in lockstep, each on a randomly drawn board; their positions become samples.

Shapes: G games, A cells of the board, N samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from agents.alphazero.configs import SearchConfig, SelfPlayConfig
from agents.alphazero.learning import sample_type
from agents.alphazero.search import NONE, OPEN, Evaluator, Found, RootNoise, Roots, Search
from agents.alphazero.training.games import Games, open_games, play_cells
from bttt import Board, Outcome


class Played(NamedTuple):
    """The results of a self-play phase. E games ended in it.

    Attributes:
        samples: `[N]` of `sample_type`, from the games that ended, one game after the other.
        plies: `[E] int64`, lengths of these games, including their random openings.
        outcomes: `[E] int64`, outcomes of these games (`bttt.Outcome`).
        sizes: `[E] int64`, number of samples of each game.
        simulations: Simulations run.
        entropy: Mean entropy of the searches' policies, in nats.
    """

    samples: np.ndarray
    plies: np.ndarray
    outcomes: np.ndarray
    sizes: np.ndarray
    simulations: int
    entropy: float

    @classmethod
    def joined(cls, parts: Sequence[Played]) -> Played:
        """Returns several self-play phases as one."""
        return cls(
            samples=np.concatenate([part.samples for part in parts]),
            plies=np.concatenate([part.plies for part in parts]),
            outcomes=np.concatenate([part.outcomes for part in parts]),
            sizes=np.concatenate([part.sizes for part in parts]),
            simulations=sum(part.simulations for part in parts),
            entropy=float(np.mean([part.entropy for part in parts])),
        )


class SelfPlay:
    """Unfinished games; a game that ends is replaced by a new game.

    Args:
        boards: Boards of one size, from which each game's board is drawn.
        config: Settings of the games.
        search: Settings of the search.
        bricks_plane: Whether the network's third plane shows the bricks.
        rng: Draws the first games.
    """

    def __init__(
        self,
        boards: Sequence[Board],
        config: SelfPlayConfig,
        search: SearchConfig,
        bricks_plane: bool,
        rng: np.random.Generator,
    ):
        self.boards = tuple(boards)
        self.config = config
        self.search = search
        self.bricks_plane = bricks_plane
        self.size = self.boards[0].with_bricks(())
        self.playable = np.array([board.playable for board in self.boards], np.uint64)
        self.rules = self.size.stride, self.size.win_length
        self.games = Games(
            np.zeros(config.games, np.int64),
            np.zeros(config.games, np.uint64),
            np.zeros(config.games, np.uint64),
            np.zeros(config.games, np.int64),
        )
        self._open(np.arange(config.games), rng)
        self.records = np.zeros((config.games, self.size.cells), sample_type(self.size.cells))
        self.proven = np.zeros((config.games, self.size.cells), bool)

    def run(self, evaluate: Evaluator, plies: int, rng: np.random.Generator) -> Played:
        """Plays `plies` plies of every game; returns the samples of the games that ended."""
        search = Search(evaluate, self.search, self.bricks_plane)
        parts = [self._step(search, rng) for _ in range(plies)]
        return Played.joined(parts)

    def state(self) -> dict[str, np.ndarray]:
        """Returns the unfinished games as arrays, for `restore`."""
        records = self.records.view(np.uint8).reshape(len(self.records), -1)
        return {**self.games._asdict(), "records": records, "proven": self.proven}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Restores the games returned by `state`."""
        for name, array in self.games._asdict().items():
            array[:] = state[name].view(array.dtype)
        if self.games.boards.min() < 0 or self.games.boards.max() >= len(self.boards):
            raise ValueError("a game is on a board that does not exist")
        self.records[:] = state["records"].copy().view(self.records.dtype).reshape(self.records.shape)
        self.proven[:] = state["proven"]

    def _open(self, chosen: np.ndarray, rng: np.random.Generator) -> None:
        """Begins the games with these numbers anew."""
        seed = np.uint64(rng.integers(2**64, dtype=np.uint64))
        open_games(self.games, chosen, self.playable, *self.rules, self.config.opening_plies, seed)

    def _step(self, search: Search, rng: np.random.Generator) -> Played:
        roots = self._roots()
        found = search.run(roots, *self._noise(rng))
        self._record(roots, found)
        cells = self._cells(found, rng)
        outcomes = np.empty(len(cells), np.int64)
        play_cells(self.games, cells, self.playable, *self.rules, outcomes)
        ended = np.flatnonzero(outcomes)
        plies, sizes = self._plies()[ended], self._places()[ended]
        samples = self._samples(ended, outcomes[ended])
        if len(ended):
            self._open(ended, rng)
        cells[ended] = NONE
        if self.search.reuse:
            search.keep(cells)
        policy = found.policy
        entropy = -(policy * np.log(np.maximum(policy, 1e-12))).sum(1).mean()
        simulations = int(found.simulations.sum())
        return Played(samples, plies, outcomes[ended], sizes, simulations, float(entropy))

    def _roots(self) -> Roots:
        games = self.games
        second = self._plies() % 2 == 1
        mine, theirs = np.where(second, (games.second, games.first), (games.first, games.second))
        return Roots(self.size, self.playable[games.boards], mine, theirs)

    def _plies(self) -> np.ndarray:
        """Returns the number of stones of each game, `[G] int64`."""
        return np.bitwise_count(self.games.first | self.games.second).astype(np.int64)

    def _noise(self, rng: np.random.Generator) -> tuple[np.ndarray | None, RootNoise | None]:
        """Returns Gumbel noise and noise for the priors; at most one of them is not None."""
        shape = self.config.games, self.size.cells
        if self.search.gumbel:
            return rng.gumbel(size=shape), None
        if self.config.noise == 0:
            return None, None
        share = self.config.noise_total / self.size.cells
        return None, RootNoise(self.config.noise, rng.standard_gamma(share, size=shape))

    def _record(self, roots: Roots, found: Found) -> None:
        """Records the positions with the policies and results of the search."""
        games = np.arange(self.config.games)
        places = self._places()
        for name in ("playable", "mine", "theirs"):
            self.records[name][games, places] = getattr(roots, name)
        self.records["policy"][games, places] = found.policy
        self.records["value"][games, places] = found.values
        self.proven[games, places] = found.statuses != OPEN

    def _places(self) -> np.ndarray:
        """Returns the number of recorded positions of each game, `[G] int64`."""
        return self._plies() - self.games.opened

    def _cells(self, found: Found, rng: np.random.Generator) -> np.ndarray:
        """Returns the cells to play, `[G] int64`."""
        drawn = (found.policy.cumsum(1) < rng.random((len(found.cells), 1))).sum(1)
        legal = np.take_along_axis(found.policy, np.minimum(drawn, self.size.cells - 1)[:, None], 1)[:, 0] > 0
        early = self._places() < self.config.temperature_plies
        return np.where(early & legal, np.minimum(drawn, self.size.cells - 1), found.cells)

    def _samples(self, ended: np.ndarray, outcomes: np.ndarray) -> np.ndarray:
        """Returns the samples of games that ended; a proven result is the value target without mixing."""
        number = self._places()[ended][:, None]
        place = np.arange(self.size.cells)
        kept = place < number
        left = (number - place)[kept]  # plies until the end
        decided = np.broadcast_to((outcomes != Outcome.DRAW)[:, None], kept.shape)[kept]
        # The player who moved last is the winner.
        results = decided * self.search.discount**left * np.where(left % 2 == 1, 1, -1)
        samples = self.records[ended][kept]
        share = np.where(self.proven[ended][kept], 1.0, self.config.bootstrap)
        samples["value"] = share * samples["value"] + (1 - share) * results
        return samples
