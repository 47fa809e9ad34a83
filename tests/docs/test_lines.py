"""The command lines of the README and of the pages run, each with a tiny budget."""

import io
import sys
from pathlib import Path

import pytest
import tyro
from blocks import pages, python_blocks, shell_words
from commands import HELP, config_class
from registries import registries_as_before
from tiny_lines import NOT_RUN, TINY, tiny_lines
from tiny_training import measure_few_positions, train_tiny_networks

from bttt.__main__ import main
from bttt.command_line import COMMANDS, command_options, refuse_useless

ROOT = Path(__file__).parents[2]
PAGES = pages(ROOT)
LINES = list(tiny_lines(PAGES))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A folder for each page, with its Python as the module `my_module`."""
    found = {}
    for page in PAGES:
        found[page] = tmp_path_factory.mktemp(page.stem)
        text = page.read_text(encoding="utf-8")
        blocks = [block.text for block in python_blocks(text) if "my_module" in text]
        (found[page] / "my_module.py").write_text("\n".join(blocks), encoding="utf-8")
    return found


@pytest.mark.parametrize(
    ("page", "line"), LINES, ids=[f"{page.stem}: {' '.join(line)[:60]}" for page, line in LINES]
)
def test_a_line_runs(page, line, folders, monkeypatch, capsys):
    """The lines of a page are one session: a later one uses the folders of an earlier one."""
    monkeypatch.chdir(folders[page])
    monkeypatch.delenv("BTTT_DATA", raising=False)
    measure_few_positions(monkeypatch)
    train_tiny_networks(monkeypatch)
    monkeypatch.setattr(sys, "path", [str(folders[page]), *sys.path])
    monkeypatch.setattr(sys, "stdin", io.StringIO("quit\n"))
    monkeypatch.delitem(sys.modules, "my_module", raising=False)
    with registries_as_before():
        code = main(line)
    sys.modules.pop("my_module", None)
    out, err = capsys.readouterr()
    assert code == 0, err
    assert out


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_no_line_has_an_option_without_effect(page):
    """As the page has it: an option given twice, or one that does nothing, would stop the command."""
    for words in shell_words(page.read_text(encoding="utf-8")):
        if words[0] == "bttt" and words[1:2] and words[1] in COMMANDS and "..." not in words:
            kind, rest = config_class(words[1]), words[2:]
            if HELP.isdisjoint(rest) and "python:" not in " ".join(rest):
                refuse_useless(command_options(kind), rest, tyro.cli(kind, args=rest))


def test_each_command_is_run():
    assert {line[0] for _, line in LINES} == set(TINY) == set(COMMANDS)


def test_what_is_not_run_still_stands_in_a_page():
    lines = [line for page in PAGES for line in shell_words(page.read_text(encoding="utf-8"))]
    assert [each for each in NOT_RUN if not any(each in word for line in lines for word in line)] == []
