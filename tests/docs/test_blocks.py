"""What the README and the pages tell to run, runs: Python blocks, and command lines with the real parser."""

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from blocks import pages, python_blocks, shell_words, shown_python

from bttt.__main__ import main
from bttt.command_line import COMMANDS

ROOT = Path(__file__).parents[2]
PAGES = pages(ROOT)
SUPPORT = ROOT / "tests/support"
OTHER_PROGRAMS = {"cd", "export", "git", "pip", "pytest", "python", "ruff", "source", "sqlite3"}


def names(paths):
    return [path.relative_to(ROOT).as_posix() for path in paths]


def with_any(of):
    paths = [path for path in PAGES if of(path.read_text(encoding="utf-8"))]
    return pytest.mark.parametrize("path", paths, ids=names(paths))


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """What running the Python blocks of each page raised: "" where nothing did."""
    command = [sys.executable, str(SUPPORT / "run_blocks.py"), *map(str, PAGES)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"}
    folder = tmp_path_factory.mktemp("blocks")
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@with_any(python_blocks)
def test_the_python_of_a_page_runs(path, outcomes):
    """The blocks of a page are one session: a later one may use the names of an earlier one."""
    assert outcomes[str(path)] == ""


@with_any(shown_python)
def test_python_that_is_only_shown_is_python(path):
    for block in shown_python(path.read_text(encoding="utf-8")):
        compile("\n" * (block.line - 1) + block.text, path.name, "exec")


@with_any(shell_words)
def test_the_command_lines_of_a_page_are_understood(path, monkeypatch, tmp_path, capsys):
    """Each goes through the command's own parser, and stops before the command runs.

    The page's Python is the module `my_module` of its commands.
    """
    page = path.read_text(encoding="utf-8")
    (tmp_path / "my_module.py").write_text(
        "\n".join(block.text for block in python_blocks(page) if "my_module" in page), encoding="utf-8"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "my_module", raising=False)
    parsed = []
    for words in shell_words(page):
        if words[0] != "bttt":
            assert words[0] in OTHER_PROGRAMS, words
        elif len(words) > 1 and not words[1].startswith("-"):
            module = import_module(COMMANDS[words[1]].module)
            with monkeypatch.context() as patch:
                patch.setattr(module, "run", lambda config: parsed.append(config) or 0)
                assert main(words[1:]) == 0, (words, capsys.readouterr().err)
    sys.modules.pop("my_module", None)
    bttt = [words for words in shell_words(page) if words[0] == "bttt"]
    helps = [words for words in bttt if set(words) & {"-h", "--help", "--help-all", "--version"}]
    assert len(parsed) == len([words for words in bttt if len(words) > 1 and words not in helps])
