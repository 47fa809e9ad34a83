"""The command `bttt drawn`: finds brick layouts whose start is a proven draw, for the brick sets drawn:K.

Layouts are sampled uniformly if that finds enough draws. With few bricks it does not, since most starts are
won. Then each random layout is improved first: as long as moving one brick reduces the number of open lines,
the best such move is made. Such a sample is biased towards bricks in the middle, which block many lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from bttt.board import Board
from bttt.command_line import suggest, warn_of_sizes
from bttt.commands.random_layouts import random_layout
from bttt.position import Position
from bttt.runs import make_folder, open_results, refuse_other_file, require_at_least, write_text
from bttt.solver import DEFAULT_TABLE_MB, LOG_FILE, SolveSettings, solve_logged
from bttt.symmetry import canonical_board

WAYS = {False: "sampled uniformly", True: "improved to leave few lines open"}
"""Name of the sampling method, by whether layouts are improved."""
FIRST_WORDS = "# Layouts whose start is"
"""A file of drawn layouts begins with these."""
PILOT = 5
"""Uniform sampling is given up after one in `PILOT` of the tries if these found too few draws."""


@dataclass(frozen=True)
class DrawnConfig:
    """Search for brick layouts that are proven draws, and write them to a file.

    Rerun the command to resume.
    """

    file: Path = Path("runs/drawn/drawn_layouts.txt")
    """File of the drawn layouts. The brick sets drawn:K read bttt/drawn_layouts.txt."""
    board: str = "7x7x4"
    """Board size and win length, ROWSxCOLSxWIN."""
    bricks: tuple[int, ...] = tuple(range(8, 21))
    """Numbers of bricks."""
    count: int = 50
    """Maximum layouts kept per number of bricks."""
    tries: int = 150
    """Layouts tried per number of bricks and sampling method (uniform, or improved to leave few lines
    open)."""
    seed: int = 0
    """Seed of the layouts."""
    nodes: int = 2_000_000
    """Maximum positions searched per layout."""
    table_mb: int = DEFAULT_TABLE_MB
    """Size of each process's transposition table in MiB."""
    workers: int = 0
    """Worker processes; 0 starts one per core."""
    out: Path = Path("runs/drawn")
    """Folder of the log of solved layouts."""


@dataclass(frozen=True)
class Drawn:
    """Layouts with one number of bricks that are proven draws.

    Attributes:
        bricks: The number of bricks.
        improved: Whether the random layouts were improved to leave few lines open.
        tried: Unique layouts tried; mirror images count once.
        found: How many of them are proven draws.
        boards: The boards kept, in the order of sampling.
    """

    bricks: int
    improved: bool
    tried: int
    found: int
    boards: tuple[Board, ...]

    def __str__(self) -> str:
        return f"{self.bricks} bricks: {self.found} of {self.tried} are proven draws, {WAYS[self.improved]}"


def run(config: DrawnConfig) -> int:
    """Finds the layouts, writes and prints the results, and returns 0.

    Raises:
        ValueError: An option is wrong, or the log in the folder is corrupt.
        OSError: A file cannot be written.
    """
    size = _checked_size(config)
    warn_of_sizes([size])
    _refuse_other_file(config.file)
    found = []
    with open_results(config.out, LOG_FILE):
        for bricks in config.bricks:
            found.append(find_drawn(size, bricks, config))
            print(found[-1], flush=True)
    make_folder(config.file.parent)
    write_text(config.file, drawn_text(config, found))
    print(f"written: {config.file}")
    boards = [board for each in found for board in each.boards]
    if boards:
        suggest("solve", boards[0], "--nodes", 10**6, why="the value of every first move on one of them")
    else:
        suggest("drawn", "--board", size, "--tries", 10 * config.tries, why="try more layouts")
    return 0


