"""The agent: its specs, what a decision depends on, wrong input, and the bundled networks."""

import copy
import json
import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from agents import make_agent
from agents.alphazero.network.checkpoint import save_network
from agents.alphazero.network.residual import PRESETS, NetworkConfig, PolicyValueNet
from agents.alphazero.player import AlphaZeroAgent
from agents.alphazero.weights import find_network, record, shipped
from agents.listing import network_text
from bttt import Board, Position, brick_sets
from bttt.runs.options import parse_options
from tournaments.play.conditions import Conditions
from tournaments.play.players import make_players
from tournaments.play.runner import play_games
from tournaments.play.schedule import schedule_games

TINY = NetworkConfig(stream=4, blocks=(4,), policy=4, value=4, hidden=4)
RECORD = {"bricks": ["D4"], "boards": ["7x7x4:D4"], "seed": 3, "date": "2026-01-02T03:04:05+00:00"}


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def save(path, config=TINY, seed=0, made=RECORD):
    path.parent.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        save_network(path, PolicyValueNet(config), made)


@pytest.fixture
def network(tmp_path):
    """The folder of a run with a small untrained network, as text."""
    save(tmp_path / "runs" / "x" / "network.safetensors")
    return "runs/x"


def rngs(number, seed=0):
    return [np.random.default_rng([seed, each]) for each in range(number)]


def positions(boards=("7x7x4:D4", "7x7x4:E5", "7x7x4"), plies=6):
    """Returns positions on some boards after 0 to `plies` random plies."""
    rng = np.random.default_rng(0)
    found = []
    for board in map(Board.parse, boards):
        position = Position.start(board)
        for _ in range(plies):
            found.append(position)
            position = position.play(int(rng.choice(position.legal_cells())))
            assert not position.outcome
    return found


def assert_same(one, other):
    for mine, theirs in zip(one, other, strict=True):
        assert (mine.cell, mine.value, mine.nodes) == (theirs.cell, theirs.value, theirs.nodes)
        np.testing.assert_array_equal(mine.policy, theirs.policy)


@pytest.mark.parametrize("name", ["d4", "all"])
def test_shipped_networks_are_found_by_name_in_capitals_too(name):
    assert make_agent(f"alphazero:{name}") == make_agent(f"alphazero:network={name.upper()}")
    assert find_network(name.upper()) == find_network(name)


def test_a_run_and_its_file_are_the_same_network(network):
    run = make_agent(f"alphazero:{network},simulations=100")
    assert run == make_agent(f"alphazero:{network}/network.safetensors")
    assert run == make_agent(f"alphazero:network={network}/")
    assert run != make_agent(f"alphazero:{network},simulations=99")
    assert hash(run) == hash(make_agent(f"alphazero:{network}"))


def test_another_network_of_the_same_name_is_another_agent(network, tmp_path):
    before = make_agent(f"alphazero:{network}")
    save(tmp_path / network / "network.safetensors", seed=1)
    assert make_agent(f"alphazero:{network}") != before


def test_a_folder_with_a_shipped_name_is_found_by_its_path(tmp_path):
    save(tmp_path / "all" / "network.safetensors")
    assert make_agent("alphazero:./all") != make_agent("alphazero:all")


def test_the_path_of_another_system_stays_whole():
    options = parse_options(r"C:\runs\x,simulations=3", AlphaZeroAgent)
    assert options == {"network": r"C:\runs\x", "simulations": 3}


