"""The games of the vector environment as arrays, one row per game.

Shapes: B games, N boards of one size. A game is over when it has an outcome or its player has chosen an
illegal cell. It has ended when it is over or has reached the limit of steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bttt.board import Board
from bttt.kernels import UNFINISHED
from bttt.observation import PLANES

SELF_PLAY, RANDOM_OPPONENT, ASKED_OPPONENT = 0, 1, 2
"""Who replies: nobody (the caller moves for both sides), a random player in the kernels, or an agent."""
NO_LIMIT = 2**62
"""`BatchRules.most_steps` without a limit."""


class BatchRules(NamedTuple):
    """The constants of a batch of games.

    Attributes:
        playable: `[N] uint64`, each board's cells without bricks.
        drawn: New games draw one of the first `drawn` boards.
        bit_index: `[cells] uint64`, the index of each cell's bit.
        stride: Bits per row.
        win_length: Stones in a row that win.
        opponent: `SELF_PLAY`, `RANDOM_OPPONENT` or `ASKED_OPPONENT`.
        alternate: 1 if the learner changes seats from game to game, else 0.
        most_steps: Steps after which a game has ended; `NO_LIMIT` for any number.
    """

    playable: np.ndarray
    drawn: int
    bit_index: np.ndarray
    stride: int
    win_length: int
    opponent: int
    alternate: int
    most_steps: int


class BatchGames(NamedTuple):
    """B games.

    Attributes:
        stones: `[B, 2] uint64`, the first and the second player's stones.
        plies: `[B] int64`, stones on the board.
        outcome: `[B] int64`, outcome codes.
        illegal: `[B] bool`, whether an illegal cell has ended the game; its player is still to move.
        last_move: `[B] int64`, the cell of the last stone; -1 at the start.
        board: `[B] int64`, the index of the board, below N.
        seat: `[B] int64`, the viewer: the learner's seat, or in self-play the player to move.
        random: `[B] uint64`, the state of the game's own random generator.
        steps: `[B] int64`, the actions taken.
    """

    stones: np.ndarray
    plies: np.ndarray
    outcome: np.ndarray
    illegal: np.ndarray
    last_move: np.ndarray
    board: np.ndarray
    seat: np.ndarray
    random: np.ndarray
    steps: np.ndarray


class Views(NamedTuple):
    """Observations, masks and rewards of B games.

    Attributes:
        planes: `[B, 4, cells] int8`, the observations.
        masks: `[B, cells] int8`, 1 where a cell may be played; all 0 once the game is over.
        rewards: `[B] float64`, +1, 0 or -1 at the game's end, 0 before.
        over: `[B] bool`, whether the game is over.
    """

    planes: np.ndarray
    masks: np.ndarray
    rewards: np.ndarray
    over: np.ndarray


def make_rules(
    boards: Sequence[Board], *, drawn: int, opponent: int, alternate: bool, most_steps: int = NO_LIMIT
) -> BatchRules:
    """Returns the rules of games on `boards`, all of one size; `BatchRules` describes the other arguments."""
    size = boards[0]
    return BatchRules(
        playable=np.array([board.playable for board in boards], np.uint64),
        drawn=drawn,
        bit_index=np.array([cell + cell // size.cols for cell in range(size.cells)], np.uint64),
        stride=size.stride,
        win_length=size.win_length,
        opponent=opponent,
        alternate=int(alternate),
        most_steps=most_steps,
    )


def make_games(count: int) -> BatchGames:
    """Returns `count` games without stones on board 0; the learner moves first, the random state is 0."""
    return BatchGames(
        stones=np.zeros((count, 2), np.uint64),
        plies=np.zeros(count, np.int64),
        outcome=np.zeros(count, np.int64),
        illegal=np.zeros(count, np.bool_),
        last_move=np.full(count, -1, np.int64),
        board=np.zeros(count, np.int64),
        seat=np.zeros(count, np.int64),
        random=np.zeros(count, np.uint64),
        steps=np.zeros(count, np.int64),
    )


def ended(rules: BatchRules, games: BatchGames) -> np.ndarray:
    """Returns which games have ended, `[B] bool`."""
    found: np.ndarray = (games.outcome != UNFINISHED) | games.illegal | (games.steps >= rules.most_steps)
    return found


def legal_words(rules: BatchRules, games: BatchGames) -> np.ndarray:
    """Returns the cells where each game's player may play, words `[B] uint64`; 0 once the game is over."""
    free = rules.playable[games.board] & ~(games.stones[:, 0] | games.stones[:, 1])
    return np.where((games.outcome != UNFINISHED) | games.illegal, np.uint64(0), free)


def make_views(count: int, cells: int) -> Views:
    """Returns uninitialised views."""
    return Views(
        planes=np.empty((count, PLANES, cells), np.int8),
        masks=np.empty((count, cells), np.int8),
        rewards=np.empty(count, np.float64),
        over=np.empty(count, np.bool_),
    )
