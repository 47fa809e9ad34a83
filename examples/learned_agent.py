"""What the examples with learners share: a network, the trained network as an agent, and its error rate."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

from agents import Decision
from bttt import observe


class Network(nn.Sequential):
    """A small network from planes `[..., 4, 7, 7]` of any type to numbers `[..., outputs]`."""

    def __init__(self, outputs):
        layers = (nn.Conv2d(4, 32, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(32 * 49, 128), nn.ReLU())
        super().__init__(*layers, nn.Linear(128, outputs))

    def forward(self, planes):
        """Returns the numbers."""
        planes = torch.as_tensor(planes).float()
        return super().forward(planes.reshape(-1, 4, 7, 7)).reshape(*planes.shape[:-3], -1)


class Learned:
    """An agent that plays the legal cell for which the network in a file gives the largest number."""

    def __init__(self, file: str):
        weights = torch.load(file)
        self.network = Network(len(weights["5.bias"]))
        self.network.load_state_dict(weights)
        self.fingerprint = hashlib.sha256(Path(file).read_bytes()).hexdigest()  # decisions are stored by it

    @torch.no_grad()
    def decide(self, positions, rng):
        """Returns one decision for each position."""
        planes = np.stack([observe(each) for each in positions])
        illegal = torch.tensor(np.stack([each.legal_mask() == 0 for each in positions]))
        cells = self.network(planes)[:, :49].masked_fill(illegal, -torch.inf).argmax(1)
        return [Decision(int(cell)) for cell in cells]


def save(trained, folder):
    """Saves a network's weights and returns the spec of the agent that plays with them."""
    file = Path(folder, "network.pt").resolve()
    file.parent.mkdir(parents=True, exist_ok=True)
    torch.save(trained.state_dict(), file)
    return f"python:learned_agent:Learned,file={file}"


def evaluate(spec):
    """Asks `bttt evaluate` how often an agent makes value-losing moves, on seen and on novel placements."""
    out = str(Path("runs/error-rates").resolve())
    command = ["evaluate", spec, "--train", "R3", "--positions", "4", "--workers", "1", "--out", out]
    subprocess.run([sys.executable, "-m", "bttt", *command], cwd=Path(__file__).parent, check=True)
