"""A log of solved positions, written one at a time, so that a stopped command can resume.

Each line is a JSON object with the position as text and the result of its search. A later line for the same
position replaces an earlier one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from math import isfinite
from pathlib import Path
from time import process_time

from bttt.board import Board
from bttt.position import Position
from bttt.processes import spread, worker_count
from bttt.runs import as_record, json_value, read_bytes, report_found, require_at_least
from bttt.solver.exact import Solver

LOG_FILE = "solved.jsonl"


@dataclass(frozen=True, slots=True)
class Solved:
    """The result of one search.

    Attributes:
        value: 1 won, 0 drawn, -1 lost for the player to move; None if the limit was reached before a proof.
        plies: Plies to the end under best play; None if not proven or not requested.
        nodes: Positions searched.
        node_limit: Maximum positions allowed.
        seconds: Processor time of the search, in seconds.
    """

    value: int | None
    plies: int | None
    nodes: int
    node_limit: int
    seconds: float

    def settles(self, *, node_limit: int, plies: bool) -> bool:
        """Returns whether another search, with this limit and with or without plies, is unnecessary."""
        proven = self.value is not None and (self.plies is not None or not plies)
        return proven or self.node_limit >= node_limit


@dataclass(frozen=True, slots=True)
class SolveSettings:
    """How positions are solved.

    Attributes:
        node_limit: Maximum positions searched per position, at least 1.
        plies: Whether to find the plies to the end as well.
        table_mb: Size of each process's transposition table, in MiB.
        workers: Worker processes; 0 starts one per core. Results do not depend on it.

    Raises:
        ValueError: A number is out of range.
    """

    node_limit: int
    plies: bool
    table_mb: int
    workers: int

    def __post_init__(self) -> None:
        require_at_least(1, nodes=self.node_limit)
        require_at_least(0, workers=self.workers)


def read_log(path: Path) -> dict[str, Solved]:
    """Returns the content of a log by position (as text); empty if there is no file.

    An incomplete last line, left by a killed process, is removed from the file.

    Raises:
        ValueError: The file is not a log.
    """
    if not path.exists():
        return {}
    content = read_bytes(path)
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        os.truncate(path, len(whole))
    stored = {}
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            fields = json_value(line)
            text = fields.pop("position")
            stored[str(text)] = _checked(as_record(Solved, fields))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"line {number} of {path} is corrupt: repair or delete the line") from error
    return stored


def _checked(solved: Solved) -> Solved:
    """Returns `solved` if a search can have produced it; raises ValueError otherwise."""
    if solved.value not in (1, 0, -1, None) or not isfinite(solved.seconds):
        raise ValueError
    return solved


def solving_cost(solved: Iterable[Solved]) -> dict[str, float]:
    """Returns the numbers of positions and of unproven positions, and the nodes and processor time spent."""
    found = list(solved)
    return {
        "positions": len(found),
        "unproven": sum(each.value is None for each in found),
        "nodes": sum(each.nodes for each in found),
        "processor_seconds": round(sum(each.seconds for each in found), 1),
    }


def solve_logged(path: Path, positions: Iterable[Position], search: SolveSettings) -> dict[str, Solved]:
    """Solves the positions that the log does not settle, adds them, and returns the log by position text.

    Raises:
        ValueError: The file is not a log.
        OSError: It cannot be written, or a worker process has died; what is stored is kept.
    """
    from tqdm import tqdm

    stored = read_log(path)
    wanted = {str(position): position for position in positions}
    missing = [
        position
        for text, position in wanted.items()
        if text not in stored or not stored[text].settles(node_limit=search.node_limit, plies=search.plies)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    done = len(wanted) - len(missing)
    with (
        path.open("a", encoding="utf-8") as file,
        tqdm(total=len(wanted), initial=done, unit="solved") as bar,
    ):
        for text, solved in _solve_all(missing, search):
            file.write(json.dumps({"position": text, **asdict(solved)}) + "\n")
            file.flush()
            stored[text] = solved
            bar.update()
    report_found(done, len(missing), "solved position", path)
    return stored


def _solve_all(positions: Sequence[Position], search: SolveSettings) -> Iterator[tuple[str, Solved]]:
    """Yields each position's text and solution as soon as it is solved."""
    workers = worker_count(search.workers, len(positions))
    if workers == 1:
        for position in positions:
            yield _solve_one(position, search)
        return
    _worker_solver(1)  # compiles the kernels once, which the other processes then find on disk
    yield from spread(_solve_one, ((position, search) for position in positions), workers=workers)


def _solve_one(position: Position, search: SolveSettings) -> tuple[str, Solved]:
    solver = _worker_solver(search.table_mb)
    start = process_time()
    found = solver.solve(position, search.node_limit, plies=search.plies, cells=False)
    seconds = round(process_time() - start, 4)
    return str(position), Solved(found.value, found.plies, found.nodes, search.node_limit, seconds)


@lru_cache(maxsize=1)
def _worker_solver(table_mb: int) -> Solver:
    """Returns this process's solver, warmed up so that loading the kernels does not count as search time."""
    solver = Solver(table_mb)
    solver.solve(Position.start(Board(3, 3, 3)))
    return solver
