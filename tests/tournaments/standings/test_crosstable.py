from dataclasses import replace
from math import isnan, nan

import pytest
from records import random_round_robin, record

from bttt.board import Board
from bttt.bricks import brick_sets
from bttt.position import Outcome
from bttt.runs.tables import TEXT_WIDTH, number_text
from bttt.symmetry import canonical_board
from tournaments.standings.crosstable import (
    Tally,
    by_board,
    by_pair,
    by_player,
    by_seats,
    crosstable_rows,
    crosstable_text,
    milliseconds_text,
    move_times,
    orbit_name,
    ratings_table,
    sum_tallies,
    tally_games,
)
from tournaments.standings.ratings import fit_ratings

SMALL = Board(3, 3, 3)
WIN, OTHER_WIN, LOSS = "A1 B1 A2 B2 A3", "A1 C1 A2 C2 A3", "A1 B1 A2 B2 C3 B3"
DRAW = "A1 A2 A3 B1 B3 B2 C1 C3 C2"
PLAYERS = ["a", "b", "c"]


def hand_made_games():
    return [
        record("a", "b", WIN, SMALL, index=0),
        record("a", "b", WIN, SMALL, index=1),
        record("a", "b", OTHER_WIN, SMALL, index=2),
        record("b", "a", DRAW, SMALL, index=3),
        record("b", "a", "A1", SMALL, index=4, outcome=Outcome.FIRST_WINS, forfeit="illegal cell A1"),
        record("a", "b", LOSS, SMALL.with_bricks("C1"), index=5),
        record("c", "a", "", SMALL, index=6, outcome=Outcome.SECOND_WINS, forfeit="raised ValueError"),
    ]


def test_hand_made_games_are_tallied():
    tallies = tally_games(hand_made_games())
    assert tallies == {
        ("a", "b", SMALL): Tally(wins=3, distinct=2),
        ("b", "a", SMALL): Tally(wins=1, draws=1, distinct=2, forfeit_wins=1),
        ("a", "b", SMALL.with_bricks("C1")): Tally(losses=1, distinct=1),
        ("c", "a", SMALL): Tally(losses=1, distinct=1, forfeits=1),
    }
    assert by_seats(tallies)["a", "b"] == Tally(wins=3, losses=1, distinct=3)
    assert by_pair(PLAYERS, tallies) == {
        ("a", "b"): Tally(wins=3, draws=1, losses=2, distinct=5, forfeits=1),
        ("a", "c"): Tally(wins=1, distinct=1, forfeit_wins=1),
    }
    assert by_player(PLAYERS, tallies)["a"] == (
        Tally(wins=3, losses=1, distinct=3),
        Tally(wins=1, draws=1, losses=1, distinct=3, forfeits=1, forfeit_wins=1),
    )
    assert by_board(tallies)[SMALL] == Tally(4, 1, 1, 5, 1, 1)


def test_the_same_cells_in_other_seats_or_on_another_board_are_another_game():
    games = [record("a", "b", WIN, SMALL), record("b", "a", WIN, SMALL)]
    games.append(record("a", "b", WIN, SMALL.with_bricks("C3")))
    assert sum(tally_games(games).values(), Tally()).distinct == 3


@pytest.fixture(scope="module")
def random_games():
    boards = brick_sets("all", Board(3, 4, 3)) + brick_sets("D4")
    return random_round_robin(["good:1", "good:2", "x"], boards, repeats=3)


def test_tallies_agree_with_counting_game_by_game(random_games):
    tallies = tally_games(random_games)
    assert sum(tally.games for tally in tallies.values()) == len(random_games)
    for (first, second), tally in by_seats(tallies).items():
        scores = [game.first_score for game in random_games if game.players == (first, second)]
        assert (tally.wins, tally.draws, tally.losses) == tuple(map(scores.count, (1.0, 0.5, 0.0)))
        assert tally.score == pytest.approx(sum(scores) / len(scores))
    orbits = sum_tallies(tallies, lambda _first, _second, board: orbit_name(board))
    for name, tally in orbits.items():
        games = [game for game in random_games if orbit_name(game.board) == name]
        assert tally.games == len(games)
        assert tally.distinct == len({(game.players, game.board, game.cells) for game in games})


def test_both_sides_of_a_pair_are_opposite(random_games):
    tallies = tally_games(random_games)
    pairs = by_pair(["good:1", "x"], tallies)
    turned = by_pair(["x", "good:1"], tallies)
    assert turned["x", "good:1"] == pairs["good:1", "x"].opposite
    assert pairs["good:1", "x"].score + turned["x", "good:1"].score == pytest.approx(1)
    assert pairs["good:1", "x"].opposite.opposite == pairs["good:1", "x"]


def test_players_results_add_up(random_games):
    players = ["good:1", "good:2", "x"]
    sides = [side for pair in by_player(players, tally_games(random_games)).values() for side in pair]
    total = sum(sides, Tally())
    assert total.games == 2 * len(random_games)
    assert total.wins == total.losses


def test_an_empty_tally_has_no_score():
    assert isnan(Tally().score)
    assert by_player(["a"], {}) == {"a": (Tally(), Tally())}


@pytest.mark.parametrize(
    ("board", "name"),
    [
        ("7x7x4:A1", "orbit of A1 (4 cells)"),
        ("7x7x4:G7", "orbit of A1 (4 cells)"),
        ("7x7x4:F2", "orbit of B2 (4 cells)"),
        ("7x7x4:C6", "orbit of B3 (8 cells)"),
        ("7x7x4:D4", "orbit of D4 (1 cell)"),
        ("5x6x4:C3", "orbit of C3 (2 cells)"),
        ("7x7x4", "no brick"),
        ("7x7x4:D4,E5", "orbit of C3,D4 (4 boards)"),
    ],
)
def test_orbit_names(board, name):
    assert orbit_name(Board.parse(board)) == name


