"""Runs that grow: a grown run equals one that was large from the start, and stored games stay."""

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import replace

import pytest

from agents.random_agent import RandomAgent
from bttt import Board
from tournaments.play.conditions import Conditions
from tournaments.play.growth import grown_settings, growth_text, open_growing
from tournaments.play.openings import opening
from tournaments.play.runner import play_games
from tournaments.play.schedule import (
    Numbering,
    ScheduledGame,
    game_generator,
    keyed,
    schedule_games,
    schedule_of,
)
from tournaments.play.store import STORE_FILE, Store
from tournaments.play.stored_run import missing_games

CONDITIONS = Conditions(seed=3, opening_plies=1)


def settings(players="ab", boards=("3x3x3:B2",), repeats=1, **more):
    fields = {"schedule": "round-robin", "players": list(players), "boards": list(boards)}
    return {**fields, "repeats": repeats, "seed": 3, **more}


SMALL, LARGE = settings(), settings("cba", ("4x4x3", "3x3x3:B2"), 2)


def play(folder, wanted, most=None):
    """Plays at most so many of the games that are missing, and returns all stored games."""
    folder.mkdir(exist_ok=True)
    store, schedule = open_growing(folder, wanted)
    with store:
        agents = {player: RandomAgent() for player in store.settings["players"]}
        store.add(play_games(missing_games(schedule, store)[:most], agents, CONDITIONS))
        assert store.scheduled == len(schedule)
        return [replace(game, seconds=()) for game in store.games()]


def by_key(games):
    found = {(game.first, game.second, game.board, game.repeat): replace(game, index=0) for game in games}
    assert len(found) == len({game.index for game in games}) == len(games)
    return found


def test_a_grown_run_equals_one_that_was_large_from_the_start(tmp_path, capsys):
    small = play(tmp_path / "grown", SMALL)
    play(tmp_path / "grown", LARGE, most=5)  # as if killed
    grown = play(tmp_path / "grown", LARGE)
    assert grown[: len(small)] == small
    assert len(grown) == 24
    assert by_key(grown) == by_key(play(tmp_path / "fresh", LARGE))
    assert "grows: repeats 1 to 2; players c; boards 4x4x3; stored games stay" in capsys.readouterr().out
    assert play(tmp_path / "grown", LARGE) == grown
    larger = play(tmp_path / "grown", settings("abcd", LARGE["boards"], 3))
    assert larger[:24] == grown
    assert by_key(larger) == by_key(play(tmp_path / "larger", settings("abcd", LARGE["boards"], 3)))


def make_version_1(folder):
    """Makes the store one of the version before runs could grow."""
    with closing(sqlite3.connect(folder / STORE_FILE, isolation_level=None)) as connection:
        connection.execute("DROP TABLE stages")
        connection.execute("PRAGMA user_version = 1")


def test_a_run_of_the_first_version_keeps_the_streams_of_its_numbers(tmp_path):
    play(tmp_path, LARGE, most=0)
    make_version_1(tmp_path)
    schedule = schedule_games("round-robin", "cba", tuple(map(Board.parse, LARGE["boards"])), 2)
    agents = dict.fromkeys("abc", RandomAgent())
    wanted = sorted(play_games(schedule, agents, CONDITIONS), key=lambda game: game.index)
    stored = play(tmp_path, LARGE, most=7) and play(tmp_path, LARGE)
    assert stored == [replace(game, seconds=()) for game in wanted]
    grown = play(tmp_path, settings("cbad", LARGE["boards"], 2))
    assert grown[: len(stored)] == stored
    assert [game.index for game in grown] == list(range(48))
    by_key(grown)


