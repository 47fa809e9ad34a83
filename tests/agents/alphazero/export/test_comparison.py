import numpy as np
import pytest
import torch

from agents.alphazero.export.comparison import BATCHES, largest_difference

PEAK = 8.0


class Sums(torch.nn.Module):
    """A network that is easy to answer for: each logit is 8 times the mover's stone, the value is 0."""

    def forward(self, planes):
        return PEAK * planes[:, 0].flatten(1), planes.mean((1, 2, 3))


def answers(planes):
    return PEAK * planes[:, 0].reshape(len(planes), -1), planes.mean((1, 2, 3))


def largest(read, sizes=((4, 5),), bricks_plane=False):
    return largest_difference(Sums(), read, sizes, bricks_plane)


def test_the_largest_difference_is_found_wherever_it_is():
    assert largest(answers) < 1e-6

    def late(planes):
        logits, values = answers(planes)
        values[-1] += 0.25 if len(planes) == BATCHES[-1] else 0
        return logits, values

    assert largest(late) == pytest.approx(0.25)

    def scaled(planes):
        logits, values = answers(planes)
        return logits * 1.5, values

    assert largest(scaled) == pytest.approx(0.5)  # of the largest logit of the position


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_numbers_that_are_not_finite_never_agree(wrong):
    def read(planes):
        logits, values = answers(planes)
        return logits, np.where(np.arange(len(values)) == 0, wrong, values)

    assert not largest(read) <= 1e9


def test_other_shapes_are_an_error():
    with pytest.raises(ValueError, match=r"its values have the shape \(1, 1\) instead of \(1,\)"):
        largest(lambda planes: (answers(planes)[0], answers(planes)[1][:, None]))


def test_positions_are_of_games_and_show_bricks_as_the_network_wants():
    seen = {}
    for bricks_plane in (False, True):
        batches = seen[bricks_plane] = []
        largest(
            lambda planes, batches=batches: (batches.append(planes), answers(planes))[1],
            ((4, 5), (3, 3)),
            bricks_plane,
        )
    assert [each.shape for each in seen[False]] == [
        (number, 3, *size) for size in ((4, 5), (3, 3)) for number in BATCHES
    ]
    for playable, bricks in zip(seen[False], seen[True], strict=True):
        mine, theirs = playable[:, 0], playable[:, 1]
        assert np.array_equal(playable[:, :2], bricks[:, :2])
        assert np.array_equal(playable[:, 2], 1 - bricks[:, 2])
        assert not (mine * theirs).any() and not ((mine + theirs) * bricks[:, 2]).any()
        stones = mine.sum((1, 2)) - theirs.sum((1, 2))
        assert set(stones.tolist()) <= {0.0, -1.0}
    together = np.concatenate([each.reshape(len(each), -1).sum(1) for each in seen[True]])
    assert together.min() < 3 and len(set(together.tolist())) > 5
