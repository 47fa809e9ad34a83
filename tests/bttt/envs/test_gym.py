import subprocess
import sys
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

import bttt
from agents import make_agent
from bttt import Board, Position, observe
from bttt.envs.gym import BrickTicTacToeEnv

NAME = "bttt/BrickTicTacToe-v0"
VARIANTS = {
    "default": {},
    "D4": {"bricks": "D4"},
    "3x3": {"rows": 3, "cols": 3, "win_length": 3, "bricks": "none", "seat": "second"},
    "5x6, two bricks": {"rows": 5, "cols": 6, "bricks": ["A1+E6", "random:2,count=3"], "seat": "alternating"},
    "1x12": {"rows": 1, "cols": 12, "win_length": 3},
    "orbit": {"bricks": "orbit:2"},
    "dict": {"bricks": "D4", "observation": "dict"},
}


def lowest(position: Position, rng: np.random.Generator) -> int:
    return position.legal_cells()[0]


def random_episode(env: gymnasium.Env, seed: int | None, rng: np.random.Generator) -> list:
    """All observations, rewards and infos of an episode with random legal actions."""
    observation, info = env.reset(seed=seed)
    seen = [(observation.tolist(), info["action_mask"].tolist(), info["seat"], info["bricks"].tolist())]
    done = False
    while not done:
        action = int(rng.choice(np.flatnonzero(info["action_mask"])))
        observation, reward, done, truncated, info = env.step(action)
        assert not truncated
        seen.append((observation.tolist(), reward, info["action_mask"].tolist()))
    return seen


@pytest.mark.parametrize("settings", VARIANTS.values(), ids=VARIANTS.keys())
def test_gymnasiums_checker_finds_nothing(settings):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(gymnasium.make(NAME, **settings).unwrapped)


def numbers_of(info: dict) -> dict:
    """The dtype and the shape of each value."""
    assert all(isinstance(value, np.ndarray | np.generic) for value in info.values())
    return {key: (value.dtype.name, value.shape) for key, value in info.items()}


def test_infos_hold_numbers_of_fixed_type_and_shape():
    env = gymnasium.make(NAME, bricks="random:2,count=9", seat="alternating", rows=5, cols=6)
    kinds = {"action_mask": ("int8", (30,)), "bricks": ("int8", (30,)), "illegal": ("bool", ())}
    env.action_space.seed(0)
    for _ in range(9):
        _, info = env.reset()
        done = False
        while not done:
            assert numbers_of(info) == kinds | {"seat": ("int64", ())}
            *_, done, _, info = env.step(env.action_space.sample())
        assert numbers_of(info) == kinds | {"seat": ("int64", ())}


def test_action_masks_are_offered_through_the_wrappers():
    env = gymnasium.make(NAME, bricks="D4", seat="second")
    assert not env.get_wrapper_attr("action_masks")().any()
    env.reset(seed=0)
    masks = env.get_wrapper_attr("action_masks")()
    assert (masks.dtype, masks.shape, masks.sum()) == (np.bool_, (49,), 47)
    assert masks.tolist() == env.unwrapped.position.legal_mask().astype(bool).tolist()
    env.step(24)
    assert not env.unwrapped.action_masks().any()


def test_an_observation_may_be_a_dict_with_the_mask():
    plain, both = (gymnasium.make(NAME, bricks="R3", observation=form) for form in ("planes", "dict"))
    rng = np.random.default_rng(0)
    (planes, info), (seen, _) = plain.reset(seed=0), both.reset(seed=0)
    done = False
    while not done:
        assert seen in both.observation_space
        assert sorted(seen) == ["action_mask", "observation"]
        assert np.array_equal(seen["observation"], planes)
        assert np.array_equal(seen["action_mask"], info["action_mask"])
        action = rng.choice(np.flatnonzero(seen["action_mask"]))
        planes, _, done, _, info = plain.step(action)
        seen, *_ = both.step(action)
    assert not seen["action_mask"].any()


def test_rendering_without_a_mode_warns_and_draws_nothing():
    env = BrickTicTacToeEnv()
    env.reset()
    with pytest.warns(UserWarning, match="without a render mode"):
        assert env.render() is None


