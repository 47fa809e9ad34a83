import warnings

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AutoresetMode
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import boards

from agents import make_agent
from agents.agent import Decision
from bttt import Outcome, Position, observe
from bttt.envs.batch import random_actions
from bttt.envs.vector import BrickTicTacToeVectorEnv

NAME = "bttt/BrickTicTacToe-v0"


def lowest(position: Position, rng: np.random.Generator) -> int:
    return position.legal_cells()[0]


class Highest:
    """A batched agent that records how many positions it gets in each call."""

    batched = True

    def __init__(self):
        self.asked: list[int] = []

    def decide(self, positions, rng):
        assert len(rng) == len(positions)
        self.asked.append(len(positions))
        return [Decision(position.legal_cells()[-1]) for position in positions]


def mostly_legal(masks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Random actions, about one in twenty of them any cell."""
    actions = random_actions(masks, rng)
    wild = rng.random(len(actions)) < 0.05
    actions[wild] = rng.integers(masks.shape[1], size=wild.sum())
    return actions


def both(mode: AutoresetMode, **settings) -> list[gymnasium.vector.VectorEnv]:
    """The vector environment, and Gymnasium's own one of single environments."""
    return [
        gymnasium.make_vec(NAME, num_envs=5, vectorization_mode=kind, **settings, **extra)
        for kind, extra in (
            ("vector_entry_point", {"autoreset_mode": mode}),
            ("sync", {"vector_kwargs": {"autoreset_mode": mode}}),
        )
    ]


def mask_of(seen: list) -> np.ndarray:
    """The action masks of a step's or a reset's result."""
    return seen[-1]["action_mask"]


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
@pytest.mark.parametrize("seat", ["first", "second", "alternating"])
@pytest.mark.parametrize("opponent", [lowest, Highest()], ids=["callable", "batched agent"])
@pytest.mark.parametrize("size", [(7, 7, 4, "D4"), (3, 3, 3, "none"), (5, 6, 4, "A1+E6"), (2, 9, 3, "B5")])
def test_it_plays_the_games_of_gymnasiums_own_vector_env(mode, seat, opponent, size):
    rows, cols, win_length, bricks = size
    settings = {"bricks": bricks, "opponent": opponent, "seat": seat}
    kinds = both(mode, **settings, rows=rows, cols=cols, win_length=win_length)
    rng = np.random.default_rng(0)
    seen = [envs.reset(seed=1) for envs in kinds]
    ends = 0
    for step in range(80):
        assert data_equivalence(*seen, exact=True)
        if step == 40:
            seen = [envs.reset() for envs in kinds]
            continue
        actions = mostly_legal(mask_of(seen[0]), rng)
        seen = [envs.step(actions) for envs in kinds]
        ends += int(seen[0][2].sum())
    assert ends > 10


@pytest.mark.parametrize(
    "settings",
    [
        {"observation": "dict"},
        {"max_episode_steps": 1},
        {"max_episode_steps": 3, "seat": "alternating"},
        {"observation": "dict", "max_episode_steps": 3, "opponent": make_agent("random")},
    ],
    ids=str,
)
@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_it_is_gymnasiums_own_one_in_every_mode_with_every_argument(mode, settings):
    """Where resetting is left to the caller, some games are reset as they end, and some before."""
    kinds = both(
        mode, **{"bricks": "B2", "rows": 4, "cols": 3, "win_length": 3, "opponent": lowest} | settings
    )
    rng = np.random.default_rng(0)
    seen = [envs.reset(seed=[3, 1, 4, 1, 5]) for envs in kinds]
    ends, cuts, done = 0, 0, np.zeros(5, bool)
    for step in range(60):
        assert data_equivalence(*seen, exact=True)
        if mode == AutoresetMode.DISABLED:
            if step % 7 == 6:
                done[rng.integers(5)] = True
            if done.any():
                seeds, bricks = [(None, "A1"), (step, ["C3", "B2", "A2"]), ([None, step, 7, None, 2], "B2")][
                    step % 3
                ]
                options = {"bricks": bricks, "reset_mask": done}
                seen = [envs.reset(seed=seeds, options=dict(options)) for envs in kinds]
                assert data_equivalence(*seen, exact=True)
                assert np.array_equal(seen[0][1]["_seat"], done)
            masks = np.stack(kinds[1].call("action_masks"))
            assert np.array_equal(kinds[0].action_masks(), masks)
        else:
            if step % 9 == 5:
                options = {"reset_mask": rng.random(5) < 0.5, "bricks": "A1"}
                options["reset_mask"][step % 5] = True
                seen = [envs.reset(options=dict(options)) for envs in kinds]
                assert data_equivalence(*seen, exact=True)
            masks = kinds[0].action_masks()
        if step == 30:
            seen = [envs.reset() for envs in kinds]
            done[:] = False
            continue
        actions = mostly_legal(masks.astype(np.int8), rng)
        seen = [envs.step(actions) for envs in kinds]
        done = seen[0][2] | seen[0][3]
        ends, cuts = ends + int(seen[0][2].sum()), cuts + int(seen[0][3].sum())
    assert ends > 0 or settings.get("max_episode_steps") == 1
    assert (cuts > 10) == ("max_episode_steps" in settings)


@settings(max_examples=30)
@given(boards(), st.integers(0, 2**32 - 1))
def test_self_play_agrees_with_positions(board, seed):
    envs = BrickTicTacToeVectorEnv(
        3, bricks=board, opponent="self", rows=board.rows, cols=board.cols, win_length=board.win_length
    )
    rng = np.random.default_rng(seed)
    observations, infos = envs.reset(seed=seed)
    oracle = [Position.start(board)] * 3
    for _ in range(2 * board.cells):
        for i, position in enumerate(oracle):
            assert np.array_equal(observations[i], observe(position))
            assert np.array_equal(infos["action_mask"][i], position.legal_mask())
            assert infos["seat"][i] == position.to_move
        assert envs.positions() == oracle
        assert [p.last_move for p in envs.positions()] == [p.last_move for p in oracle]
        actions = random_actions(infos["action_mask"], rng)
        observations, rewards, over, _, infos = envs.step(actions)
        expected = []
        for i, position in enumerate(oracle):
            oracle[i] = Position.start(board) if position.outcome else position.play(int(actions[i]))
            won = oracle[i].outcome in (Outcome.FIRST_WINS, Outcome.SECOND_WINS)
            expected.append((float(won), bool(oracle[i].outcome)))
        assert list(zip(rewards.tolist(), over.tolist(), strict=True)) == expected


def test_self_play_blames_who_plays_an_illegal_cell():
    envs = BrickTicTacToeVectorEnv(2, bricks="D4", opponent="self")
    envs.reset(seed=0)
    envs.step(np.array([0, 0]))
    observations, rewards, over, _, infos = envs.step(np.array([24, 1]))
    assert rewards.tolist() == [-1, 0]
    assert over.tolist() == infos["illegal"].tolist() == [True, False]
    assert observations[0, 1, 0, 0] == 1  # the view of the player who made the illegal move
    assert not infos["action_mask"][0].any()
    _, rewards, over, _, infos = envs.step(np.array([5, 2]))
    assert (rewards[0], over[0], infos["illegal"][0]) == (0, False, False)
    assert [position.plies for position in envs.positions()] == [0, 3]


@pytest.mark.parametrize("seat", ["first", "second"])
def test_the_random_opponent_is_legal_and_uniform(seat):
    envs = BrickTicTacToeVectorEnv(4000, bricks="B2", rows=3, cols=3, win_length=3, seat=seat)
    envs.reset(seed=0)
    if seat == "first":
        envs.step(np.zeros(4000, np.int64))
    cells = np.array([position.last_move for position in envs.positions()])
    free = [1, 2, 3, 5, 6, 7, 8] if seat == "first" else [0, 1, 2, 3, 5, 6, 7, 8]
    counts = np.bincount(cells, minlength=9)
    assert counts[free].sum() == 4000
    expected = 4000 / len(free)
    assert (np.abs(counts[free] - expected) < 5 * np.sqrt(expected)).all()


def test_games_against_the_random_opponent_are_legal_to_the_end():
    """Each step adds the learner's stone and one reply, unless the game ends before."""
    envs = BrickTicTacToeVectorEnv(32, bricks=["R3", "E5+A1"], seat="alternating")
    rng = np.random.default_rng(0)
    _, infos = envs.reset(seed=0)
    over = np.zeros(32, bool)
    before = envs.positions()
    for _ in range(60):
        actions = random_actions(infos["action_mask"], rng)
        _, rewards, now_over, _, infos = envs.step(actions)
        after = envs.positions()
        for i in range(32):
            if over[i]:
                assert after[i].plies == infos["seat"][i]
                continue
            expected = before[i].play(int(actions[i]))
            if not expected.outcome:
                expected = expected.play(after[i].last_move)
            assert after[i] == expected
            winner = {Outcome.FIRST_WINS: 0, Outcome.SECOND_WINS: 1}.get(expected.outcome)
            assert rewards[i] == (0 if winner is None else 1 if winner == infos["seat"][i] else -1)
            assert now_over[i] == bool(expected.outcome)
        before, over = after, now_over


def trajectory(envs, seed, steps=60):
    rng = np.random.default_rng(5)
    observations, infos = envs.reset(seed=seed)
    seen = [observations.tobytes(), infos["bricks"].tolist()]
    for _ in range(steps):
        observations, rewards, *_, infos = envs.step(random_actions(infos["action_mask"], rng))
        seen += [observations.tobytes(), rewards.tolist(), infos["bricks"].tolist(), infos["seat"].tolist()]
    return seen


@pytest.mark.parametrize(
    "opponent", ["random", "self", make_agent("random")], ids=["random", "self", "agent"]
)
@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_a_seed_fixes_everything(opponent, mode):
    seat = "first" if opponent == "self" else "alternating"
    envs = BrickTicTacToeVectorEnv(16, opponent=opponent, seat=seat, autoreset_mode=mode)
    first = trajectory(envs, 3)
    assert trajectory(envs, 3) == first
    assert (
        trajectory(BrickTicTacToeVectorEnv(16, opponent=opponent, seat=seat, autoreset_mode=mode), 3) == first
    )
    assert trajectory(envs, 4) != first


@pytest.mark.parametrize("opponent", ["random", make_agent("random")], ids=["random", "agent"])
def test_without_a_seed_the_random_numbers_go_on(opponent):
    envs = BrickTicTacToeVectorEnv(16, bricks="D4", opponent=opponent, seat="second")
    openings = [envs.reset(seed=seed)[0].tolist() for seed in (0, None, None)]
    assert openings[0] != openings[1] != openings[2]
    assert len({position.last_move for position in envs.positions()}) > 4


def test_a_games_opponent_does_not_depend_on_the_other_games():
    def play(wild: bool) -> list[Position]:
        envs = BrickTicTacToeVectorEnv(2, bricks="D4", opponent=make_agent("random"))
        _, infos = envs.reset(seed=0)
        seen = []
        for step in range(6):
            actions = np.array(
                [np.flatnonzero(infos["action_mask"][0])[0], 24 if wild and step == 0 else 40 + step]
            )
            *_, infos = envs.step(actions)
            seen.append(envs.positions()[0])
        return seen

    assert play(True) == play(False)


def test_all_waiting_games_are_asked_in_one_batch():
    agent = Highest()
    envs = BrickTicTacToeVectorEnv(10, bricks="D4", opponent=agent, seat="second")
    envs.reset(seed=0)
    envs.step(np.zeros(10, np.int64))
    assert agent.asked == [10, 10]
    illegal_in_three = np.where(np.arange(10) < 3, 0, 1)
    envs.step(illegal_in_three)
    assert agent.asked[2:] == [7]


def test_boards_are_drawn_from_the_whole_set_at_each_start():
    envs = BrickTicTacToeVectorEnv(300, bricks=["R3", "E5"], rows=5, cols=5, opponent="self")
    _, infos = envs.reset(seed=0)
    at_reset = list(envs.brick_names)
    rng = np.random.default_rng(0)
    later = []
    for _ in range(40):
        *_, infos = envs.step(random_actions(infos["action_mask"], rng))
        later += [
            bricks
            for bricks, position in zip(envs.brick_names, envs.positions(), strict=True)
            if not position.plies
        ]
    for drawn in (at_reset, later):
        assert set(drawn) == {"C3", "D3", "D4", "E5"}
        assert min(map(drawn.count, set(drawn))) > len(drawn) / 6
    assert len(later) > 200


def test_reset_may_name_the_bricks_of_the_first_episodes():
    envs = BrickTicTacToeVectorEnv(4, bricks="D4", rows=4, cols=4, opponent="self")
    _, infos = envs.reset(seed=0, options={"bricks": "A1"})
    assert envs.brick_names == ("A1",) * 4
    assert infos["bricks"].tolist() == [[1] + [0] * 15] * 4
    assert infos["action_mask"][:, 0].sum() == 0
    envs.step(np.zeros(4, np.int64))
    *_, infos = envs.step(np.zeros(4, np.int64))
    assert envs.brick_names == ("D4",) * 4
    envs.reset()
    assert envs.brick_names == ("D4",) * 4
    with pytest.raises(ValueError, match="the only ones are 'bricks' and 'reset_mask'"):
        envs.reset(options={"mask": np.ones(4, bool)})


def test_games_that_are_reset_alone_draw_from_the_bricks_that_are_named():
    """The others stay on their boards, which need not be the environment's own."""
    envs = BrickTicTacToeVectorEnv(300, bricks="D4", opponent="self", autoreset_mode="Disabled")
    envs.reset(seed=0, options={"bricks": ["A1", "G7+G1"]})
    before = envs.brick_names
    which = np.arange(300) % 3 > 0
    envs.reset(options={"bricks": ["R3", "D4"], "reset_mask": which})
    after = np.array(envs.brick_names)
    assert after[~which].tolist() == np.array(before)[~which].tolist()
    assert set(after[~which]) == {"A1", "G1,G7"}
    drawn = after[which].tolist()
    assert {name: drawn.count(name) > 40 for name in drawn} == {"C3": True, "D3": True, "D4": True}
    envs.reset(options={"reset_mask": ~which})
    assert set(np.array(envs.brick_names)[~which]) == {"D4"}
    assert np.array(envs.brick_names)[which].tolist() == drawn


@pytest.mark.parametrize(
    "opponent", ["random", make_agent("random"), "self"], ids=["random", "agent", "self"]
)
def test_a_game_with_its_own_seed_depends_on_no_other_game(opponent):
    def games(seeds):
        envs = BrickTicTacToeVectorEnv(len(seeds), opponent=opponent)
        _, infos = envs.reset(seed=seeds)
        seen = [envs.positions()]
        for step in range(60):
            if step == 40:
                _, infos = envs.reset()
            legal = [np.flatnonzero(mask) for mask in infos["action_mask"]]
            *_, infos = envs.step(np.array([cells[-1] if len(cells) else 0 for cells in legal]))
            seen.append(envs.positions())
        return list(zip(*seen, strict=True))

    three, others = games([5, 6, 7]), games([7, None, 5, 9])
    assert [three[0], three[2]] == [others[2], others[0]]
    assert len({game[0].board for game in others}) > 1
    firsts = [gymnasium.make(NAME).unwrapped for _ in range(3)]
    for env, seed, game in zip(firsts, (5, 6, 7), three, strict=True):
        env.reset(seed=seed)
        assert env.position == game[0]


def test_the_first_seats_are_first_also_of_games_without_a_seed():
    for envs in both(AutoresetMode.DISABLED, seat="alternating"):
        for seeds, seats in (([1, None, 2, None, 3], [0] * 5), ([None, 1, None, None, 2], [1, 0, 1, 1, 0])):
            assert envs.reset(seed=seeds)[1]["seat"].tolist() == seats


@pytest.mark.parametrize(
    ("seed", "mask", "error", "message"),
    [
        ([1, 2], None, ValueError, "a list with one for each of 3 games, got 2"),
        ([1, 2, -3], None, gymnasium.error.Error, "Seed must be"),
        ([1.5, 2, 3], None, gymnasium.error.Error, "Seed must be"),
        (None, [True, False, True], TypeError, "must be a numpy array of dtype bool, got list"),
        (None, np.array([1, 0, 1]), TypeError, "must be a numpy array of dtype bool, got int64"),
        (None, np.array([True]), ValueError, r"must have shape \(3,\), got \(1,\)"),
        (None, np.zeros(3, bool), ValueError, "must select at least one game, got none of 3"),
    ],
)
def test_wrong_seeds_and_masks_are_refused_and_change_nothing(seed, mask, error, message):
    envs = BrickTicTacToeVectorEnv(3, bricks="D4", autoreset_mode="Disabled")
    some = np.array([True, False, True])
    with pytest.raises(ResetNeeded, match="for all games"):
        envs.reset(options={"reset_mask": some})
    options = {"reset_mask": some, "bricks": "E5"}
    envs.reset(seed=0, options={"reset_mask": np.ones(3, bool)})
    envs.step(np.zeros(3, np.int64))
    before = envs.positions()
    with pytest.raises(error, match=message):
        envs.reset(seed=seed, options=None if mask is None else {"reset_mask": mask})
    assert envs.positions() == before
    envs.reset(options=options)
    assert [position.plies for position in envs.positions()] == [0, 2, 0]
    assert sorted(options) == ["bricks", "reset_mask"]  # they are the caller's


def test_without_autoreset_a_game_that_has_ended_must_be_reset_first():
    envs = BrickTicTacToeVectorEnv(3, bricks="D4", autoreset_mode="Disabled", max_episode_steps=2)
    envs.reset(seed=0)
    envs.step(np.array([0, 24, 0]))
    with pytest.raises(ResetNeeded, match=r"game 1 has ended: .*reset\(options={'reset_mask'"):
        envs.step(np.array([1, 1, 1]))
    assert envs.positions()[0].plies == 2
    envs.reset(options={"reset_mask": np.array([False, True, False])})
    free = envs.action_masks().argmax(1)
    *_, over, truncated, _ = envs.step(free)
    assert (over.any(), truncated.tolist()) == (False, [True, False, True])
    assert envs.action_masks().any(1).all()
    with pytest.raises(ResetNeeded, match="game 0 has ended"):
        envs.step(free)


def test_each_game_can_be_asked_like_a_single_environment():
    kinds = both(AutoresetMode.DISABLED, bricks="D4", opponent=lowest, seat="second", render_mode="ansi")
    assert kinds[0].get_attr("seat") == ("second",) * 5
    for envs in kinds:
        envs.reset(seed=0)
        envs.step(np.array([1, 2, 24, 3, 4]))
    ours, theirs = kinds
    for name in ("position", "brick_names", "boards", "illegal", "render_mode", "observation_space"):
        assert ours.get_attr(name) == theirs.get_attr(name), name
    assert ours.brick_names == ("D4",) * 5
    assert ours.call("render") == theirs.call("render") == ours.render()
    assert np.array_equal(ours.call("action_masks"), theirs.call("action_masks"))
    assert ours.get_attr("opponent") == (lowest,) * 5
    with pytest.raises(AttributeError, match="positions"):
        ours.get_attr("positions")
    with pytest.raises(AttributeError, match="'step' is not available for one game"):
        ours.call("step", 0)


def test_an_opponent_can_be_replaced_between_two_moves():
    envs = BrickTicTacToeVectorEnv(3, bricks="D4")
    envs.reset(seed=0)
    envs.step(np.array([0, 0, 0]))
    for opponent, reply in ((Highest(), 48), ([lowest] * 3, 2)):
        envs.set_attr("opponent", opponent)
        envs.step(np.array([reply - 1] * 3))
        assert [position.last_move for position in envs.positions()] == [reply] * 3
    envs.set_attr("opponent", "minimax:depth=1")
    assert envs.opponent == envs.get_attr("opponent")[0] == make_agent("minimax:depth=1")
    envs.set_attr("illegal", "raise")
    with pytest.raises(ValueError, match="illegal in 7x7x4:D4"):
        envs.step(np.array([0, 0, 0]))
    for name, values, error, message in (
        ("opponent", "self", ValueError, "'self' cannot be set or replaced"),
        ("opponent", [lowest, "random", lowest], ValueError, "opponent is shared by all games"),
        ("opponent", [lowest], ValueError, "one for each of 3 games, got 1"),
        ("illegal", "ignore", ValueError, "illegal must be one of"),
        ("seat", "second", AttributeError, "'seat' cannot be set; attributes that can be set are"),
    ):
        with pytest.raises(error, match=message):
            envs.set_attr(name, values)


def test_rendering_without_a_mode_warns_and_draws_nothing():
    envs = BrickTicTacToeVectorEnv(2)
    envs.reset()
    with pytest.warns(UserWarning, match="without a render mode"):
        assert envs.render() is None


def test_returned_arrays_are_the_callers_unless_copies_are_off():
    rng = np.random.default_rng(0)

    def two_steps(copy):
        envs = BrickTicTacToeVectorEnv(3, bricks="D4", copy=copy)
        observations, infos = envs.reset(seed=0)
        kept = observations.copy(), infos["action_mask"].copy()
        *_, later = envs.step(random_actions(infos["action_mask"], rng))
        same = np.array_equal(kept[0], observations) and np.array_equal(kept[1], infos["action_mask"])
        return same, np.shares_memory(later["action_mask"], infos["action_mask"])

    assert two_steps(True) == (True, False)
    assert two_steps(False) == (False, True)


def test_copies_or_not_the_games_are_the_same():
    kinds = [BrickTicTacToeVectorEnv(8, copy=copy, autoreset_mode="SameStep") for copy in (True, False)]
    assert trajectory(kinds[0], 1) == trajectory(kinds[1], 1)


def test_an_illegal_action_may_raise_and_changes_no_game():
    envs = BrickTicTacToeVectorEnv(3, bricks="D4", illegal="raise", opponent="self")
    envs.reset(seed=0)
    with pytest.raises(ValueError, match="action D4 of game 1 is illegal in 7x7x4:D4"):
        envs.step(np.array([0, 24, 0]))
    assert [position.plies for position in envs.positions()] == [0, 0, 0]


def test_with_raise_a_finished_game_takes_any_action():
    envs = BrickTicTacToeVectorEnv(1, bricks="A1", rows=1, cols=2, win_length=3, illegal="raise")
    envs.reset(seed=0)
    assert envs.step(np.array([1]))[2].tolist() == [True]
    assert envs.step(np.array([0]))[2].tolist() == [False]


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ([0, 0], r"actions must be 3 whole numbers, got shape \(2,\)"),
        ([0.0, 1.0, 2.0], r"got shape \(3,\), float64"),
        ([0, 49, 0], "action 49 of game 1 is out of range: valid actions are 0 to 48"),
        ([0, 0, -1], "action -1 of game 2 is out of range"),
    ],
)
def test_wrong_actions_are_refused(actions, message):
    envs = BrickTicTacToeVectorEnv(3)
    with pytest.raises(ResetNeeded):
        envs.step(np.zeros(3, np.int64))
    envs.reset()
    with pytest.raises(ValueError, match=message):
        envs.step(np.array(actions))


