from bttt.envs.rewards import final_reward
from bttt.position import FIRST, SECOND


def test_the_winner_gets_what_the_loser_loses_and_a_draw_gives_nothing():
    assert [final_reward(FIRST, player) for player in (FIRST, SECOND)] == [1.0, -1.0]
    assert [final_reward(SECOND, player) for player in (FIRST, SECOND)] == [-1.0, 1.0]
    assert [final_reward(None, player) for player in (FIRST, SECOND)] == [0.0, 0.0]
