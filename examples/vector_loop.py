"""A thousand games at once: every step is one call of compiled code."""

import time

import gymnasium
import numpy as np

from bttt.envs import random_actions

GAMES, STEPS = 1024, 200


def main():
    """Plays random legal actions against the random opponent, and counts results and steps."""
    envs = gymnasium.make_vec(
        "bttt:bttt/BrickTicTacToe-v0",
        num_envs=GAMES,
        vectorization_mode="vector_entry_point",
        bricks="all",
        copy=False,  # the same arrays are filled at each step
    )
    rng = np.random.default_rng(0)
    _, infos = envs.reset(seed=0)
    wins = losses = ended = 0
    start = time.perf_counter()
    for _ in range(STEPS):
        _, rewards, terminations, _, infos = envs.step(random_actions(infos["action_mask"], rng))
        ended += int(terminations.sum())
        wins += int((rewards == 1).sum())
        losses += int((rewards == -1).sum())
    seconds = time.perf_counter() - start
    print(f"{ended} games ended: {wins} won, {losses} lost, {ended - wins - losses} drawn")
    print(f"{GAMES * STEPS / seconds:,.0f} steps a second, compiling included")


if __name__ == "__main__":
    main()