@pytest.mark.parametrize("mode", ["ansi", "human", "rgb_array"])
def test_the_checkers_wrapper_finds_nothing_during_episodes(mode):
    env = gymnasium.make(NAME, bricks="R3", render_mode=mode)
    rng = np.random.default_rng(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        random_episode(env, 0, rng)
        env.render()
        env.close()


def test_making_needs_no_import_and_registers_once():
    gymnasium.register_envs(bttt)
    code = (
        "import gymnasium; "
        f"env = gymnasium.make('bttt:{NAME}'); print(env.reset(seed=0)[0].shape); "
        f"import bttt; gymnasium.make('{NAME}'); "
        f"gymnasium.make('bttt:{NAME}')"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "(4, 7, 7)"
    assert done.stderr == ""


@pytest.mark.parametrize("seat", [0, 1])
def test_the_learner_sees_its_own_stones_first_to_the_end(seat):
    env = BrickTicTacToeEnv(bricks="B2", rows=4, cols=5, seat=("first", "second")[seat])
    rng = np.random.default_rng(seat)
    for episode in range(10):
        _, info = env.reset(seed=episode)
        assert info["seat"] == seat
        assert np.flatnonzero(info["bricks"]).tolist() == [6]
        assert env.brick_names == "B2"
        assert env.position.plies == seat
        done = False
        while not done:
            assert np.array_equal(info["action_mask"], env.position.legal_mask())
            action = rng.choice(np.flatnonzero(info["action_mask"]))
            observation, _, done, _, info = env.step(action)
            assert np.array_equal(observation, observe(env.position, seat))
        assert not info["action_mask"].any()


def test_rewards_are_the_learners():
    env = BrickTicTacToeEnv(bricks="none", rows=3, cols=3, win_length=3, opponent=lowest)
    env.reset()
    results = [env.step(env.position.board.cell(name)) for name in ("C1", "C2", "C3")]
    assert [result[1:3] for result in results] == [(0.0, False), (0.0, False), (1.0, True)]
    env.reset()
    results = [env.step(env.position.board.cell(name)) for name in ("C1", "B1", "C2")]
    assert results[-1][1:3] == (-1.0, True)  # the opponent has A1 A2 A3
    env = BrickTicTacToeEnv(bricks="none", rows=1, cols=2, win_length=3, opponent=lowest)
    env.reset()
    assert env.step(1)[1:3] == (0.0, True)


def test_rewards_in_the_second_seat():
    env = BrickTicTacToeEnv(bricks="none", rows=3, cols=3, win_length=3, opponent=lowest, seat="second")
    env.reset()
    for name in ("B1", "B2"):
        result = env.step(env.position.board.cell(name))
    assert result[1:3] == (-1.0, True)
    env.reset()
    for name in ("A2", "B2", "C2"):
        result = env.step(env.position.board.cell(name))
    assert result[1:3] == (1.0, True)


def test_seats_alternate_and_a_seed_starts_them_again():
    env = BrickTicTacToeEnv(seat="alternating")
    assert [env.reset()[1]["seat"] for _ in range(3)] == [0, 1, 0]
    assert [env.reset(seed=seed)[1]["seat"] for seed in (1, None, None, 1)] == [0, 1, 0, 0]


def test_a_seed_fixes_boards_opponent_and_seats():
    def episodes(seed):
        env = gymnasium.make(NAME, seat="alternating", opponent=make_agent("random"))
        rng = np.random.default_rng(7)
        return [random_episode(env, first, rng) for first in (seed, None, None)]

    assert episodes(3) == episodes(3)
    assert episodes(3) != episodes(4)


def test_bricks_are_drawn_from_the_whole_set():
    env = BrickTicTacToeEnv(bricks=["R3", "E5+A1", Board(bricks="G7")])
    env.reset(seed=0)
    drawn = [env.brick_names for _ in range(100) if env.reset()]
    assert set(drawn) == {"C3", "D3", "D4", "A1,E5", "G7"}
    assert min(map(drawn.count, set(drawn))) >= 8


def test_reset_may_name_the_bricks_of_one_episode():
    env = BrickTicTacToeEnv(bricks="D4")
    _, info = env.reset(options={"bricks": "E5"})
    assert env.brick_names == "E5"
    assert info["action_mask"][Board().cell("E5")] == 0
    assert info["action_mask"][Board().cell("D4")] == 1
    env.reset()
    assert env.brick_names == "D4"


def test_an_illegal_action_loses_by_default():
    env = BrickTicTacToeEnv(bricks="D4")
    _, info = env.reset(seed=0)
    before = env.position
    observation, reward, done, truncated, info = env.step(Board().cell("D4"))
    assert (reward, done, truncated, info["illegal"]) == (-1.0, True, False, True)
    assert env.position == before
    assert np.array_equal(observation, observe(before, 0))
    assert not info["action_mask"].any()
    with pytest.raises(ResetNeeded):
        env.step(0)
    assert not env.reset()[1]["illegal"]


def test_an_illegal_action_may_raise_and_changes_nothing():
    env = BrickTicTacToeEnv(bricks="D4", illegal="raise")
    env.reset(seed=0)
    with pytest.raises(ValueError, match="cell D4 has a brick"):
        env.step(Board().cell("D4"))
    env.step(0)
    with pytest.raises(ValueError, match="cell A1 is taken"):
        env.step(0)


@pytest.mark.parametrize("illegal", ["loss", "raise"])
def test_an_action_that_is_no_cell_is_an_error(illegal):
    env = BrickTicTacToeEnv(illegal=illegal)
    env.reset()
    for action in (49, -1):
        with pytest.raises(ValueError, match="is not on the 7x7 board"):
            env.step(action)


@pytest.mark.parametrize("spec", ["random", "minimax:depth=1", "mcts:iterations=20"])
def test_agents_are_opponents(spec):
    env = BrickTicTacToeEnv(opponent=make_agent(spec), seat="second")
    assert len(random_episode(env, 0, np.random.default_rng(0))) > 2


def test_opponents_may_name_cells_and_are_told_what_is_wrong():
    env = BrickTicTacToeEnv(opponent=lambda position, rng: "A1", bricks="none", seat="second")
    env.reset()
    assert env.position.last_move == 0
    with pytest.raises(ValueError, match="played A1, which is not free"):
        env.step(1)
    env = BrickTicTacToeEnv(opponent=lambda position, rng: 49, seat="second")
    with pytest.raises(ValueError, match="played an illegal cell: cell 49 is not on the 7x7 board"):
        env.reset()


def test_an_opponent_is_named_by_its_spec_also_in_the_environments_own_spec():
    env = gymnasium.make(NAME, bricks="D4", opponent="minimax:depth=2", seat="second")
    twins = [
        gymnasium.make(gymnasium.envs.registration.EnvSpec.from_json(env.spec.to_json())),
        gymnasium.make(NAME, bricks="D4", opponent=make_agent("minimax:depth=2"), seat="second"),
    ]
    seen = random_episode(env, 0, np.random.default_rng(0))
    for twin in twins:
        assert random_episode(twin, 0, np.random.default_rng(0)) == seen
        assert twin.unwrapped.opponent == env.unwrapped.opponent == make_agent("minimax:depth=2")
    boards = gymnasium.make(NAME, bricks=["R2", Board(bricks="E5")])
    twin = gymnasium.make(gymnasium.envs.registration.EnvSpec.from_json(boards.spec.to_json()))
    assert twin.unwrapped.boards == boards.unwrapped.boards
    env.unwrapped.opponent = "minimax:depth=1"
    assert env.unwrapped.opponent == make_agent("minimax:depth=1")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("minmax:depth=2", r"got 'minmax:depth=2': unknown agent 'minmax' .did you mean 'minimax'"),
        ("minimax:dept=2", "unknown option 'dept' .did you mean 'depth'"),
        ("python:no_such_module:Agent", "module 'no_such_module' cannot be imported"),
        ("self", "in the vector environment, 'self', got 'self'"),
        ("", "opponent must be 'random', the spec of an agent or"),
        ("human", "opponent 'human' cannot play in an environment: try bttt play"),
    ],
)
def test_a_wrong_spec_is_one_line_that_says_what_is_allowed(spec, message):
    with pytest.raises(ValueError, match=message) as caught:
        BrickTicTacToeEnv(opponent=spec)
    assert "\n" not in str(caught.value)


