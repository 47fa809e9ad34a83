"""Compilation is announced and cached, and works without a cache; each test runs its own process."""

import os
import subprocess
import sys
from pathlib import Path

import bttt

MESSAGE = "bttt: compiling its kernels"
KERNELS = """
import numpy as np
from bttt.kernels.jit import entry_point, kernel

@kernel
def one_more(number):
    return number + 1

@entry_point
def two_more(number):
    return one_more(one_more(number))

@entry_point
def thrice(number):
    return 3 * number
"""
USE = "import kernels; print(kernels.two_more(5), kernels.thrice(5), kernels.two_more(6))"


def run(code: str, folder: Path, **variables: str) -> subprocess.CompletedProcess:
    """Runs `code` in a fresh process that imports from `folder` first."""
    path = os.pathsep.join([str(folder), str(Path(bttt.__file__).parents[1])])
    environment = {**os.environ, "PYTHONPATH": path, "NUMBA_NUM_THREADS": "1", **variables}
    # Python takes a compiled file for current if its source has the same size and second.
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done


def test_the_first_use_is_announced_once_and_the_second_process_is_silent(tmp_path):
    (tmp_path / "kernels.py").write_text(KERNELS)
    cache = str(tmp_path / "cache")
    first = run(USE, tmp_path, NUMBA_CACHE_DIR=cache)
    assert first.stdout == "7 15 8\n"
    assert first.stderr.count("\n") == first.stderr.count(MESSAGE) == 1
    second = run(USE, tmp_path, NUMBA_CACHE_DIR=cache)
    assert (second.stdout, second.stderr) == (first.stdout, "")


def test_changed_source_is_announced_again(tmp_path):
    source = tmp_path / "kernels.py"
    source.write_text(KERNELS)
    cache = str(tmp_path / "cache")
    run(USE, tmp_path, NUMBA_CACHE_DIR=cache)
    source.write_text(KERNELS.replace("3 *", "4 *"))
    changed = run(USE, tmp_path, NUMBA_CACHE_DIR=cache)
    assert changed.stdout == "7 20 8\n"
    assert MESSAGE in changed.stderr


def test_a_kernel_is_compiled_again_when_one_it_calls_changes_in_another_file(tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").touch()
    callee = "from bttt.kernels.jit import kernel\n\n@kernel\ndef change(number):\n    return number + 1\n"
    (package / "callee.py").write_text(callee)
    (package / "caller.py").write_text(
        "from bttt.kernels.jit import entry_point\nfrom package.callee import change\n\n"
        "@entry_point\ndef ten_times(number):\n    return 10 * change(number)\n"
    )
    use, cache = "from package.caller import ten_times; print(ten_times(1))", str(tmp_path / "cache")
    assert run(use, tmp_path, NUMBA_CACHE_DIR=cache).stdout == "20\n"
    (package / "callee.py").write_text(callee.replace("+ 1", "+ 2"))
    changed = run(use, tmp_path, NUMBA_CACHE_DIR=cache)
    assert changed.stdout == "30\n"
    assert MESSAGE in changed.stderr
    assert run(use, tmp_path, NUMBA_CACHE_DIR=cache).stderr == ""


def test_importing_compiles_and_says_nothing(tmp_path):
    (tmp_path / "kernels.py").write_text(KERNELS)
    done = run("import kernels, bttt.kernels.bitboard", tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    assert (done.stdout, done.stderr) == ("", "")
    assert not list(tmp_path.rglob("*.nbi"))


def test_kernels_work_where_nothing_can_be_cached(tmp_path):
    (tmp_path / "kernels.py").write_text(KERNELS)
    # Files where numba would make its folders stop it even for a user who may write everywhere.
    (tmp_path / "__pycache__").write_text("a file, not a folder")
    (tmp_path / "blocked").write_text("a file, not a folder")
    blocked = str(tmp_path / "blocked" / "cache")
    for _ in range(2):
        done = run(USE, tmp_path, NUMBA_CACHE_DIR=blocked, XDG_CACHE_HOME=blocked, HOME=blocked)
        assert done.stdout == "7 15 8\n"
        assert done.stderr.count(MESSAGE) == 1
    assert not list(tmp_path.rglob("*.nbi"))


def test_entry_points_keep_their_name_and_docstring():
    from bttt.kernels.bitboard import count_random_games

    assert count_random_games.__name__ == "count_random_games"
    assert "random games" in count_random_games.__doc__


def test_the_real_kernels_announce_themselves_in_a_fresh_installation(tmp_path):
    code = (
        "import numpy as np, bttt; from bttt.kernels.bitboard import random_games;"
        "print(random_games(bttt.Board(bricks='D4'), 100, np.random.default_rng(0)).sum())"
    )
    done = run(code, tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "cache"))
    assert done.stdout == "100\n"
    assert MESSAGE in done.stderr
