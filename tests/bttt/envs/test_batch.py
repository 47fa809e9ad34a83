import numpy as np

from bttt.envs.batch import random_actions


def test_random_actions_are_legal_and_uniform():
    masks = np.zeros((6000, 49), np.int8)
    masks[:, [3, 20, 48]] = 1
    masks[0] = 0
    actions = random_actions(masks, np.random.default_rng(0))
    assert actions[0] == 0
    counts = np.bincount(actions[1:], minlength=49)
    assert counts[[3, 20, 48]].sum() == 5999
    assert counts[[3, 20, 48]].min() > 1800
    assert np.array_equal(actions, random_actions(np.asfortranarray(masks), np.random.default_rng(0)))
