"""DQN for the first player with Tianshou, over PettingZoo; the argument is the number of plies."""

import sys

import pettingzoo
import torch
from learned_agent import Network, evaluate, save
from tianshou.algorithm import DQN
from tianshou.algorithm.modelfree.dqn import DiscreteQLearningPolicy
from tianshou.algorithm.multiagent.marl import MultiAgentOffPolicyAlgorithm
from tianshou.algorithm.optim import AdamOptimizerFactory
from tianshou.algorithm.random import MARLRandomDiscreteMaskedOffPolicyAlgorithm
from tianshou.data import Collector, VectorReplayBuffer
from tianshou.env import DummyVectorEnv, PettingZooEnv
from tianshou.trainer import OffPolicyTrainerParams

import bttt  # noqa: F401 (PettingZoo's registry then knows the environment)


class Values(Network):
    """The network in the form that Tianshou calls."""

    def forward(self, planes, state=None, info=None):
        """Returns the value of each cell, and the state, of which there is none."""
        return super().forward(planes), state


def environment():
    """Returns one game."""
    return PettingZooEnv(pettingzoo.make("aec", "bttt/BrickTicTacToe-v0", bricks="R3"))


def main(plies):
    """Learns against the random player, then asks for the error rate."""
    torch.manual_seed(0)
    values, cells = Values(49), environment().action_space
    policy = DiscreteQLearningPolicy(model=values, action_space=cells, eps_training=0.1)
    # after two plies the learner is to move again
    learner = DQN(policy=policy, optim=AdamOptimizerFactory(lr=1e-3), n_step_return_horizon=2)
    players = [learner, MARLRandomDiscreteMaskedOffPolicyAlgorithm(cells)]
    both = MultiAgentOffPolicyAlgorithm(algorithms=players, env=environment())
    games, buffer = DummyVectorEnv([environment] * 16), VectorReplayBuffer(20_000, 16)
    collector = Collector(both, games, buffer, exploration_noise=True)
    collector.reset()
    budget = OffPolicyTrainerParams(
        training_collector=collector,
        max_epochs=1,
        epoch_num_steps=plies,
        collection_step_num_env_steps=320,
        update_step_num_gradient_steps_per_sample=0.1,
        batch_size=256,
        show_progress=False,
    )
    both.run_training(budget)
    evaluate(save(values, "runs/tianshou-dqn"))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
