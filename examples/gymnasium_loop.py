"""One learner against an opponent: action masks, seats, training and test placements."""

import gymnasium

from bttt import brick_set, split


def win_rate(env, episodes):
    """Returns the fraction of episodes that a random legal player wins."""
    wins = 0
    env.action_space.seed(0)
    for episode in range(episodes):
        _, info = env.reset(seed=0 if episode == 0 else None)
        done, reward = False, 0.0
        while not done:
            action = env.action_space.sample(mask=info["action_mask"])
            _, reward, done, _, info = env.step(action)
        wins += reward == 1
    return wins / episodes


def main():
    """Plays on training placements and on novel ones, against two opponents."""
    parts = split(train=brick_set("R3"), test=brick_set("all"))
    for opponent in ("random", "minimax:depth=1"):
        for kind, boards in {"seen": parts.seen, "novel": parts.novel}.items():
            env = gymnasium.make(
                "bttt:bttt/BrickTicTacToe-v0", bricks=list(boards), opponent=opponent, seat="alternating"
            )
            print(f"{kind} placements against {opponent}: {win_rate(env, 50):.0%} won")


if __name__ == "__main__":
    main()
