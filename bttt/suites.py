"""Suites: fixed sets of positions labelled by the exact solver, used to measure generalisation.

In each position at least one move keeps the value of best play, and at least one is a value-losing move. Such
a move turns a win into a draw or loss, or a draw into a loss. No two positions of a suite are mirror images
of each other. `bttt suites` rebuilds the files.

A suite has two files: NAME.npy holds one `SUITES_RECORD` per position, NAME.json says how it was made. Words
have `cols + 1` bits per row (see `bttt.board`).
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import numpy as np

from bttt.board import Board
from bttt.position import Position
from bttt.runs import json_value, nearest

SUITES = {
    "single": "one brick, on each of the 49 cells",
    "bricks2": "random layouts of two bricks",
    "bricks4": "random layouts of four bricks",
    "drawn": "layouts of twelve bricks whose start is a proven draw",
}
"""The bundled suites, all on 7x7 with four in a row, each with its brick placements."""
VERSION = 1
"""Version of the suites. Results of different versions cannot be compared, so any change of a position needs
a new version."""
SUITES_RECORD = np.dtype([(name, "<u8") for name in ("bricks", "first", "second", "wins", "draws")])
"""Words of the bricks, both sides' stones, the winning moves and the drawing moves; all other moves lose."""


@dataclass(frozen=True, eq=False)
class Suite:
    """Labelled positions, ordered by board; within a board the player to move alternates.

    Attributes:
        name: The suite's name.
        size: A board without bricks, with the size and win length of all positions.
        records: `[N] SUITES_RECORD`, read-only.
        made: How the suite was made, and its counts (the content of the JSON file).
    """

    name: str
    size: Board
    records: np.ndarray
    made: dict[str, Any] = field(repr=False)

    def __len__(self) -> int:
        return len(self.records)

    @property
    def version(self) -> int:
        """The version, to be stored with every result."""
        return int(self.made["version"])

    @cached_property
    def boards(self) -> tuple[Board, ...]:
        """The boards, each once, in order of their positions."""
        words = dict.fromkeys(self.records["bricks"].tolist())
        return tuple(self.size.with_bricks(self.size.word_cells(word)) for word in words)

    @cached_property
    def board_numbers(self) -> np.ndarray:
        """Each position's board, `[N] int64`, as an index into `boards`."""
        words = {self.size.playable ^ board.playable: number for number, board in enumerate(self.boards)}
        return np.array([words[word] for word in self.records["bricks"].tolist()], np.int64)

    @cached_property
    def values(self) -> np.ndarray:
        """The value for the player to move, `[N] int8`: 1 won, 0 drawn. A suite has no lost positions."""
        return (self.records["wins"] != 0).astype(np.int8)

    @cached_property
    def keeping(self) -> np.ndarray:
        """The words of the cells that keep the value, `[N] uint64`."""
        return np.where(self.values == 1, self.records["wins"], self.records["draws"])

    @cached_property
    def plies(self) -> np.ndarray:
        """The number of stones on the board, `[N] int64`; the second player is to move where it is odd."""
        return np.bitwise_count(self.records["first"] | self.records["second"]).astype(np.int64)

    def positions(self) -> list[Position]:
        """Returns the positions; their last moves are unknown."""
        boards = [self.boards[number] for number in self.board_numbers]
        stones = zip(self.records["first"].tolist(), self.records["second"].tolist(), strict=True)
        return [Position(board, *words) for board, words in zip(boards, stones, strict=True)]

    def values_after(self, cells: np.ndarray) -> np.ndarray:
        """Returns the value of playing `cells` `[..., N]` for the player who moves, `[..., N] int8`."""
        bits = np.uint64(1) << (cells + cells // self.size.cols).astype(np.uint64)
        wins, draws = (self.records[name] & bits != 0 for name in ("wins", "draws"))
        return np.where(wins, 1, np.where(draws, 0, -1)).astype(np.int8)

    def first_of_each_board(self, count: int) -> np.ndarray:
        """Returns the indices `[M] int64` of the first `count` positions of each board."""
        starts = np.searchsorted(self.board_numbers, self.board_numbers)
        return np.flatnonzero(np.arange(len(self)) - starts < count)

    def require(self, positions: int) -> None:
        """Raises ValueError if no board has this many positions, or the number is below 1."""
        most = int(np.bincount(self.board_numbers).max())
        if not 1 <= positions <= most:
            raise ValueError(f"positions must be 1 to {most} with suite {self.name!r}, got {positions}")

    def take(self, indices: np.ndarray) -> Suite:
        """Returns a suite with the positions at the ascending `indices` `[M]`."""
        return Suite(self.name, self.size, self.records[indices], self.made)


@lru_cache
def load_suite(name: str) -> Suite:
    """Returns a suite bundled with the package; see `SUITES`.

    Raises:
        ValueError: The name is unknown, or the suite's files are corrupt or have a different version.
    """
    if name not in SUITES:
        raise ValueError(
            f"unknown suite {name!r}{nearest(name, list(SUITES))}; suites are {', '.join(SUITES)}"
        )
    return read_suite(name, files("bttt") / "suite_data")


def read_suite(name: str, folder: Traversable) -> Suite:
    """Returns a suite written by `write_suite`.

    Raises:
        ValueError: The suite's files are corrupt or have a different version.
    """
    made = json_value((folder / f"{name}.json").read_text(encoding="utf-8"))
    if not isinstance(made, dict) or not {"version", "sha256", "board"} <= made.keys():
        raise ValueError(f"suite {name!r} is corrupt: {name}.json is not from bttt suites")
    if made["version"] != VERSION:
        raise ValueError(
            f"suite {name!r} has version {made['version']}, but this program reads version {VERSION}: "
            "rebuild it with bttt suites"
        )
    content = (folder / f"{name}.npy").read_bytes()
    if hashlib.sha256(content).hexdigest() != made["sha256"]:
        raise ValueError(f"suite {name!r} is corrupt: the checksum of {name}.npy differs from {name}.json")
    records = np.load(io.BytesIO(content), allow_pickle=False)
    records.setflags(write=False)
    return Suite(name, Board.parse(made["board"]), records, made)


def write_suite(name: str, size: Board, records: np.ndarray, made: Mapping[str, Any], folder: Path) -> None:
    """Writes both files of a suite.

    Args:
        name: The suite's name.
        size: A board with the size and win length of all positions.
        records: `[N] SUITES_RECORD`.
        made: Further entries of the JSON file.
        folder: Folder of the files; it must exist.
    """
    content = io.BytesIO()
    np.save(content, records.astype(SUITES_RECORD), allow_pickle=False)
    digest = hashlib.sha256(content.getvalue()).hexdigest()
    head = {
        "suite": name,
        "version": VERSION,
        "board": str(size),
        "positions": len(records),
        "sha256": digest,
    }
    (folder / f"{name}.npy").write_bytes(content.getvalue())
    text = json.dumps({**head, **made}, indent=1)
    (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
