"""Balanced openings: proven by brute force, alternating, and decided by seed, board and repeat alone."""

import subprocess
import sys
from collections import Counter

import pytest
from brute_force import BruteForce
from oracle import position_of

from bttt import Board, Outcome, brick_sets
from bttt.bricks import boards_of_size
from tournaments.play.openings import DEFAULT_PLIES, opening
from tournaments.play.proven import proven_outcome
from tournaments.play.schedule import schedule_games

SMALL = boards_of_size("4x4x3", ["A1", "B2", "A2+D3"])


def games_of(boards, repeats=2, players=("a", "b")):
    return schedule_games("round-robin", players, boards, repeats)


def outcome_by_brute_force(board, cells):
    position = position_of(board, cells)
    value, _ = BruteForce(board).verdict(position)
    if value == 0:
        return Outcome.DRAW
    return Outcome.FIRST_WINS if (value == 1) == (position.to_move == 0) else Outcome.SECOND_WINS


def test_half_of_the_openings_are_won_for_each_side_in_turn():
    for game in games_of(SMALL):
        cells = opening(0, game, 5, "balanced")
        number, repeat = game.opening_key
        wanted = Outcome.SECOND_WINS if (number + repeat) % 2 else Outcome.FIRST_WINS
        assert len(cells) == 5
        assert outcome_by_brute_force(game.board, cells) == wanted


def test_on_a_drawn_board_every_balanced_opening_is_drawn():
    for game in games_of([Board(3, 3, 3)], repeats=6):
        cells = opening(4, game, 3, "balanced")
        assert outcome_by_brute_force(game.board, cells) == Outcome.DRAW


def test_both_seats_and_all_pairs_share_an_opening_and_repeats_differ():
    openings = {}
    for game in games_of(SMALL, repeats=3, players=("a", "b", "c")):
        openings.setdefault(game.opening_key, set()).add(opening(1, game, 5, "balanced"))
    assert {len(found) for found in openings.values()} == {1}
    assert len({cells for found in openings.values() for cells in found}) == len(openings) == 9
    assert any(opening(2, game, 5, "balanced") not in openings[game.opening_key] for game in games_of(SMALL))


def test_another_process_that_draws_only_one_gets_the_same():
    game = games_of(SMALL)[-1]
    here = [opening(9, each, 5, "balanced") for each in games_of(SMALL)][-1]
    code = (
        "from bttt.bricks import boards_of_size\n"
        "from tournaments.play.openings import opening\n"
        "from tournaments.play.schedule import schedule_games\n"
        f"boards = boards_of_size('4x4x3', {['A1', 'B2', 'A2+D3']!r})\n"
        f"game = schedule_games('round-robin', ('a', 'b'), boards, 2)[{game.index}]\n"
        "print(opening(9, game, 5, 'balanced'))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(here)


def test_the_default_number_of_plies_balances_the_usual_boards():
    counts = Counter()
    for game in games_of(brick_sets("all")[::3]):
        cells = opening(0, game, DEFAULT_PLIES["balanced"], "balanced")
        counts[proven_outcome(position_of(game.board, cells), 10**6)] += 1
    assert counts == {Outcome.FIRST_WINS: 34, Outcome.SECOND_WINS: 34}


@pytest.mark.parametrize(
    ("board", "plies", "message"),
    [
        (Board(3, 3, 3), 9, "opening_plies=9 is too long for board 3x3x3"),
        (
            Board(4, 4, 3, "D4"),
            0,
            r"opening_plies=0 on board 4x4x3:D4: .* required result \(second wins\)",
        ),
    ],
)
def test_a_board_without_such_an_opening_is_named(board, plies, message):
    game = games_of([board])[-1]
    with pytest.raises(ValueError, match=message):
        opening(0, game, plies, "balanced")
