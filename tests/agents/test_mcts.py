import pickle
import time
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oracle import position_of, positions
from solve import best_cells, exact_value

from agents.agent import Agent, make_agent
from agents.heuristic import expert_heuristic, leaf_value
from agents.mcts import MctsAgent
from agents.mcts_kernels import (
    DRAWN,
    LEAF,
    LOST,
    ROOT,
    PlayoutTree,
    Settings,
    _select,
    empty_tree,
    grow,
    places,
)
from bttt.board import Board
from bttt.position import Outcome, Position

TINY = [Board(3, 3, 3), Board(3, 3, 3, "B2"), Board(3, 3, 3, "A1"), Board(3, 4, 3, "A1,B3"), Board(2, 5, 3)]


def played(names: str, board: Board | None = None) -> Position:
    board = board or Board()
    return position_of(board, tuple(map(board.cell, names.split())))


def decide(agent: MctsAgent, position: Position, seed: int = 0):
    return agent.decide([position], np.random.default_rng(seed))[0]


def grown(
    position: Position, iterations: int, *, nodes: int | None = None, rollouts=1, tactics=False
) -> PlayoutTree:
    board = position.board
    rules = np.uint64(board.playable), board.stride, board.win_length
    tree = empty_tree(places(iterations) if nodes is None else nodes)
    search = Settings(*rules, position.to_move, 1.0, rollouts, tactics)
    words = np.uint64(position.mine), np.uint64(position.theirs)
    used = grow(*words, iterations, 0, tree, search, np.array([7], np.uint64))
    assert used <= len(tree.visits)
    return tree