def test_any_kind_of_whole_numbers_will_do():
    envs = BrickTicTacToeVectorEnv(2, bricks="D4", opponent="self")
    envs.reset()
    for actions in (np.array([0, 1], np.uint8), [2, 3], np.arange(8)[4::3], (6, 8)):
        envs.step(actions)
    frozen = np.array([10, 11])
    frozen.flags.writeable = False
    envs.step(frozen)
    assert [position.plies for position in envs.positions()] == [5, 5]


def test_an_agents_wrong_answer_is_an_error():
    envs = BrickTicTacToeVectorEnv(2, bricks="D4", opponent=lambda position, rng: "D4")
    envs.reset()
    with pytest.raises(ValueError, match="played D4, which is not free"):
        envs.step(np.array([0, 0]))


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"num_envs": 0}, ValueError, "num_envs must be at least 1, got 0"),
        ({"num_envs": 2.5}, ValueError, "num_envs must be a whole number, at least 1, got 2.5"),
        ({"opponent": "slef"}, ValueError, "in the vector environment, 'self', got 'slef'"),
        ({"opponent": 3}, TypeError, "opponent must be the spec of an agent"),
        ({"max_episode_steps": 0}, ValueError, "max_episode_steps must be at least 1, got 0"),
        ({"observation": "image"}, ValueError, "observation must be one of 'planes', 'dict', got 'image'"),
        ({"opponent": "self", "seat": "second"}, ValueError, "seat must be 'first' with opponent='self'"),
        ({"autoreset_mode": "Never"}, ValueError, "autoreset_mode must be one of 'NextStep', 'SameStep'"),
        ({"render_mode": "human"}, ValueError, "render_mode must be one of None, 'ansi', 'rgb_array'"),
        ({"seat": "third"}, ValueError, "seat must be one of"),
    ],
)
def test_wrong_settings_are_refused(settings, error, message):
    with pytest.raises(error, match=message):
        BrickTicTacToeVectorEnv(**settings)


