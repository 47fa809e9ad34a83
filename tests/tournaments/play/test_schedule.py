"""Schedules: completeness, order, and the random numbers that belong to a game."""

from collections import Counter

import numpy as np
import pytest

from bttt import Board, Position, brick_sets
from tournaments.play.openings import opening
from tournaments.play.schedule import game_generator, schedule_games

PLAYERS = ("a", "b", "c")
BOARDS = brick_sets(["D4", "E5"])


def test_round_robin_plays_every_ordered_pair_on_every_board_in_every_repeat():
    games = schedule_games("round-robin", PLAYERS, BOARDS, 3)
    counts = Counter((game.first, game.second, game.board) for game in games)
    expected = {(a, b, board) for a in PLAYERS for b in PLAYERS if a != b for board in BOARDS}
    assert counts == dict.fromkeys(expected, 3)
    assert [game.index for game in games] == list(range(len(games)))


def test_gauntlet_is_the_part_of_the_round_robin_with_the_first_player():
    gauntlet = schedule_games("gauntlet", PLAYERS, BOARDS, 2)
    everything = schedule_games("round-robin", PLAYERS, BOARDS, 2)
    wanted = [(g.first, g.second, g.board, g.repeat) for g in everything if "a" in (g.first, g.second)]
    assert [(g.first, g.second, g.board, g.repeat) for g in gauntlet] == wanted


def test_more_repeats_only_add_games_at_the_end():
    short = schedule_games("round-robin", PLAYERS, BOARDS, 1)
    assert schedule_games("round-robin", PLAYERS, BOARDS, 2)[: len(short)] == short


@pytest.mark.parametrize(
    ("kind", "players", "repeats", "message"),
    [
        ("swiss", PLAYERS, 1, "unknown schedule 'swiss'.*round-robin, gauntlet"),
        ("round-robin", ("a",), 1, "at least 2 players, got 1"),
        ("round-robin", ("a", "b", "a"), 1, "player 'a' is named twice"),
        ("gauntlet", PLAYERS, 0, "repeats must be at least 1, got 0"),
    ],
)
def test_wrong_arguments_are_named(kind, players, repeats, message):
    with pytest.raises(ValueError, match=message):
        schedule_games(kind, players, BOARDS, repeats)


def test_opening_is_shared_by_both_seats_and_differs_by_board_and_repeat():
    games = schedule_games("round-robin", ("a", "b"), BOARDS, 4)
    openings = {}
    for game in games:
        openings.setdefault((game.board, game.repeat), set()).add(opening(0, game, 6))
    assert all(len(found) == 1 for found in openings.values())
    assert len({cells for found in openings.values() for cells in found}) == len(openings)


def test_openings_have_the_length_asked_for_and_leave_the_game_open():
    board = Board(3, 3, 3)
    for game in schedule_games("round-robin", ("a", "b"), [board], 40):
        cells = opening(5, game, 6)
        position = Position.start(board)
        for cell in cells:
            position = position.play(cell)
        assert len(cells) == 6 and not position.outcome


def test_opening_that_always_ends_the_game_is_an_error():
    (game, _) = schedule_games("round-robin", ("a", "b"), [Board(3, 3, 3)], 1)
    with pytest.raises(ValueError, match=r"opening_plies=9 is too long for board 3x3x3"):
        opening(0, game, 9)


def test_game_generator_is_the_documented_seed_sequence():
    game = schedule_games("round-robin", PLAYERS, BOARDS, 1)[7]
    expected = np.random.default_rng(np.random.SeedSequence(11, spawn_key=(7,)))
    assert game_generator(11, game).integers(2**63) == expected.integers(2**63)
