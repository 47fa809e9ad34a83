"""Environment steps: the vector environment against pgx, the AEC environment against PettingZoo.

Both sides of a pair are timed over the same loop, the choice of uniformly random legal actions from
the environment's own masks included, in steps per second of CPU time (of all threads together).
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

from benchmarks.benchmark import Benchmark, rate

GAMES = 1024
VECTOR_STEPS_A_LOOK = 50
AEC_GAMES_A_LOOK = 20


def vector_env_rate() -> float:
    """Returns plies per CPU-second of 1,024 games in self-play; the steps that start a game do not count."""
    from bttt.envs import random_actions

    envs = gymnasium.make_vec("bttt:bttt/BrickTicTacToe-v0", num_envs=GAMES, bricks="all", opponent="self")
    masks = envs.reset(seed=0)[1]["action_mask"]
    rng = np.random.default_rng(0)

    def work() -> int:
        nonlocal masks
        plies = 0
        for _ in range(VECTOR_STEPS_A_LOOK):
            _, _, over, _, infos = envs.step(random_actions(masks, rng))
            masks = infos["action_mask"]
            plies += GAMES - np.count_nonzero(over)  # a game that is over spends its next step on the reset
        return plies

    return rate(work)


def pgx_rate() -> float:
    """Returns the same of pgx `connect_four`: one compiled call chooses actions, steps and resets."""
    import jax
    import jax.numpy as jnp
    import pgx
    from pgx.experimental import auto_reset

    env = pgx.make("connect_four")
    step = jax.vmap(auto_reset(env.step, env.init))

    @jax.jit
    def random_step(state, key):
        action_key, step_key = jax.random.split(key)
        logits = jnp.log(state.legal_action_mask.astype(jnp.float32))
        actions = jax.random.categorical(action_key, logits, axis=-1)
        return step(state, actions, jax.random.split(step_key, GAMES))

    state = jax.jit(jax.vmap(env.init))(jax.random.split(jax.random.PRNGKey(0), GAMES))
    keys = list(jax.random.split(jax.random.PRNGKey(1), VECTOR_STEPS_A_LOOK))

    def work() -> int:
        nonlocal state
        for key in keys:
            state = random_step(state, key)
        jax.block_until_ready(state)
        return VECTOR_STEPS_A_LOOK * GAMES

    return rate(work)


def _aec_rate(env: Any) -> float:
    """Returns plies per CPU-second of random legal games in a PettingZoo environment."""

    def work() -> int:
        plies = 0
        for _ in range(AEC_GAMES_A_LOOK):
            env.reset()
            for agent in env.agent_iter():
                observation, _, terminated, truncated, _ = env.last()
                over = terminated or truncated
                env.step(None if over else env.action_space(agent).sample(observation["action_mask"]))
                plies += not over
        return plies

    return rate(work)


def aec_env_rate() -> float:
    """Returns plies per CPU-second of the AEC environment in PettingZoo's wrappers."""
    from bttt.envs import env

    return _aec_rate(env(bricks="all"))


def connect_four_rate() -> float:
    """Returns plies per CPU-second of PettingZoo's `connect_four_v3`."""
    from pettingzoo.classic import connect_four_v3

    return _aec_rate(connect_four_v3.env())


BENCHMARKS = [
    Benchmark(
        name="vector environment, 1,024 games",
        unit="steps/CPU-s",
        ours=vector_env_rate,
        peer_name="pgx connect_four",
        peer=pgx_rate,
        target=2.0,
    ),
    Benchmark(
        name="AEC environment, random games",
        unit="plies/CPU-s",
        ours=aec_env_rate,
        peer_name="PettingZoo connect_four_v3",
        peer=connect_four_rate,
        target=1.0,
    ),
]
