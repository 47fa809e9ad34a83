"""The direction of the imports, read from the sources: bttt <- agents <- tournaments; pruning alone."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "bttt": set(),
    "agents": {"bttt"},
    "tournaments": {"agents", "bttt"},
    "pruning": set(),
    "pruning.studies": {"agents", "bttt", "pruning", "tournaments"},
    "benchmarks": {"agents", "bttt", "pruning", "tournaments"},
}
"""What each package may import of the project, besides itself."""
COMPOSITION_ROOT = Path("bttt/__main__.py")
"""The one exception: it imports each command's module, by name, when that command runs."""
OURS = {"agents", "benchmarks", "bttt", "pruning", "tests", "tournaments"}
HEAVY = ("matplotlib", "numba", "pettingzoo", "torch", "tyro")
CODE_SUFFIXES = (".cfg", ".css", ".html", ".ini", ".js", ".py", ".sql", ".toml", ".yaml", ".yml")
TEXT_SUFFIXES = {*CODE_SUFFIXES, ".csv", ".json", ".md", ".txt"}
LOCAL_PATHS = tuple("/".join(parts) for parts in (("", "work", ""), ("..", "shared"), ("", "home", "")))


def layer_of(path: Path) -> str:
    """The entry of MAY_IMPORT that a file (relative to the root) belongs to."""
    names = [".".join(path.parts[:length]) for length in range(len(path.parts) - 1, 0, -1)]
    return next(name for name in names if name in MAY_IMPORT)


def imports(source: str, path: Path) -> Iterator[str]:
    """All modules that a file imports, wherever: in functions, for type checkers, by name."""
    package = path.parts[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and "import" in ast.unparse(node.func):
            yield from (value.value for value in node.args if isinstance(value, ast.Constant))


def violations(root: Path) -> list[str]:
    """Imports under `root` that run against the arrows, as "file imports module"."""
    found = []
    for folder in sorted({name.partition(".")[0] for name in MAY_IMPORT}):
        for path in sorted((root / folder).rglob("*.py")):
            relative = path.relative_to(root)
            layer = layer_of(relative)
            for module in imports(path.read_text(encoding="utf-8"), relative):
                top = str(module).partition(".")[0]
                inside = top == layer.partition(".")[0] and not (
                    layer == "pruning" and str(module).startswith("pruning.studies")
                )
                if (
                    top in OURS
                    and not inside
                    and top not in MAY_IMPORT[layer]
                    and relative != COMPOSITION_ROOT
                ):
                    found.append(f"{relative.as_posix()} imports {module}")
    return found


def product_files() -> Iterator[Path]:
    """The text files of the project, without caches, builds and what runs leave behind."""
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        hidden = any(part.startswith(".") and part != ".ci" for part in parts)
        generated = any(part in ("build", "dist", "runs") or part.endswith(".egg-info") for part in parts)
        generated = generated or any((parent / "pyvenv.cfg").exists() for parent in path.parents)
        if (
            path.is_file()
            and not hidden
            and not generated
            and (path.suffix in TEXT_SUFFIXES or ".ci" in parts)
        ):
            yield path


def test_nothing_imports_upwards():
    assert violations(ROOT) == []


def test_the_packages_are_where_they_are_looked_for():
    for package in ("agents", "bttt", "pruning", "tournaments"):
        assert (ROOT / package / "__init__.py").is_file()
    assert (ROOT / COMPOSITION_ROOT).is_file()


@pytest.mark.parametrize(
    ("file", "source", "module"),
    [
        ("bttt/a.py", "import agents", "agents"),
        ("bttt/a.py", "import numpy, agents.agent as x", "agents.agent"),
        ("bttt/a.py", "from agents import make_agent", "agents.make_agent"),
        (
            "bttt/deep/a.py",
            "def f():\n    from tournaments.store import open_store",
            "tournaments.store.open_store",
        ),
        ("bttt/a.py", "if TYPE_CHECKING:\n    from agents.agent import Agent", "agents.agent.Agent"),
        ("bttt/a.py", "import importlib\nimportlib.import_module('agents.mcts')", "agents.mcts"),
        ("bttt/a.py", "__import__('agents')", "agents"),
        ("agents/a.py", "from tournaments import runner", "tournaments.runner"),
        ("agents/a.py", "import pruning.masks", "pruning.masks"),
        ("agents/alphazero/a.py", "from tournaments import runner", "tournaments.runner"),
        ("tournaments/a.py", "import benchmarks", "benchmarks"),
        ("tournaments/a.py", "from tests.support import oracle", "tests.support.oracle"),
        ("pruning/a.py", "from bttt import Board", "bttt.Board"),
        ("pruning/a.py", "from pruning import studies", "pruning.studies"),
        ("pruning/a.py", "from .studies import vision", "pruning.studies.vision"),
    ],
)
def test_imports_upwards_are_found(tmp_path, file, source, module):
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(source)
    assert violations(tmp_path) == [f"{file} imports {module}"]


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("bttt/a.py", "import numpy\nfrom bttt.board import Board\nfrom . import board"),
        ("bttt/__main__.py", "import_module('agents.play')"),
        ("agents/a.py", "from bttt import Board\nimport torch"),
        ("tournaments/a.py", "from agents import make_agent\nfrom bttt import Board"),
        ("pruning/a.py", "import torch\nfrom pruning.masks import Mask\nfrom .masks import Mask"),
        ("pruning/studies/a.py", "import agents, bttt, tournaments\nfrom pruning.masks import Mask"),
        ("benchmarks/a.py", "import agents, bttt, tournaments, pyspiel"),
    ],
)
def test_imports_along_the_arrows_are_allowed(tmp_path, file, source):
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text(source)
    assert violations(tmp_path) == []


@pytest.mark.parametrize("module", ["bttt", "agents"])
def test_importing_a_package_loads_nothing_heavy(module):
    code = f"import sys, {module}; print(*sorted(set(sys.modules) & set({HEAVY})))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_no_file_names_a_path_of_one_machine():
    files = list(product_files())
    assert ROOT / "pyproject.toml" in files
    assert Path(__file__) in files
    found = [
        f"{path.relative_to(ROOT)}: {text}"
        for path in files
        for text in LOCAL_PATHS
        if text in path.read_text(encoding="utf-8", errors="replace")
    ]
    assert found == []
