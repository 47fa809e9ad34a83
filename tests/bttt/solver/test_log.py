import json
import re

import pytest

from bttt.board import Board
from bttt.position import Position
from bttt.solver.log import LOG_FILE, Solved, SolveSettings, read_log, solve_logged, solving_cost

POSITIONS = [Position.start(Board(4, 4, 3, bricks)) for bricks in ("A1", "A2", "B2", "")]


def search(**changes):
    return SolveSettings(**{"node_limit": 10_000, "plies": True, "table_mb": 1, "workers": 1, **changes})


def found(log):
    return {text: (solved.value, solved.plies, solved.nodes) for text, solved in log.items()}


def test_each_position_is_a_line_and_is_solved_once(tmp_path):
    path = tmp_path / LOG_FILE
    log = solve_logged(path, [*POSITIONS, POSITIONS[0]], search())
    assert list(log) == [str(position) for position in POSITIONS]
    assert [solved.value for solved in log.values()] == [1, 1, 1, 1]
    assert read_log(path) == log
    before = path.read_bytes()
    assert len(before.splitlines()) == 4
    assert solve_logged(path, POSITIONS, search()) == log
    assert path.read_bytes() == before


def test_a_kill_in_the_middle_of_a_line_costs_that_line(tmp_path):
    path, whole = tmp_path / LOG_FILE, tmp_path / "whole.jsonl"
    expected = solve_logged(whole, POSITIONS, search())
    content = whole.read_bytes()
    for end in (0, 1, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:end])
        log = solve_logged(path, POSITIONS, search())
        assert found(log) == found(expected)
        assert found(read_log(path)) == found(expected)
        assert len(path.read_bytes().splitlines()) == 4


def test_only_a_higher_limit_searches_again_and_only_what_is_not_proven(tmp_path):
    path = tmp_path / LOG_FILE
    positions = [*POSITIONS, Position.start(Board(bricks="D4"))]
    few = solve_logged(path, positions, search(node_limit=100))
    assert {solved.value for solved in few.values()} == {1, None}
    assert solve_logged(path, positions, search(node_limit=50)) == few
    more = solve_logged(path, positions, search(node_limit=100_000))
    for text, solved in few.items():
        assert (more[text] == solved) == (solved.plies is not None)
    assert {solved.value for solved in more.values()} == {1}


def test_plies_are_searched_where_only_the_value_is_known(tmp_path):
    path = tmp_path / LOG_FILE
    values = solve_logged(path, POSITIONS, search(plies=False, node_limit=5000))
    assert {solved.plies for solved in values.values()} == {None}
    assert {solved.plies for solved in solve_logged(path, POSITIONS, search()).values()} == {5}


def test_workers_find_the_same(tmp_path):
    one = solve_logged(tmp_path / "one.jsonl", POSITIONS, search())
    two = solve_logged(tmp_path / "two.jsonl", POSITIONS, search(workers=2))
    assert found(one) == found(two)


WRONG_TYPE = '{"position": "a", "value": 1, "plies": "y", "nodes": 1, "node_limit": 1, "seconds": 0}'


@pytest.mark.parametrize("line", ["text", "[]", "{}", '{"position": "3x3x3"}', '{"value": 1}', WRONG_TYPE])
def test_a_corrupt_log_is_named_with_its_line(tmp_path, line):
    path = tmp_path / LOG_FILE
    good = json.dumps({"position": "a", "value": 1, "plies": 1, "nodes": 1, "node_limit": 1, "seconds": 0})
    path.write_text(f"{good}\n{line}\n")
    with pytest.raises(ValueError, match=re.escape(f"line 2 of {path} is corrupt")):
        solve_logged(path, POSITIONS, search())
    assert path.read_text() == f"{good}\n{line}\n"


def test_wrong_numbers():
    with pytest.raises(ValueError, match="nodes must be at least 1, got 0"):
        search(node_limit=0)
    with pytest.raises(ValueError, match="workers must be at least 0, got -1"):
        search(workers=-1)


def test_cost_adds_up():
    log = [Solved(1, 5, 10, 100, 0.5), Solved(None, None, 100, 100, 1.25)]
    assert solving_cost(log) == {"positions": 2, "unproven": 1, "nodes": 110, "processor_seconds": 1.8}
