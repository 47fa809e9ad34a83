"""Networks of users that OpenVINO cannot compute."""

import torch
from torch import nn


class Branching(nn.Module):
    """A network that tracing breaks: which branch it takes depends on the numbers."""

    def __init__(self, planes, rows, cols):
        super().__init__()
        self.policy = nn.Linear(planes * rows * cols, rows * cols)

    def forward(self, planes):
        logits = self.policy(planes.flatten(1))
        if planes.sum() > 0:
            logits = logits * 3
        return logits, torch.tanh(logits.mean(1))


class Unknown(Branching):
    """A network with an operation that OpenVINO does not know."""

    def forward(self, planes):
        logits, values = super().forward(planes)
        return logits, values + torch.lgamma(values.abs() + 1)
