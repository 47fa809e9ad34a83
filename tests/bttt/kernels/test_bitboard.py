from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Oracle, boards, games, position_of, random_play_chances

from bttt import position
from bttt.board import Board
from bttt.kernels import bitboard
from bttt.position import Outcome, Position

SCORES = {Outcome.FIRST_WINS: 1, Outcome.SECOND_WINS: -1, Outcome.DRAW: 0}


def word(board: Board, cells) -> np.uint64:
    return np.uint64(sum(board.bit(cell) for cell in cells))


def playout(start: Position, state: np.ndarray) -> int:
    """The result for the side to move at `start`."""
    board = start.board
    words = (np.uint64(start.mine), np.uint64(start.theirs), np.uint64(board.playable))
    bits = np.empty(64, np.uint64)
    return bitboard.random_playouts(1, *words, board.stride, board.win_length, state, bits)


def assert_close(counts: dict[Outcome, int], chances: dict[Outcome, float], *, samples: int | None = None):
    """Fails if a fraction is 5 standard errors off its probability (or both are measured: `samples`)."""
    total = sum(counts.values())
    for outcome, chance in chances.items():
        error = sqrt(chance * (1 - chance) * (1 / total + (1 / samples if samples else 0)))
        assert abs(counts.get(outcome, 0) / total - chance) <= 5 * error + 1e-9, (outcome, counts, chances)


