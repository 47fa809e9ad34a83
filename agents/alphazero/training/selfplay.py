"""Self-play: many games in lockstep, each on a randomly drawn board; their positions become samples.

Shapes: G games, A cells of the board, N samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from agents.alphazero.configs import SearchConfig, SelfPlayConfig
from agents.alphazero.learning import sample_type
from agents.alphazero.search import NONE, OPEN, Evaluator, Found, RootNoise, Roots, Search, roots_of
from bttt import Board, Outcome, Position


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
        self.positions = [self._new_game(rng) for _ in range(config.games)]
        self.opened = np.array([position.plies for position in self.positions])
        self.records = np.zeros((config.games, self.size.cells), sample_type(self.size.cells))
        self.proven = np.zeros((config.games, self.size.cells), bool)

    def run(self, evaluate: Evaluator, plies: int, rng: np.random.Generator) -> Played:
        """Plays `plies` plies of every game; returns the samples of the games that ended."""
        search = Search(evaluate, self.search, self.bricks_plane)
        parts = [self._step(search, rng) for _ in range(plies)]
        return Played.joined(parts)

    def state(self) -> dict[str, np.ndarray]:
        """Returns the unfinished games as arrays, for `restore`."""
        return {
            "boards": np.array([self.boards.index(position.board) for position in self.positions]),
            "first": np.array([position.first for position in self.positions], np.uint64),
            "second": np.array([position.second for position in self.positions], np.uint64),
            "opened": self.opened,
            "records": self.records.view(np.uint8).reshape(len(self.records), -1),
            "proven": self.proven,
        }

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Restores the games returned by `state`."""
        words = zip(*(state[name].tolist() for name in ("boards", "first", "second")), strict=True)
        self.positions = [Position(self.boards[board], first, second) for board, first, second in words]
        self.opened = state["opened"].copy()
        self.records = state["records"].copy().view(self.records.dtype).reshape(self.records.shape)
        self.proven = state["proven"].copy()

    def _new_game(self, rng: np.random.Generator) -> Position:
        """Returns an unfinished position after a random opening on a newly drawn board."""
        while True:
            position = Position.start(self.boards[rng.integers(len(self.boards))])
            for _ in range(rng.integers(self.config.opening_plies + 1)):
                if not position.outcome:
                    position = position.play(int(rng.choice(position.legal_cells())))
            if not position.outcome:
                return position

    def _step(self, search: Search, rng: np.random.Generator) -> Played:
        roots = roots_of(self.positions)
        found = search.run(roots, *self._noise(rng))
        self._record(roots, found)
        cells = self._cells(found, rng)
        samples, plies, outcomes = [], [], []
        for game, cell in enumerate(cells.tolist()):
            position = self.positions[game].play(cell)
            if position.outcome:
                samples.append(self._samples(game, position))
                plies.append(position.plies)
                outcomes.append(int(position.outcome))
                position = self._new_game(rng)
                self.opened[game] = position.plies
                cells[game] = NONE
            self.positions[game] = position
        if self.search.reuse:
            search.keep(cells)
        policy = found.policy
        entropy = -(policy * np.log(np.maximum(policy, 1e-12))).sum(1).mean()
        return Played(
            np.concatenate(samples) if samples else self.records[:0, 0],
            np.array(plies, np.int64),
            np.array(outcomes, np.int64),
            np.array([len(each) for each in samples], np.int64),
            int(found.simulations.sum()),
            float(entropy),
        )

    def _noise(self, rng: np.random.Generator) -> tuple[np.ndarray | None, RootNoise | None]:
        """Returns Gumbel noise and noise for the priors; at most one of them is not None."""
        shape = len(self.positions), self.size.cells
        if self.search.gumbel:
            return rng.gumbel(size=shape), None
        if self.config.noise == 0:
            return None, None
        share = self.config.noise_total / self.size.cells
        return None, RootNoise(self.config.noise, rng.standard_gamma(share, size=shape))

    def _record(self, roots: Roots, found: Found) -> None:
        """Records the positions with the policies and results of the search."""
        games = np.arange(len(self.positions))
        places = self._places()
        for name in ("playable", "mine", "theirs"):
            self.records[name][games, places] = getattr(roots, name)
        self.records["policy"][games, places] = found.policy
        self.records["value"][games, places] = found.values
        self.proven[games, places] = found.statuses != OPEN

    def _places(self) -> np.ndarray:
        """Returns the number of recorded positions of each game, `[G] int64`."""
        return np.array([position.plies for position in self.positions]) - self.opened

    def _cells(self, found: Found, rng: np.random.Generator) -> np.ndarray:
        """Returns the cells to play, `[G] int64`."""
        drawn = (found.policy.cumsum(1) < rng.random((len(found.cells), 1))).sum(1)
        legal = np.take_along_axis(found.policy, np.minimum(drawn, self.size.cells - 1)[:, None], 1)[:, 0] > 0
        early = self._places() < self.config.temperature_plies
        return np.where(early & legal, np.minimum(drawn, self.size.cells - 1), found.cells)

    def _samples(self, game: int, end: Position) -> np.ndarray:
        """Returns the samples of a finished game; a proven result is the value target without mixing."""
        number = end.plies - self.opened[game]
        samples = self.records[game, :number].copy()
        left = np.arange(number, 0, -1)
        result = 0.0 if end.outcome == Outcome.DRAW else 1.0
        # The player who moved last is the winner.
        results = result * self.search.discount**left * np.where(left % 2 == 1, 1, -1)
        share = np.where(self.proven[game, :number], 1.0, self.config.bootstrap)
        samples["value"] = share * samples["value"] + (1 - share) * results
        return samples
