"""The exact solver: its own speed, and against alpha-beta of this code base and of OpenSpiel.

The positions are those met in games of random, minimax and MCTS players, an equal number of games for each
brick cell, at every ply. `python -m benchmarks.solver --games-a-cell 100` measures many more of them than the
benchmarks do.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import tyro

from agents import FOUND_END, AlphaBetaRules, Passes, empty_scratch, make_agent, search_moves
from benchmarks import benchmark
from benchmarks.benchmark import Benchmark
from benchmarks.search import GOMOKU
from bttt import Board, Position
from bttt.solver import Solver

PLAYERS = ("random", "minimax:depth=2", "minimax:depth=3", "mcts:iterations=300", "mcts:iterations=1000")
CELLS = 49
GAMES_A_CELL = 2
NODE_LIMIT = 20_000_000
SECONDS_A_POSITION = 0.2
NODES_A_POSITION = 500_000
"""Nodes that our solver takes at least `SECONDS_A_POSITION` for; it has no clock of its own."""
COMPARED = 40
"""Positions that the solver and its peers are compared on."""
LATE_FREE = (8, 14)
"""Free cells of the positions for OpenSpiel: with many more it proves none."""


def game(index: int, agents: Sequence) -> list[Position]:
    """Returns the unfinished positions of a game on the board with brick `index % 49`; players are drawn."""
    rng = np.random.default_rng(np.random.SeedSequence(0, spawn_key=(index,)))
    pair = rng.integers(len(agents), size=2)
    position = Position.start(Board(bricks=[index % CELLS]))
    positions = []
    while not position.outcome:
        positions.append(position)
        [decision] = agents[pair[position.to_move]].decide([position], rng)
        position = position.play(decision.cell)
    return positions


@lru_cache(maxsize=1)
def positions_of_games(games: int) -> tuple[Position, ...]:
    """Returns the positions of the first so many games."""
    agents = [make_agent(player) for player in PLAYERS]
    return tuple(position for index in range(games) for position in game(index, agents))


def _scaled(count: int) -> int:
    """Returns how many to measure: fewer where less than a second is wanted."""
    return max(1, round(count * benchmark.MEASURED_SECONDS))


@dataclass(frozen=True)
class Costs:
    """What the values of positions cost: `seconds` of CPU time, `nodes`, and whether they are `proven`."""

    seconds: np.ndarray
    nodes: np.ndarray
    proven: np.ndarray


def value_costs(positions: Sequence[Position]) -> Costs:
    """Returns the costs of proving who wins, position by position, up to `NODE_LIMIT`."""
    solver = _warm_solver()
    seconds, nodes = np.empty(len(positions)), np.empty(len(positions), np.int64)
    proven = np.empty(len(positions), bool)
    for number, position in enumerate(positions):
        started = time.process_time()
        solution = solver.solve(position, NODE_LIMIT, plies=False, cells=False)
        seconds[number] = time.process_time() - started
        nodes[number], proven[number] = solution.nodes, solution.value is not None
    return Costs(seconds, nodes, proven)


def _warm_solver() -> Solver:
    solver = Solver()
    solver.solve(Position.start(Board(3, 3, 3)))
    return solver


@lru_cache(maxsize=1)
def _game_costs(games: int) -> Costs:
    return value_costs(positions_of_games(games))


def game_costs() -> Costs:
    """Returns the costs of the positions of games, measured once a process."""
    return _game_costs(_scaled(CELLS * GAMES_A_CELL))


def slowest_start() -> float:
    """Returns the most CPU seconds that any of the 49 starts with one brick takes."""
    return float(value_costs([Position.start(Board(bricks=[cell])) for cell in range(CELLS)]).seconds.max())


def median_ms() -> float:
    """Returns the median CPU milliseconds of a position of a game."""
    return 1000 * float(np.median(game_costs().seconds))


def percentile_ms() -> float:
    """Returns the CPU milliseconds within which 99% of the positions of games are proven."""
    return 1000 * float(np.quantile(game_costs().seconds, 0.99, method="higher"))


def most_nodes() -> float:
    """Returns the nodes that suffice for 99.9% of the positions of games; `NODE_LIMIT` or more if none do."""
    return float(np.quantile(game_costs().nodes, 0.999, method="higher"))


def proven_rate(proves: Callable[[Position], bool], positions: Sequence[Position]) -> float:
    """Returns how many positions `proves` decides a CPU-second, where each has `SECONDS_A_POSITION` at most.

    A position that takes longer is not proven, and the time spent on it counts.
    """
    proves(positions[0])
    proven, begun = 0, time.process_time()
    for position in positions:
        started = time.process_time()
        proven += proves(position) and time.process_time() - started <= SECONDS_A_POSITION
    return proven / (time.process_time() - begun)


def compared_positions() -> Sequence[Position]:
    """Returns positions spread over the games, so over plies, brick cells and players."""
    positions = positions_of_games(_scaled(CELLS * GAMES_A_CELL))
    count = _scaled(COMPARED)
    return [positions[number * len(positions) // count] for number in range(count)]


def prove_positions() -> float:
    """Returns positions of games that our solver proves a CPU-second."""
    return proven_rate(_solver_proves(), compared_positions())


def _solver_proves() -> Callable[[Position], bool]:
    solver = _warm_solver()
    return lambda position: (
        solver.solve(position, NODES_A_POSITION, plies=False, cells=False).value is not None
    )


def prove_positions_alpha_beta() -> float:
    """Returns the same for the alpha-beta search of the minimax agent, to growing depth."""
    scratch = empty_scratch(2**18)
    search_pass = 0

    def proves(position: Position) -> bool:
        nonlocal search_pass
        board = position.board
        rules = AlphaBetaRules(np.uint64(board.playable), board.stride, board.win_length)
        words = np.uint64(position.mine), np.uint64(position.theirs), position.to_move
        moves = np.array([board.bit(cell) for cell in position.legal_cells()], np.uint64)
        values, first, scratch.stop[0] = np.zeros(len(moves)), search_pass + 1, 0
        timer = threading.Timer(SECONDS_A_POSITION, scratch.stop.fill, [1])
        timer.start()
        try:
            for depth in range(1, len(moves) + 1):
                search_pass += 1
                moves = moves[np.argsort(-values, kind="stable")]
                passes = Passes(first, search_pass)
                if not search_moves(*words, depth, moves, values, passes, rules, scratch):
                    return False
                if abs(values.max()) > FOUND_END:
                    break
            return True
        finally:
            timer.cancel()
            timer.join()

    return proven_rate(proves, compared_positions())


def late_positions() -> Sequence[Position]:
    """Returns late positions of random games without bricks, in which no move ends the game."""
    rng = np.random.default_rng(0)
    found: list[Position] = []
    while len(found) < _scaled(COMPARED):
        stones = CELLS - int(rng.integers(LATE_FREE[0], LATE_FREE[1] + 1))
        position = Position.start()
        for cell in rng.permutation(CELLS)[:stones].tolist():
            position = position.play(cell)
            if position.outcome:
                break
        else:
            if not any(position.play(cell).outcome for cell in position.legal_cells()):
                found.append(position)
    return found


def prove_late_positions() -> float:
    """Returns late positions that our solver proves a CPU-second."""
    return proven_rate(_solver_proves(), late_positions())


def prove_late_positions_openspiel() -> float:
    """Returns the same for OpenSpiel's alpha-beta to the last ply, in Python over its C++ game."""
    import pyspiel
    from open_spiel.python.algorithms.minimax import alpha_beta_search

    gomoku = pyspiel.load_game(GOMOKU)

    def proves(position: Position) -> bool:
        deadline = time.process_time() + SECONDS_A_POSITION

        def last_ply(state) -> float:
            if time.process_time() > deadline:
                raise TimeoutError
            state.apply_action(state.legal_actions()[0])
            return state.player_return(0)

        state = _openspiel_state(gomoku, position)
        depth = position.free.bit_count() - 1
        try:
            alpha_beta_search(
                gomoku, state, value_function=last_ply, maximum_depth=depth, maximizing_player_id=0
            )
        except TimeoutError:
            return False
        return True

    return proven_rate(proves, late_positions())


