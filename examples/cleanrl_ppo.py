"""PPO in one file, in CleanRL's style, over the vector environment; the argument is the number of steps."""

import sys

import gymnasium
import numpy as np
import torch
from learned_agent import Network, evaluate, save
from torch.distributions import Categorical

GAMES, STEPS = 128, 16


def look(actor_critic, planes, masks):
    """Returns the distributions over legal cells, and the values."""
    out = actor_critic(planes)
    return Categorical(logits=out[:, :49].masked_fill(torch.as_tensor(masks) == 0, -1e8)), out[:, 49]


def improve(actor_critic, optimizer, planes, masks, actions, old, returns, advantages):
    """Makes some steps of PPO's clipped objective."""
    advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
    for _ in range(4):
        policies, values = look(actor_critic, planes, masks)
        ratio = (policies.log_prob(actions) - old).exp()
        gain = torch.min(ratio * advantages, ratio.clamp(0.8, 1.2) * advantages) + 0.01 * policies.entropy()
        optimizer.zero_grad()
        (0.5 * (values - returns).square() - gain).mean().backward()
        optimizer.step()


def main(steps):
    """Learns on three placements against the random opponent, then asks for the error rate."""
    torch.manual_seed(0)
    actor_critic = Network(50)  # 49 logits and a value
    optimizer = torch.optim.Adam(actor_critic.parameters(), lr=1e-3)
    envs = gymnasium.make_vec("bttt:bttt/BrickTicTacToe-v0", GAMES, bricks="R3", autoreset_mode="SameStep")
    planes, infos = envs.reset(seed=0)
    for _ in range(0, steps, GAMES * STEPS):
        rows = []
        for _ in range(STEPS):
            seen = planes, infos["action_mask"]
            with torch.no_grad():
                policies, values = look(actor_critic, *seen)
            actions = policies.sample()
            planes, rewards, over, _, infos = envs.step(actions.numpy())
            rows.append((*seen, actions, policies.log_prob(actions), values, np.float32(rewards), over))
        *seen, values, rewards, over = (torch.as_tensor(np.stack(each)) for each in zip(*rows, strict=True))
        returns = [look(actor_critic, planes, infos["action_mask"])[1].detach()]
        for step in reversed(range(STEPS)):
            returns.insert(0, rewards[step] + 0.97 * returns[0] * ~over[step])
        returns = torch.stack(returns[:-1])
        improve(actor_critic, optimizer, *(each.flatten(0, 1) for each in (*seen, returns, returns - values)))
    print(f"the last {GAMES * STEPS} steps: {int((rewards > 0).sum())} games won of {int(over.sum())}")
    evaluate(save(actor_critic, "runs/cleanrl-ppo"))


if __name__ == "__main__":
    main(max(1, int(sys.argv[1])) if len(sys.argv) > 1 else 100_000)
