"""Search against OpenSpiel: random games, Monte Carlo tree search, minimax; and our time and memory.

OpenSpiel has the same rules without bricks as `gomoku(size=7,connect=4)` and, slower, `mnk(m=7,n=7,k=4)`.
Everything starts from the empty board, in one thread.
"""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import numpy as np

from agents import LEAVES, AlphaBetaRules, MctsAgent, MinimaxAgent, Passes, empty_scratch, search_moves
from benchmarks.benchmark import Benchmark, rate
from bttt import Board, Position
from bttt.kernels import random_games

GOMOKU = "gomoku(size=7,connect=4)"
MNK = "mnk(m=7,n=7,k=4)"
OPENSPIEL_MEMORY_MB = 1000
PEAK_MEMORY = """
import numpy as np
from agents.mcts import MctsAgent
from bttt.position import Position
MctsAgent(iterations={iterations}).decide([Position.start()], np.random.default_rng(0))
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def play_random_games() -> float:
    """Returns random games a CPU-second."""
    games = 100_000
    rng = np.random.default_rng(0)
    return rate(lambda: int(random_games(Board(), games, rng).sum()))


def play_random_games_openspiel() -> float:
    """Returns the same for the rollouts of OpenSpiel's bot: one simulation that plays many games."""
    import pyspiel

    games = 10_000
    game = pyspiel.load_game(GOMOKU)
    state = game.new_initial_state()
    bot = _bot(game, simulations=1, rollouts=games)

    def work() -> int:
        bot.step(state)
        return games

    return rate(work)


def search_tree(iterations: int) -> float:
    """Returns MCTS iterations a CPU-second, with one random game a leaf."""
    agent = MctsAgent(iterations=iterations)
    rng = np.random.default_rng(0)
    return rate(lambda: sum(decision.nodes for decision in agent.decide([Position.start()], rng)))


def search_tree_openspiel(name: str, simulations: int) -> float:
    """Returns the same for OpenSpiel's bot."""
    import pyspiel

    game = pyspiel.load_game(name)
    state = game.new_initial_state()
    bot = _bot(game, simulations=simulations, rollouts=1)

    def work() -> int:
        bot.step(state)
        return simulations

    return rate(work)


def _bot(game, *, simulations: int, rollouts: int):
    import pyspiel

    evaluator = pyspiel.RandomRolloutEvaluator(rollouts, 1)
    solve, seed, verbose = False, 1, False
    return pyspiel.MCTSBot(game, evaluator, 1.0, simulations, OPENSPIEL_MEMORY_MB, solve, seed, verbose)


def judge_leaves() -> float:
    """Returns alpha-beta leaves a CPU-second at depth 4, each judged by the expert heuristic."""
    board = Board()
    rules = AlphaBetaRules(np.uint64(board.playable), board.stride, board.win_length)
    moves = np.array([board.bit(cell) for cell in range(board.cells)], np.uint64)
    values = np.empty(len(moves))
    scratch = empty_scratch(2**18)
    search_pass = 0

    def work() -> int:
        nonlocal search_pass
        search_pass += 1
        before = int(scratch.counters[LEAVES])
        passes = Passes(search_pass, search_pass)
        search_moves(np.uint64(0), np.uint64(0), 0, 4, moves, values, passes, rules, scratch)
        return int(scratch.counters[LEAVES]) - before

    return rate(work)


def judge_leaves_openspiel() -> float:
    """Returns the same for OpenSpiel's alpha-beta at depth 3, where every leaf is worth 0 at no cost."""
    import pyspiel
    from open_spiel.python.algorithms.minimax import alpha_beta_search

    game = pyspiel.load_game(GOMOKU)
    leaves = 0

    def constant(state) -> float:
        nonlocal leaves
        leaves += 1
        return 0.0

    def work() -> int:
        before = leaves
        alpha_beta_search(game, value_function=constant, maximum_depth=3, maximizing_player_id=0)
        return leaves - before

    return rate(work)


def time_minimax(depth: int) -> float:
    """Returns the CPU seconds of one minimax decision in the opening."""
    agent = MinimaxAgent(depth=depth)
    rng = np.random.default_rng(0)
    return 1 / rate(lambda: len(agent.decide([Position.start()], rng)))


def measure_memory(iterations: int) -> float:
    """Returns the peak resident megabytes of a process that takes one MCTS decision (Linux)."""
    MctsAgent(iterations=1).decide([Position.start()], np.random.default_rng(0))  # compiled before, as cached
    program = PEAK_MEMORY.format(iterations=iterations)
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return int(done.stdout) / 1024


def _mcts_benchmark(iterations: int, game: str, target: float | None) -> Benchmark:
    return Benchmark(
        name=f"mcts, {iterations:,} iterations",
        unit="iterations/CPU-s",
        ours=partial(search_tree, iterations),
        peer_name=f"OpenSpiel C++ MCTSBot, {game}",
        peer=partial(search_tree_openspiel, game, iterations),
        target=target,
    )


BENCHMARKS: list[Benchmark] = [
    Benchmark(
        name="random games",
        unit="games/CPU-s",
        ours=play_random_games,
        peer_name=f"OpenSpiel C++ rollouts, {GOMOKU}",
        peer=play_random_games_openspiel,
        target=50,
    ),
    _mcts_benchmark(1_000, GOMOKU, 8),
    _mcts_benchmark(10_000, GOMOKU, 8),
    _mcts_benchmark(1_000, MNK, None),
    _mcts_benchmark(10_000, MNK, None),
    Benchmark(
        name="minimax, expert heuristic at every leaf",
        unit="leaves/CPU-s",
        ours=judge_leaves,
        peer_name=f"OpenSpiel Python alpha-beta, constant leaves, {GOMOKU}",
        peer=judge_leaves_openspiel,
        target=5,
    ),
    Benchmark("minimax, depth 4 in the opening", "CPU-s", partial(time_minimax, 4), limit=1.0),
    Benchmark("mcts, 100,000 iterations, peak memory", "MB", partial(measure_memory, 100_000), limit=200),
    Benchmark("mcts, 1 iteration, peak memory", "MB", partial(measure_memory, 1)),
]
