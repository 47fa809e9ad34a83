"""The real data, where this machine has them: their numbers are the published ones."""

import os

import numpy as np
import pytest

from pruning.data.loading import load

MOMENTS = {
    "mnist": ((0.1307,), (0.3081,)),
    "fashion-mnist": ((0.2860,), (0.3530,)),
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
}
TRAIN = {"mnist": [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]}
TEST = {"mnist": [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]}
SIZES = {"mnist": (60000, 10000), "fashion-mnist": (60000, 10000), "cifar10": (50000, 10000)}


@pytest.mark.skipif(
    "BTTT_DATA" not in os.environ, reason="needs BTTT_DATA with MNIST, Fashion-MNIST, CIFAR-10"
)
def test_sizes_classes_means_and_deviations_are_the_published_ones():
    for name, (mean, std) in MOMENTS.items():
        data = load(name, validation=0)
        np.testing.assert_allclose(data.mean, mean, atol=5e-5, err_msg=name)
        np.testing.assert_allclose(data.std, std, atol=5e-5, err_msg=name)
        for split, known in ((data.train, TRAIN), (data.test, TEST)):
            expected = known.get(name, [len(split) // 10] * 10)
            assert split.labels.bincount().tolist() == expected
        assert (len(data.train), len(data.test)) == SIZES[name]
