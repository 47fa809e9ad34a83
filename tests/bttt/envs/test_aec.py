import copy
import subprocess
import sys
import warnings
from functools import partial

import numpy as np
import pettingzoo
import pytest
from gymnasium.error import ResetNeeded
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import boards
from pettingzoo.test import api_test, render_test, seed_test

from bttt import Board, Outcome, Position, observe
from bttt.envs.aec import env, raw_env

VARIANTS = {
    "default": {},
    "D4": {"bricks": "D4"},
    "3x3": {"rows": 3, "cols": 3, "win_length": 3, "bricks": "all"},
    "5x6, two bricks": {"rows": 5, "cols": 6, "bricks": "A1+E6"},
    "1x12": {"rows": 1, "cols": 12, "win_length": 3, "bricks": ["A1", Board(1, 12, 3, "A5")]},
}
# PettingZoo knows by name which environments may have observations that are dicts.
KNOWN = (
    "Observation space for each agent probably should be",
    "Observation is not a NumPy array",
    ".*no line of",
)


@pytest.fixture(autouse=True)
def warnings_are_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for message in KNOWN:
            warnings.filterwarnings("ignore", message)
        yield


@pytest.mark.parametrize("settings", VARIANTS.values(), ids=VARIANTS.keys())
@pytest.mark.parametrize("make", [env, raw_env])
def test_pettingzoos_checkers_find_nothing(make, settings, capsys):
    api_test(make(**settings), num_cycles=60)
    seed_test(partial(make, **settings), num_cycles=60)
    render_test(partial(make, **settings))


@settings(max_examples=30)
@given(boards(), st.integers(0, 2**32 - 1))
def test_games_agree_with_positions(board, seed):
    game = env(bricks=board, rows=board.rows, cols=board.cols, win_length=board.win_length)
    game.reset(seed=seed)
    rng = np.random.default_rng(seed)
    position = Position.start(board)
    for agent in game.agent_iter():
        seen, reward, over, truncated, info = game.last()
        assert agent == f"player_{position.to_move}" or position.outcome
        assert np.array_equal(seen["observation"], observe(position, int(agent[-1])))
        assert np.array_equal(seen["action_mask"], position.legal_mask())
        assert (over, truncated) == (bool(position.outcome), False)
        assert info["bricks"].tolist() == [cell in board.bricks for cell in range(board.cells)]
        assert game.unwrapped.brick_names == board.brick_names
        if over:
            wins = {Outcome.FIRST_WINS: "player_0", Outcome.SECOND_WINS: "player_1"}
            winner = wins.get(position.outcome)
            assert reward == (0 if winner is None else 1 if winner == agent else -1)
            game.step(None)
            continue
        assert reward == 0
        cell = int(rng.choice(position.legal_cells()))
        game.step(cell)
        position = position.play(cell)
    assert not game.agents
    assert position.outcome


def test_each_agent_observes_from_its_own_side_and_may_play_in_turn():
    game = env(bricks="D4")
    game.reset(seed=0)
    game.step(0)
    waiting, mover = game.observe("player_0"), game.observe("player_1")
    assert waiting["observation"][0, 0, 0] == mover["observation"][1, 0, 0] == 1
    assert waiting["observation"][3].sum() == 0
    assert mover["observation"][3].all()
    assert not waiting["action_mask"].any()
    assert mover["action_mask"].sum() == 47


def test_an_illegal_action_loses():
    game = env(bricks="D4")
    game.reset(seed=0)
    game.step(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        game.step(Board().cell("D4"))
    assert game.rewards == {"player_0": 0, "player_1": -1}
    assert all(game.terminations.values())
    assert not any(game.observe(agent)["action_mask"].any() for agent in game.agents)


@pytest.mark.skipif(not hasattr(pettingzoo, "make"), reason="this PettingZoo has no registry")
def test_pettingzoos_registry_makes_it_whichever_is_imported_first():
    assert pettingzoo.make("aec", "bttt/BrickTicTacToe", bricks="D4").unwrapped.boards == (
        Board(bricks="D4"),
    )
    code = (
        "import bttt, sys; assert 'pettingzoo' not in sys.modules; import pettingzoo; "
        "game = pettingzoo.make('aec', 'bttt/BrickTicTacToe-v0'); game.reset(seed=0); print(*game.agents)"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("player_0 player_1\n", "")


def test_infos_hold_numbers_of_fixed_type_and_shape():
    game = env(bricks=["none", "A1+E6"], rows=5, cols=6)
    seen = set()
    for seed in range(9):
        game.reset(seed=seed)
        for info in game.infos.values():
            assert set(info) == {"bricks"}
            assert (info["bricks"].dtype, info["bricks"].shape) == (np.int8, (30,))
            seen.add(tuple(np.flatnonzero(info["bricks"]).tolist()))
    assert seen == {(), (0, 29)}


def test_rendering_without_a_mode_warns_and_draws_nothing():
    game = env()
    game.reset()
    with pytest.warns(UserWarning, match="without a render mode"):
        assert game.render() is None


def test_the_raw_environment_asks_for_a_reset():
    game = raw_env()
    uses = {
        "agent_selection": lambda: game.agent_selection,
        "rewards": lambda: game.rewards,
        "step": lambda: game.step(0),
        "last": game.last,
        "observe": lambda: game.observe("player_0"),
        "agent_iter": lambda: list(game.agent_iter()),
    }
    for use in uses.values():
        with pytest.raises(ResetNeeded, match=r"before the first game: call reset\(\) first"):
            use()
    assert not hasattr(game, "infos") and not hasattr(copy.deepcopy(game), "colour")
    with pytest.raises(AttributeError, match="no attribute 'colour'"):
        game.colour  # noqa: B018
    game.reset()
    assert game.last()[1] == 0


def test_a_size_without_a_line_is_a_warning():
    with pytest.warns(UserWarning, match="no line of 5 fits on 3x4x5: all games are drawn"):
        raw_env(rows=3, cols=4, win_length=5)


def test_the_raw_environment_raises_at_an_illegal_action():
    game = raw_env(bricks="D4")
    game.reset()
    with pytest.raises(ValueError, match="cell D4 has a brick"):
        game.step(Board().cell("D4"))


def test_bricks_are_drawn_and_may_be_named_for_one_game():
    game = env(bricks="R3")
    game.reset(seed=0)
    drawn = set()
    for _ in range(40):
        game.reset()
        drawn.add(game.unwrapped.brick_names)
    assert drawn == {"C3", "D3", "D4"}
    game.reset(options={"bricks": "E5"})
    assert np.flatnonzero(game.infos["player_1"]["bricks"]).tolist() == [Board().cell("E5")]
    game.reset()
    assert game.unwrapped.brick_names in drawn


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"render_mode": "video"}, "render_mode must be one of"),
        ({"bricks": "Z9"}, "cell 'Z9' is not on the 7x7 board"),
        ({"rows": 20}, "does not fit"),
    ],
)
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        env(**settings)
