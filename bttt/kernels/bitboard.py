"""Numba kernels on bitboards: lines, winning cells, and random games.

A side's stones are one 64-bit word with `stride = cols + 1` bits per row (see `bttt.board`). The spare bit of
each row stays 0. A shift by 1 (row), `stride` (column) or `stride` -+ 1 (diagonals) therefore never joins
cells that are not neighbours. Kernels take the mover's stones first: `mine`, then `theirs`.

Words are uint64; shifts and lengths are int64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
from numba.core import types
from numba.cpython.unsafe.numbers import trailing_zeros
from numba.extending import intrinsic

from bttt.kernels.jit import entry_point, kernel

if TYPE_CHECKING:
    from llvmlite.ir import IRBuilder, Value
    from numba.core.typing.templates import Signature

    from bttt.board import Board

UNFINISHED, FIRST_WINS, SECOND_WINS, DRAW = 0, 1, 2, 3
_ONE = np.uint64(1)
_ZERO = np.uint64(0)
_WORD_BITS = 64
_HALF_WORD = np.uint64(32)
_LOW_HALF = np.uint64(2**32 - 1)
PLIES_BETWEEN_TESTS = 2 * 6
"""Plies between two tests for lines in random games, a multiple of 2. On 7x7, 8 to 20 are about as fast."""


@intrinsic
def _popcount(typing_context: object, word: object) -> tuple[Signature, Callable[..., Value]]:
    def generate(context: object, builder: IRBuilder, signature: Signature, args: Sequence[Value]) -> Value:
        return builder.ctpop(args[0])

    return types.int64(types.uint64), generate


# Kernels call an intrinsic without its first parameter, the typing context.
popcount = cast(Callable[[np.uint64], int], _popcount)
"""Returns the number of set bits of a uint64 word, as int64 (one machine instruction)."""
_trailing_zeros = cast(Callable[[np.uint64], np.uint64], trailing_zeros)


@kernel
def lowest_bit_index(word: np.uint64) -> np.int64:
    """Returns the index, as int64, of the lowest set bit of `word`, which is not 0."""
    return np.int64(_trailing_zeros(word))


@kernel
def shift_down(word: np.uint64, bits: int) -> np.uint64:
    """Returns `word >> bits`, which is 0 from 64 bits on (machine shifts are modulo 64)."""
    return word >> np.uint64(bits) if bits < _WORD_BITS else _ZERO


@kernel
def shift_up(word: np.uint64, bits: int) -> np.uint64:
    """Returns `word << bits`, which is 0 from 64 bits on."""
    return word << np.uint64(bits) if bits < _WORD_BITS else _ZERO


@kernel
def _line_starts(stones: np.uint64, shift: int, win_length: int) -> np.uint64:
    starts = stones
    length = 1
    while length < win_length and starts != _ZERO:
        step = min(length, win_length - length)
        starts &= shift_down(starts, step * shift)
        length += step
    return starts


@kernel
def _four_starts(stones: np.uint64, shift: int) -> np.uint64:
    pairs = stones & (stones >> np.uint64(shift))
    return pairs & (pairs >> np.uint64(2 * shift))


@kernel
def word_has_line(stones: np.uint64, stride: int, win_length: int) -> bool:
    """Returns whether `stones` holds `win_length` in a row, in any of the four directions."""
    if win_length == 4 and stride < 20:  # avoids branches; shifts of 3 * (stride + 1) bits must fit the word
        fours = _four_starts(stones, 1) | _four_starts(stones, stride)
        fours |= _four_starts(stones, stride - 1) | _four_starts(stones, stride + 1)
        return fours != _ZERO
    return (
        _line_starts(stones, 1, win_length) != _ZERO
        or _line_starts(stones, stride, win_length) != _ZERO
        or _line_starts(stones, stride - 1, win_length) != _ZERO
        or _line_starts(stones, stride + 1, win_length) != _ZERO
    )


@kernel
def winning_cells(stones: np.uint64, free: np.uint64, stride: int, win_length: int) -> np.uint64:
    """Returns the word of `free` cells that complete a line of `stones`."""
    found = _ZERO
    for direction in range(4):
        shift = 1 if direction == 0 else stride + direction - 2
        # `below`: cells whose `i` neighbours downwards are all stones. The missing cell comes after i stones
        # and before the other win_length - 1 - i.
        below = ~_ZERO
        for i in range(win_length):
            if i > 0:
                below &= shift_up(stones, i * shift)
            if below == _ZERO:
                break
            above = below
            for j in range(1, win_length - i):
                above &= shift_down(stones, j * shift)
            found |= above
    return found & free


@kernel
def next_random(state: np.ndarray) -> np.uint64:
    """Advances `state` `[1] uint64` and returns 64 random bits (splitmix64, Steele et al. 2014)."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    mixed = state[0]
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


@kernel
def random_below(state: np.ndarray, bound: int) -> np.int64:
    """Returns a uniform integer in [0, bound), bound < 2**32 (bias below 2**-26 for up to 64 cells)."""
    return np.int64(((next_random(state) >> np.uint64(32)) * np.uint64(bound)) >> np.uint64(32))


