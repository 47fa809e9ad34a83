"""The wheel: it holds every module and data file, and works outside the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("agents", "bttt", "pruning", "tournaments")
FIRST_CELL = """
from agents import Decision

class First:
    def decide(self, positions, rng):
        return [Decision(position.legal_cells()[0]) for position in positions]
"""


def run(*command, **options) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """A wheel built of the files that git knows, as a user's checkout has them."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    names = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT).split("\0")
    for name in filter(None, names):
        if name.partition("/")[0] in (*PACKAGES, "pyproject.toml", "README.md", "LICENSE"):
            target = source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    run(
        *(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet"),
        *("--wheel-dir", str(folder), str(source)),
    )
    return next(folder.glob("*.whl"))


def test_it_holds_every_file_of_the_packages_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == files


def test_a_tournament_runs_from_the_installed_wheel(wheel, tmp_path):
    """With players that need no compiled kernels, whose compilation takes a minute at a new place."""
    site = tmp_path / "site"
    run(sys.executable, "-m", "pip", "install", "--no-deps", "--quiet", "--target", str(site), str(wheel))
    (tmp_path / "mine.py").write_text(FIRST_CELL)
    environment = {**os.environ, "PYTHONPATH": str(site)}
    where = run(sys.executable, "-c", "import bttt; print(bttt.__file__)", cwd=tmp_path, env=environment)
    assert Path(where.strip()).is_relative_to(site)
    players = ("--players", "random", "python:mine:First", "--bricks", "D4", "--out", "run")
    out = run(sys.executable, "-m", "bttt", "tournament", *players, cwd=tmp_path, env=environment)
    assert "2 of 2 games, 0 forfeits" in out
    assert (tmp_path / "run" / "report.html").stat().st_size > 10_000
    shown = run(sys.executable, "-m", "bttt", "agents", cwd=tmp_path, env=environment)
    assert "d4" in shown  # the bundled networks are there
