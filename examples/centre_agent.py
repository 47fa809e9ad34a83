"""Your own agent: with one method, every command can use it.

bttt tournament --players python:examples.centre_agent:Centre random minimax:depth=1 --bricks D4 E5
"""

import numpy as np

from agents import Decision, make_agent
from bttt import Position, ask, brick_set


class Centre:
    """Plays the free cell nearest to the centre of the board."""

    def decide(self, positions, rng):
        """Returns one decision for each position; `rng` is the generator of that game."""
        return [Decision(min(each.legal_cells(), key=self.distance_on(each))) for each in positions]

    def distance_on(self, position):
        """Returns a function from a cell to its squared distance from the centre."""
        rows, cols = position.board.rows, position.board.cols
        return lambda cell: (2 * (cell // cols) + 1 - rows) ** 2 + (2 * (cell % cols) + 1 - cols) ** 2


def play(first, second, board, rng):
    """Returns how a game between two agents ends."""
    position = Position.start(board)
    while not position.outcome:
        (decision,) = ask((first, second)[position.to_move], [position], [rng])
        position = position.play(decision.cell)
    return position.outcome


def main():
    """Plays one game on each of the 49 boards as first player against random."""
    opponent, rng = make_agent("random"), np.random.default_rng(0)
    winners = [play(Centre(), opponent, board, rng).winner for board in brick_set("all")]
    print(f"Centre won {winners.count(0)} of {len(winners)} games as first player against random")


if __name__ == "__main__":
    main()
