"""One plug-in of each kind, as a user would write them in a module of their own."""

from dataclasses import replace

import torch
from torch import nn

from agents import Decision
from pruning import Criterion, Trained, make_topology
from pruning.studies.vision import Arm
from pruning.studies.vision.recipes import VISION_RECIPES


class Net(nn.Module):
    """A network for one board size: a convolution and two linear heads."""

    def __init__(self, planes, rows, cols, width: int = 8):
        super().__init__()
        self.trunk = nn.Sequential(nn.Conv2d(planes, width, 3, padding=1), nn.ReLU(), nn.Flatten())
        self.policy = nn.Linear(width * rows * cols, rows * cols)
        self.value = nn.Linear(width * rows * cols, 1)

    def forward(self, planes):
        features = self.trunk(planes)
        return self.policy(features), torch.tanh(self.value(features)).squeeze(1)


class WrongShape(Net):
    """A network whose values have one dimension too many."""

    def forward(self, planes):
        logits, values = super().forward(planes)
        return logits, values[:, None]


def border(planes):
    """An encoding: one more plane that marks the border of the board."""
    marks = torch.ones_like(planes[:, :1])
    marks[:, :, 1:-1, 1:-1] = 0
    return torch.cat([planes, marks], 1)


def flat(planes):
    """No encoding: its planes have no rows and columns."""
    return planes.flatten(1)


def corners(board):
    """A brick set: the boards with a brick in a corner."""
    last = board.cells - 1
    return [board.with_bricks([cell]) for cell in (0, board.cols - 1, last - board.cols + 1, last)]


def no_boards(board):
    """No brick set: it returns names of cells."""
    return ["D4"]


class First:
    """An agent that takes the first free cell."""

    def decide(self, positions, rng):
        return [Decision(position.legal_cells()[0]) for position in positions]


smallest_squares = Criterion(
    lambda context: {name: weight.square() for name, weight in context.weights().items()}, "weights"
)
"""A criterion: the square of each weight."""


def falling(*, lr: float = 0.1, power: float = 2.0):
    """A schedule: the same curve in each cycle."""
    return lambda progress, cycle: lr * (1 - progress) ** power


def halfway(*, alpha: float = 0.3):
    """A topology: SET with a single update halfway."""
    return make_topology("set", alpha=alpha, every=1, end=0.5)


class LeastSquares:
    """A task: a hidden layer learns the sign of the sum of its inputs."""

    measure = "accuracy"

    def __init__(self, width: int = 8):
        self.width = width
        generator = torch.Generator().manual_seed(0)
        self.inputs = torch.randn(64, 6, generator=generator)
        self.labels = (self.inputs.sum(1) > 0).long()
        self.example = self.inputs[:1]

    def build(self, seed):
        torch.manual_seed(seed or 0)
        return nn.Sequential(nn.Linear(6, self.width), nn.ReLU(), nn.Linear(self.width, 2))

    def dense(self):
        return None

    def train(self, network, hold, lr, seed, share=1.0):
        optimizer = torch.optim.SGD(network.parameters(), lr=lr(0.0))
        hold(optimizer)
        for step in range(round(20 * share)):
            optimizer.param_groups[0]["lr"] = lr(step / 20)
            optimizer.zero_grad()
            self.loss(network, (self.inputs, self.labels)).backward()
            optimizer.step()
        return Trained({}, {})

    @torch.no_grad()
    def evaluate(self, network):
        return {"accuracy": float((network(self.inputs).argmax(1) == self.labels).float().mean())}

    def batches(self):
        yield self.inputs, self.labels

    sample = batches

    def loss(self, network, batch):
        inputs, labels = batch
        return nn.functional.cross_entropy(network(inputs), labels)


class Untrainable:
    """No task: it can only build its network."""

    def build(self, seed):
        return nn.Linear(1, 1)


recipe = replace(
    VISION_RECIPES["methods/resnet8-fashion-mnist"],
    name="mine/squares",
    claims=(),
    arms={
        "squares": Arm({"criterion": "python:user_plugins:smallest_squares"}),
        "falling": Arm(
            {"criterion": "magnitude", "schedule": "python:user_plugins:falling", "schedule_options": {}}
        ),
    },
)
"""A vision recipe with a criterion and a schedule of one's own."""