@kernel
def random_bit_index(word: np.uint64, state: np.ndarray) -> np.int64:
    """Returns the index of a uniformly random set bit of `word`, which is not 0."""
    for _ in range(random_below(state, popcount(word))):
        word &= word - _ONE
    return lowest_bit_index(word)


@kernel
def outcome_after(
    mine: np.uint64, theirs: np.uint64, playable: np.uint64, mover: int, stride: int, win_length: int
) -> int:
    """Returns the outcome code once `mover` (0 or 1), whose stones are `mine`, has placed a stone."""
    if word_has_line(mine, stride, win_length):
        return FIRST_WINS + mover
    return DRAW if (mine | theirs) == playable else UNFINISHED


@kernel
def hash_words(mine: np.uint64, theirs: np.uint64) -> np.uint64:
    """Returns a hash of two words; its low bits are well mixed."""
    mixed = mine * np.uint64(0x9E3779B97F4A7C15) ^ theirs * np.uint64(0xC2B2AE3D27D4EB4F)
    return mixed ^ (mixed >> np.uint64(32))


@kernel
def list_bits(word: np.uint64, bits: np.ndarray) -> int:
    """Fills `bits` `[>= popcount] uint64` with the one-bit words of `word`; returns their number."""
    count = 0
    while word != _ZERO:
        low = word & (~word + _ONE)
        bits[count] = low
        count += 1
        word ^= low
    return count


@kernel
def _draw(bits: np.ndarray, left: int, random: np.uint64) -> np.uint64:
    """Swaps one of the first `left` entries, chosen by `random` < 2**32, to index `left - 1`; returns it."""
    pick = (random * np.uint64(left)) >> _HALF_WORD
    bit = bits[pick]
    bits[pick] = bits[left - 1]
    bits[left - 1] = bit
    return bit


@kernel
def _first_line(
    mine: np.uint64, theirs: np.uint64, stride: int, win_length: int, bits: np.ndarray, left: int
) -> int:
    """Plays bits[left - 1], bits[left - 2], ... until a side has a line; returns as `play_listed` does."""
    result = 1
    while True:
        left -= 1
        mine |= bits[left]
        if word_has_line(mine, stride, win_length):
            return result
        mine, theirs = theirs, mine
        result = -result


@kernel
def play_listed(
    mine: np.uint64,
    theirs: np.uint64,
    stride: int,
    win_length: int,
    state: np.ndarray,
    bits: np.ndarray,
    left: int,
) -> int:
    """Plays the first `left` entries of `bits` in uniform random order, until a side has a line.

    Lines of both sides are tested every `PLIES_BETWEEN_TESTS` plies, which is faster than testing after each
    ply. If there is a line, the last plies are replayed to find whose line came first.

    Returns:
        +1, 0 or -1 for the side to move at the start. The order of `bits` changes, which does not affect the
        next game from the same position.
    """
    while left > 0:
        start = left
        stop = max(left - PLIES_BETWEEN_TESTS, 0)
        mine_later, theirs_later = mine, theirs
        while left > stop:
            random = next_random(state)
            mine_later |= _draw(bits, left, random >> _HALF_WORD)
            left -= 1
            if left > 0:
                theirs_later |= _draw(bits, left, random & _LOW_HALF)
                left -= 1
        if word_has_line(mine_later, stride, win_length) or word_has_line(theirs_later, stride, win_length):
            return _first_line(mine, theirs, stride, win_length, bits, start)
        mine, theirs = mine_later, theirs_later
    return 0


@kernel
def random_playouts(
    games: int,
    mine: np.uint64,
    theirs: np.uint64,
    playable: np.uint64,
    stride: int,
    win_length: int,
    state: np.ndarray,
    bits: np.ndarray,
) -> int:
    """Returns the sum of the results of `games` random games: +1, 0 or -1 for the side to move at the start.

    `state` `[1] uint64` is the random state, `bits` `[64] uint64` is scratch. The position must be unfinished
    or full.
    """
    count = list_bits(playable & ~(mine | theirs), bits)
    total = 0
    for _ in range(games):
        total += play_listed(mine, theirs, stride, win_length, state, bits, count)
    return total


@entry_point
def count_random_games(
    games: int, playable: np.uint64, stride: int, win_length: int, seed: np.uint64
) -> np.ndarray:
    """Returns how many of `games` random games ended with each outcome code, `[4] int64`."""
    state = np.array([seed], np.uint64)
    bits = np.empty(_WORD_BITS, np.uint64)
    count = list_bits(playable, bits)
    counts = np.zeros(4, np.int64)
    for _ in range(games):
        result = play_listed(_ZERO, _ZERO, stride, win_length, state, bits, count)
        if result > 0:
            counts[FIRST_WINS] += 1
        elif result < 0:
            counts[SECOND_WINS] += 1
        else:
            counts[DRAW] += 1
    return counts


def random_games(board: Board, games: int, rng: np.random.Generator) -> np.ndarray:
    """Returns how many of `games` uniform random games on `board` ended with each outcome, `[4] int64`."""
    seed = np.uint64(rng.integers(2**64, dtype=np.uint64))
    return count_random_games(games, np.uint64(board.playable), board.stride, board.win_length, seed)
