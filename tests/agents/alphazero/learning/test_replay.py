"""Samples: their content, and batches of them."""

import numpy as np

from agents.alphazero.learning.replay import images, make_batch, sample_type
from bttt.board import Board


def test_a_sample_takes_little_memory():
    assert sample_type(49).itemsize == 3 * 8 + 49 * 2 + 4


def test_a_sample_is_turned_by_hand():
    board = Board(3, 3, 3, ("A1",))
    sample = np.zeros(1, sample_type(9))
    sample["playable"], sample["mine"], sample["theirs"] = board.playable, board.bit(1), board.bit(5)
    sample["policy"][0, [2, 8]] = 0.25, 0.75
    sample["value"] = -0.5
    flip = np.array([[2, 1, 0, 5, 4, 3, 8, 7, 6]])  # left to right
    assert flip[0].tolist() in images(board, "flips").tolist()
    batch = make_batch(sample, board.with_bricks(()), flip, bricks_plane=True)
    planes = batch.planes.reshape(3, 9)
    assert [np.flatnonzero(plane).tolist() for plane in planes] == [[1], [3], [2]]
    assert batch.policies[0].tolist() == [0.25, 0, 0, 0, 0, 0, 0.75, 0, 0]
    assert batch.values.tolist() == [-0.5]
