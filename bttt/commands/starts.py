"""The command `bttt starts`: who wins each start with one brick, and the value of each first move.

Only one of a board's mirror images is solved. Of first moves that the board's own symmetries map to each
other, only one is solved. The other boards and moves follow by symmetry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bttt.board import Board
from bttt.bricks import boards_of_size
from bttt.command_line import suggest, tell_boards
from bttt.commands.verdicts import mark
from bttt.position import Position
from bttt.runs import csv_text, open_results, provenance, write_json, write_text
from bttt.solver import (
    DEFAULT_TABLE_MB,
    LOG_FILE,
    Solved,
    SolveSettings,
    Verdict,
    before_move,
    solve_logged,
    solving_cost,
)
from bttt.symmetry import canonical_board, move_orbits, orbits, symmetries


@dataclass(frozen=True)
class StartsConfig:
    """Solve every first move for every brick placement.

    Writes starts.csv, first_moves.csv, starts.png, starts.json and the log solved.jsonl. Rerun the command to
    resume.
    """

    bricks: tuple[str, ...] = ("all",)
    """Brick sets whose boards have one brick each: D4, R2, R3, all, orbit:K, random:1,count=N,seed=S, or a
    function of your own, python:module:function."""
    board: str = "7x7x4"
    """Board size and win length, ROWSxCOLSxWIN."""
    nodes: int = 200_000_000
    """Maximum positions searched per first move. With a larger limit, unproven moves are searched again."""
    table_mb: int = DEFAULT_TABLE_MB
    """Size of each process's transposition table in MiB."""
    workers: int = 0
    """Worker processes; 0 starts one per core."""
    out: Path = Path("runs/starts")
    """Folder of the results."""


@dataclass(frozen=True)
class SolvedStart:
    """A board, its value, and the value of each first move, all for the first player.

    Attributes:
        board: The board, with one brick.
        verdict: The verdict on the start.
        moves: The verdicts on the first moves, by cell.
    """

    board: Board
    verdict: Verdict
    moves: Mapping[int, Verdict]

    @property
    def brick(self) -> int:
        """The cell of the brick."""
        return self.board.bricks[0]

    def counts(self) -> dict[int | None, int]:
        """Returns how many first moves win (1), draw (0), lose (-1) and are not proven (None)."""
        values = [verdict.value for verdict in self.moves.values()]
        return {value: values.count(value) for value in (1, 0, -1, None)}

    def fastest(self) -> tuple[str, ...]:
        """Returns the names of the winning first moves with the fewest proven plies."""
        plies = {cell: move.plies for cell, move in self.moves.items() if move.value == 1 and move.plies}
        return tuple(
            self.board.cell_name(cell) for cell, number in plies.items() if number == min(plies.values())
        )


def run(config: StartsConfig) -> int:
    """Solves the starts, writes and prints the tables, draws the picture, and returns 0.

    Raises:
        ValueError: An option is wrong, or the log in the folder is corrupt.
        OSError: The folder cannot be written.
    """
    boards = boards_of_size(config.board, config.bricks)
    for board in boards:
        if len(board.bricks) != 1:
            raise ValueError(f"each board must have one brick, but {board} has {len(board.bricks)}")
    search = SolveSettings(config.nodes, plies=True, table_mb=config.table_mb, workers=config.workers)
    with open_results(config.out, LOG_FILE, "starts.json"):
        tell_boards(boards, "solves")
        tasks = positions_to_solve(boards)
        log = solve_logged(config.out / LOG_FILE, tasks, search)
        found = [start_of(board, log) for board in boards]
        write_text(config.out / "starts.csv", starts_csv(found))
        write_text(config.out / "first_moves.csv", first_moves_csv(found))
        record = {**provenance(config), **solving_cost(log[str(task)] for task in tasks)}
        write_json(config.out / "starts.json", record)
        from bttt.commands.starts_picture import draw_starts

        draw_starts({start.board: start.moves for start in found}, config.out / "starts.png")
    print(orbit_table(found))
    print(f"written: {config.out}")
    suggest("solve", boards[0], "--nodes", 10**6, why="the first moves of one placement on its board")
    return 0


def positions_to_solve(boards: Iterable[Board]) -> tuple[Position, ...]:
    """Returns the starts and the positions after one move, each once up to symmetry."""
    starts = [Position.start(board) for board in dict.fromkeys(map(canonical_board, boards))]
    return tuple(
        position
        for start in starts
        for position in (start, *(start.play(cells[0]) for cells in move_orbits(start)))
    )


def start_of(board: Board, log: Mapping[str, Solved]) -> SolvedStart:
    """Returns the solved start of a board, mapped from its solved mirror image."""
    solved = canonical_board(board)
    there = next(each for each in symmetries(board.rows, board.cols) if each.board(solved) == board)
    start = Position.start(solved)
    moves = {}
    for cells in move_orbits(start):
        after = log[str(start.play(cells[0]))]
        moves.update({there.cell(cell): before_move(after.value, after.plies) for cell in cells})
    solved_start = log[str(start)]
    verdict = Verdict(solved_start.value, solved_start.plies)
    return SolvedStart(board, verdict, dict(sorted(moves.items())))


def starts_csv(starts: Sequence[SolvedStart]) -> str:
    """Returns CSV with one line per start: brick, orbit, value, plies, and the values of the first moves."""
    return csv_text(map(_csv_row, starts))


def _csv_row(start: SolvedStart) -> dict[str, object]:
    counts = start.counts()
    return {
        "brick": start.board.brick_names,
        "orbit": _orbit(start),
        "value": start.verdict.value,
        "plies": start.verdict.plies,
        "winning_moves": counts[1],
        "drawing_moves": counts[0],
        "losing_moves": counts[-1],
        "unproven_moves": counts[None],
        "fastest_moves": " ".join(start.fastest()),
    }


def first_moves_csv(starts: Sequence[SolvedStart]) -> str:
    """Returns CSV with one line per first move: brick, move, value for the first player, plies."""
    return csv_text(
        {
            "brick": start.board.brick_names,
            "move": start.board.cell_name(cell),
            "value": verdict.value,
            "plies": verdict.plies,
        }
        for start in starts
        for cell, verdict in start.moves.items()
    )


def orbit_table(starts: Sequence[SolvedStart]) -> str:
    """Returns the starts as text, one line per class of mirror images, with the values of the first moves."""
    lines = [f"{'brick':20} {'start':5} {'win':>4} {'draw':>4} {'loss':>4} {'?':>4}  fastest first moves"]
    done = set()
    for start in starts:
        canonical = canonical_board(start.board)
        if canonical in done:
            continue
        done.add(canonical)
        images = [other.board.brick_names for other in starts if canonical_board(other.board) == canonical]
        counts = start.counts()
        numbers = " ".join(f"{counts[value]:4}" for value in (1, 0, -1, None))
        fastest = " ".join(start.fastest())
        line = f"{images[0] + _others(images):20} {mark(start.verdict):5} {numbers}  {fastest}"
        lines.append(line.rstrip())
    return "\n".join(lines)


def _others(images: Sequence[str]) -> str:
    return f" and {len(images) - 1} mirrored" if len(images) > 1 else ""


def _orbit(start: SolvedStart) -> int:
    known = orbits(start.board.rows, start.board.cols)
    return next(number for number, cells in enumerate(known) if start.brick in cells)
