"""Tasks in parallel: results, their order, and processes that die."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from bttt.processes import spread, spreading, worker_count

ROOT = Path(__file__).parents[3]


def slow_first(number):
    time.sleep(0.5 if number == 0 else 0)
    return number


def end(number):
    os._exit(1)


def fail(number):
    raise ValueError(f"no {number}")


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_order_where_that_is_asked_for(workers):
    calls = [(number,) for number in range(5)]
    assert list(spread(slow_first, calls, workers=workers, ordered=True)) == [0, 1, 2, 3, 4]
    assert sorted(spread(slow_first, calls, workers=workers)) == [0, 1, 2, 3, 4]


def test_a_process_that_dies_is_one_error_that_says_so():
    with pytest.raises(OSError, match="a worker process has died") as died:
        list(spread(end, [(0,), (1,)], workers=2))
    assert "\n" not in str(died.value)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_error_of_a_task_is_raised_as_it_is(workers):
    with pytest.raises(ValueError, match="no 0"):
        list(spread(fail, [(0,)], workers=workers))


def test_several_processes_begin_before_a_result_is_asked_for(tmp_path):
    results = spread(mark, [(tmp_path / "a",), (tmp_path / "b",)], workers=2)
    deadline = time.monotonic() + 60
    while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b"}
    assert set(results) == {"a", "b"}


def mark(path):
    path.touch()
    return path.name


def test_there_are_no_more_workers_than_tasks():
    assert worker_count(3, 2) == 2
    assert worker_count(1, 100) == worker_count(4, 0) == 1
    assert 1 <= worker_count(0, 10_000) <= os.cpu_count()


def watchers(number):
    return [thread.name for thread in threading.enumerate() if thread.name == "end with the parent"]


def test_workers_watch_their_parent_and_no_other_process_does(monkeypatch):
    assert list(spread(watchers, [(0,)] * 4, workers=2)) == [["end with the parent"]] * 4
    assert list(spread(watchers, [(0,)], workers=1)) == [[]]
    spreading.end_with(os.getppid())  # this process was not started by joblib
    assert watchers(0) == []


@pytest.mark.parametrize("module", ["agents", "bttt.runs", "bttt.solver.log", "agents.play", "bttt.__main__"])
def test_light_modules_load_no_joblib(module):
    code = f"import sys, {module}; print(*sorted({{'joblib', 'tqdm'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
