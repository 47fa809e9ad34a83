"""The processes of a training run: each plays a part of the games and learns from a part of each batch.

The first process is the one that runs the training; it alone takes the steps and writes the run. All wait for
each other at fixed points, so results depend on the number of processes, but never on time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch

from agents.alphazero.configs import Encoding
from agents.alphazero.learning import Learner
from agents.alphazero.network import PRESETS, AlphaZeroNetwork, make_evaluator, own_network, untrained
from agents.alphazero.training.selfplay import Played, SelfPlay
from bttt import Board, boards_of_size
from bttt.processes import Peer
from bttt.runs import is_plugin

if TYPE_CHECKING:
    from agents.alphazero.training.config import TrainConfig


def new_network(config: TrainConfig, board: Board) -> AlphaZeroNetwork:
    """Returns the untrained network of a configuration; raises ValueError if it does not fit the board."""
    encoding = config.encoding
    if is_plugin(config.preset) or (encoding is not None and is_plugin(encoding)):
        return own_network(config.preset, encoding, board.rows, board.cols, config.seed)
    architecture = PRESETS[config.preset]
    if encoding is not None:
        architecture = replace(architecture, encoding=cast(Encoding, encoding))
    if not architecture.fits(board.rows, board.cols):
        size = f"{architecture.rows}x{architecture.cols}"
        raise ValueError(f"preset {config.preset!r} is for {size} boards, got {board.size_text}")
    return untrained(architecture, config.seed)


def rng_of(config: TrainConfig, *key: int) -> np.random.Generator:
    """Returns the random numbers of a part of the run, whichever process draws them."""
    return np.random.default_rng(np.random.SeedSequence(config.seed, spawn_key=key))


def new_part(config: TrainConfig, boards: Sequence[Board], bricks_plane: bool, number: int) -> SelfPlay:
    """Returns the first games of a process; the games are divided evenly among the processes."""
    games = np.diff(np.linspace(0, config.selfplay.games, config.workers + 1).astype(int))
    settings = replace(config.selfplay, games=int(games[number]))
    return SelfPlay(boards, settings, config.search, bricks_plane, rng_of(config, 0, number))


class Member:
    """A process besides the first one.

    Args:
        config: The configuration.
        number: Number of the process.
        games: Its games, from `SelfPlay.state`.
    """

    def __init__(self, config: TrainConfig, number: int, games: dict[str, np.ndarray]):
        self._peer = Peer(__name__, "work")
        self._peer.send((config, number, games))

    def play(self, average: dict[str, np.ndarray], iteration: int) -> None:
        """Lets it play the games of an iteration with the tensors of a network."""
        self._peer.send((average, iteration))

    def played(self) -> tuple[Played, dict[str, np.ndarray]]:
        """Returns the results, and its games, for `SelfPlay.restore`."""
        return self._peer.receive()

    def start(self, samples: np.ndarray, turns: np.ndarray) -> None:
        """See `Helper`."""
        self._peer.send((samples, turns))

    def ask(self, weights: np.ndarray) -> None:
        """See `Helper`."""
        self._peer.send(weights)

    def answer(self) -> tuple[np.ndarray, np.ndarray]:
        """See `Helper`."""
        return self._peer.receive()

    def stop(self) -> None:
        """Ends the process."""
        self._peer.stop()


def work(receive: Callable[[], Any], send: Callable[[object], None]) -> None:
    """Does what a `Member` is told, in its process."""
    torch.set_num_threads(1)
    config, number, games = receive()
    boards = boards_of_size(config.board, config.bricks)
    network = new_network(config, boards[0])
    learner = Learner(network, config.learner, boards[0].with_bricks(()))
    part = new_part(config, boards, network.config.encoding == "bricks", number)
    part.restore(games)
    while True:
        first, second = receive()
        if isinstance(first, np.ndarray):
            learner.help(first, second, receive, send)
        else:
            tensors = {name: torch.from_numpy(array) for name, array in first.items()}
            learner.average.load_state_dict(tensors)
            evaluate = make_evaluator(learner.average, "selfplay")
            played = part.run(evaluate, config.plies, rng_of(config, second, number))
            send((played, part.state()))


class Team:
    """All processes; the others start with the first call of `play`.

    Args:
        config: The configuration.
        parts: The games of each process; those of the others are as after their last `play`.
    """

    def __init__(self, config: TrainConfig, parts: Sequence[SelfPlay]):
        self.config = config
        self.parts = parts
        self.members: list[Member] = []

    def play(self, average: AlphaZeroNetwork, iteration: int) -> Played:
        """Plays the games of an iteration with a network; returns the results of all processes."""
        if len(self.members) < len(self.parts) - 1:
            self.members = [
                Member(self.config, number, part.state())
                for number, part in enumerate(self.parts[1:], start=1)
            ]
        arrays = (
            {name: tensor.numpy() for name, tensor in average.state_dict().items()} if self.members else {}
        )
        for member in self.members:
            member.play(arrays, iteration)
        evaluate = make_evaluator(average, "selfplay", self.config.device)
        first = self.parts[0].run(evaluate, self.config.plies, rng_of(self.config, iteration, 0))
        return Played.joined([first, *self._others()])

    def stop(self) -> None:
        """Ends the other processes."""
        for member in self.members:
            member.stop()
        self.members = []

    def _others(self) -> Iterator[Played]:
        for part, member in zip(self.parts[1:], self.members, strict=True):
            played, games = member.played()
            part.restore(games)
            yield played
