"""The command `bttt suites`: rebuilds the bundled suites, bit for bit.

On another machine, floating-point arithmetic may change an agent's choice of move. Only then do the positions
differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from bttt import (
    SUITES,
    SUITES_RECORD,
    Board,
    Suite,
    brick_set,
    canonical_board,
    load_suite,
    read_suite,
    write_suite,
)
from bttt.command_line import suggest
from bttt.processes import spread, worker_count
from bttt.runs import nearest, open_results, require_at_least
from tournaments.suites.positions import Mixture, collect

SIZE = Board()
RECIPES = {
    "single": ("all", 200),
    "bricks2": ("random:2,count=50,seed=0", 8),
    "bricks4": ("random:4,count=50,seed=0", 8),
    "drawn": ("drawn:12", 8),
}
"""The brick set of each suite, and its number of positions per board."""


@dataclass(frozen=True)
class SuitesConfig:
    """Rebuild the suites of solver-labelled positions, and compare them with the bundled suites."""

    names: tuple[str, ...] = tuple(SUITES)
    """Suites to build."""
    out: Path = Path("runs/suites")
    """Folder of the files."""
    per_board: int | None = None
    """Positions per board. Default: as many as the bundled suite has."""
    seed: int = Mixture.seed
    """Seed of all random numbers."""
    nodes: int = Mixture.node_limit
    """Maximum nodes that the solver searches to label a position; harder positions are skipped."""
    workers: int = 0
    """Worker processes; 0 starts one per core. The suites do not depend on it."""


def run(config: SuitesConfig) -> int:
    """Builds and writes the suites and returns 0.

    Raises:
        ValueError: An option is wrong.
        OSError: The folder cannot be written.
    """
    for name in config.names:
        if name not in RECIPES:
            hint = nearest(name, list(RECIPES))
            raise ValueError(f"unknown suite {name!r}{hint}; suites are {', '.join(RECIPES)}")
    require_at_least(1, per_board=config.per_board, nodes=config.nodes)
    require_at_least(0, seed=config.seed, workers=config.workers)
    with open_results(config.out, *(f"{name}.json" for name in RECIPES)):
        for name in dict.fromkeys(config.names):
            print(_make(name, config))
    suite = [*config.names, "single"][0]
    suggest("evaluate", "mcts:iterations=1000", "--suite", suite, why="measure an agent on it")
    return 0


def _make(name: str, config: SuitesConfig) -> str:
    """Builds and writes one suite, and returns the line to print."""
    mixture = Mixture(seed=config.seed, node_limit=config.nodes)
    bricks, per_board = RECIPES[name][0], config.per_board or RECIPES[name][1]
    records, counts = build(brick_set(bricks, SIZE), per_board, mixture, config.workers)
    command = f"bttt suites --names {name} --seed {config.seed} --nodes {config.nodes}"
    made = {
        "command": f"{command} --per-board {per_board}",
        "bricks": bricks,
        "positions a board": per_board,
        "mixture": asdict(mixture),
        "games and positions": dict(counts),
        **statistics(Suite(name, SIZE, records, {})),
    }
    shipped = _shipped_digest(name)
    write_suite(name, SIZE, records, made, config.out)
    same = read_suite(name, config.out).made["sha256"] == shipped
    verdict = "identical to" if same else "different from"
    return f"{name}: {len(records)} positions, {verdict} the bundled suite"


def build(
    boards: Sequence[Board], per_board: int, mixture: Mixture, workers: int
) -> tuple[np.ndarray, Counter[str]]:
    """Returns a suite's records `[N] RECORD`, board by board, and the counts of `collect`."""
    orbits: dict[Board, list[int]] = {}
    for number, board in enumerate(boards):
        orbits.setdefault(canonical_board(board), []).append(number)
    calls = [([boards[number] for number in numbers], per_board, mixture) for numbers in orbits.values()]
    found_in_order = spread(collect, calls, workers=worker_count(workers, len(calls)), ordered=True)
    records = np.zeros((len(boards), per_board), SUITES_RECORD)
    counts: Counter[str] = Counter()
    with tqdm(total=records.size, unit="position") as progress:
        for numbers, (found, found_counts) in zip(orbits.values(), found_in_order, strict=True):
            records[numbers] = found
            counts += found_counts
            progress.update(found.size)
    return records.reshape(-1), counts


def statistics(suite: Suite) -> dict[str, Any]:
    """Returns the numbers of positions by value, player to move and ply, and the fraction of good cells."""
    free = suite.size.playable & ~np.bitwise_or.reduce(
        [suite.records[name] for name in ("bricks", "first", "second")]
    )
    keeping = np.bitwise_count(suite.keeping) / np.bitwise_count(free)
    values, plies = suite.values, suite.plies
    return {
        "won": int((values == 1).sum()),
        "drawn": int((values == 0).sum()),
        "first to move": int((plies % 2 == 0).sum()),
        "second to move": int((plies % 2 == 1).sum()),
        "by ply": {int(ply): int((plies == ply).sum()) for ply in np.unique(plies)},
        "mean share of cells that keep the value": round(float(keeping.mean()), 4),
    }


def _shipped_digest(name: str) -> str | None:
    """Returns the digest of the bundled positions, or None if there are none."""
    try:
        return str(load_suite(name).made["sha256"])
    except (OSError, ValueError):  # missing, corrupt, or of an earlier version
        return None