def test_a_grown_run_of_the_first_version_is_reproducible(tmp_path):
    for folder in (tmp_path / "a", tmp_path / "b"):
        play(folder, SMALL, most=0)
        make_version_1(folder)
        play(folder, SMALL)
    play(tmp_path / "a", LARGE, most=9)
    assert play(tmp_path / "a", LARGE) == play(tmp_path / "b", LARGE)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (settings("cb", LARGE["boards"], 2), "players lack a"),
        (settings("cba", ("4x4x3",), 2), "boards lack 3x3x3:B2"),
        (settings("cba", LARGE["boards"], 1), "repeats is 2 there and 1 here"),
        ({**LARGE, "seed": 4, "repeats": 3}, "seed is 3 there and 4 here"),
        ({**LARGE, "schedule": "gauntlet"}, "schedule is round-robin there and gauntlet here"),
        ({**LARGE, "fingerprints": ["a 1"]}, "fingerprints is None there and a 1 here"),
    ],
)
def test_what_is_not_growth_is_refused_and_changes_nothing(tmp_path, given, message):
    before = play(tmp_path, LARGE)
    with pytest.raises(ValueError, match=message) as caught:
        open_growing(tmp_path, given)
    assert "can grow, not shrink" in str(caught.value) or "lack" not in message
    assert play(tmp_path, LARGE) == before


def test_entries_of_stored_players_stay_and_those_of_new_ones_are_added():
    stored = settings(**{"fingerprints": ["a 1"], "trained on": {"a": ["7x7x4:D4"]}})
    given = settings("abc", **{"fingerprints": ["c 7", "a 1"], "source files": ["c 2"]})
    given["trained on"] = {"a": ["7x7x4:D4"], "c": ["7x7x4"]}
    grown = grown_settings(stored, given, "x")
    assert grown["fingerprints"] == ["c 7", "a 1"] and grown["source files"] == ["c 2"]
    assert grown["trained on"] == given["trained on"]
    assert grown_settings(stored, stored, "x") == stored
    for name, value in (("fingerprints", ["a 2"]), ("trained on", {"a": []}), ("source files", ["b 1"])):
        with pytest.raises(ValueError, match=name):
            grown_settings(stored, {**given, name: value}, "x")


def test_roles_do_not_change():
    gauntlet = settings("abc", schedule="gauntlet")
    with pytest.raises(ValueError, match="the first player is a there and b here"):
        grown_settings(gauntlet, settings("bacd", schedule="gauntlet"), "x")
    sides = settings("abc", schedule="bipartite", against=["c"])
    assert grown_settings(sides, settings("abdc", schedule="bipartite", against=["c"]), "x")["against"] == [
        "c"
    ]
    larger = settings("abcd", schedule="bipartite", against=["d", "c"])
    assert growth_text(sides, grown_settings(sides, larger, "x")) == "players d"
    with pytest.raises(ValueError, match="b is on the other side"):
        grown_settings(sides, settings("abc", schedule="bipartite", against=["c", "b"]), "x")


def test_a_bipartite_schedule_has_every_pair_of_both_sides_and_no_other():
    games = schedule_of(settings("abcde", schedule="bipartite", against=["d", "b"], repeats=2), by_key=True)
    wanted = {(one, other) for one in "ace" for other in "db"}
    pairs = wanted | {(other, one) for one, other in wanted}
    assert Counter((game.first, game.second) for game in games) == dict.fromkeys(pairs, 2)


def test_streams_by_key_depend_on_nothing_else():
    boards = [Board.parse(f"4x4x3:{cell}") for cell in ("A1", "A2", "C3")]
    few = {game.key: keyed(game) for game in schedule_games("round-robin", "ab", boards[1:2], 1)}
    many = {game.key: keyed(game) for game in schedule_games("round-robin", "cab", boards, 3)}
    for key, game in few.items():
        assert game_generator(0, game).integers(2**60) == game_generator(0, many[key]).integers(2**60)
        assert opening(0, game, 3) == opening(0, many[key], 3)
    assert len({game.stream for game in many.values()}) == len(many)
    openings = {}
    for game in many.values():
        openings.setdefault((game.board, game.repeat), set()).add(game.opening_key)
    assert all(len(found) == 1 for found in openings.values())
    parities = {place: sum(min(found)) % 2 for place, found in openings.items()}
    for board in boards:
        assert [parities[board, repeat] for repeat in range(3)] in ([0, 1, 0], [1, 0, 1])
    assert parities[boards[0], 0] != parities[boards[1], 0]


