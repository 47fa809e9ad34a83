"""The command `bttt time`: the mean time of the first move in seconds, as in the paper's runtime table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from agents import Agent, ask_by_name, make_agent
from bttt import Board, Position, boards_of_size
from bttt.command_line import suggest, tell_boards
from bttt.runs import Z95, require_at_least
from tournaments.play import DEFAULT_PLAYERS, expanded


@dataclass(frozen=True)
class TimeConfig:
    """Time each agent's first move.

    All agents are timed in one process, one after the other.
    """

    players: tuple[str, ...] = DEFAULT_PLAYERS
    """Player specs, for example mcts:iterations=1000; bttt agents lists them."""
    bricks: str = "D4"
    """Brick set, for example D4, R3 or python:module:function; the calls cycle through its boards."""
    board: str = "7x7x4"
    """Board size and win length, ROWSxCOLSxWIN."""
    calls: int = 100
    """Timed first moves per player, after one warm-up call that is not counted."""
    seed: int = 0
    """Seed of the players' random numbers."""


def run(config: TimeConfig) -> int:
    """Prints the table and returns 0; raises ValueError if an option is wrong."""
    config = replace(config, players=expanded(config.players))
    require_at_least(2, calls=config.calls)
    require_at_least(0, seed=config.seed)
    if not config.players:
        raise ValueError("no player given; bttt agents lists them")
    if any(spec.strip().partition(":")[0] == "human" for spec in config.players):
        raise ValueError("player 'human' cannot be timed; bttt agents lists the others")
    boards = boards_of_size(config.board, config.bricks)
    agents = {spec: make_agent(spec) for spec in config.players}
    width = max(map(len, agents))
    print(f"{'player':{width}}  {'mean s':>10}  {'+-95%':>10}  {'median s':>10}  calls")
    for spec, agent in agents.items():
        seconds = first_move_seconds(spec, agent, boards, config.calls, np.random.default_rng(config.seed))
        half = Z95 * seconds.std(ddof=1) / np.sqrt(len(seconds))
        figures = f"{seconds.mean():10.6f}  {half:10.6f}  {np.median(seconds):10.6f}  {len(seconds)}"
        print(f"{spec:{width}}  {figures}", flush=True)
    tell_boards(boards, "played on")
    suggest("evaluate", *config.players, why="how often they make value-losing moves")
    return 0


def first_move_seconds(
    name: str, agent: Agent, boards: tuple[Board, ...], calls: int, rng: np.random.Generator
) -> np.ndarray:
    """Returns `[calls] float64`: wall-clock seconds of each first move, after one untimed warm-up move.

    Raises:
        ValueError: The agent failed; the message includes its `name`.
    """
    ask_by_name(name, agent, Position.start(boards[0]), rng)
    seconds = np.empty(calls)
    for call in range(calls):
        position = Position.start(boards[call % len(boards)])
        start = perf_counter()
        ask_by_name(name, agent, position, rng)
        seconds[call] = perf_counter() - start
    return seconds