def _openspiel_state(gomoku, position: Position):
    """Returns the position as OpenSpiel has it; its actions are our cells."""
    state = gomoku.new_initial_state()
    board = position.board
    stones = board.word_cells(position.first), board.word_cells(position.second)
    for ply in range(position.plies):
        state.apply_action(stones[ply % 2][ply // 2])
    return state


BENCHMARKS: list[Benchmark] = [
    Benchmark(
        name="solver, positions of games proven in at most 0.2 s each",
        unit="positions/CPU-s",
        ours=prove_positions,
        peer_name="alpha-beta of the minimax agent to the end",
        peer=prove_positions_alpha_beta,
    ),
    Benchmark(
        name="solver, late positions proven in at most 0.2 s each",
        unit="positions/CPU-s",
        ours=prove_late_positions,
        peer_name=f"OpenSpiel Python alpha-beta, {GOMOKU}",
        peer=prove_late_positions_openspiel,
    ),
    Benchmark("solver, slowest of the 49 one-brick starts", "CPU-s", slowest_start, limit=1.0),
    Benchmark("solver, positions of games, median", "CPU-ms", median_ms, limit=2.0),
    Benchmark("solver, positions of games, 99th percentile", "CPU-ms", percentile_ms, limit=100.0),
    Benchmark("solver, positions of games, 99.9th percentile", "nodes", most_nodes, limit=NODE_LIMIT - 1),
]


def report(games_a_cell: int = 20) -> None:
    """Prints the costs of the values of all positions in that many games on each of the 49 boards.

    Args:
        games_a_cell: Games on each board with one brick.
    """
    positions = positions_of_games(CELLS * games_a_cell)
    costs = value_costs(positions)
    quantiles = 1000 * np.quantile(costs.seconds, (0.5, 0.99, 0.999, 1), method="higher")
    unproven = np.count_nonzero(~costs.proven)
    print(f"{len(positions):,} positions, {len(set(positions)):,} of them distinct")
    print("CPU-ms: median {:.3g}, 99% {:.3g}, 99.9% {:.3g}, slowest {:.3g}".format(*quantiles))
    print(f"unproven at {NODE_LIMIT:,} nodes: {unproven} ({100 * unproven / len(positions):.3g}%)")


if __name__ == "__main__":
    tyro.cli(report, prog="python -m benchmarks.solver")