def test_make_vec_declares_autoreset_and_spaces():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        envs = gymnasium.make_vec(
            NAME, num_envs=6, bricks="R2", autoreset_mode="SameStep", render_mode="ansi"
        )
    assert isinstance(envs, BrickTicTacToeVectorEnv)
    assert envs.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert "autoreset_mode" not in BrickTicTacToeVectorEnv.metadata
    observations, _ = envs.reset(seed=0)
    assert observations in envs.observation_space
    assert observations[0] in envs.single_observation_space
    envs.action_space.seed(0)
    observations, rewards, terminations, truncations, _ = envs.step(envs.action_space.sample())
    assert observations in envs.observation_space
    assert (rewards.dtype, terminations.dtype, truncations.dtype) == (np.float64, np.bool_, np.bool_)
    assert not truncations.any()
    assert [frame.splitlines()[0] for frame in envs.render()] == ["   1  2  3  4  5  6  7"] * 6


def test_gymnasiums_wrappers_understand_the_infos():
    envs = gymnasium.make_vec(NAME, num_envs=3, bricks="D4", autoreset_mode="SameStep", rows=4, cols=4)
    envs = gymnasium.wrappers.vector.DictInfoToList(gymnasium.wrappers.vector.RecordEpisodeStatistics(envs))
    _, infos = envs.reset(seed=0)
    rng = np.random.default_rng(0)
    ends = 0
    for _ in range(30):
        masks = np.stack([info["action_mask"] for info in infos])
        _, rewards, over, _, infos = envs.step(random_actions(masks, rng))
        for i in np.flatnonzero(over):
            assert infos[i]["episode"]["r"] == rewards[i]
            assert infos[i]["final_info"]["bricks"].tolist() == [cell == 15 for cell in range(16)]
            assert not infos[i]["final_info"]["action_mask"].any()
            ends += 1
    assert ends > 5


