import json

import numpy as np
import pytest

from agents import make_agent
from agents.alphazero.network.checkpoint import save_network
from agents.alphazero.network.residual import NetworkConfig, PolicyValueNet
from bttt.board import Board
from bttt.suites import load_suite
from tournaments.evaluation.value_losses import loss_rates
from tournaments.generalisation.evaluation import (
    EVALUATION_FILE,
    Counts,
    Part,
    boards_of,
    evaluate,
    measure,
    stored,
)

TINY = NetworkConfig(stream=2, blocks=(), policy=2, value=2, hidden=2)
PARTS = (
    Part("losing", "single", 0, 3, ("D4", "R2"), 0),
    Part("wins", "single", 2, 1, ("D4",), 0),
    Part("wins", "4x5x4 A1", 0, 1, (), 0),
)


def tiny_network(folder, **changes):
    network = PolicyValueNet(NetworkConfig(**{**TINY.to_json(), **changes}))
    save_network(folder / "network.safetensors", network, {})


def test_losing_decisions_are_those_of_the_suite():
    part = Part("losing", "bricks4", 0, None, (), 0)
    counts = measure(part, make_agent("minimax:depth=1"))
    suite = load_suite("bricks4")
    assert [each.board for each in counts] == list(suite.boards)
    assert sum(each.trials for each in counts) == sum(each.distinct for each in counts) == len(suite)
    agent = make_agent("minimax:depth=1")
    rngs = [np.random.default_rng(np.random.SeedSequence(0, spawn_key=(0, n))) for n in range(len(suite))]
    cells = np.array([[decision.cell for decision in agent.decide(suite.positions(), rngs)]])
    by_board = {rate.group: rate.losing for rate in loss_rates("x", suite, cells) if rate.kind == "board"}
    assert {each.board.brick_names: each.hits for each in counts} == by_board


def test_only_the_first_positions_of_the_boards_asked_for_are_decided():
    part = Part("losing", "single", 0, 7, ("D4", "A1"), 0)
    counts = measure(part, make_agent("perfect"))
    assert counts == [Counts(Board(bricks=cell), 7, 0, 7) for cell in ("A1", "D4")]


def test_games_are_played_as_first_player_on_each_board():
    part = Part("wins", "single", 0, 3, ("D4", "E5"), 0)
    strong, weak = (measure(part, make_agent(spec)) for spec in ("minimax:depth=2", "random"))
    assert [(each.board.brick_names, each.trials, each.hits) for each in strong] == [
        ("D4", 3, 3),
        ("E5", 3, 3),
    ]
    assert sum(each.hits for each in weak) == 0
    assert all(1 <= each.distinct <= 3 for each in strong + weak)


def test_other_sizes_and_conversion_take_the_boards_they_name():
    sizes = boards_of(Part("wins", "4x5x4", 0, 1, (), 0))
    assert len(sizes) == 20 and {board.size_text for board in sizes} == {"4x5"}
    layouts = boards_of(Part("wins", "7x7x4 random:3,count=5", 0, 1, (), 0))
    assert len(layouts) == 5 and {len(board.bricks) for board in layouts} == {3}
    (won,) = measure(Part("conversion", "single", 0, 1, ("C4",), 0), make_agent("perfect"))
    assert won == Counts(Board(bricks="C4"), 1, 1, 1)


def test_an_agent_that_fails_is_an_error_not_a_loss():
    class Broken:
        def decide(self, positions, rng):
            raise RuntimeError("no idea")

    with pytest.raises(ValueError, match=r"forfeited: .* raised RuntimeError: no idea"):
        measure(Part("wins", "single", 0, 1, ("D4",), 0), Broken())


def test_measurements_are_stored_and_found_for_the_same_network(tmp_path):
    tiny_network(tmp_path)
    assert stored(tmp_path, PARTS) == [None] * 3
    first = evaluate(tmp_path, PARTS[:2])
    content = (tmp_path / EVALUATION_FILE).read_text()
    assert evaluate(tmp_path, PARTS[:2]) == stored(tmp_path, PARTS)[:2] == first
    assert (tmp_path / EVALUATION_FILE).read_text() == content
    assert evaluate(tmp_path, PARTS)[:2] == first
    assert len(json.loads((tmp_path / EVALUATION_FILE).read_text())["parts"]) == 3
    tiny_network(tmp_path)  # other weights
    assert stored(tmp_path, PARTS) == [None] * 3


def test_boards_that_a_network_cannot_judge_are_left_out(tmp_path):
    tiny_network(tmp_path, heads="dense", rows=7, cols=7)
    found = evaluate(tmp_path, PARTS)
    assert found[2] is None and found[1] is not None
    assert stored(tmp_path, PARTS) == found
    assert [board.size_text for board in boards_of(PARTS[2])] == ["4x5"]


def test_wrong_folders_and_files_are_named(tmp_path):
    with pytest.raises(ValueError, match="holds no network"):
        evaluate(tmp_path, PARTS)
    assert stored(tmp_path, PARTS) == [None] * 3
    tiny_network(tmp_path)
    evaluate(tmp_path, PARTS[:1])
    path = tmp_path / EVALUATION_FILE
    path.write_text(path.read_text().replace('"counts"', '"count"'))
    with pytest.raises(ValueError, match="is corrupt"):
        evaluate(tmp_path, PARTS)
