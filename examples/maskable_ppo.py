"""MaskablePPO of sb3-contrib, which takes the environment as it is; the argument is the number of steps."""

import hashlib
import sys
from pathlib import Path

import gymnasium
import numpy as np
from learned_agent import evaluate
from sb3_contrib import MaskablePPO

from agents import Decision
from bttt import observe


class Masked:
    """A model that MaskablePPO has saved, as an agent."""

    def __init__(self, file: str):
        self.model = MaskablePPO.load(file, device="cpu")
        self.fingerprint = hashlib.sha256(Path(file).read_bytes()).hexdigest()  # decisions are stored by it

    def decide(self, positions, rng):
        """Returns one decision for each position: the most probable legal cell."""
        planes = np.stack([observe(position) for position in positions])
        masks = np.stack([position.legal_mask() for position in positions])
        cells, _ = self.model.predict(planes, action_masks=masks, deterministic=True)
        return [Decision(int(cell)) for cell in cells]


def main(steps):
    """Learns on three placements against the random opponent, then asks for the error rate."""
    env = gymnasium.make("bttt:bttt/BrickTicTacToe-v0", bricks="R3", seat="alternating")
    model = MaskablePPO("MlpPolicy", env, n_steps=512, gamma=0.97, seed=0, device="cpu")
    model.learn(steps)
    rewards = [episode["r"] for episode in model.ep_info_buffer]
    print(f"the last {len(rewards)} games: {rewards.count(1)} won")
    file = Path("runs/maskable-ppo.zip").resolve()
    model.save(file)
    evaluate(f"python:maskable_ppo:Masked,file={file}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
