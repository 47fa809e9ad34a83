"""The command `bttt play`: one game in the terminal, between people, agents, or both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agents.agent import Decision, make_agent
from agents.asking import ask_by_name
from agents.human import GameQuit
from bttt import SYMBOLS, Position, boards_of_size
from bttt.command_line import suggest, warn_of_sizes
from bttt.drawing import ansi
from bttt.runs import INTERRUPTED, OK, require_at_least


@dataclass(frozen=True)
class PlayConfig:
    """Play a game in the terminal, against an agent or between two agents."""

    first: str = "human"
    """Player O, who moves first: human, or an agent spec such as random, minimax:depth=2 or
    python:package.module:Class."""
    second: str = "mcts:iterations=10000"
    """Player X: human, or an agent spec."""
    bricks: str = "D4"
    """Brick placement: D4, D4+E5 or none. From a set such as all, orbit:2 or
    python:module:function, one board is drawn."""
    board: str = "7x7x4"
    """Board size and win length, ROWSxCOLSxWIN."""
    seed: int = 0
    """Seed of the board draw and of the agents; the same seed and moves give the same game."""


def run(config: PlayConfig) -> int:
    """Plays the game and returns the exit code: 0 if it ended or a person quit, 130 on Ctrl-C.

    Raises:
        ValueError: A player, the bricks, the board or the seed is wrong, or an agent made an illegal move.
    """
    require_at_least(0, seed=config.seed)
    names = (config.first, config.second)
    agents = [make_agent(name) for name in names]
    rng = np.random.default_rng(config.seed)
    boards = boards_of_size(config.board, config.bricks)
    warn_of_sizes(boards)
    position = Position.start(boards[int(rng.integers(len(boards)))])
    print(f"O: {names[0]}   X: {names[1]}   board: {position.board}")
    try:
        while not position.outcome:
            seat = position.to_move
            decision = ask_by_name(names[seat], agents[seat], position, rng)
            position = _play(position, decision, names[seat])
    except GameQuit as reason:
        print(f"The game is not finished: {reason}.")
        _suggest_rematch(config)
        return OK
    except KeyboardInterrupt:
        print("\nThe game is not finished: interrupted.")
        return INTERRUPTED
    print(ansi(position))
    _suggest_rematch(config)
    return OK


def _suggest_rematch(config: PlayConfig) -> None:
    players = ("--first", config.second, "--second", config.first)
    suggest("play", *players, "--bricks", config.bricks, "--board", config.board, why="change seats")


def _play(position: Position, decision: Decision, name: str) -> Position:
    """Prints the move and returns the position after it."""
    try:
        after = position.play(decision.cell)
    except ValueError as error:
        raise ValueError(f"agent {name!r} made an illegal move: {error}") from error
    symbol = SYMBOLS[1 + position.to_move]
    notes = []
    if decision.value is not None:
        notes.append(f"value {decision.value:+.2f}")
    if decision.nodes is not None:
        notes.append(f"{decision.nodes:,} nodes")
    if decision.proven is False:
        notes.append("not proven")
    cell = position.board.cell_name(decision.cell)
    print(f"{after.plies:>2}. {symbol} {cell:<4}{', '.join(notes)}".rstrip(), flush=True)
    return after
