"""The kernels of self-play play by the rules of `Position`, and draw openings as it would."""

import numpy as np
import pytest

from agents.alphazero.training.games import Games, open_games, play_cells
from bttt.bricks import boards_of_size
from bttt.position import Outcome, Position

BOARDS = boards_of_size("3x4x3", ("A1", "B2+C3", "none"))
PLAYABLE = np.array([board.playable for board in BOARDS], np.uint64)
RULES = BOARDS[0].stride, BOARDS[0].win_length


def opened(number, plies, seed=0):
    games = Games(*(np.zeros(number, kind) for kind in (np.int64, np.uint64, np.uint64, np.int64)))
    open_games(games, np.arange(number), PLAYABLE, *RULES, plies, np.uint64(seed))
    return games


def positions(games):
    words = zip(games.boards.tolist(), games.first.tolist(), games.second.tolist(), strict=True)
    return [Position(BOARDS[board], first, second) for board, first, second in words]


def test_games_are_played_as_positions_are():
    games, rng = opened(200, 3), np.random.default_rng(0)
    seen = set()
    while len(games.boards):
        before = positions(games)
        cells = np.array([rng.choice(position.legal_cells()) for position in before])
        outcomes = np.empty(len(cells), np.int64)
        play_cells(games, cells, PLAYABLE, *RULES, outcomes)
        wanted = [position.play(int(cell)) for position, cell in zip(before, cells, strict=True)]
        for found, outcome, position in zip(positions(games), outcomes, wanted, strict=True):
            assert (found.first, found.second, outcome) == (position.first, position.second, position.outcome)
        seen |= set(outcomes.tolist())
        games = Games(*(array[outcomes == Outcome.UNFINISHED] for array in games))
    assert seen == set(map(int, Outcome))


def test_openings_are_unfinished_games_of_all_lengths_and_boards():
    games = opened(3000, 4)
    assert np.bincount(games.boards) / 3000 == pytest.approx([1 / 3] * 3, abs=0.05)
    assert np.bincount(games.opened) / 3000 == pytest.approx([1 / 5] * 5, abs=0.04)
    for position, plies in zip(positions(games)[:300], games.opened, strict=False):
        assert position.plies == plies
        assert (
            not position.first & position.second
            and not (position.first | position.second) & ~position.board.playable
        )
        assert Position.from_cells(position.board, position.cells).outcome is Outcome.UNFINISHED


def test_the_plies_of_openings_are_equally_likely():
    games = opened(6000, 1)
    none = (games.opened == 1) & (games.boards == 2)
    cells = games.first[none]
    assert np.unique(cells, return_counts=True)[1] / len(cells) == pytest.approx([1 / 12] * 12, abs=0.035)


def test_only_the_games_chosen_begin_anew():
    games = opened(20, 4)
    before = [array.copy() for array in games]
    open_games(games, np.array([3, 7]), PLAYABLE, *RULES, 4, np.uint64(9))
    changed = np.flatnonzero((before[1] != games.first) | (before[0] != games.boards))
    assert set(changed) <= {3, 7} and len(changed)
