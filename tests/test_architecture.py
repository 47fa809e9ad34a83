"""The direction of the imports, read from the sources: bttt <- agents <- tournaments; pruning alone."""

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from doctest import DocTestParser
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from blocks import pages, python_blocks

from bttt.command_line import COMMANDS
from docs.make.imports import circles, imports, module_graph, module_of, modules

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "bttt": set(),
    "agents": {"bttt"},
    "tournaments": {"agents", "bttt"},
    "pruning": set(),
    "pruning.studies": {"agents", "bttt", "pruning", "tournaments"},
    "benchmarks": {"agents", "bttt", "pruning", "tournaments"},
    "docs": {"agents", "benchmarks", "bttt", "pruning", "tournaments"},
}
"""What each package may import of the project, besides itself."""
PACKAGES = ("agents", "bttt", "pruning", "tournaments")
ROOMS = {
    "bttt": ("processes", "runs", "drawing", "kernels", "solver", "envs", "command_line", "commands"),
    "agents.alphazero": ("weights", "search", "network", "export", "learning", "training"),
    "tournaments": (
        *("play", "standings", "evaluation", "conversion", "generalisation", "suites", "report", "records"),
    ),
    "pruning": (
        *("schedules", "channels", "masks", "criteria", "measures", "sparse", "loop"),
        *("models", "data", "bilevel", "studies"),
    ),
    "pruning.studies": (
        *("schedules", "experiment", "alphazero", "compression", "methods", "bricks"),
        *("vision", "bilevel", "published"),
    ),
}
"""The sub-packages of each package from the ground up: each may import those before it, none behind it."""
LAZY_CIRCLES = [("bttt.drawing", "bttt.drawing.render", "bttt.position")]
"""The one circle of modules: a position draws itself in a notebook, and a drawing needs the position."""
MOST_FILES = 12
"""Modules in a folder, besides its `__init__`."""
DOOR_LINES = 70
"""Lines of a door at most: one screen."""
COMPOSITION_ROOT = Path("bttt/__main__.py")
"""The one exception: it imports each command's module, by name, when that command runs."""
OURS = {"agents", "benchmarks", "bttt", "docs", "pruning", "tests", "tournaments"}
HEAVY = ("matplotlib", "numba", "pettingzoo", "torch", "tyro")
CODE_SUFFIXES = (".cfg", ".css", ".html", ".ini", ".js", ".py", ".sql", ".toml", ".yaml", ".yml")
TEXT_SUFFIXES = {*CODE_SUFFIXES, ".csv", ".json", ".md", ".txt"}
LOCAL_PATHS = tuple("/".join(parts) for parts in (("", "work", ""), ("..", "shared"), ("", "home", "")))


def layer_of(path: Path) -> str:
    """The entry of MAY_IMPORT that a file (relative to the root) belongs to."""
    names = [".".join(path.parts[:length]) for length in range(len(path.parts) - 1, 0, -1)]
    return next(name for name in names if name in MAY_IMPORT)


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
        generated = any(
            part in ("_build", "build", "dist", "runs") or part.endswith(".egg-info") for part in parts
        )
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


def test_upward_names_stand_in_two_places():
    """A module that is named, not imported, does not show in the imports: such names are few and known."""
    above = re.compile(r"(python:)?(agents|tournaments|pruning)[.:]\w+([.:]\w+)*")
    found = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "bttt").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and above.fullmatch(node.value)
    }
    assert found == {"bttt/command_line/catalogue.py", "bttt/opponent.py"}


def test_no_modules_import_each_other_in_a_circle():
    graph = module_graph(ROOT, PACKAGES)
    del graph["bttt.__main__"]
    assert circles({name: _to_owners(graph, name) for name in graph}) == LAZY_CIRCLES


def test_nothing_imports_a_command():
    """A command is the roof: settings and work that others need lie in modules of their own."""
    commands = {command.module for command in COMMANDS.values()}
    graph = module_graph(ROOT, (*PACKAGES, "benchmarks"))
    assert commands <= graph.keys()
    assert {name: found for name, others in graph.items() if (found := others & commands)} == {}


def test_one_folder_starts_processes():
    """Another engine takes the place of joblib behind one module; two more start processes to talk to."""
    starting = ("joblib", "concurrent.futures.process", "multiprocessing", "subprocess")
    found = [
        name
        for name, path in modules(ROOT, PACKAGES).items()
        if any(
            f"{each}.".startswith(tuple(f"{one}." for one in starting))
            for each in imports((ROOT / path).read_text(encoding="utf-8"), path)
        )
    ]
    assert found == ["bttt.processes.child", "bttt.processes.peers", "bttt.processes.spreading"]


def _to_owners(graph: dict[str, set[str]], name: str) -> set[str]:
    """What a module imports, without its own package's doors: a door opens after its rooms are furnished."""
    return {other for other in graph[name] if not name.startswith(f"{other}.")}


def test_no_sub_packages_import_each_other_in_a_circle():
    graph = module_graph(ROOT, PACKAGES)
    folders = {name: path.parent.as_posix() for name, path in modules(ROOT, PACKAGES).items()}
    between: dict[str, set[str]] = {}
    for name, others in graph.items():
        if name != "bttt.__main__":
            here = folders[name]
            there = {folders[other] for other in others}
            between.setdefault(here, set()).update(each for each in there if not _nested(here, each))
    assert circles(between) == []


