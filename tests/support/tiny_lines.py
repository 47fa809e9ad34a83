"""The command lines of pages with tiny budgets: what each line runs instead of what it says."""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from blocks import shell_words

TRAINED = ("--selfplay.games", "4", "--search.simulations", "2", "--learner.batch", "8")
STUDY = (
    *("--sets", "D4", "--seeds", "1", "--iterations", "1", "--positions", "1", "--workers", "1"),
    *("--train.selfplay.games", "4", "--train.search.simulations", "2", "--train.plies", "4"),
)
PRUNED = (
    *("--prune.cycles", "1", "--prune.steps", "2", "--prune.positions", "300"),
    *("--prune.selfplay.games", "16", "--prune.search.simulations", "2"),
)
IMAGES = ("--data-set", "digits", "--subset", "100", "--seeds", "1", "--epochs", "1", "--workers", "1")
TINY: dict[str, tuple[str, ...]] = {
    "agents": (),
    "bricks": (
        *("--candidates", "A1", "C4", "--positions", "20", "--fitted", "10", "--held", "5", "--suite", "1"),
        *("--seeds", "1", "--splits", "0", "--steps", "1", "--outer", "1", "--workers", "1", "--l2", "0.1"),
        *TRAINED,
    ),
    "compression": (*STUDY, *PRUNED, "--arms", "dropnet-layer", "--simulations", "0", "--games", "1"),
    "conversion": ("--workers", "1"),
    "drawn": (
        *("--board", "4x4x3", "--count", "2", "--tries", "3", "--bricks", "5", "--workers", "1"),
        *("--file", "drawn.txt"),
    ),
    "evaluate": ("--positions", "1", "--workers", "1"),
    "export": (),
    "games": (),
    "generalisation": (
        *STUDY,
        *("--variants", "base", "--simulations", "0", "--games", "1", "--cells", "D4", "--suites"),
        *("--boards", "--conversion-seeds", "0"),
    ),
    "layouts": ("--boards", "3x3x3", "--most-bricks", "1", "--count", "2", "--workers", "1"),
    "levels": ("--levels", "0", "1", "--bricks", "D4", "--repeats", "1", "--simulations", "1"),
    "merge": (),
    "methods": (
        *STUDY[2:6],
        "--brick-set",
        "D4",
        "--methods",
        "snip",
        "--steps",
        "2",
        *STUDY[8:],
        *PRUNED[4:],
    ),
    "play": (),
    "prune": (
        *("--positions", "300", "--steps", "2", "--cycles", "1", "--simulations", "0"),
        *("--selfplay.games", "16", "--search.simulations", "2", "--learner.batch", "32"),
    ),
    "replay": (),
    "report": (),
    "schedules": ("--cycles", "2", "--out", "schedules.png"),
    "solve": ("--nodes", "1000"),
    "starts": ("--board", "4x4x3", "--bricks", "B2", "--nodes", "100", "--workers", "1"),
    "suites": ("--names", "single", "--per-board", "1", "--workers", "1", "--out", "suites"),
    "time": ("--calls", "2"),
    "tournament": ("--repeats", "2", "--workers", "1"),
    "train": ("--iterations", "1", "--plies", "9", *TRAINED),
    "vision": (*IMAGES, "--cycles", "1", "--width", "0.5"),
}
"""Options of each command that replace those of the line."""
SMALL_BOARD = ("--board", "4x4x3", "--bricks", "A1")
ONE_BOARD = ("--bricks", "D4")
NOT_RUN = {
    "cuda": "needs a GPU",
    "runs/networks/base-R3-seed0": "needs a network of the study",
    "bttt/drawn_layouts.txt": "writes into the package",
    "results/vision": "reads the stored results",
}
"""Words of lines that are not run, and why."""


def budget(command: str, rest: list[str]) -> tuple[str, ...]:
    """The options of a line's tiny budget; none has no effect there."""
    given = TINY[command]
    if command == "vision" and "--list" in rest:
        return ()
    if command == "vision" and rest[0].startswith("bilevel/"):
        return IMAGES
    if command == "levels" and "--time" in rest:
        return tuple(without(given, "--bricks", "--repeats", "--simulations"))
    if command == "prune" and rest[0].startswith("python:"):
        return ("--cycles", "1")
    if command == "prune" and "--in-loop" in rest:
        return (*given, "--iterations", "1")
    if command == "conversion" and "--suite" in rest:
        return (*given, "--positions", "1")
    if command in ("conversion", "evaluate", "tournament") and "--suite" not in rest:
        solved = command == "conversion" or any(word.startswith("perfect") for word in rest)
        return (*given, *(SMALL_BOARD if solved and command != "evaluate" else ONE_BOARD))
    return given


def tiny(words: list[str]) -> list[str]:
    """The words of a line after "bttt", with the options of `TINY` in place of the line's own."""
    command, *rest = (re.sub(r"level-\d\d", "level-01", word) for word in words)
    given = budget(command, rest)
    rest = [
        re.sub(r"iterations=\d+", "iterations=10", re.sub(r"depth=\d+", "depth=1", word)) for word in rest
    ]
    if command in ("methods", "compression") and any(word.startswith("python:") for word in rest):
        given = without(given, "--methods", "--arms")  # the line names its own
    if command in ("compression", "generalisation"):  # nothing is searched
        given, rest = tuple(without(given, "--positions")), without(rest, "--positions")
    if command == "vision" and "--data-set" in given:
        rest = without(rest, "--data", "--download")  # digits need no files
    if "self-play" in rest:
        given = tuple("dense" if word == "snip" else word for word in given)
    rest = without(rest, *(name for name in given if name.startswith("--")))
    # players that differ in their strength alone are equal now
    kept = [word for number, word in enumerate(rest) if ":" not in word or word not in rest[:number]]
    return [command, *kept, *given]


def without(words: Iterable[str], *names: str) -> list[str]:
    """Words without some options and their values."""
    kept: list[str] = []
    keeps = True
    for word in words:
        if word.startswith("--"):
            keeps = word not in names
        if keeps:
            kept.append(word)
    return kept


PLACES = ("--data", "--out", "--runs")
"""Options that say where a line writes or finds its data: they don't change what it does."""


def places(line: list[str]) -> set[str]:
    """The values of these options."""
    return {word for option, word in pairwise(line) if option in PLACES}


def tiny_lines(paths: list[Path]) -> Iterator[tuple[Path, list[str]]]:
    """Yields pages and lines to run, in the order of the page, without repetitions.

    A line on whose folder later lines of its page depend is yielded in any case.
    """
    done: set[tuple[str, ...]] = set()
    for page in paths:
        found = shell_words(page.read_text(encoding="utf-8"))
        lines = [words[1:] for words in found if words[0] == "bttt" and words[1:2] and words[1] in TINY]
        for number, words in enumerate(lines):
            line = tiny(words)
            work = tuple(word for word in line if word not in {*PLACES, *places(line)})
            later = {word for other in lines[number + 1 :] for word in other}
            needed = any(place in word for place in places(words) for word in later)
            if (work not in done or needed) and not any(each in word for each in NOT_RUN for word in words):
                done.add(work)
                yield page, line
