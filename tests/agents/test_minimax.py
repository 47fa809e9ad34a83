import pickle
import time

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oracle import boards, position_of, positions
from solve import best_cells, exact_value

from agents.agent import Agent, make_agent
from agents.alpha_beta import WIN, AlphaBetaRules, Passes, empty_scratch, search_moves
from agents.heuristic import expert_heuristic
from agents.minimax import MinimaxAgent
from bttt.board import Board
from bttt.position import Outcome, Position

TINY = [Board(3, 3, 3), Board(3, 3, 3, "B2"), Board(3, 3, 3, "A1"), Board(3, 4, 3, "A1,B3"), Board(2, 5, 3)]


def slow_value(position: Position, depth: int, ply: int = 0) -> float:
    """Plain minimax without pruning, for the player to move."""
    if position.outcome == Outcome.DRAW:
        return 0.0
    if position.outcome:
        return -(WIN - ply)
    if depth == 0:
        return expert_heuristic(position) * (-1 if position.to_move else 1)
    return max(-slow_value(position.play(cell), depth - 1, ply + 1) for cell in position.legal_cells())


def search(position: Position, depth: int, entries: int) -> dict[int, float]:
    """The values of the root moves after one pass."""
    board = position.board
    scratch = empty_scratch(entries)
    cells = position.legal_cells()
    moves = np.array([board.bit(cell) for cell in cells], np.uint64)
    values = np.empty(len(cells))
    rules = AlphaBetaRules(np.uint64(board.playable), board.stride, board.win_length)
    words = np.uint64(position.mine), np.uint64(position.theirs), position.to_move
    assert search_moves(*words, depth, moves, values, Passes(1, 1), rules, scratch)
    return dict(zip(cells, values.tolist(), strict=True))


def best_of(values: dict[int, float]) -> dict[int, float]:
    return {cell: value for cell, value in values.items() if value == max(values.values())}


def late_positions(free: int) -> st.SearchStrategy[Position]:
    """Unfinished positions with at most `free` free cells."""

    @st.composite
    def draw_one(draw) -> Position:
        board = draw(boards().filter(lambda board: 2 <= board.cells <= 36))
        cells = [cell for cell in range(board.cells) if cell not in board.bricks]
        order = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).permutation(cells).tolist()
        position = Position.start(board)
        for cell in order[: max(len(order) - free, 0)]:
            position = position.play(cell)
            assume(not position.outcome)
        return position

    return draw_one()


@given(late_positions(7), st.integers(1, 5))
@settings(max_examples=60)
def test_best_root_moves_equal_plain_minimax_with_and_without_table(position, depth):
    slow = {cell: -slow_value(position.play(cell), depth - 1, 1) for cell in position.legal_cells()}
    for entries in (1, 4, 2**12):
        found = search(position, depth, entries)
        assert best_of(found) == best_of(slow)
        assert all(found[cell] >= slow[cell] for cell in found)


@pytest.mark.parametrize("board", [Board(5, 5, 4), Board(6, 6, 4, "C3"), Board(4, 6, 3, "B2,C5")], ids=str)
def test_table_changes_no_value_in_deep_searches_of_the_middle_game(board):
    rng = np.random.default_rng(3)
    for _ in range(10):
        position = random_unfinished(board, rng)
        without, *others = (best_of(search(position, 6, entries)) for entries in (1, 2**8, 2**16))
        assert all(other == without for other in others), position


@given(positions(), st.integers(1, 2))
@settings(max_examples=25)
def test_agent_draws_from_all_best_moves_of_plain_minimax(position, depth):
    assume(position.outcome == Outcome.UNFINISHED and len(position.legal_cells()) <= 20)
    slow = {cell: -slow_value(position.play(cell), depth - 1, 1) for cell in position.legal_cells()}
    best = set(best_of(slow))
    agent = MinimaxAgent(depth=depth)
    [decision] = agent.decide([position], np.random.default_rng(0))
    assert set(np.flatnonzero(decision.policy).tolist()) == best
    played = {agent.decide([position], np.random.default_rng(seed))[0].cell for seed in range(20 * len(best))}
    assert played == best


