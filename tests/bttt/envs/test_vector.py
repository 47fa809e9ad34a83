import warnings

import gymnasium
import numpy as np
import pytest
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


@pytest.mark.parametrize("mode", list(AutoresetMode)[:2])
@pytest.mark.parametrize("seat", ["first", "second", "alternating"])
@pytest.mark.parametrize("opponent", [lowest, Highest()], ids=["callable", "batched agent"])
@pytest.mark.parametrize("size", [(7, 7, 4, "D4"), (3, 3, 3, "none"), (5, 6, 4, "A1+E6"), (2, 9, 3, "B5")])
def test_it_plays_the_games_of_gymnasiums_own_vector_env(mode, seat, opponent, size):
    rows, cols, win_length, bricks = size
    kinds = [
        gymnasium.make_vec(
            NAME,
            num_envs=5,
            vectorization_mode=kind,
            bricks=bricks,
            opponent=opponent,
            seat=seat,
            rows=rows,
            cols=cols,
            win_length=win_length,
            **extra,
        )
        for kind, extra in (
            ("vector_entry_point", {"autoreset_mode": mode}),
            ("sync", {"vector_kwargs": {"autoreset_mode": mode}}),
        )
    ]
    rng = np.random.default_rng(0)
    seen = [envs.reset(seed=1) for envs in kinds]
    ends = 0
    for step in range(80):
        assert data_equivalence(*seen, exact=True)
        if step == 40:
            seen = [envs.reset() for envs in kinds]
            continue
        actions = mostly_legal(seen[0][-1]["action_mask"], rng)
        seen = [envs.step(actions) for envs in kinds]
        ends += int(seen[0][2].sum())
    assert ends > 10


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
    at_reset = infos["bricks"].tolist()
    rng = np.random.default_rng(0)
    later = []
    for _ in range(40):
        *_, infos = envs.step(random_actions(infos["action_mask"], rng))
        later += [
            bricks
            for bricks, position in zip(infos["bricks"], envs.positions(), strict=True)
            if not position.plies
        ]
    for drawn in (at_reset, later):
        assert set(drawn) == {"C3", "D3", "D4", "E5"}
        assert min(map(drawn.count, set(drawn))) > len(drawn) / 6
    assert len(later) > 200


def test_reset_may_name_the_bricks_of_the_first_episodes():
    envs = BrickTicTacToeVectorEnv(4, bricks="D4", rows=4, cols=4, opponent="self")
    _, infos = envs.reset(seed=0, options={"bricks": "A1"})
    assert infos["bricks"].tolist() == ["A1"] * 4
    assert infos["action_mask"][:, 0].sum() == 0
    envs.step(np.zeros(4, np.int64))
    *_, infos = envs.step(np.zeros(4, np.int64))
    assert infos["bricks"].tolist() == ["D4"] * 4
    assert envs.reset()[1]["bricks"].tolist() == ["D4"] * 4
    with pytest.raises(ValueError, match="the only one is 'bricks'"):
        envs.reset(options={"reset_mask": np.ones(4, bool)})


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
        ({"opponent": "mcts"}, TypeError, r"agents\.make_agent\('mcts'\)"),
        ({"opponent": "self", "seat": "second"}, ValueError, "seat must be 'first' with opponent='self'"),
        ({"autoreset_mode": AutoresetMode.DISABLED}, ValueError, "autoreset_mode must be one of"),
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
            assert infos[i]["final_info"]["bricks"] == "D4"
            assert not infos[i]["final_info"]["action_mask"].any()
            ends += 1
    assert ends > 5


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
