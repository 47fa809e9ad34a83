"""The command `bttt layouts`: how the value of the start depends on the number of bricks and on board size.

A layout is a set of brick cells. If a size and number of bricks have at most `count` layouts, all of them are
counted. Otherwise layouts are sampled independently and uniformly, so a layout or its mirror image may occur
twice: it is solved once and counted each time.

No start is lost: an extra stone never hurts, so the first player could adopt any winning plan of the second.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from pathlib import Path

from bttt.board import Board
from bttt.command_line import suggest, warn_of_sizes
from bttt.commands.random_layouts import random_layout
from bttt.commands.tally import LayoutTally
from bttt.position import Position
from bttt.runs import csv_text, open_results, provenance, require_at_least, write_json, write_text
from bttt.solver import DEFAULT_TABLE_MB, LOG_FILE, Solved, SolveSettings, solve_logged, solving_cost
from bttt.symmetry import canonical_board


@dataclass(frozen=True)
class LayoutsConfig:
    """Solve random brick layouts, and count how many are won and how many are drawn.

    Writes layouts.csv, layouts.png, layouts.json and the log solved.jsonl. Rerun the command to resume.
    """

    boards: tuple[str, ...] = ("5x5x4", "6x6x4", "7x7x4")
    """Board sizes and win lengths, ROWSxCOLSxWIN."""
    most_bricks: int = 20
    """Maximum number of bricks: every number from 0 up to it is solved, as long as a cell stays free."""
    count: int = 200
    """Layouts per size and number of bricks; all of them if there are no more."""
    seed: int = 0
    """Seed of the layouts. Each layout has its own random stream, so other layouts do not change it."""
    nodes: int = 5_000_000
    """Maximum positions searched per layout. With a larger limit, unproven layouts are searched again."""
    table_mb: int = DEFAULT_TABLE_MB
    """Size of each process's transposition table in MiB."""
    workers: int = 0
    """Worker processes; 0 starts one per core."""
    out: Path = Path("runs/layouts")
    """Folder of the results."""


def run(config: LayoutsConfig) -> int:
    """Solves the layouts, writes and prints the table, draws the picture, and returns 0.

    Raises:
        ValueError: An option is wrong, or the log in the folder is corrupt.
        OSError: The folder cannot be written.
    """
    sizes = _sizes(config)
    warn_of_sizes(sizes)
    search = SolveSettings(config.nodes, plies=False, table_mb=config.table_mb, workers=config.workers)
    drawn = {
        (size, bricks): draw_layouts(size, bricks, config.count, config.seed)
        for size in sizes
        for bricks in range(min(config.most_bricks, size.cells - 1) + 1)
    }
    with open_results(config.out, LOG_FILE, "layouts.json"):
        log_path = config.out / LOG_FILE
        log = solve_logged(log_path, (_task(board) for boards in drawn.values() for board in boards), search)
        tallies = [tally(size, bricks, boards, log) for (size, bricks), boards in drawn.items()]
        write_text(config.out / "layouts.csv", layouts_csv(tallies))
        tasks = {str(_task(board)) for boards in drawn.values() for board in boards}
        record = {**provenance(config), **solving_cost(log[text] for text in tasks)}
        write_json(config.out / "layouts.json", record)
        from bttt.commands.layouts_picture import draw_tallies

        draw_tallies(tallies, config.out / "layouts.png")
    print(layouts_table(tallies))
    for size in sizes:
        print(balance([each for each in tallies if each.board == size]))
    print(f"written: {config.out}")
    bricks = min(config.most_bricks, sizes[-1].cells - 1)
    suggest("drawn", "--board", sizes[-1], "--bricks", bricks, why="collect layouts that are draws")
    return 0


def _sizes(config: LayoutsConfig) -> tuple[Board, ...]:
    require_at_least(1, count=config.count)
    require_at_least(0, most_bricks=config.most_bricks, seed=config.seed)
    sizes = tuple(dict.fromkeys(map(Board.parse, config.boards)))
    for size in sizes:
        if size.bricks:
            raise ValueError(f"board {str(size)!r} already has bricks: give only the size")
    if not sizes:
        raise ValueError("no board given; expected, for example, 7x7x4")
    return sizes


def draw_layouts(size: Board, bricks: int, count: int, seed: int) -> tuple[Board, ...]:
    """Returns all layouts of `bricks` bricks if there are at most `count`, else `count` random layouts."""
    if comb(size.cells, bricks) <= count:
        return tuple(size.with_bricks(cells) for cells in combinations(range(size.cells), bricks))
    return tuple(random_layout(size, bricks, seed, number) for number in range(count))


def _task(board: Board) -> Position:
    return Position.start(canonical_board(board))


def tally(size: Board, bricks: int, boards: Sequence[Board], log: Mapping[str, Solved]) -> LayoutTally:
    """Returns the outcomes of the layouts' starts under best play."""
    values = [log[str(_task(board))].value for board in boards]
    different = len({canonical_board(board) for board in boards})
    exhaustive = len(set(boards)) == comb(size.cells, bricks)
    counts = (values.count(value) for value in (1, 0, -1))
    return LayoutTally(size, bricks, len(boards), different, exhaustive, *counts)


def layouts_csv(tallies: Iterable[LayoutTally]) -> str:
    """Returns the tallies as CSV, with intervals of the fractions of wins and draws."""
    return csv_text(map(_csv_row, tallies))


def _csv_row(each: LayoutTally) -> dict[str, object]:
    counts = {
        "board": each.board,
        "bricks": each.bricks,
        "layouts": each.layouts,
        "different": each.different,
        "win": each.win,
        "draw": each.draw,
        "loss": each.loss,
        "unproven": each.unproven,
    }
    shares = zip(
        ("win_low", "win_high", "draw_low", "draw_high"),
        (*each.interval(each.win), *each.interval(each.draw)),
        strict=True,
    )
    return counts | {name: f"{share:.4f}" for name, share in shares}


def layouts_table(tallies: Iterable[LayoutTally]) -> str:
    """Returns the tallies as text."""
    lines = ["board  bricks  layouts     unique   win  draw  loss     ?  won, 95%    drawn, 95%"]
    for each in tallies:
        counts = f"{each.win:5} {each.draw:5} {each.loss:5} {each.unproven:5}"
        shares = "  ".join(_percent(each.interval(count)) for count in (each.win, each.draw))
        line = f"{each.board!s:6} {each.bricks:6}  {each.layouts:7}  {each.different:9} {counts}  {shares}"
        lines.append(line.rstrip())
    return "\n".join(lines)


def _percent(interval: tuple[float, float]) -> str:
    low, high = (100 * end for end in interval)
    return f"{f'{low:.0f}-{high:.0f}%':10}"


def balance(tallies: Sequence[LayoutTally]) -> str:
    """Returns one line on the numbers of bricks with mostly won and with mostly drawn starts."""
    won = [each.bricks for each in tallies if 2 * each.win > each.layouts]
    drawn = [each.bricks for each in tallies if 2 * each.draw > each.layouts]
    parts = [
        f"most layouts are proven wins with {_ranges(won)} bricks"
        if won
        else "no number of bricks gives mostly proven wins",
        f"most are proven draws with {_ranges(drawn)}" if drawn else "no number gives mostly proven draws",
    ]
    return f"{tallies[0].board}: {'; '.join(parts)}"


def _ranges(numbers: Sequence[int]) -> str:
    """Returns ascending numbers as text; consecutive numbers become a range: 0-9, 11."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