@pytest.mark.parametrize("board", TINY, ids=str)
def test_enough_depth_plays_only_moves_that_keep_the_value(board):
    rng = np.random.default_rng(1)
    agent = MinimaxAgent(depth=board.cells)
    for _ in range(60):
        position = random_unfinished(board, rng)
        [decision] = agent.decide([position], rng)
        assert decision.cell in best_cells(position), position
        assert decision.value == exact_value(position), position


def random_unfinished(board: Board, rng: np.random.Generator) -> Position:
    position = Position.start(board)
    for _ in range(rng.integers(board.cells - len(board.bricks))):
        following = position.play(int(rng.choice(position.legal_cells())))
        if following.outcome:
            break
        position = following
    return position


def test_quickest_win_is_played_although_others_win_too():
    position = position_of(Board(), tuple(map(Board().cell, ("D4", "A1", "D5", "A2", "D6", "G7"))))
    values = search(position, 5, 2**12)
    assert {Board().cell_name(cell) for cell in best_of(values)} == {"D3", "D7"}
    assert max(values.values()) == WIN - 1


def test_open_three_is_blocked_before_it_grows():
    two = position_of(Board(), tuple(map(Board().cell, ("D3", "A1", "D4"))))
    [decision] = MinimaxAgent(depth=4).decide([two], np.random.default_rng(0))
    assert Board().cell_name(decision.cell)[0] == "D"


def test_opening_on_an_empty_board_is_its_centre():
    [decision] = MinimaxAgent(depth=3).decide([Position.start()], np.random.default_rng(0))
    assert decision.cell == Board().cell("D4")
    assert -1 <= decision.value <= 1


def test_symmetric_openings_are_all_drawn_from():
    board = Board(bricks="D4")
    [decision] = MinimaxAgent(depth=2).decide([Position.start(board)], np.random.default_rng(0))
    best = set(np.flatnonzero(decision.policy).tolist())
    assert len(best) == 4
    assert {board.cells - 1 - cell for cell in best} == best


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_decisions_do_not_depend_on_earlier_ones_or_on_the_batch(depth):
    batch = [Position.start(), *map(Position.start, TINY), Position.start(Board(6, 6, 5, "C3"))]
    agent = MinimaxAgent(depth=depth)
    together = agent.decide(batch, [np.random.default_rng(i) for i in range(len(batch))])
    again = agent.decide(batch, [np.random.default_rng(i) for i in range(len(batch))])
    alone = [
        MinimaxAgent(depth=depth).decide([position], np.random.default_rng(i))[0]
        for i, position in enumerate(batch)
    ]
    summary = [(decision.cell, decision.value, decision.nodes) for decision in together]
    assert summary == [(decision.cell, decision.value, decision.nodes) for decision in again]
    assert summary == [(decision.cell, decision.value, decision.nodes) for decision in alone]


def test_time_limit_holds_and_searches_deeper_with_more_time():
    agent = MinimaxAgent(seconds=0.05)
    agent.decide([Position.start()], np.random.default_rng(0))
    nodes = {}
    for seconds in (0.03, 0.3):
        started = time.perf_counter()
        [decision] = MinimaxAgent(seconds=seconds).decide([Position.start()], np.random.default_rng(0))
        elapsed = time.perf_counter() - started
        assert seconds * 0.8 < elapsed < seconds + 0.2
        nodes[seconds] = decision.nodes
    assert nodes[0.3] > 2 * nodes[0.03]


def test_time_limit_ends_early_once_the_result_is_known():
    started = time.perf_counter()
    [decision] = MinimaxAgent(seconds=30).decide([Position.start(Board(3, 3, 3))], np.random.default_rng(0))
    assert time.perf_counter() - started < 10
    assert decision.value == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depth": 0}, "depth must be 1 to 63, got 0"),
        ({"seconds": 0.0}, "seconds must be above 0 and at most [0-9]+, or none, got 0.0"),
        ({"seconds": float("inf")}, "seconds must be above 0 and at most [0-9]+, or none, got inf"),
    ],
)
def test_wrong_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        MinimaxAgent(**options)


def test_spec_makes_an_agent_that_survives_pickling():
    agent = make_agent("minimax:depth=3")
    assert isinstance(agent, Agent)
    assert agent == MinimaxAgent(depth=3)
    agent.decide([Position.start()], np.random.default_rng(0))
    assert len(pickle.dumps(agent)) < 1000
    assert pickle.loads(pickle.dumps(agent)) == agent
