"""What other packages make of the environments; each test is skipped where its package is not installed."""

from pathlib import Path

import gymnasium
import numpy as np
import pytest
from blocks import shown_python

from bttt import Board, Position
from bttt.envs import env as brick_tic_tac_toe

NAME = "bttt:bttt/BrickTicTacToe-v0"
PAGE = Path(__file__).parents[3] / "docs/environments.md"


def run_page(word, session, **smaller):
    """Runs the blocks of the page that contain a word, with a smaller budget."""
    found = [block.text for block in shown_python(PAGE.read_text(encoding="utf-8")) if word in block.text]
    for text in found:
        for big, small in smaller.items():
            text = text.replace(big, small)
        exec(compile(text, str(PAGE), "exec"), session)
    return session


def test_maskable_ppo_takes_the_environment_as_it_is():
    pytest.importorskip("sb3_contrib")
    env = gymnasium.make(NAME, illegal="raise")
    observation, _ = env.reset(seed=0)
    session = {"gymnasium": gymnasium, "env": env, "observation": observation}
    run_page("MaskablePPO", session, **{"seed=0": "seed=0, n_steps=64", "100_000": "64"})
    session["model"].learn(64)  # the CnnPolicy; an illegal action would be an error
    assert session["model"].policy.features_extractor.__class__.__name__ == "Planes"
    assert env.action_space.contains(session["cell"])


@pytest.mark.parametrize("form", ["planes", "dict"])
def test_maskable_ppo_takes_several_environments(form):
    contrib = pytest.importorskip("sb3_contrib")
    from stable_baselines3.common.env_util import make_vec_env

    settings = {"illegal": "raise", "observation": form, "opponent": "minimax:depth=1", "seat": "alternating"}
    policy = {"planes": "MlpPolicy", "dict": "MultiInputPolicy"}[form]
    model = contrib.MaskablePPO(policy, make_vec_env(NAME, 3, env_kwargs=settings), n_steps=32, seed=0)
    model.learn(96)
    assert len(model.ep_info_buffer) > 3


@pytest.mark.parametrize(
    ("mode", "form"), [("Disabled", "planes"), ("Disabled", "dict"), ("SameStep", "planes"), (None, "dict")]
)
def test_torchrl_wraps_it_in_its_modes(mode, form):
    envs = pytest.importorskip("torchrl.envs")
    limit = {"max_episode_steps": 5}
    if mode is None:
        made = gymnasium.make(NAME, observation=form, **limit)
    else:
        made = gymnasium.make_vec(NAME, 4, autoreset_mode=mode, observation=form, **limit)
    env = envs.GymWrapper(made)
    if mode != "SameStep":  # there TorchRL has registered the infos
        env = env.auto_register_info_dict()
    envs.check_env_specs(env)
    steps = env.rollout(20, break_when_any_done=False)
    assert {"action_mask", "bricks", "illegal", "seat"} <= set(steps.keys())
    over = steps["next", "done"].numpy()
    assert over.sum() > 3
    stones = steps["observation"].numpy()[..., :2, :, :].sum((-1, -2, -3))
    assert (stones == 0).sum() > over.sum() / 2  # games start anew


def test_torchrl_plays_masked_actions_only():
    envs = pytest.importorskip("torchrl.envs")
    session = run_page("ActionMask", {"gymnasium": gymnasium}, **{'"dict"': '"dict", illegal="raise"'})
    assert session["steps"].shape == (64, 50)
    assert session["steps"]["next", "done"].sum() > 64
    game = envs.PettingZooWrapper(brick_tic_tac_toe(), use_mask=True, done_on_any=True)
    envs.check_env_specs(game)
    assert game.rollout(60)["next", "player_0", "info", "bricks"].sum((-1, -2)).eq(1).all()


def test_tianshou_reads_the_masks():
    tianshou = pytest.importorskip("tianshou.env")
    games = tianshou.DummyVectorEnv([lambda: tianshou.PettingZooEnv(brick_tic_tac_toe(bricks="D4"))] * 2)
    observations, infos = games.reset()
    assert [sum(each["mask"]) for each in observations] == [48, 48]
    assert [each["bricks"].sum() for each in infos] == [1, 1]
    observations, *_ = games.step(np.array([0, 1]))
    assert [each["agent_id"] for each in observations] == ["player_1", "player_1"]


def test_supersuit_changes_its_observations():
    suits = pytest.importorskip("supersuit")
    assert suits.flatten_v0(gymnasium.make(NAME)).reset(seed=0)[0].shape == (196,)
    game = suits.clip_reward_v0(brick_tic_tac_toe(bricks="D4"))
    game.reset(seed=0)
    game.step(0)
    position = Position.start(Board(bricks="D4")).play(0)
    assert np.array_equal(game.last()[0]["action_mask"], position.legal_mask())
