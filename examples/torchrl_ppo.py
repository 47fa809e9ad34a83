"""PPO with TorchRL's parts, over the vector environment; the argument is the number of steps."""

import sys

import gymnasium
import torch
from learned_agent import Network, evaluate, save
from tensordict.nn import TensorDictModule
from torchrl.collectors import Collector
from torchrl.envs import ActionMask, Compose, DTypeCastTransform, GymWrapper, TransformedEnv
from torchrl.modules import MaskedCategorical, ProbabilisticActor, ValueOperator
from torchrl.objectives import ClipPPOLoss
from torchrl.objectives.value import GAE

GAMES, STEPS = 64, 32


def environment():
    """Returns games on three placements against the random opponent, with masked actions."""
    games = gymnasium.make_vec(
        "bttt:bttt/BrickTicTacToe-v0", GAMES, bricks="R3", observation="dict", autoreset_mode="Disabled"
    )
    to_bool = DTypeCastTransform(torch.int8, torch.bool, in_keys=["action_mask"])
    return TransformedEnv(GymWrapper(games, categorical_action_encoding=True), Compose(to_bool, ActionMask()))


def main(steps):
    """Learns, then asks for the error rate."""
    torch.manual_seed(0)
    env, policy = environment(), Network(49)
    actor = ProbabilisticActor(
        TensorDictModule(policy, in_keys=["observation"], out_keys=["logits"]),
        in_keys={"logits": "logits", "mask": "action_mask"},
        distribution_class=MaskedCategorical,
        return_log_prob=True,
        spec=env.action_spec,
    )
    critic = ValueOperator(Network(1), in_keys=["observation"])
    advantage = GAE(gamma=0.97, lmbda=0.95, value_network=critic)
    loss = ClipPPOLoss(actor, critic, entropy_coeff=0.01, normalize_advantage=True)
    optimizer = torch.optim.Adam(loss.parameters(), lr=1e-3)
    settings = {"total_frames": steps, "auto_register_policy_transforms": False}
    for batch in Collector(env, actor, frames_per_batch=GAMES * STEPS, **settings):
        with torch.no_grad():
            advantage(batch)
        for _ in range(4):
            losses = loss(batch.flatten())
            optimizer.zero_grad()
            sum(value for name, value in losses.items() if name.startswith("loss_")).backward()
            optimizer.step()
    rewards, over = batch["next", "reward"], batch["next", "done"]
    print(f"the last {GAMES * STEPS} steps: {int((rewards > 0).sum())} games won of {int(over.sum())}")
    evaluate(save(policy, "runs/torchrl-ppo"))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
