"""Evaluators without a network, each position's answer a function of its planes: for tests of the search.

Shapes: B positions, A cells of the board.
"""

from __future__ import annotations

from zlib import crc32

import numpy as np
from brute_force import BruteForce

from bttt.board import Board


def uniform(planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Even priors and value 0: all that a search finds, it finds itself."""
    cells = planes.shape[2] * planes.shape[3]
    return np.zeros((len(planes), cells), np.float32), np.zeros(len(planes), np.float32)


def hashed(planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logits and values that look random, but depend on the position alone."""
    cells = planes.shape[2] * planes.shape[3]
    rngs = [np.random.default_rng(crc32(each.tobytes())) for each in planes]
    logits = np.array([rng.normal(size=cells) for rng in rngs], np.float32)
    return logits, np.array([rng.uniform(-0.9, 0.9) for rng in rngs], np.float32)


def words(board: Board, planes: np.ndarray) -> tuple[int, int]:
    """The stones of the mover and of the other player that a position's planes `[3, rows, cols]` show."""
    mine, theirs = (sum(board.bit(int(cell)) for cell in np.flatnonzero(plane)) for plane in planes[:2])
    return mine, theirs


class Exact:
    """Even priors and the exact discounted result, on one board."""

    def __init__(self, brute: BruteForce, discount: float):
        self.brute = brute
        self.discount = discount

    def __call__(self, planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        logits, _ = uniform(planes)
        verdicts = (self.brute.verdict_of(*words(self.brute.board, each)) for each in planes)
        return logits, np.array([value * self.discount**plies for value, plies in verdicts], np.float32)


class Counted:
    """Another evaluator, and how many positions each call asked it for."""

    def __init__(self, evaluate):
        self.evaluate = evaluate
        self.asked: list[int] = []

    def __call__(self, planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.asked.append(len(planes))
        return self.evaluate(planes)
