"""AlphaZero: the search beside its network alone, and against mctx and OpenSpiel's Python AlphaZero.

All networks have 32 channels and 3 residual blocks, with weights as drawn; all run in one thread. `openvino`
is in bfloat16 where that is fast on the processor, as in play and training. mctx plays Connect Four of pgx,
since pgx has not our game; OpenSpiel plays gomoku(size=7,connect=4), the same game without bricks.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import numpy as np
import torch

from agents.alphazero import SearchConfig, SelfPlayConfig
from agents.alphazero.network import (
    PRESETS,
    PolicyValueNet,
    TorchEvaluator,
    folded,
    make_evaluator,
)
from agents.alphazero.search import Evaluator, Roots, Search
from agents.alphazero.training import SelfPlay
from benchmarks.benchmark import Benchmark, rate
from benchmarks.search import GOMOKU
from bttt import Board, brick_set

GAMES = 256
SIMULATIONS = 64
SEARCH = SearchConfig(simulations=32, gumbel=True)
"""As in training by default."""
OPENSPIEL_SIMULATIONS = 20
CHANNELS, BLOCKS = 32, 3
BATCHES = (1, 4, 64, GAMES)
EVALUATORS: dict[str, Callable[[PolicyValueNet], Evaluator]] = {
    "openvino": partial(make_evaluator, name="openvino"),
    "openvino, float32": partial(make_evaluator, name="openvino-float32"),
    "openvino, int8": partial(make_evaluator, name="openvino-int8"),
    "torch, float32": TorchEvaluator,
    "torch, bfloat16": partial(TorchEvaluator, precision="bfloat16"),
}


@cache
def _network() -> PolicyValueNet:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    return PolicyValueNet(PRESETS["small"]).eval()


def _evaluator(precision: str) -> Evaluator:
    return EVALUATORS["openvino, float32" if precision == "float32" else "openvino"](_network())


def evaluate_alone(evaluator: str, number: int) -> float:
    """Returns positions judged a CPU-second, `number` at once."""
    evaluate = EVALUATORS[evaluator](_network())
    planes = (np.random.default_rng(0).random((number, 3, 7, 7)) < 0.4).astype(np.float32)

    def work() -> int:
        evaluate(planes)
        return number

    return rate(work)


def play_selves(precision: str, judged_only: bool) -> float:
    """Returns simulations of self-play a CPU-second, of `GAMES` games at once.

    Args:
        precision: Of the network.
        judged_only: Whether to count only positions that the network judges. Other simulations end in a
            position whose result is proven, which costs the search but not the network.
    """
    rng = np.random.default_rng(0)
    play = SelfPlay(brick_set("all"), SelfPlayConfig(games=GAMES), SEARCH, False, rng)
    evaluate = _evaluator(precision)
    judged = 0

    def counted(planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        nonlocal judged
        judged += len(planes)
        return evaluate(planes)

    def work() -> int:
        before = judged
        simulations = play.run(counted, 1, rng).simulations
        return judged - before if judged_only else simulations

    return rate(work)


def search_empty_boards(gumbel: bool, simulations: int, games: int) -> float:
    """Returns simulations a CPU-second from empty boards, where nearly each one asks the network."""
    boards = [board.playable for board in brick_set("all")]
    playable = np.array([boards[game % len(boards)] for game in range(games)], np.uint64)
    none = np.zeros(games, np.uint64)
    search = Search(_evaluator("auto"), SearchConfig(simulations=simulations, gumbel=gumbel), False)
    roots = Roots(Board(), playable, none, none)
    return rate(lambda: int(search.run(roots).simulations.sum()))


def time_move(evaluator: str) -> float:
    """Returns the CPU milliseconds of one move at 100 simulations, alone, on the empty board."""
    search = Search(make_evaluator(_network(), evaluator), SearchConfig(simulations=100, leaves=4), False)
    none = np.zeros(1, np.uint64)
    roots = Roots(Board(), np.array([Board().playable], np.uint64), none, none)
    return 1000 / rate(lambda: len(search.run(roots).cells))


def search_mctx(games: int, simulations: int) -> float:
    """Returns simulations a CPU-second of mctx's Gumbel policy on Connect Four of pgx."""
    import jax
    import mctx
    import pgx

    env = pgx.make("connect_four")
    network, weights = _jax_network(jax)
    step = jax.vmap(env.step)

    def answer(action, state):
        player = state.current_player
        state = step(state, action)
        logits, values = network(weights, state.observation)
        logits = jax.numpy.where(state.legal_action_mask, logits, -1e9)
        reward = state.rewards[jax.numpy.arange(games), player]
        over = state.terminated
        return mctx.RecurrentFnOutput(
            reward=reward,
            discount=jax.numpy.where(over, 0.0, -1.0),
            prior_logits=logits,
            value=jax.numpy.where(over, 0.0, values),
        ), state

    @jax.jit
    def search(key, state):
        logits, values = network(weights, state.observation)
        root = mctx.RootFnOutput(prior_logits=logits, value=values, embedding=state)
        found = mctx.gumbel_muzero_policy(
            params=(),
            rng_key=key,
            root=root,
            recurrent_fn=lambda params, key, action, state: answer(action, state),
            num_simulations=simulations,
            invalid_actions=~state.legal_action_mask,
        )
        return found.action

    state = jax.jit(jax.vmap(env.init))(jax.random.split(jax.random.key(0), games))

    def work() -> int:
        search(jax.random.key(1), state).block_until_ready()
        return games * simulations

    return rate(work)


