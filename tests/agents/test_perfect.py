"""The perfect agent against brute force on small boards."""

import pickle

import numpy as np
import pytest
from brute_force import BruteForce, random_board, random_position
from oracle import position_of

from agents import make_agent
from agents.perfect import PerfectAgent
from agents.play import PlayConfig, run
from bttt.board import Board
from bttt.position import Position

SHAPES = [(3, 3, 3, 0), (3, 4, 3, 1), (4, 4, 3, 2), (4, 4, 4, 3), (5, 4, 4, 4)]


@pytest.fixture(scope="module")
def perfect():
    return PerfectAgent(table_mb=4)


def samples(count, most_free=11):
    """Random unfinished positions on small boards, with at most `most_free` free cells, and their oracle."""
    rng = np.random.default_rng(7)
    for rows, cols, win_length, bricks in SHAPES:
        for _ in range(count):
            board = random_board(rows, cols, win_length, bricks, rng)
            cells = rows * cols - bricks
            stones = int(rng.integers(max(0, cells - most_free), cells - 1))
            yield random_position(board, stones, rng), BruteForce(board)


def rank(verdict):
    """Sort key of a move: its value, then fast wins, then slow losses."""
    value, plies = verdict
    return value, -value * plies


def best_by_brute_force(position, oracle):
    verdicts = oracle.verdicts(position)
    best = max(map(rank, verdicts.values()))
    return {cell for cell, verdict in verdicts.items() if rank(verdict) == best}


def test_the_cells_drawn_from_are_exactly_the_best_ones(perfect):
    values = []
    for position, oracle in samples(30):
        (decision,) = perfect.decide([position], np.random.default_rng(0))
        best = best_by_brute_force(position, oracle)
        assert set(np.flatnonzero(decision.policy)) == best
        assert decision.cell in best
        assert decision.policy.dtype == np.float32 and decision.policy.sum() == pytest.approx(1)
        assert decision.value == oracle.verdict(position)[0]
        assert decision.proven is True
        values.append(decision.value)
    assert set(values) == {1.0, 0.0, -1.0}


def test_a_game_between_perfect_agents_takes_exactly_the_proven_plies(perfect):
    rng = np.random.default_rng(3)
    for position, oracle in samples(6):
        value, plies = oracle.verdict(position)
        start = position
        while not position.outcome:
            (decision,) = perfect.decide([position], rng)
            position = position.play(decision.cell)
        assert position.plies - start.plies == plies
        result = (
            0 if position.outcome.winner is None else 1 if position.outcome.winner == start.to_move else -1
        )
        assert result == value


def test_never_worse_than_the_value_against_random_play(perfect):
    rng = np.random.default_rng(5)
    for position, oracle in samples(10):
        seat = position.to_move
        value, _ = oracle.verdict(position)
        while not position.outcome:
            agent = perfect if position.to_move == seat else make_agent("random")
            (decision,) = agent.decide([position], rng)
            position = position.play(decision.cell)
            now, _ = oracle.verdict(position)
            assert (now if position.to_move == seat else -now) >= value
        assert position.outcome.winner == seat or value < 1


def test_equal_cells_are_equally_likely(perfect):
    position = Position.start(Board(3, 3, 3))  # a draw, whatever the first cell is
    draws = perfect.decide([position] * 1800, np.random.default_rng(1))
    cells, counts = np.unique([decision.cell for decision in draws], return_counts=True)
    assert cells.tolist() == list(range(9))
    assert ((counts - 200) ** 2 / 200).sum() < 30  # chi-square with 8 degrees of freedom


def test_what_is_called_proven_is_best_at_any_limit():
    told = []
    cases = list(samples(6, most_free=13))
    for limit in (1, 2, 5, 20, 100):
        agent = PerfectAgent(limit=limit, table_mb=4)
        for position, oracle in cases:
            (decision,) = agent.decide([position], np.random.default_rng(0))
            told.append(decision.proven)
            assert decision.value in (None, oracle.verdict(position)[0])
            if decision.proven:
                assert set(np.flatnonzero(decision.policy)) <= best_by_brute_force(position, oracle)
    assert set(told) == {True, False}


def test_unproven_moves_avoid_what_is_proven_to_lose():
    # X threatens A4, and O is to move: the position exceeds the limit, the refutation of a reply does not
    board = Board(7, 7, 4)
    position = position_of(board, tuple(map(board.cell, ["D3", "A1", "E5", "A2", "B6", "A3"])))
    agent = PerfectAgent(limit=10 * len(position.legal_cells()), table_mb=4)
    (decision,) = agent.decide([position], np.random.default_rng(0))
    assert (decision.cell, decision.value, decision.proven) == (board.cell("A4"), None, False)


def test_a_decision_does_not_depend_on_earlier_ones():
    position = position_of(Board(5, 5, 4, "C3"), (0, 24, 6))
    fresh = PerfectAgent(limit=2000, table_mb=1).decide([position], np.random.default_rng(2))
    used = PerfectAgent(limit=2000, table_mb=1)
    for other, _ in samples(3):
        used.decide([other], np.random.default_rng(0))
    again = used.decide([position], np.random.default_rng(2))
    assert repr(again) == repr(fresh)


def test_specs_equality_and_pickling(perfect):
    assert make_agent("perfect:limit=none,table_mb=2") == PerfectAgent(None, 2)
    assert make_agent("perfect") != make_agent("perfect:limit=5")
    assert pickle.loads(pickle.dumps(perfect)) == perfect
    position = position_of(Board(3, 3, 3), (0, 3, 1, 4))
    (decision,) = pickle.loads(pickle.dumps(perfect)).decide([position], np.random.default_rng(0))
    assert decision.cell == 2


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("perfect:limit=0", "limit must be at least 1, got 0"),
        ("perfect:table_mb=0", "table_mb must be 1 to"),
    ],
)
def test_wrong_options(spec, message):
    with pytest.raises(ValueError, match=message):
        make_agent(spec)


def test_play_says_what_is_not_proven(capsys):
    for limit, noted in ((1, True), (100_000, False)):
        agent = f"perfect:limit={limit},table_mb=4"
        run(PlayConfig(agent, agent, board="3x3x3", bricks="none"))
        first_move = next(line for line in capsys.readouterr().out.splitlines() if " 1. O" in line)
        assert ("not proven" in first_move) is noted
