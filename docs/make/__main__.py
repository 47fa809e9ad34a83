"""Makes the tables of the results and the picture of the packages again: python -m docs.make [--check]."""

from __future__ import annotations

import sys
from pathlib import Path

from docs.make import experiments, games, house, stored, study
from docs.make.blocks import Maker, filled
from pruning import methods_by_time, methods_table

DOCS = Path(__file__).resolve().parents[1]
MAKERS: dict[str, Maker] = {
    "benchmarks": experiments.benchmarks,
    "bundled": games.bundled,
    "claims": experiments.claims,
    "controls": study.controls,
    "conversions": games.conversions,
    "experiments": experiments.experiments,
    "generalisation": study.generalisation,
    "layouts": games.layouts,
    "levels": experiments.levels,
    "losses": games.losses,
    "machine": experiments.machine,
    "methods": experiments.methods,
    "methods_by_time": methods_by_time,
    "other_boards": study.other_boards,
    "printed_losses": games.printed_losses,
    "pruned_networks": experiments.pruned_networks,
    "pruned_times": experiments.pruned_times,
    "pruning_methods": methods_table,
    "table": stored.table,
    "text": stored.text,
    "tournament": games.tournament,
    "training_time": study.training_time,
}
"""The makers of blocks by name; see `docs.make.blocks`."""


def made() -> dict[Path, str]:
    """Returns each file that is made, with its text as it should be."""
    pages = sorted([DOCS.parent / "README.md", *DOCS.glob("*.md"), *DOCS.glob("results/*.md")])
    found = {page: filled(page.read_text(encoding="utf-8"), MAKERS) for page in pages}
    return found | {DOCS / "house.svg": house.picture(DOCS.parent)}


def is_current(path: Path, text: str) -> bool:
    """Returns whether a file has a text."""
    return path.is_file() and path.read_text(encoding="utf-8") == text


def main(arguments: list[str]) -> int:
    """Writes what is not current; with --check it only names those files, and returns 1 if there are any."""
    stale = {path: text for path, text in made().items() if not is_current(path, text)}
    for path, text in stale.items():
        print(path.relative_to(DOCS.parent))
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
    return int(bool(stale) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
