"""One plug-in of each kind, as a user would write them in a module of their own."""

import torch
from torch import nn


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