def _checked_size(config: DrawnConfig) -> Board:
    """Returns the board without bricks; raises ValueError if an option is wrong."""
    size = Board.parse(config.board)
    if size.bricks:
        raise ValueError(f"board {config.board!r} already has bricks: give only the size")
    require_at_least(1, count=config.count, tries=config.tries)
    require_at_least(0, seed=config.seed)
    for bricks in config.bricks:
        if not 0 <= bricks < size.cells:
            raise ValueError(f"bricks must be 0 to {size.cells - 1}, got {bricks}")
    return size


def find_drawn(size: Board, bricks: int, config: DrawnConfig) -> Drawn:
    """Returns `count` uniform layouts, or the layouts of the sampling method that finds more draws."""
    found = [_find_one_way(size, bricks, config, improved=False)]
    if found[0].found < config.count:
        found.append(_find_one_way(size, bricks, config, improved=True))
    return max(found, key=lambda each: each.found)


def _find_one_way(size: Board, bricks: int, config: DrawnConfig, *, improved: bool) -> Drawn:
    """Tries all layouts; stops early if the first uniform layouts have too few draws to find enough."""
    search = SolveSettings(config.nodes, plies=False, table_mb=config.table_mb, workers=config.workers)
    for tries in (config.tries,) if improved else (ceil(config.tries / PILOT), config.tries):
        layouts = (
            trial_layout(size, bricks, config.seed, number, improved=improved) for number in range(tries)
        )
        boards = tuple(dict.fromkeys(map(canonical_board, layouts)))
        log = solve_logged(config.out / LOG_FILE, map(Position.start, boards), search)
        drawn = [board for board in boards if log[str(Position.start(board))].value == 0]
        if len(drawn) * config.tries < config.count * tries:
            break
    return Drawn(bricks, improved, len(boards), len(drawn), tuple(drawn[: config.count]))


def trial_layout(size: Board, bricks: int, seed: int, number: int, *, improved: bool) -> Board:
    """Returns layout `number` with this size and number of bricks: the `random_layout`, or it improved."""
    board = random_layout(size, bricks, seed, number)
    return with_fewer_lines(board) if improved else board


def with_fewer_lines(board: Board) -> Board:
    """Returns the board after the best moves of single bricks, until none leaves fewer lines open."""
    lines = board.with_bricks(()).windows

    def open_lines(cells: tuple[int, ...]) -> int:
        bricks = sum(map(board.bit, cells))
        return sum(not line & bricks for line in lines)

    cells = board.bricks
    while True:
        best = min(_one_moved(cells, board.cells), key=open_lines, default=cells)
        if open_lines(best) >= open_lines(cells):
            return board.with_bricks(cells)
        cells = best


def _one_moved(cells: tuple[int, ...], count: int) -> Iterator[tuple[int, ...]]:
    """Yields the sets of cells that differ from `cells` in one cell, on a board of `count` cells."""
    free = [cell for cell in range(count) if cell not in cells]
    for number in range(len(cells)):
        for cell in free:
            yield (*cells[:number], *cells[number + 1 :], cell)


def _refuse_other_file(path: Path) -> None:
    """Raises ValueError if a path is a folder, or a file that this command has not written."""
    if path.is_dir():
        raise ValueError(f"file must be a file, but {path} is a folder")
    refuse_other_file(path, FIRST_WORDS, "is not a file of drawn layouts; choose another --file")


def drawn_text(config: DrawnConfig, found: Sequence[Drawn]) -> str:
    """Returns the file's text: comments on how each number of bricks was searched, and one line per board."""
    return "\n".join([*_header(config), *(line for each in found for line in _lines(each))]) + "\n"


def _header(config: DrawnConfig) -> Iterator[str]:
    yield f"{FIRST_WORDS} a proven draw: the brick sets drawn:K. One per class of mirror images."
    yield f"# Made by: bttt drawn --board {config.board} --bricks {' '.join(map(str, config.bricks))}"
    yield f"#   --count {config.count} --tries {config.tries} --seed {config.seed} --nodes {config.nodes}"
    yield "# Improved: single bricks of a random layout were moved as long as that left fewer lines open."


def _lines(drawn: Drawn) -> Iterator[str]:
    yield f"# {drawn}"
    yield from map(str, drawn.boards)
