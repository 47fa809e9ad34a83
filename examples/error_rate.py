"""How often do agents make value-losing moves, on placements seen in training and on others?"""

import numpy as np

from agents import make_agent
from bttt import ask, brick_set, load_suite, split

AGENTS = ("random", "minimax:depth=1", "alphazero:d4,simulations=0", "alphazero:d4,simulations=10")
TRAINED_ON = "D4"
POSITIONS = 2
"""Positions of each of the 49 boards; the whole suite has 200."""


def main():
    """Prints the error rate of each agent on seen, mirror and novel placements, in %."""
    whole = load_suite("single")
    suite = whole.take(whole.first_of_each_board(POSITIONS))
    parts = split(train=brick_set(TRAINED_ON), test=suite.boards)
    kinds = {"seen": parts.seen, "mirror": parts.mirror, "novel": parts.novel}
    positions = suite.positions()
    for name in AGENTS:
        rngs = [np.random.default_rng([0, number]) for number in range(len(positions))]
        cells = np.array([decision.cell for decision in ask(make_agent(name), positions, rngs)])
        losing = suite.values_after(cells) < suite.values
        rates = []
        for kind, boards in kinds.items():
            members = np.array([position.board in boards for position in positions])
            if members.any():
                rates.append(f"{kind} {100 * losing[members].mean():.1f}%")
        print(f"{name}: {', '.join(rates)}")


if __name__ == "__main__":
    main()
