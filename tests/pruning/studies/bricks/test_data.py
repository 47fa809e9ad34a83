"""Positions of each cell: as many as requested, split by game."""

import numpy as np
import pytest
from fake_networks import hashed

from agents.alphazero.configs import SearchConfig, SelfPlayConfig
from bttt.board import Board
from pruning.studies.alphazero.buffer import Buffer
from pruning.studies.bricks.data import deal, needed, play_each

BOARDS = [Board.parse(f"4x4x3:{cell}") for cell in ("A1", "B2", "C1")]
WANTED = dict(zip(BOARDS, (60, 10, 25), strict=True))


@pytest.fixture(scope="module")
def games():
    options = {"config": SelfPlayConfig(games=4, opening_plies=2), "search": SearchConfig(simulations=2)}
    return play_each(hashed, WANTED, False, **options, seed=1)


def test_every_board_has_enough_positions_of_whole_games(games):
    for board, number in WANTED.items():
        own = games.samples["playable"] == board.playable
        assert own.sum() >= number
        assert not set(games.games[own]) & set(games.games[~own])
    assert (np.diff(games.games) >= 0).all()
    assert set(games.games) == set(range(games.games[-1] + 1))


def test_parts_have_their_sizes_and_share_no_game(games):
    numbered = Buffer(games.samples.copy(), games.games)
    numbered.samples["value"] = np.arange(len(games.games))  # identifies a sample
    sizes = (13, 20)
    assert needed(*sizes, board=BOARDS[0]) <= WANTED[BOARDS[0]]
    parts = deal(numbered, BOARDS[:1], sizes, seed=3)
    found = [part["value"].astype(int) for part in parts]
    assert tuple(map(len, parts)) == sizes
    assert all((part["playable"] == BOARDS[0].playable).all() for part in parts)
    assert not set(games.games[found[0]]) & set(games.games[found[1]])
    again, other = (deal(numbered, BOARDS[:1], sizes, seed=seed) for seed in (3, 4))
    assert all(np.array_equal(*pair) for pair in zip(parts, again, strict=True))
    assert not np.array_equal(parts[0], other[0])
    assert len(set(np.concatenate(found))) == sum(sizes)


def test_a_longer_part_goes_on_where_a_shorter_one_ends(games):
    (short,), (long,) = (deal(games, BOARDS, [size], seed=0) for size in (10, 30))
    assert np.array_equal(long[:10], short)


def test_too_few_positions_are_told(games):
    with pytest.raises(ValueError, match=r"A1 has \d+ positions, too few for splits of \(1000,\)"):
        deal(games, BOARDS[:1], [1000], seed=0)
