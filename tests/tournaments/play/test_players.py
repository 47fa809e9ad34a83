"""The players of a run: that they differ, and what a run remembers of them beside their specs."""

import pytest

from agents import make_agent
from agents.alphazero.weights import RUN_FILE
from agents.asking import thinking
from tournaments.play.players import (
    expanded,
    isolated_players,
    made_from,
    make_again,
    make_players,
    source_files,
    training_boards,
)
from tournaments.play.schedule import DEFAULT_PLAYERS

OURS = {name: make_agent(name) for name in ("random", "mcts", "minimax", "perfect")}


class Told:
    """An agent that tells what it is given, and never plays."""

    def __init__(self, **told):
        vars(self).update(told)

    def decide(self, positions, rng):
        raise NotImplementedError


def test_the_default_players_differ_and_two_tell_their_training():
    agents = make_players(DEFAULT_PLAYERS)
    assert tuple(agents) == DEFAULT_PLAYERS
    trained = training_boards(agents)["trained on"]
    assert trained.keys() == {"alphazero:d4", "alphazero:all"}
    assert trained["alphazero:d4"] == ["7x7x4:D4"] and len(trained["alphazero:all"]) == 49


def test_agents_that_tell_nothing_leave_the_settings_of_a_run_as_they_were():
    assert source_files(OURS) == training_boards(OURS) == {}


def test_what_an_agent_is_made_from_belongs_to_the_settings():
    agents = {**OURS, "net": Told(fingerprint="abc"), "other": Told(fingerprint=lambda: "no text")}
    assert source_files(agents) == {"fingerprints": ["net abc"]}
    users = {"python:mine:Net": Told(fingerprint="abc")}
    files, prints = source_files(users).items()
    assert files[0] == "source files" and files[1][0].startswith("python:mine:Net ")
    assert prints == ("fingerprints", ["python:mine:Net abc"])


@pytest.mark.parametrize("told", [None, (), []])
def test_unknown_training_boards_are_left_out(told):
    assert training_boards({"net": Told(trained_on=told)}) == {}


def test_training_boards_are_stored_as_texts():
    agents = {**OURS, "net": Told(trained_on=("7x7x4:e5, D4", "3x3x3"))}
    assert training_boards(agents) == {"trained on": {"net": ["7x7x4:D4,E5", "3x3x3"]}}


@pytest.mark.parametrize("told", ["7x7x4:D4", ["D4"], 5, [3], ["7x7x4:H9"]])
def test_what_are_no_boards_are_refused(told):
    with pytest.raises(ValueError, match="agent 'mine': trained_on must be strings of boards"):
        training_boards({"mine": Told(trained_on=told)})


@pytest.fixture
def networks(tmp_path):
    """A folder of networks in folders and files, and of what are none."""
    for name in ("level-10", "level-02", "level-9"):
        (tmp_path / name).mkdir()
        (tmp_path / name / RUN_FILE).touch()
    (tmp_path / "level-empty").mkdir()
    (tmp_path / "level-01.txt").touch()
    (tmp_path / "level-00.safetensors").touch()
    return tmp_path


def test_a_pattern_stands_for_all_networks_that_fit_it_with_its_options(networks):
    specs = ("random", f"alphazero:{networks}/level-*,simulations=100,c_puct=2", "mcts:simulations=5")
    names = ("level-00.safetensors", "level-02", "level-10", "level-9")
    assert expanded(specs) == (
        "random",
        *(f"alphazero:{networks}/{name},simulations=100,c_puct=2" for name in names),
        "mcts:simulations=5",
    )
    assert expanded([f"alphazero:{networks}/level-?[02]"]) == tuple(
        f"alphazero:{networks}/{name}" for name in ("level-02", "level-10")
    )


def test_patterns_may_begin_at_home(networks, monkeypatch):
    monkeypatch.setenv("HOME", str(networks))
    assert expanded(["alphazero:~/level-1*"]) == (f"alphazero:{networks}/level-10",)


@pytest.mark.parametrize(
    "specs", [(), ("random",), DEFAULT_PLAYERS, ("alphazero:all,simulations=5",), ("python:my*:Net",)]
)
def test_other_specs_stay_as_they_are(specs):
    assert expanded(specs) == tuple(specs)


@pytest.mark.parametrize("pattern", ["none-*", "level-e*", "*.txt"])
def test_a_pattern_that_no_network_fits_is_refused(networks, pattern):
    with pytest.raises(
        ValueError, match=r"no network matches the pattern '.*' of 'alphazero:.*,simulations=5'"
    ):
        expanded([f"alphazero:{networks}/{pattern},simulations=5"])


def test_players_that_may_hang_are_isolated_where_moves_have_a_limit():
    players = (
        *("random", "minimax:depth=9", "python:mine:Agent", "alphazero:d4"),
        "alphazero:d4,architecture=python:mine:Net",
    )
    hanging = {players[1], players[2], players[4]}
    assert isolated_players(players, None, None) == frozenset()
    assert isolated_players(players, None, 1.0) == hanging
    assert isolated_players(players, (), None) == isolated_players(players, ("all",), None) == set(players)
    assert isolated_players(players, ("none",), 1.0) == frozenset()
    assert isolated_players(players, players[:1], 1.0) == {"random"}
    with pytest.raises(ValueError, match=r"--isolate 'randm' is not a player \(did you mean 'random'\?\)"):
        isolated_players(players, ("randm",), None)


def test_a_player_that_takes_long_to_make_is_named(monkeypatch, capsys):
    monkeypatch.setattr(thinking, "LONG_SECONDS", 0.05)
    monkeypatch.setattr(thinking, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(thinking, "_watch", thinking._Watch())
    slow = "python:hostile_agents:SlowWhenMade"
    line = f"{slow} has been starting for more than 0.05 s"
    for agents in (make_players([slow]), make_again([slow], made_from(make_players([slow])))):
        assert agents.keys() == {slow}
    assert capsys.readouterr().err.split() == f"{line} {line} {line}".split()
    make_players([slow], isolated=[slow])[slow].stop()
    assert capsys.readouterr().err.split() == line.split()


@pytest.mark.parametrize("word", ["none", "all"])
def test_all_and_none_stand_alone_in_isolate(word):
    players = ("random", "minimax")
    assert isolated_players(players, (word,), None) == {"none": frozenset(), "all": frozenset(players)}[word]
    with pytest.raises(ValueError, match=f"--isolate {word} stands alone: leave out {word}, or minimax$"):
        isolated_players(players, (word, "minimax"), None)