def test_an_opponent_that_is_none_is_refused():
    with pytest.raises(TypeError, match="an agent with a method decide"):
        BrickTicTacToeEnv(opponent=3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seat": "third"}, "seat must be one of 'first', 'second', 'alternating', got 'third'"),
        ({"illegal": "ignore"}, "illegal must be one of 'loss', 'raise', got 'ignore'"),
        ({"render_mode": "video"}, "render_mode must be one of None, 'ansi', 'human', 'rgb_array'"),
        ({"bricks": "H9"}, "cell 'H9' is not on the 7x7 board"),
        ({"bricks": []}, "bricks is empty"),
        ({"bricks": 3}, "bricks must be the name of a brick set, a Board or a list of them, got 3"),
        ({"bricks": Board(3, 3, 3)}, "board 3x3x3 does not have the environment's size 7x7x4"),
        ({"bricks": Board(win_length=5)}, "board 7x7x5 does not have the environment's size 7x7x4"),
        ({"rows": 9}, "does not fit"),
        ({"rows": 1, "cols": 2, "win_length": 3, "seat": "second"}, "the learner cannot move"),
    ],
)
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        BrickTicTacToeEnv(**settings)


def test_wrong_reset_options_are_refused():
    env = BrickTicTacToeEnv(bricks="D4")
    with pytest.raises(ValueError, match=r"unknown reset options \['brick'\]; the only one is 'bricks'"):
        env.reset(options={"brick": "E5"})
    with pytest.raises(ValueError, match="options must be a dict or None, got 5"):
        env.reset(options=5)
    with pytest.raises(ValueError, match="brick set 'Z9'"):
        env.reset(options={"bricks": "Z9"})


def test_human_mode_prints_each_position(capsys):
    env = BrickTicTacToeEnv(bricks="D4", render_mode="human", opponent=lowest)
    env.reset()
    env.step(48)
    printed = capsys.readouterr().out
    assert printed.count("O to move") == 2
    assert "A [X]" in printed


@pytest.mark.parametrize("failure", [KeyboardInterrupt, ValueError])
def test_an_episode_that_the_opponent_breaks_cannot_go_on(failure):
    """Otherwise the learner would make the opponent's next move."""

    def opponent(position, rng):
        if position.plies == 3:
            raise failure
        return position.legal_cells()[0]

    env = BrickTicTacToeEnv(opponent=opponent)
    env.reset(seed=0)
    env.step(24)
    with pytest.raises(failure):
        env.step(25)
    with pytest.raises(ResetNeeded):
        env.step(26)
    env.reset()
    env.step(24)
