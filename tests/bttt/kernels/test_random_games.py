import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from oracle import positions

from bttt.board import Board
from bttt.kernels.bitboard import list_bits, play_listed, random_games
from bttt.position import Outcome, Position


@given(positions(), st.integers(0, 2**64 - 1))
def test_a_random_game_is_its_list_of_moves_played_from_the_end(position, seed):
    """The list is in the order played, last entry first, so the game can be replayed by the rules."""
    assume(position.outcome == Outcome.UNFINISHED)
    board = position.board
    bits = np.zeros(64, np.uint64)
    left = list_bits(np.uint64(position.free), bits)
    words = np.uint64(position.mine), np.uint64(position.theirs)
    state = np.array([seed], np.uint64)
    result = play_listed(*words, board.stride, board.win_length, state, bits, left)
    assert sorted(bits[:left].tolist()) == sorted(board.bit(cell) for cell in position.legal_cells())
    assert result == replayed(position, bits[:left][::-1].tolist())


def replayed(start: Position, moves: list[int]) -> int:
    """The result for the side to move at `start` of the moves, given as words, up to the game's end."""
    position = start
    for bit in moves:
        if position.outcome:
            break
        [cell] = position.board.word_cells(bit)
        position = position.play(cell)
    assert position.outcome
    if position.outcome == Outcome.DRAW:
        return 0
    return 1 if (position.outcome == Outcome.FIRST_WINS) == (start.to_move == 0) else -1


def test_each_cell_is_as_likely_at_each_ply_and_after_each_other():
    """On 4x4 without possible lines, every game is a random order of all cells."""
    board, games = Board(4, 4, 5), 20_000
    bits, state = np.zeros(64, np.uint64), np.array([11], np.uint64)
    place = {board.bit(cell): cell for cell in range(16)}
    orders = np.empty((games, 16), np.int64)
    for order in orders:
        left = list_bits(
            np.uint64(board.playable), bits
        )  # always in the same order, so that all randomness is new
        play_listed(np.uint64(0), np.uint64(0), board.stride, board.win_length, state, bits, left)
        order[:] = [place[bit] for bit in bits[:16].tolist()]
    for ply in range(16):
        assert_even(np.bincount(orders[:, ply], minlength=16), games / 16)
    for ply in range(15):
        pairs = np.bincount(orders[:, ply] * 16 + orders[:, ply + 1], minlength=256).reshape(16, 16)
        assert_even(pairs[~np.eye(16, dtype=bool)], games / (16 * 15))


def assert_even(counts: np.ndarray, expected: float) -> None:
    assert np.abs(counts - expected).max() < 6 * np.sqrt(expected)


def test_shares_of_random_tic_tac_toe_are_the_known_ones():
    """Exactly 737, 363 and 160 of 1260 random games are won, lost and drawn by the first player."""
    games = 400_000
    outcomes = random_games(Board(3, 3, 3), games, np.random.default_rng(5))
    assert outcomes.sum() == games
    for outcome, share in zip(outcomes[1:], (737 / 1260, 363 / 1260, 160 / 1260), strict=True):
        assert abs(outcome / games - share) < 5 * np.sqrt(share * (1 - share) / games)