def test_the_same_agent_under_two_names_is_refused_in_a_run():
    for specs in (("alphazero:all", "alphazero:all,simulations=100"), ("alphazero", "alphazero:ALL")):
        with pytest.raises(ValueError, match="are the same agent; players must differ"):
            make_players(specs)


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ("al", r"no network 'al' \(did you mean 'all'\?\): give one of all, d4"),
        ("runs/none", "no network 'runs/none': give one of"),
        ("empty", "folder 'empty' has no network.safetensors"),
        ("text.safetensors", "text.safetensors is corrupt or not a safetensors file"),
        ("foreign.safetensors", "has format None, expected 'bttt alphazero network'"),
        ("cut.safetensors", "cut.safetensors is corrupt"),
        ("other.safetensors", "its tensors do not match its architecture: "),
        ("d4,simulations=-1", "simulations must be 0 to 1000000, got -1"),
        ("d4,simulations=many", "option simulations='many' must be a whole number"),
        ("d4,temperature=-1", "temperature must be 0 to 100, got -1"),
        ("d4,temperature=nan", "temperature must be 0 to 100, got nan"),
        ("d4,noise=2", "noise must be 0 to 1, got 2"),
        ("d4,c_puct=inf", "c_puct must be at least 0 and finite, got inf"),
        ("d4,leaves=0", "leaves must be 1 to 1024, got 0"),
        ("d4,lookahead=4", "lookahead must be 0 to 3, got 4"),
        ("d4,lookahead=0,simulations=0", "lookahead needs simulations, got lookahead=0 without them"),
        ("d4,fpu=-1", "fpu must be at least 0 and finite, got -1"),
        ("d4,fpu=0.5,gumbel=true", "fpu needs simulations by PUCT, without gumbel, got fpu=0.5"),
        ("d4,evaluator=tpu", "option evaluator='tpu' must be auto or openvino"),
        ("d4,gumbel=yes", "option gumbel='yes' must be true or false"),
        ("d4,simulation=1", r"unknown option 'simulation' \(did you mean 'simulations'\?\)"),
        ("d4,network=all", "option 'network' is given twice"),
        ("simulations=1,d4", "option 'd4' does not have the form option=value"),
    ],
)
def test_wrong_specs_are_named_in_one_line(rest, message, tmp_path):
    from safetensors.torch import save_file

    (tmp_path / "empty").mkdir()
    (tmp_path / "text.safetensors").write_text("weights")
    save_file({"weight": torch.zeros(2)}, tmp_path / "foreign.safetensors")
    save(tmp_path / "whole.safetensors")
    whole = (tmp_path / "whole.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[:-100])
    (tmp_path / "other.safetensors").write_bytes(whole.replace(b'\\"blocks\\": [4]', b'\\"blocks\\": [ ]'))
    with pytest.raises(ValueError, match=message) as caught:
        make_agent(f"alphazero:{rest}")
    assert "\n" not in str(caught.value)


def test_a_network_for_another_size_forfeits_with_the_reason(tmp_path):
    small = replace(PRESETS["paper"], stream=4, blocks=(4,))
    save(tmp_path / "paper.safetensors", small)
    agent = make_agent("alphazero:paper.safetensors,simulations=2")
    reason = "network 'paper.safetensors' is for 7x7 boards, got 6x6"
    with pytest.raises(ValueError, match=reason):
        agent.decide([Position.start(Board(6, 6, 4))], np.random.default_rng(0))
    schedule = schedule_games("round-robin", ("zero", "random"), brick_sets("none", Board(6, 6, 4)), 1)
    agents = {"zero": agent, "random": make_agent("random")}
    games = list(play_games(schedule, agents, Conditions()))
    assert all(game.forfeit.startswith(f"raised ValueError: {reason} (agents/") for game in games)
    assert len(games) == 2
    assert all(game.players[game.winner] == "random" for game in games)
    assert agent.decide([Position.start()], np.random.default_rng(0))


@pytest.mark.parametrize(
    "options", ["", "simulations=0", "simulations=9,leaves=3", "gumbel=true,simulations=8"]
)
def test_decisions_are_legal_and_say_what_they_are_made_of(network, options):
    agent = make_agent(f"alphazero:{network},{options}")
    asked = positions()
    for position, decision in zip(asked, agent.decide(asked, rngs(len(asked))), strict=True):
        taken = np.ones(position.board.cells, bool)
        taken[list(position.legal_cells())] = False
        assert decision.cell in position.legal_cells()
        assert decision.policy.dtype == np.float32 and decision.policy.shape == taken.shape
        assert decision.policy.sum() == pytest.approx(1, abs=1e-5) and not decision.policy[taken].any()
        assert -1 <= decision.value <= 1
        assert 0 <= decision.nodes <= agent.simulations


def test_without_search_the_best_of_the_policy_is_played(network):
    agent = make_agent(f"alphazero:{network},simulations=0")
    for decision in agent.decide(positions(), rngs(18)):
        assert decision.cell == decision.policy.argmax() and decision.nodes == 0


@pytest.mark.parametrize(
    "options",
    [
        "simulations=0,temperature=1",
        "simulations=12,noise=0.5,temperature=0.5",
        "simulations=12,gumbel=true,noise=1",
        "simulations=12",
    ],
)
def test_a_decision_depends_on_its_own_position_and_generator_alone(network, options):
    agent = make_agent(f"alphazero:{network},{options}")
    asked = positions()
    together = agent.decide(asked, rngs(len(asked)))
    alone = [agent.decide([each], rng)[0] for each, rng in zip(asked, rngs(len(asked)), strict=True)]
    for one, other in zip(together, alone, strict=True):
        assert (one.cell, one.nodes) == (other.cell, other.nodes)
        np.testing.assert_allclose(one.policy, other.policy, atol=1e-5)
    assert_same(together, agent.decide(asked, rngs(len(asked))))


def test_boards_of_several_sizes_are_decided_in_one_call(network):
    agent = make_agent(f"alphazero:{network},simulations=8")
    asked = positions(("7x7x4:D4", "5x6x4:B2", "7x7x5"), plies=3)
    mixed = [asked[place] for place in (0, 3, 6, 1, 4, 7)]
    together = agent.decide(mixed, rngs(6))
    for position, decision in zip(mixed, together, strict=True):
        assert len(decision.policy) == position.board.cells
        assert decision.cell == agent.decide([position], np.random.default_rng(0))[0].cell


def test_temperature_and_noise_are_drawn_from_the_generator(network):
    start = [Position.start()] * 40
    for options in (
        "simulations=0,temperature=1",
        "simulations=8,noise=0.9",
        "simulations=8,gumbel=true,noise=1",
    ):
        agent = make_agent(f"alphazero:{network},{options}")
        cells = [decision.cell for decision in agent.decide(start, rngs(40))]
        assert len(set(cells)) > 3
        assert cells == [decision.cell for decision in agent.decide(start, rngs(40))]


def test_a_drawn_cell_follows_the_policy(network):
    start = [Position.start()] * 3000
    agent = make_agent(f"alphazero:{network},simulations=0,temperature=0.5")
    decisions = agent.decide(start, rngs(3000))
    share = np.bincount([decision.cell for decision in decisions], minlength=49) / 3000
    wanted = decisions[0].policy.astype(float) ** 2
    wanted /= wanted.sum()
    assert np.abs(share - wanted).max() < 5 * np.sqrt(wanted.max() / 3000)


def test_games_do_not_depend_on_how_many_are_in_flight():
    players = ("alphazero:all,simulations=16", "random")
    agents = {name: make_agent(name) for name in players}
    schedule = schedule_games("round-robin", players, brick_sets(["D4", "E5"]), 4)
    found = [
        {game.index: game.cells for game in play_games(schedule, agents, Conditions(), in_flight=number)}
        for number in (1, 3, 16)
    ]
    assert found[0] == found[1] == found[2]


def test_lookahead_says_which_tactics_the_search_sees_by_itself(network):
    """An untrained network with one simulation sees what its lookahead proves, and nothing else."""
    win = Position.parse("7x7x4 ......./......./..OOO../......./..XXX../......./.......")
    lost = Position.parse("7x7x4 ......./......./..OOO../....O../..XX.../....X../.......")
    double = Position.parse("7x7x4 ......./......./...OO../......./..X..../....X../.......")
    values = {}
    for lookahead in range(4):
        agent = make_agent(f"alphazero:{network},simulations=1,lookahead={lookahead}")
        decisions = agent.decide([win, lost, double], rngs(3))
        values[lookahead] = [abs(decision.value) > 0.7 for decision in decisions]
        assert (decisions[0].cell in (15, 19)) == (lookahead > 0)
    assert values == {
        0: [False, False, False],
        1: [True, False, False],
        2: [True, True, False],
        3: [True, True, True],
    }


def test_lookahead_and_fpu_have_the_defaults_of_the_search_and_change_what_is_played(network):
    asked = positions()
    plain = make_agent(f"alphazero:{network},simulations=24")
    wanted = plain.decide(asked, rngs(len(asked)))
    spelled = make_agent(f"alphazero:{network},simulations=24,lookahead=3,fpu=0.2")
    assert spelled == plain and spelled.fingerprint == plain.fingerprint
    assert_same(spelled.decide(asked, rngs(len(asked))), wanted)
    for option in ("lookahead=0", "fpu=2"):
        other = make_agent(f"alphazero:{network},simulations=24,{option}")
        assert other != plain and pickle.loads(pickle.dumps(other)) == other
        found = other.decide(asked, rngs(len(asked)))
        assert any((one.policy != two.policy).any() for one, two in zip(found, wanted, strict=True)), option


def test_a_copy_decides_as_the_original(network):
    agent = make_agent(f"alphazero:{network},simulations=8,temperature=1")
    asked = positions()
    wanted = agent.decide(asked, rngs(len(asked)))
    for copied in (copy.deepcopy(agent), pickle.loads(pickle.dumps(agent))):
        assert copied == agent
        assert_same(copied.decide(asked, rngs(len(asked))), wanted)


def test_torch_keeps_its_number_of_threads(network):
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        make_agent(f"alphazero:{network},simulations=4").decide([Position.start()], np.random.default_rng(0))
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_fingerprint_and_training_boards_are_those_of_the_checkpoint(network, tmp_path):
    agent = make_agent(f"alphazero:{network}")
    assert agent.trained_on == ("7x7x4:D4",)
    assert agent.fingerprint == make_agent(f"alphazero:{network},simulations=3").fingerprint
    save(tmp_path / network / "network.safetensors", seed=1, made={})
    changed = make_agent(f"alphazero:{network}")
    assert changed.trained_on is None and changed.fingerprint != agent.fingerprint


def test_every_shipped_network_tells_its_training():
    for name in shipped():
        made = record(find_network(name))
        assert {"bricks", "boards", "seed", "date", "command", "training"} <= set(made)
        assert tuple(made["boards"]) == tuple(map(str, brick_sets(made["bricks"])))
        assert make_agent(f"alphazero:{name}").trained_on == tuple(made["boards"])
        assert find_network(name).stat().st_size < 2_000_000
        text = network_text(name, made)
        assert text.startswith(f"{name}\n    trained on {' '.join(made['bricks'])}; seed ")
        assert "% seen" in text


def test_records_are_read_without_torch():
    code = (
        "import json, sys; from agents.alphazero.weights import *; "
        "made = record(find_network('d4')); assert not {'torch', 'numba'} & set(sys.modules); "
        "print(json.dumps(made))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == record(find_network("d4"))


@pytest.mark.parametrize("content", [b"", b"text", b"\xff" * 100, b"\x02" + bytes(7) + b"{}", bytes(8)])
def test_a_record_that_cannot_be_read_is_named(content, tmp_path):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(ValueError, match="x is corrupt or not a checkpoint"):
        record(tmp_path / "x")