def check_node(tree: PlayoutTree, node: int, position: Position) -> int:
    """Checks a node and all below it; returns how many nodes with visits there are."""
    visits, total = int(tree.visits[node]), float(tree.total[node])
    assert abs(total) <= visits
    first = int(tree.first_child[node])
    if position.outcome == Outcome.DRAW:
        assert (first, total) == (DRAWN, 0)
        return 1
    if position.outcome:
        assert (first, total) == (LOST, visits)
        return 1
    if first == LEAF:
        assert visits == 1
        return 1
    children = range(first, first + int(tree.children[node]))
    cells = [int(tree.cell[child]) - int(tree.cell[child]) // position.board.stride for child in children]
    assert sorted(cells) == list(position.legal_cells())
    tried = children[: visits - 1]
    assert sum(int(tree.visits[child]) for child in tried) == visits - 1
    assert min(int(tree.visits[child]) for child in tried) >= 1
    return 1 + sum(
        check_node(tree, child, position.play(cell)) for child, cell in zip(tried, cells, strict=False)
    )


@given(positions(), st.integers(1, 400), st.integers(0, 2))
@settings(max_examples=60)
def test_visits_add_up_and_ends_are_exact_in_every_node(position, iterations, rollouts):
    assume(position.outcome == Outcome.UNFINISHED)
    tree = grown(position, iterations, rollouts=rollouts)
    assert tree.visits[ROOT] == iterations + 1
    assert check_node(tree, ROOT, position) > 1


def test_totals_are_the_negated_totals_of_the_children_and_the_own_first_result():
    tree = grown(Position.start(), 3000)
    for node in np.flatnonzero(tree.first_child[: 1 + 49] > 0):
        first, children = int(tree.first_child[node]), int(tree.children[node])
        tried = slice(first, first + min(children, int(tree.visits[node]) - 1))
        own = float(tree.total[node] + tree.total[tried].sum())
        assert own == 0 if node == ROOT else own in (-1, 0, 1)


@pytest.mark.parametrize("opening", ["", "D4"])
def test_leaves_hold_the_expert_heuristic_from_the_view_of_who_moved_there(opening):
    position = played(opening)
    tree = grown(position, 4000, rollouts=0)
    checked = Counter()

    def check(node: int, here: Position) -> None:
        first = int(tree.first_child[node])
        if first == LEAF:
            worth = expert_heuristic(here) * (1 if here.to_move else -1)
            assert tree.total[node] == pytest.approx(leaf_value(worth))
            checked[here.plies] += 1
        for child in range(first, first + min(int(tree.children[node]), int(tree.visits[node]) - 1)):
            check(child, here.play(int(tree.cell[child]) - int(tree.cell[child]) // 8))

    check(ROOT, position)
    assert len(checked) > 1


def test_full_arrays_stop_the_tree_from_growing_and_not_the_search():
    tree = grown(Position.start(), 5000, nodes=500)
    assert tree.visits[ROOT] == 5001
    first = int(tree.first_child[ROOT])
    assert tree.visits[first : first + 49].sum() == 5000


@pytest.mark.parametrize("leaf", ["rollout", "heuristic"])
@pytest.mark.parametrize("board", TINY, ids=str)
def test_many_iterations_keep_the_value(board, leaf):
    rng = np.random.default_rng(2)
    agent = MctsAgent(iterations=20_000, leaf=leaf)
    for _ in range(15):
        position = Position.start(board)
        for _ in range(rng.integers(2, 6)):
            following = position.play(int(rng.choice(position.legal_cells())))
            if following.outcome:
                break
            position = following
        decision = decide(agent, position)
        assert decision.cell in best_cells(position), position
        assert abs(decision.value - exact_value(position)) < 0.25, (position, decision.value)


@pytest.mark.parametrize("seat", [0, 1])
@pytest.mark.parametrize("leaf", ["rollout", "heuristic"])
def test_wins_and_blocks_are_found_for_both_seats(seat, leaf):
    agent = MctsAgent(iterations=2000, leaf=leaf)
    moves = "D4 A1 D5 A2 D6 A3" if seat == 0 else "G7 D4 A2 D5 B7 D6 E1"
    decision = decide(agent, played(moves))
    assert Board().cell_name(decision.cell) in ("D3", "D7")
    assert decision.value > 0.7
    blocked = decide(agent, played("D1 A1 D2 A7 D3" if seat else "D7 A1 D6 A2 F1 A3"))
    assert Board().cell_name(blocked.cell) == ("D4" if seat else "A4")


def test_more_rollouts_judge_a_leaf_more_closely():
    """With one iteration the value is one leaf's mean result."""
    spread = {
        rollouts: np.std(
            [decide(MctsAgent(iterations=1, rollouts=rollouts), Position.start(), s).value for s in range(60)]
        )
        for rollouts in (1, 100)
    }
    assert spread[1] > 0.7
    assert spread[100] < 0.3


def test_the_child_with_the_highest_upper_confidence_bound_is_selected():
    rng = np.random.default_rng(0)
    for c in (0.0, 0.3, 1.4):
        for _ in range(50):
            visits = rng.integers(1, 40, size=6)
            total = rng.uniform(-1, 1, size=6) * visits
            parent = int(visits[1:5].sum()) + 1
            bounds = total / visits + c * np.sqrt(np.log(parent) / visits)  # UCB1: Auer et al. 2002
            tree = SimpleNamespace(visits=visits, total=total)
            assert _select.py_func(1, 4, parent, c, tree) == 1 + np.argmax(bounds[1:5])


def test_exploration_spreads_the_visits():
    narrow, wide = (decide(MctsAgent(iterations=3000, c=c), Position.start()).policy for c in (0.1, 10.0))
    assert narrow.max() > 2 * wide.max()
    assert wide.min() > 0.5 / 49


def test_tactics_play_the_win_and_the_forced_block_in_one_iteration():
    agent = MctsAgent(iterations=1, tactics=True)
    for seed in range(20):
        win = decide(agent, played("D4 A1 D5 A2 D6 A3"), seed)
        assert Board().cell_name(win.cell) in ("D3", "D7")
        assert win.value == 1
        assert Board().cell_name(decide(agent, played("D1 A1 D2 A7 D3"), seed).cell) == "D4"
    without = {decide(MctsAgent(iterations=1), played("D4 A1 D5 A2 D6 A3"), seed).cell for seed in range(20)}
    assert len(without) > 10


def test_tactics_restrict_every_expansion_of_the_tree():
    """After A4 the second player has no choice: every tried node of the second ply holds only the block."""
    position = played("A1 G1 A2 G3")
    tree = grown(position, 3000, tactics=True)
    first = int(tree.first_child[ROOT])
    by_cell = {int(tree.cell[child]): child for child in range(first, first + int(tree.children[ROOT]))}
    assert len(by_cell) == 45
    child = by_cell[2]
    assert tree.children[child] == 1
    assert tree.cell[tree.first_child[child]] == 3


def test_moves_of_a_symmetric_position_are_played_alike():
    board = Board(5, 5, 4, "C3")
    agent = MctsAgent(iterations=100)
    counts = Counter(decide(agent, Position.start(board), seed).cell for seed in range(400))
    for cell in range(25):
        orbit = {cell, 24 - cell, cell % 5 * 5 + cell // 5, 24 - (cell % 5 * 5 + cell // 5)}
        mean = sum(counts[each] for each in orbit) / len(orbit)
        assert all(abs(counts[each] - mean) < 5 * np.sqrt(mean) + 1 for each in orbit)


@pytest.mark.parametrize("iterations", [1, 30, 500])
@pytest.mark.parametrize("leaf", ["rollout", "heuristic"])
def test_decisions_do_not_depend_on_earlier_ones_or_on_the_batch(iterations, leaf):
    batch = [Position.start(), *map(Position.start, TINY), Position.start(Board(6, 6, 5, "C3"))]
    agent = MctsAgent(iterations=iterations, leaf=leaf)
    rngs = [[np.random.default_rng(i) for i in range(len(batch))] for _ in range(2)]
    together, again = (agent.decide(batch, each) for each in rngs)
    alone = [decide(MctsAgent(iterations=iterations, leaf=leaf), *pair[::-1]) for pair in enumerate(batch)]
    for one, two, three, position in zip(together, again, alone, batch, strict=True):
        assert (one.cell, one.value, one.nodes) == (two.cell, two.value, iterations)
        assert (one.cell, one.value) == (three.cell, three.value)
        assert one.policy.tolist() == two.policy.tolist() == three.policy.tolist()
        assert one.policy.shape == (position.board.cells,)
        assert one.policy.dtype == np.float32
        assert one.policy.sum() == pytest.approx(1)
        assert one.policy[list(position.board.bricks)].sum() == 0
        assert one.policy[one.cell] == one.policy.max()
        assert -1 <= one.value <= 1


@pytest.mark.parametrize("rollouts", [1, 20_000])
def test_time_limit_holds(rollouts):
    agent = MctsAgent(iterations=1, seconds=0.1, rollouts=rollouts)
    decide(agent, Position.start())
    started = time.perf_counter()
    decision = decide(agent, Position.start())
    assert 0.1 <= time.perf_counter() - started < 0.3
    assert decision.nodes > 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"iterations": 0}, "iterations must be 1 to 2,000,000,000, got 0"),
        ({"rollouts": 0}, "rollouts must be 1 to 2,000,000,000, got 0"),
        ({"c": -0.5}, "c must be at least 0 and finite, got -0.5"),
        ({"c": float("nan")}, "c must be at least 0 and finite, got nan"),
        ({"leaf": "network"}, "leaf must be one of rollout, heuristic, got 'network'"),
        ({"leaf": "rolout"}, r"got 'rolout' \(did you mean 'rollout'\?\)"),
        ({"seconds": -1.0}, "seconds must be above 0 or none, got -1.0"),
    ],
)
def test_wrong_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        MctsAgent(**options)


def test_spec_makes_an_agent_that_survives_pickling():
    agent = make_agent("mcts:iterations=50,c=1.5,leaf=heuristic,tactics=true")
    assert isinstance(agent, Agent)
    assert agent == MctsAgent(iterations=50, c=1.5, leaf="heuristic", tactics=True)
    decide(agent, Position.start())
    assert len(pickle.dumps(agent)) < 1000
    assert pickle.loads(pickle.dumps(agent)) == agent


def test_the_shortest_time_still_judges_its_own_position():
    """Arrays are reused: a decision without any iteration would repeat an earlier decision."""
    agent, rng = MctsAgent(seconds=1e-9), np.random.default_rng(0)
    start = Position.start()
    MctsAgent.decide(agent, [start], rng)
    for position in (start.play("D4"), start.play("A1").play("B1")):
        (decision,) = agent.decide([position], rng)
        assert decision.cell in position.legal_cells()
        assert decision.nodes >= 1
        assert decision.policy.sum() == pytest.approx(1)