def test_gymnasium_turns_everything_into_tensors():
    pytest.importorskip("array_api_compat")
    for form in ("planes", "dict"):
        envs = gymnasium.make_vec(NAME, 3, bricks="D4", rows=4, cols=4, observation=form)
        envs = gymnasium.wrappers.vector.NumpyToTorch(envs)
        _, infos = envs.reset(seed=0)
        for _ in range(12):
            *_, infos = envs.step(infos["action_mask"].float().argmax(1))
            assert {type(value) for value in infos.values()} == {torch.Tensor}
        assert infos["bricks"].sum() == 3


def test_games_that_the_opponent_breaks_cannot_go_on():
    def opponent(position, rng):
        if position.plies == 3:
            raise KeyboardInterrupt
        return position.legal_cells()[0]

    envs = BrickTicTacToeVectorEnv(3, opponent=opponent)
    with pytest.raises(ResetNeeded):
        envs.positions()
    envs.reset(seed=0)
    envs.step(np.array([24, 24, 24]))
    with pytest.raises(KeyboardInterrupt):
        envs.step(np.array([25, 25, 25]))
    with pytest.raises(ResetNeeded):
        envs.step(np.array([26, 26, 26]))
    envs.reset(seed=0)
    envs.step(np.array([24, 24, 24]))