def test_all_bricks_of_7x7_fall_in_ten_orbits():
    assert len({canonical_board(board) for board in brick_sets("all")}) == 10


@pytest.mark.parametrize("opening_plies", [0, 1, 2, 3])
def test_move_times_leave_the_opening_out(opening_plies):
    seconds = (1.0, 2.0, 4.0, 8.0, 16.0)
    seconds = (0.0,) * opening_plies + seconds[opening_plies:]
    times = move_times(PLAYERS, [record("a", "b", WIN, SMALL, seconds=seconds, opening_plies=opening_plies)])
    first = [second for second in seconds[0::2] if second]
    second = [second for second in seconds[1::2] if second]
    for player, own in (("a", first), ("b", second)):
        assert times[player].moves == len(own)
        assert times[player].seconds == pytest.approx(sum(own) / len(own))
        assert times[player].first_move_seconds == own[0]
    assert times["c"].moves == 0
    assert isnan(times["c"].seconds)


def test_rows_for_export():
    rows = crosstable_rows(hand_made_games())
    assert rows[1] == {
        "first": "b",
        "second": "a",
        "board": "3x3x3",
        "bricks": "",
        "orbit": "no brick",
        "games": 2,
        "wins": 1,
        "draws": 1,
        "losses": 0,
        "score": 0.75,
        "distinct": 2,
        "first_forfeits": 0,
        "second_forfeits": 1,
    }
    assert [row["games"] for row in rows] == [3, 2, 1, 1]
    assert crosstable_rows([]) == []


def test_crosstable_text():
    assert crosstable_text(PLAYERS, hand_made_games()).splitlines() == [
        "W-D-L of the first player (row) against the second (column); [unique games] where some repeat",
        "   first \\ second      1          2  3",
        "1  a                   -  3-0-1 [3]  -",
        "2  b               1-1-0          -  -",
        "3  c               0-0-1          -  -",
    ]


def test_a_wide_crosstable_lists_the_names_above():
    players = [f"a_player_with_a_long_name:iterations={10**number}" for number in range(8)]
    games = random_round_robin(players, [SMALL, SMALL.with_bricks("B2")] * 5)
    lines = crosstable_text(players, games).splitlines()
    assert lines[1:9] == [f"{number} = {player}" for number, player in enumerate(players, 1)]
    assert max(map(len, lines)) <= 100
    assert lines[10].split() == list("12345678")
    assert [line.split()[0] for line in lines[11:]] == list("12345678")


def test_ratings_table():
    games = hand_made_games()
    lines = ratings_table(fit_ratings([*PLAYERS, "idle"], games, anchor="b"), games).splitlines()
    assert lines[0].split()[:4] == ["#", "agent", "elo", "+-"]
    rows = {line.split()[1]: line.split() for line in lines[1:5]}
    assert list(rows)[-1] == "idle"
    assert rows["b"][2] == "0"
    assert rows["a"][4:] == ["7", "4-1-2", "64.3", "75.0", "6", "1", "1.00"]
    assert rows["c"][4:] == ["1", "0-0-1", "0.0", "0.0", "1", "1", "-"]
    assert rows["idle"][2:] == ["-", "-", "0", "0-0-0", "-", "-", "0", "0", "-"]
    assert len({len(line) for line in lines[:5]}) == 1
    assert lines[6].startswith("elo: 0 is b; ")
    assert lines[8].startswith("Moving first is worth ")


def test_ratings_table_without_games():
    lines = ratings_table(fit_ratings(PLAYERS, []), []).splitlines()
    assert [line.split()[1] for line in lines[1:4]] == PLAYERS
    assert not any("Moving first" in line for line in lines)


def test_the_ratings_table_of_long_specs_fits_a_terminal():
    players = ["random", "minimax:depth=2", "mcts:iterations=1000", "mcts:iterations=10000"]
    games = random_round_robin(players, [SMALL])
    games = [replace(game, index=index) for index, game in enumerate(games * 40)]
    assert max(map(len, ratings_table(fit_ratings(players, games), games).splitlines())) <= 100


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(-0.2, 0, "0"), (-1.6, 0, "-2"), (0.04, 1, "0.0"), (-0.04, 1, "0.0"), (nan, 1, "-")],
)
def test_number_text(value, digits, text):
    assert number_text(value, digits) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0.000"),
        (0.00001234, "0.012"),
        (0.0012345, "1.23"),
        (0.0099996, "10.0"),
        (0.5, "500"),
        (12.0, "12000"),
    ],
)
def test_milliseconds_text(seconds, text):
    assert milliseconds_text(seconds) == text


def test_a_crosstable_of_exactly_the_terminals_width_keeps_its_names():
    exact = "b" * (TEXT_WIDTH - len("2    -  1-0-0"))
    for player, listed in ((exact, False), (f"{exact}b", True)):
        lines = crosstable_text(["a", player], [record("a", player, WIN, SMALL)]).splitlines()[1:]
        assert (f"2 = {player}" in lines) is listed
        if not listed:
            assert [len(line) for line in lines] == [TEXT_WIDTH] * 3


def test_no_advantage_of_moving_first_is_0_and_not_minus_0():
    games = [record("a", "b", WIN, SMALL, index=0), record("b", "a", LOSS, SMALL, index=1)]
    ratings = replace(fit_ratings(["a", "b"], games), first_move=-0.2)
    assert "Moving first is worth 0 +- " in ratings_table(ratings, games)