@pytest.mark.parametrize("package", ROOMS)
def test_no_sub_package_imports_one_above_it(package):
    folder = ROOT / package.replace(".", "/")
    assert sorted(ROOMS[package]) == sorted(path.parent.name for path in folder.glob("*/__init__.py"))
    height = {f"{package}.{room}": number for number, room in enumerate(ROOMS[package])}
    graph = module_graph(ROOT, PACKAGES)
    found = [
        f"{name} imports {other}"
        for name, others in graph.items()
        for other in others
        if (here := _room_of(name, height)) and (there := _room_of(other, height))
        if height[there] > height[here]
    ]
    assert found == []


def _room_of(module: str, rooms: Iterable[str]) -> str | None:
    """The room that a module is in, if it is in one of these."""
    return next((room for room in rooms if f"{module}.".startswith(f"{room}.")), None)


def _nested(one: str, other: str) -> bool:
    """Whether one folder is the other or lies in it."""
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


def passed_doors(text: str, path: Path, known: dict[str, Path]) -> list[str]:
    """The modules that a file imports past the door of their folder, which is not one around the file."""
    found = {owner for each in imports(text, path) if (owner := module_of(each, known))}
    return [
        f"{path.as_posix()} imports {name}: use {name.rpartition('.')[0]}"
        for name in sorted(found)
        if known[name].name != "__init__.py" and not path.is_relative_to(known[name].parent)
    ]


def test_folders_are_entered_by_their_doors():
    """A file imports modules of its own folder and of those around it; of all others only the package."""
    known = modules(ROOT, PACKAGES)
    others = modules(ROOT, ("benchmarks", "docs", "examples"))
    found = [
        line
        for path in [*known.values(), *others.values()]
        if path != COMPOSITION_ROOT
        for line in passed_doors((ROOT / path).read_text(encoding="utf-8"), path, known)
    ]
    assert {path.parts[0] for path in others.values()} == {"benchmarks", "docs", "examples"}
    assert found == []


def test_examples_in_pages_and_docstrings_enter_by_the_doors():
    known = modules(ROOT, PACKAGES)
    found = []
    for page in pages(ROOT):
        for block in python_blocks(page.read_text(encoding="utf-8")):
            found += passed_doors(block.text, page.relative_to(ROOT), known)
    shown = 0
    for path in known.values():
        for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                examples = DocTestParser().get_examples(ast.get_docstring(node) or "")
                shown += len(examples)
                # A door is for readers outside, so its own example stands outside too.
                place = Path("README.md") if path.name == "__init__.py" else path
                found += passed_doors("".join(each.source for each in examples), place, known)
    assert shown > 100
    assert [line for line in found if not line.endswith("imports bttt.__main__: use bttt")] == []


def test_a_door_offers_what_it_says_and_nothing_hides_it():
    for name, path in modules(ROOT, PACKAGES).items():
        if path.name == "__init__.py":
            door = import_module(name)
            names = door.__all__
            assert names, name
            assert len(set(names)) == len(names), name
            for each in names:
                assert not isinstance(getattr(door, each), ModuleType), f"{name}.{each} is a module"
            stems = {other.stem for other in (ROOT / path).parent.glob("*.py")}
            assert stems.isdisjoint(names), f"{name}: a module hides a name of its door"


def test_a_door_is_one_screen_with_an_example():
    doors = {path: (ROOT / path).read_text(encoding="utf-8") for path in modules(ROOT, PACKAGES).values()}
    doors = {path: text for path, text in doors.items() if path.name == "__init__.py"}
    assert {path: text.count("\n") for path, text in doors.items() if text.count("\n") > DOOR_LINES} == {}
    assert [path for path, text in doors.items() if not DocTestParser().get_examples(text)] == []


def test_a_name_of_a_door_means_one_thing():
    offered: dict[str, dict[int, str]] = {}
    for name, path in modules(ROOT, PACKAGES).items():
        if path.name == "__init__.py":
            door = import_module(name)
            for each in door.__all__:
                offered.setdefault(each, {})[id(getattr(door, each))] = name
    twice = {each: sorted(doors.values()) for each, doors in offered.items() if len(doors) > 1}
    # The game's solver, and solvers of linear systems: both packages' imports are older than this rule.
    assert twice == {"Solver": ["bttt.solver", "pruning.bilevel"]}


def test_functions_of_a_door_have_types():
    """Kernels' modules are exempt from mypy's rule that functions have types; those of a door are not."""
    found = []
    for name, path in modules(ROOT, PACKAGES).items():
        if path.name == "__init__.py":
            door = import_module(name)
            for each in door.__all__:
                offered = inspect.unwrap(getattr(door, each))
                function = getattr(offered, "py_func", offered)
                if inspect.isfunction(function):
                    signature = inspect.signature(function)
                    kinds = [part.annotation for part in signature.parameters.values()]
                    if inspect.Signature.empty in (*kinds, signature.return_annotation):
                        found.append(f"{name}.{each}{signature}")
    assert found == []


def test_a_folder_has_at_most_a_dozen_modules_whose_names_do_not_repeat_its_own():
    by_folder: dict[Path, list[str]] = {}
    for path in modules(ROOT, PACKAGES).values():
        if path.name != "__init__.py":
            by_folder.setdefault(path.parent, []).append(path.stem)
    assert {folder: len(names) for folder, names in by_folder.items() if len(names) > MOST_FILES} == {}
    repeated = [
        f"{folder}/{name}.py"
        for folder, names in by_folder.items()
        for name in names
        if name == folder.name or name.startswith(f"{folder.name}_")
    ]
    assert repeated == []


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
