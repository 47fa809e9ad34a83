"""The mutation check: makes small mutations of the code, and counts how many the tests catch.

    python tests/mutation --count 100 --out mutations.jsonl

Mutants are drawn evenly from the subjects in `subjects.py`. Each one is tested in a copy of the project. A
mutant is caught if a test fails or the tests take too long. Every survivor needs a test, or an entry in
equivalent.json with the reason why it changes no result. Repeat the command to continue it. A hundred mutants
take about an hour on two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from mutants import Mutant, mutants
from subjects import SUBJECTS

ROOT = Path(__file__).parents[2]
COPIED = (
    "agents",
    "benchmarks",
    "bttt",
    "docs",
    "examples",
    "pruning",
    "tests",
    "tournaments",
    "pyproject.toml",
)
EQUIVALENT = Path(__file__).with_name("equivalent.json")
CAUGHT, SURVIVED, KNOWN = "caught", "survived", "equivalent"
SECONDS = 600
"""Time limit for the tests of one mutant; an endless loop counts as caught."""


def drawn(count: int, seed: int) -> Iterator[tuple[str, str, Mutant]]:
    """Yields `count` mutants as (subject, module, mutant), the same number from each subject."""
    rng = random.Random(seed)
    for number, (name, subject) in enumerate(SUBJECTS.items()):
        every = [
            (module, each) for module in subject.modules for each in mutants((ROOT / module).read_text())
        ]
        share = (count + number) // len(SUBJECTS)
        for module, mutant in rng.sample(every, min(share, len(every))):
            yield name, module, mutant


def outcome(subject: str, module: str, mutant: Mutant | None) -> str:
    """Returns whether the subject's tests catch a mutant; without one, whether they fail anyway."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "project")
        copy.mkdir()
        for name in COPIED:
            place = ROOT / name
            if place.is_dir():
                shutil.copytree(place, copy / name)
            else:
                shutil.copy2(place, copy)
        if mutant is not None:
            (copy / module).write_text(mutant.source)
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", *SUBJECTS[subject].tests]
        environment = {**os.environ, "PYTHONPATH": str(copy), "OMP_NUM_THREADS": "1"}
        try:
            done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return CAUGHT
    if done.returncode not in (0, 1, 2):  # neither passed, failed, nor broken at import
        raise RuntimeError(done.stdout.decode()[-2000:] + done.stderr.decode()[-2000:])
    return CAUGHT if done.returncode else SURVIVED


def main(arguments: list[str] | None = None) -> int:
    """Runs the check and returns 0 if at least 90% of the mutants that change a result are caught."""
    parser = argparse.ArgumentParser(prog="python tests/mutation", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100, help="mutants in all")
    parser.add_argument("--seed", type=int, default=0, help="seed of the draw")
    parser.add_argument("--workers", type=int, default=2, help="mutants tested at once")
    parser.add_argument("--out", type=Path, default=Path("mutations.jsonl"), help="file with the outcomes")
    options = parser.parse_args(arguments)
    stored = {_key(each): each for each in _read(options.out)}
    equivalent = {_key(each) for each in json.loads(EQUIVALENT.read_text())}
    chosen = list(drawn(options.count, options.seed))
    todo = [each for each in chosen if _key(_row(*each)) not in stored]
    for subject in dict.fromkeys(name for name, _, _ in todo):
        if outcome(subject, "", None) != SURVIVED:
            print(f"the tests of {subject!r} fail without a mutation: mend them first", file=sys.stderr)
            return 2
    with ThreadPoolExecutor(options.workers) as pool, options.out.open("a") as file:
        running = {pool.submit(outcome, *each): each for each in todo}
        for future in as_completed(running):
            row = {**_row(*running[future]), "outcome": future.result()}
            print(json.dumps(row), file=file, flush=True)
            print(f"{row['outcome']:10}{row['module']}:{row['line']}: {row['before']} -> {row['after']}")
            stored[_key(row)] = row
    return _report([stored[_key(_row(*each))] for each in chosen], equivalent)


def _report(rows: Iterable[dict[str, Any]], equivalent: set[tuple[str, ...]]) -> int:
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        known = row["outcome"] == SURVIVED and _key(row) in equivalent
        counts.setdefault(row["subject"], Counter())[KNOWN if known else row["outcome"]] += 1
    total = sum(counts.values(), Counter())
    for name, count in {**counts, "all": total}.items():
        print(
            f"{name:12} caught {count[CAUGHT]:3}  survived {count[SURVIVED]:3}  equivalent {count[KNOWN]:3}"
        )
    return 0 if total[CAUGHT] >= 0.9 * (total[CAUGHT] + total[SURVIVED]) else 1


def _row(subject: str, module: str, mutant: Mutant) -> dict[str, Any]:
    """Returns a mutant as it is stored."""
    return {
        "subject": subject,
        "module": module,
        "line": mutant.line,
        "text": mutant.text,
        "before": mutant.before,
        "after": mutant.after,
    }


def _key(row: dict[str, Any]) -> tuple[str, ...]:
    """Returns what identifies a mutant; its line number is not part of it, since lines move."""
    return row["module"], row["text"], row["before"], row["after"]


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


if __name__ == "__main__":
    sys.exit(main())
