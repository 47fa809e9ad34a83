"""Self-play: finished games, replayed ply by ply, and the state from which it resumes."""

from dataclasses import replace

import numpy as np
import pytest
from fake_networks import hashed

from agents.alphazero.configs import SearchConfig, SelfPlayConfig
from agents.alphazero.training.selfplay import SelfPlay
from bttt.board import Board
from bttt.bricks import boards_of_size
from bttt.position import Outcome, Position

BOARDS = boards_of_size("4x4x3", ("A1", "B2+C3", "none"))
CONFIG = SelfPlayConfig(games=12, opening_plies=3, temperature_plies=3, noise=0.25, bootstrap=0.0)
SEARCH = SearchConfig(simulations=6, lookahead=1, discount=0.9)


def games_of(config=CONFIG, search=SEARCH, seed=0):
    return SelfPlay(BOARDS, config, search, False, np.random.default_rng(seed))


def played(config=CONFIG, search=SEARCH, plies=14, seed=0):
    return games_of(config, search, seed).run(hashed, plies, np.random.default_rng(seed + 1))


def split_games(found):
    """The samples of each finished game, which are stored game by game."""
    stones = np.bitwise_count(found.samples["mine"] | found.samples["theirs"]).astype(int)
    starts = np.flatnonzero(np.diff(stones, prepend=99) != 1)
    return np.split(found.samples, starts[1:])


def positions_of(game):
    """The positions of a game's samples."""
    by_word = {board.playable: board for board in BOARDS}
    found = []
    for sample in game:
        mine, theirs = int(sample["mine"]), int(sample["theirs"])
        second = (mine | theirs).bit_count() % 2
        first = (theirs, mine) if second else (mine, theirs)
        found.append(Position(by_word[int(sample["playable"])], *first))
    return found


@pytest.mark.parametrize("gumbel", [False, True])
def test_a_finished_game_can_be_replayed(gumbel):
    found = played(search=replace(SEARCH, gumbel=gumbel))
    games = split_games(found)
    assert len(games) == len(found.plies) > 12
    assert [len(game) for game in games] == found.sizes.tolist()
    openings = set()
    for game, plies, outcome in zip(games, found.plies.tolist(), found.outcomes.tolist(), strict=True):
        positions = positions_of(game)
        openings.add(positions[0].plies)
        assert positions[0].plies + len(game) == plies
        for before, after, policy in zip(positions, positions[1:], game["policy"], strict=False):
            (cell,) = [c for c in before.legal_cells() if before.play(c) == after]
            assert policy[cell] > 0
        for position, policy in zip(positions, game["policy"].astype(float), strict=True):
            assert policy.sum() == pytest.approx(1, abs=0.01)
            assert set(np.flatnonzero(policy)) <= set(position.legal_cells())
        ends = [positions[-1].play(int(cell)) for cell in np.flatnonzero(game["policy"][-1])]
        assert outcome in [end.outcome for end in ends]
    assert openings == {0, 1, 2, 3}


def test_without_bootstrap_open_positions_learn_the_discounted_result():
    """Without lookahead the search proves little; unproven values come from the games' results."""
    found = played(search=replace(SEARCH, lookahead=0, simulations=1))
    for game, outcome in zip(split_games(found), found.outcomes.tolist(), strict=True):
        left = np.arange(len(game), 0, -1)
        result = 0.0 if outcome == Outcome.DRAW else 1.0
        signs = np.where(left % 2 == 1, 1, -1)
        expected = result * 0.9**left * signs
        proven = left == 1  # one simulation can prove the winning move, and nothing before it
        assert game["value"][~proven] == pytest.approx(expected[~proven], abs=1e-6)
        assert game["value"][proven] == pytest.approx(expected[proven], abs=1e-6)


def test_proven_values_are_kept_whatever_the_game_became():
    search = replace(SEARCH, simulations=30, lookahead=2)
    found = played(replace(CONFIG, temperature_plies=16), search)
    wins = 0
    for game in split_games(found):
        for position, sample in zip(positions_of(game), game, strict=True):
            if any(position.play(cell).outcome.winner is not None for cell in position.legal_cells()):
                assert sample["value"] == pytest.approx(0.9)
                wins += 1
    assert wins > 10


def test_bootstrap_mixes_in_what_the_search_expects():
    search = replace(SEARCH, lookahead=0, simulations=1)
    mixed, result, expected = (
        played(replace(CONFIG, bootstrap=share), search).samples for share in (0.25, 0.0, 1.0)
    )
    assert (mixed["mine"] == result["mine"]).all()
    assert mixed["value"] == pytest.approx(0.25 * expected["value"] + 0.75 * result["value"], abs=1e-5)
    assert np.abs(expected["value"] - result["value"]).max() > 0.5


def test_boards_come_from_the_brick_sets_and_from_nowhere_else():
    words = set(played().samples["playable"].tolist())
    assert words == {board.playable for board in BOARDS}


@pytest.mark.parametrize("reuse", [False, True])
def test_it_goes_on_from_its_state_as_if_nothing_had_been(reuse):
    search = replace(SEARCH, reuse=reuse)
    games = games_of(search=search)
    games.run(hashed, 5, np.random.default_rng(1))
    state = {name: array.copy() for name, array in games.state().items()}
    other = games_of(search=search, seed=99)
    other.restore(state)
    results = [each.run(hashed, 9, np.random.default_rng(2)) for each in (games, other)]
    assert (results[0].samples == results[1].samples).all()
    assert len(results[0].samples) > 0
    assert (results[0].plies == results[1].plies).all()
    for name, array in games.state().items():
        assert (array == other.state()[name]).all()


def test_the_games_end_where_a_board_is_tiny():
    games = SelfPlay([Board(1, 3, 3, (1,))], CONFIG, SEARCH, False, np.random.default_rng(0))
    found = games.run(hashed, 4, np.random.default_rng(1))
    assert set(found.plies.tolist()) == {2}
    assert set(found.outcomes.tolist()) == {Outcome.DRAW}
    assert (found.samples["value"] == 0).all()


def test_entropy_and_simulations_are_counted():
    found = played(search=replace(SEARCH, lookahead=0, simulations=8), plies=3)
    assert found.simulations <= 12 * 3 * 8
    assert 0 < found.entropy < np.log(16)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"games": 0}, "games must be 1 to"),
        ({"opening_plies": -1}, "opening_plies must be 0 to"),
        ({"noise": 1.5}, "noise must be 0 to 1, got 1.5"),
        ({"bootstrap": float("nan")}, "bootstrap must be 0 to 1, got nan"),
        ({"noise_total": 0}, "noise_total must be above 0 and finite, got 0"),
    ],
)
def test_what_self_play_cannot_be(options, message):
    with pytest.raises(ValueError, match=message):
        SelfPlayConfig(**options)
