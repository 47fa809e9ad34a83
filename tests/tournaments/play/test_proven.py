"""What is proven of a running game, against brute force."""

import numpy as np
from brute_force import BruteForce, random_board, random_position
from oracle import position_of

from bttt import Board, Outcome
from tournaments.play.proven import proven_outcome


def test_outcomes_and_plies_are_those_of_brute_force():
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(60):
        board = random_board(4, 4, 4 if rng.integers(2) else 3, 2, rng)
        position = random_position(board, int(rng.integers(4, 9)), rng)
        value, plies = BruteForce(board).verdict(position)
        winner = position.to_move if value == 1 else 1 - position.to_move
        outcome = Outcome.DRAW if value == 0 else (Outcome.FIRST_WINS, Outcome.SECOND_WINS)[winner]
        assert proven_outcome(position, 10**6) == outcome
        assert proven_outcome(position, 10**6, within=plies) == outcome
        assert plies == 1 or proven_outcome(position, 10**6, within=plies - 1) is None
        seen.add((outcome, position.to_move))
    assert len(seen) == 6


def test_without_a_proof_there_is_no_outcome():
    assert proven_outcome(position_of(Board(bricks="D4"), (0,)), 5) is None