def _jax_network(jax):
    """Returns a residual network of the same size on jax, for Connect Four: a function and its weights."""
    keys = iter(jax.random.split(jax.random.key(0), 2 * BLOCKS + 5))

    def drawn(*shape: int):
        return jax.random.normal(next(keys), shape) / np.sqrt(np.prod(shape[:-1]))

    weights = {
        "stem": drawn(3, 3, 2, CHANNELS),
        "blocks": [[drawn(3, 3, CHANNELS, CHANNELS) for _ in range(2)] for _ in range(BLOCKS)],
        "policy": drawn(CHANNELS, CHANNELS),
        "logits": drawn(CHANNELS, 1),
        "value": drawn(CHANNELS, CHANNELS),
        "out": drawn(CHANNELS, 1),
    }

    def conv(x, filters):
        kinds = ("NHWC", "HWIO", "NHWC")
        return jax.lax.conv_general_dilated(x, filters, (1, 1), "SAME", dimension_numbers=kinds)

    def network(weights, observation):
        relu = jax.nn.relu
        x = relu(conv(observation.astype("float32"), weights["stem"]))
        for first, second in weights["blocks"]:
            x = relu(x + conv(relu(conv(x, first)), second))
        logits = (relu(x @ weights["policy"]) @ weights["logits"])[..., 0].mean(1)
        value = relu(x @ weights["value"]).mean((1, 2)) @ weights["out"]
        return logits, jax.numpy.tanh(value[:, 0])

    return network, weights


def search_openspiel() -> float:
    """Returns simulations a CPU-second of OpenSpiel's Python MCTS with our network, a position at a time."""
    import pyspiel
    from open_spiel.python.algorithms import mcts

    network = folded(_network())
    answers: dict[str, tuple[np.ndarray, float]] = {}  # asked for prior and value, as its own evaluator does

    class Network(mcts.Evaluator):
        def _answer(self, state):
            key = str(state)
            if key not in answers:
                answers[key] = self._judge(state)
            return answers[key]

        def _judge(self, state):
            planes = np.zeros((1, 3, 7, 7), np.float32)
            stones = np.array(state.observation_tensor(0), np.float32).reshape(-1, 7, 7)
            player = max(state.current_player(), 0)
            planes[0, 0], planes[0, 1], planes[0, 2] = stones[player], stones[1 - player], 1
            with torch.inference_mode():
                logits, values = network(torch.from_numpy(planes))
            return logits[0].numpy(), float(values[0])

        def evaluate(self, state):
            value = self._answer(state)[1]
            return np.array([value, -value] if state.current_player() == 0 else [-value, value])

        def prior(self, state):
            logits = self._answer(state)[0]
            legal = state.legal_actions()
            weights = np.exp(logits[legal] - logits[legal].max())
            return list(zip(legal, weights / weights.sum(), strict=True))

    game = pyspiel.load_game(GOMOKU)
    bot = mcts.MCTSBot(game, 1.5, OPENSPIEL_SIMULATIONS, Network(), solve=False)
    state = game.new_initial_state()

    def work() -> int:
        answers.clear()
        bot.mcts_search(state)
        return OPENSPIEL_SIMULATIONS

    return rate(work)


BENCHMARKS: list[Benchmark] = [
    Benchmark(
        name=f"alphazero network, {number} position{'s' * (number > 1)} at once, {ours}",
        unit="positions/CPU-s",
        ours=partial(evaluate_alone, ours, number),
        peer_name=peer,
        peer=partial(evaluate_alone, peer, number),
    )
    for ours, peer in (
        ("openvino", "torch, bfloat16"),
        ("openvino, float32", "torch, float32"),
        ("openvino, int8", "openvino"),
    )
    for number in BATCHES
]
BENCHMARKS += [
    Benchmark(
        name=f"alphazero self-play, {GAMES} games{text}{', judged' * judged_only}",
        unit="judged positions/CPU-s" if judged_only else "simulations/CPU-s",
        ours=partial(play_selves, precision, judged_only),
        peer_name=f"its network alone, {GAMES} positions at once",
        peer=partial(evaluate_alone, f"openvino{text}", GAMES),
        target=0.85 if text and not judged_only else None,
    )
    for precision, text, judged_only in (
        ("auto", "", False),
        ("float32", ", float32", False),
        ("auto", "", True),
        ("float32", ", float32", True),
    )
]
BENCHMARKS += [
    Benchmark(
        name=f"alphazero search with gumbel, {games} games, 32 simulations",
        unit="simulations/CPU-s",
        ours=partial(search_empty_boards, True, 32, games),
        peer_name="mctx Gumbel policy, Connect Four of pgx",
        peer=partial(search_mctx, games, 32),
        target=4 if games == GAMES else 1.2,
    )
    for games in (64, GAMES)
]
BENCHMARKS += [
    Benchmark(
        name=f"alphazero search, {GAMES} games, {SIMULATIONS} simulations",
        unit="simulations/CPU-s",
        ours=partial(search_empty_boards, False, SIMULATIONS, GAMES),
        peer_name=f"OpenSpiel Python MCTS with a network, {GOMOKU}",
        peer=search_openspiel,
    ),
    Benchmark("alphazero, one move", "CPU-ms", partial(time_move, "auto"), limit=6),
    Benchmark("alphazero, one move, torch", "CPU-ms", partial(time_move, "torch")),
]