def test_streams_by_key_stay_what_they_are():
    """Stored runs must resume and grow with the same random numbers in every version."""
    game = keyed(ScheduledGame(7, "random", "minimax:depth=2", Board.parse("7x7x4:D4"), 3, (0, 3)))
    assert game.stream == (3991478547, 2787303671, 1340688585, 3852185799)
    assert game.opening_key == (1825604143, 1798754589, 3311405089, 1110304262, 0)
    assert game_generator(1, game).integers(1000, size=4).tolist() == [331, 980, 399, 442]


KINDS = ({}, {"schedule": "gauntlet"}, {"schedule": "bipartite", "against": ["d", "b"]})


@pytest.mark.parametrize("kind", KINDS, ids=["round-robin", "gauntlet", "bipartite"])
@pytest.mark.parametrize("stages", [[], [(2, 1, 1)], [(2, 2, 1), (4, 2, 1), (4, 2, 3)]])
def test_numbers_are_those_of_the_schedule(kind, stages):
    whole = settings("abcde", ("4x4x3", "3x3x3:B2", "4x4x3", "5x5x4"), 3, **kind)
    schedule = schedule_of(whole, stages, by_key=False)
    numbering = Numbering(whole, stages)
    assert numbering.games == len(schedule)
    for game in schedule:
        assert numbering.number(game.first, game.second, str(game.board), game.repeat) == game.index


FOREIGN = {
    "UPDATE games SET number = 77 WHERE number = 3": "game 77 .* schedule: .*, repeat 0, is game 3",
    "UPDATE games SET first_id = second_id, second_id = first_id WHERE number = 3": "game 3 .* is game 1",
    "UPDATE games SET board = '5x5x4' WHERE number = 3": "game 3 .* 5x5x4 is not among the run's boards",
    "UPDATE games SET repeat = 9 WHERE number = 3": "game 3 .* repeat 9 is not below the run's 2 repeats",
    "UPDATE players SET name = 'z' WHERE name = 'b'": "game 0 .* z is not among the run's players",
    "UPDATE games SET second_id = first_id WHERE number = 3": r"game 3 .* (.) does not meet \1",
    "UPDATE runs SET games = 99": "says that 99 games are scheduled, but its settings give 24",
}


def test_a_game_that_does_not_fit_the_schedule_is_refused_by_name(tmp_path):
    """Also after the run has grown, when it is read and when it is resumed."""
    play(tmp_path, settings("cb", LARGE["boards"]))
    play(tmp_path, LARGE)
    good = (tmp_path / STORE_FILE).read_bytes()
    for statement, message in FOREIGN.items():
        (tmp_path / STORE_FILE).write_bytes(good)
        with closing(sqlite3.connect(tmp_path / STORE_FILE, isolation_level=None)) as connection:
            connection.execute(statement)
        with Store.open(tmp_path / STORE_FILE, read_only=True) as store:
            for read in (store.games, store.finished):
                with pytest.raises(ValueError, match=message):
                    read()
        with pytest.raises(ValueError, match=message):
            play(tmp_path, LARGE)


def test_a_stage_that_does_not_fit_is_one_line(tmp_path):
    play(tmp_path, SMALL)
    with closing(sqlite3.connect(tmp_path / STORE_FILE, isolation_level=None)) as connection:
        connection.execute("INSERT INTO stages (run_id, players, boards, repeats) VALUES (1, 1, 1, 99999999)")
    with pytest.raises(ValueError, match="at least 2 players, got 1"):
        open_growing(tmp_path, SMALL)
    with Store.open(tmp_path / STORE_FILE, read_only=True) as store:
        assert store.stages == [(1, 1, 99999999)]
