"""Playing and storing: the bar estimates the time left only from games after the first ones."""

from time import sleep

from agents.random_agent import RandomAgent
from bttt import brick_sets
from tournaments.play import stored_run
from tournaments.play.conditions import Conditions
from tournaments.play.runner import play_games
from tournaments.play.schedule import schedule_games
from tournaments.play.store import STORE_FILE, Store
from tournaments.play.stored_run import play_and_store

PLAYERS = ("a", "b")


def test_the_first_games_which_wait_for_workers_are_no_estimate(tmp_path, monkeypatch, capsys):
    games = schedule_games("round-robin", PLAYERS, brick_sets(["D4", "E5", "F6"]), 1)
    agents = {name: RandomAgent() for name in PLAYERS}

    def slowly(games, agents, conditions, **_):
        records = list(play_games(games, agents, conditions))
        for number, seconds in ((0, 1.0), (1, 0.2), (2, 0.2)):
            sleep(seconds)
            yield records[2 * number : 2 * number + 2]

    monkeypatch.setattr(stored_run, "play_in_processes", slowly)
    with Store.create_or_open(tmp_path / STORE_FILE, {}, PLAYERS, len(games)) as store:
        play_and_store(games, agents, store, Conditions(), workers=1, in_flight=2)
        assert len(store.finished()) == 6
    bars = [line for line in capsys.readouterr().err.split("\r") if "2/6" in line or "4/6" in line]
    assert "<?" in bars[0] and "00:01" in bars[0]
    assert "00:01<00:00" in bars[-1]  # two games took 0.2 s, so the other two will