@pytest.mark.parametrize("function", [bitboard.word_has_line, position.has_line], ids=["kernel", "python"])
@given(board=boards(), seed=st.integers(0, 2**32 - 1), density=st.floats(0, 1))
def test_has_line_equals_the_oracle_on_any_stones(function, board, seed, density):
    cells = np.flatnonzero(np.random.default_rng(seed).random(board.cells) < density).tolist()
    oracle = Oracle.of(board.with_bricks(()))
    for cell in cells:
        oracle.grid[cell // board.cols][cell % board.cols] = "O"
    stones = word(board, cells) if function is bitboard.word_has_line else int(word(board, cells))
    assert bool(function(stones, board.stride, board.win_length)) == bool(oracle.line_cells("O"))


@given(boards())
def test_each_window_is_a_line_and_one_stone_less_is_not(board):
    for window in board.windows:
        cells = board.word_cells(window)
        assert bitboard.word_has_line(np.uint64(window), board.stride, board.win_length)
        assert not bitboard.word_has_line(word(board, cells[1:]), board.stride, board.win_length)
        assert not bitboard.word_has_line(word(board, cells[:-1]), board.stride, board.win_length)


@given(games())
def test_winning_cells_equal_the_oracle(game):
    board, cells = game
    oracle, here = Oracle.of(board, cells), position_of(board, cells)
    for symbol, stones in (("O", here.first), ("X", here.second)):
        found = bitboard.winning_cells(
            np.uint64(stones), np.uint64(here.free), board.stride, board.win_length
        )
        assert set(board.word_cells(int(found))) == oracle.winning_cells(symbol)


def test_outcome_codes_are_those_of_position():
    codes = (bitboard.UNFINISHED, bitboard.FIRST_WINS, bitboard.SECOND_WINS, bitboard.DRAW)
    assert codes == tuple(Outcome)


@given(boards(), st.integers(0, 2**64 - 1))
def test_list_bits_are_the_cells_one_by_one(board, seed):
    bits = np.zeros(64, np.uint64)
    count = bitboard.list_bits(np.uint64(board.playable), bits)
    assert sorted(bits[:count].tolist()) == [board.bit(cell) for cell in board.word_cells(board.playable)]
    assert not bits[count:].any()


def test_random_bits_are_those_of_splitmix64():
    state = np.zeros(1, np.uint64)
    # The first outputs of the generator's authors for seed 0.
    assert [int(bitboard.next_random(state)) for _ in range(3)] == [
        0xE220A8397B1DCDAF,
        0x6E789E6AA1B965F4,
        0x06C45D188009454F,
    ]


def test_random_below_is_uniform():
    state = np.array([1], np.uint64)
    for bound in (1, 2, 48):
        counts = np.bincount([bitboard.random_below(state, bound) for _ in range(4800)], minlength=bound)
        assert len(counts) == bound
        assert ((counts - 4800 / bound) ** 2).sum() * bound / 4800 < 100  # chi-square, at most 47 degrees


@pytest.mark.parametrize("text", ["3x3x3", "3x3x3:B2", "2x4x3:A1", "1x5x3", "5x1x3", "4x2x4:A1", "1x1x3"])
def test_random_games_have_the_exact_chances(text):
    board = Board.parse(text)
    counts = bitboard.random_games(board, 40_000, np.random.default_rng(7))
    assert counts.shape == (4,)
    assert counts.dtype == np.int64
    chances = {outcome: float(chance) for outcome, chance in random_play_chances(board).items()}
    assert_close({Outcome(code): int(count) for code, count in enumerate(counts)}, chances)


def test_the_exact_chances_of_tic_tac_toe_are_the_known_ones():
    chances = random_play_chances(Board(3, 3, 3))
    assert float(chances[Outcome.FIRST_WINS]) == pytest.approx(0.584921, abs=1e-6)
    assert float(chances[Outcome.SECOND_WINS]) == pytest.approx(0.288095, abs=1e-6)
    assert float(chances[Outcome.DRAW]) == pytest.approx(0.126984, abs=1e-6)


@pytest.mark.parametrize("text", ["7x7x4:D4", "5x9x5:A1,C3", "8x7x4", "7x8x6", "6x6x3:A1"])
def test_random_games_are_like_those_of_the_oracle(text):
    board, samples = Board.parse(text), 150
    rng = np.random.default_rng(3)
    slow = [Oracle.of(board).random_outcome(rng) for _ in range(samples)]
    fast = bitboard.random_games(board, 40_000, rng)
    chances = {Outcome(code): count / 40_000 for code, count in enumerate(fast.tolist())}
    assert_close({outcome: slow.count(outcome) for outcome in Outcome}, chances, samples=40_000)


@pytest.mark.parametrize("cells", [(), (0,), (4, 0), (4, 0, 1), (0, 4, 8, 2)])
def test_playouts_score_for_the_side_to_move(cells):
    board = Board(3, 3, 3)
    start, state = position_of(board, cells), np.array([11], np.uint64)
    sign = -1 if start.to_move else 1
    scores = [int(playout(start, state)) * sign for _ in range(10_000)]
    chances = random_play_chances(board, cells)
    assert_close(
        {outcome: scores.count(score) for outcome, score in SCORES.items()},
        {outcome: float(chances.get(outcome, 0)) for outcome in SCORES},
    )


def test_a_playout_of_a_full_board_is_a_draw():
    full = Position.parse("3x3x3 OXO/OXX/XOO")
    assert playout(full, np.array([1], np.uint64)) == 0


@settings(max_examples=200)
@given(games(), st.integers(0, 2**64 - 1))
def test_a_playout_ends_as_its_moves_do_in_the_oracle(game, seed):
    board, cells = game
    here = position_of(board, cells)
    if here.outcome:
        return
    bits, state = np.empty(64, np.uint64), np.array([seed], np.uint64)
    count = bitboard.list_bits(np.uint64(here.free), bits)
    words = (np.uint64(here.mine), np.uint64(here.theirs))
    result = bitboard.play_listed(*words, board.stride, board.win_length, state, bits, count)
    # The moves were drawn from the end of `bits` downwards, and stay where they were drawn.
    for bit in bits[:count][::-1].tolist():
        if not here.outcome:
            here = here.play(board.word_cells(bit)[0])
    assert here.outcome != Outcome.UNFINISHED
    assert result * (-1 if len(cells) % 2 else 1) == SCORES[here.outcome]


def test_random_games_depend_on_the_generator_alone():
    board = Board(bricks="D4")
    one, same, other = (bitboard.random_games(board, 1000, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one.tolist() == same.tolist()
    assert one.tolist() != other.tolist()
    assert one.sum() == 1000
