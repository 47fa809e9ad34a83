"""The README is short, its links lead to files, and its findings have the numbers of stored results."""

import csv
import re
from pathlib import Path

from bttt import NOVELTIES
from pruning.studies.alphazero.table import COLUMNS
from tournaments.evaluation.table import loss_table
from tournaments.evaluation.value_losses import LossRate

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FOUND = " ".join(README[README.index("## What we found") : README.index("## What is where")].split())


def rows_of(path: str) -> list[dict[str, str]]:
    with (ROOT / "results" / path).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def columns_of(path: str, start: str, *, under: str = "") -> list[str]:
    """Returns the columns of the first line of a stored table that begins with a word, below another line."""
    lines = (ROOT / "results" / path).read_text(encoding="utf-8").splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith(under))
    line = next(line for line in lines[first:] if line.split()[:1] == [start])
    return re.split(r"\s{2,}", line.strip())


def test_it_can_be_read_at_once():
    assert len(README.splitlines()) <= 250
    assert len(README.encode()) <= 16 * 1024


def test_its_two_commands_are_those_of_continuous_integration():
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    commands = [
        line.partition("  #")[0].strip() for line in README.splitlines() if line.startswith("pip install -c")
    ]
    assert len(commands) == 2
    assert all(f"\n{command}\n" in script for command in commands)


def test_its_links_and_pictures_lead_to_files():
    targets = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", README)
    assert len(targets) > 20
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_every_page_of_the_guide_is_linked():
    pages = {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")} - {"docs/index.md"}
    assert {page for page in pages if f"]({page})" not in README} == set()


def test_it_names_folders_that_are_there():
    section = README[README.index("## What is where") : README.index("## Documentation")]
    folders = re.findall(r"`([\w/]+)/`", section)
    parents = ("", "bttt", "agents")
    assert len(folders) > 10
    assert [name for name in folders if not any((ROOT / parent / name).is_dir() for parent in parents)] == []


def test_what_is_said_of_generalisation_is_what_was_measured():
    rates = {
        (row["brick_set"], row["novelty"], row["simulations"]): [
            100 * float(row[name]) for name in ("rate", "low", "high")
        ]
        for row in rows_of("generalisation/generalisation.csv")
        if (row["variant"], row["on"], row["measure"]) == ("base", "single", "losing")
    }
    novel, seen = rates["D4", "novel", "100"], rates["all", "seen", "100"]
    raw_novel, raw_seen = rates["D4", "novel", "0"], rates["all", "seen", "0"]
    text = "{:.1f}% ({:.0f} to {:.0f}%)"
    assert f"err in {novel[0]:.1f}% of decisions on novel placements" in FOUND
    assert "(95% interval {:.0f} to {:.0f}%)".format(*novel[1:]) in FOUND
    assert f"err in {text.format(*seen)}" in FOUND
    assert f"{text.format(*raw_novel)} and {text.format(*raw_seen)}" in FOUND


def test_what_is_said_of_pruning_is_what_was_measured():
    for brick_set in ("D4", "R3"):
        _, _, training, novel, excess, *_ = columns_of(
            "compression/compression.txt", brick_set, under=f"{brick_set}    mean"
        )
        assert f"{training.strip('+')} points" in FOUND
        assert f"{novel.strip('+')} points" in FOUND
        assert excess in FOUND


def test_what_is_said_of_methods_is_what_was_measured():
    methods = ("magnitude", "random-weights", "dense-retrained", "random", "taylor")
    novel = {name: columns_of("methods/methods.txt", name)[-1].split()[0] for name in methods}
    assert f"magnitude err in {novel['magnitude']}% of raw decisions" in FOUND
    assert f"random weights in {novel['random-weights']}%" in FOUND
    assert f"({novel['dense-retrained']}%" in FOUND or f"long: {novel['dense-retrained']}%" in FOUND
    assert f"Random channels err in {novel['random']}%" in FOUND
    assert f"{novel['taylor']}%" in FOUND


def test_the_heads_of_the_tables_that_it_shows_are_those_that_commands_print():
    rates = [
        LossRate("agent", kind, group, 1, 1, 0, 0.0, 0.0, 1.0)
        for kind, group in (("all", "all"), *(("novelty", name) for name in NOVELTIES))
    ]
    losses = re.split(r"\s{2,}", loss_table(rates).splitlines()[0])
    # it shows channels pruned, without search: no columns of sparse costs, which stand beside the dense ones
    shown_there = [column for name, column in COLUMNS.items() if not name.startswith("searched")]
    levels = [column.head for column in shown_there if not column.beside and column.style != "s"]
    shown = [re.split(r"\s{2,}", line.strip()) for line in README.splitlines()]
    assert losses in shown
    assert levels in shown
