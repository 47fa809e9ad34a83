"""Two agents that move in turn, in PettingZoo's AEC environment."""

import numpy as np

from agents import make_agent
from bttt.envs import env as brick_tic_tac_toe


def main():
    """Lets Minimax play against a policy that only sees observations and masks."""
    game = brick_tic_tac_toe(bricks="E5")
    game.reset(seed=0)
    minimax, rng = make_agent("minimax:depth=2"), np.random.default_rng(0)
    rewards = dict.fromkeys(game.possible_agents, 0)
    for agent in game.agent_iter():
        observation, reward, termination, truncation, _ = game.last()
        rewards[agent] += reward
        if termination or truncation:
            action = None
        elif agent == "player_0":
            (decision,) = minimax.decide([game.unwrapped.position], rng)
            action = decision.cell
        else:
            action = int(rng.choice(np.flatnonzero(observation["action_mask"])))
        game.step(action)
    print(game.unwrapped.position)
    print(f"rewards: {rewards}")


if __name__ == "__main__":
    main()
