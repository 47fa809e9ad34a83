"""Suites: fixed sets of positions labelled by the exact solver, the yardstick of generalisation.

In each position at least one legal cell keeps the value that best play has and at least one throws it away.
No two positions of a suite are mirror images of each other. `bttt suites` builds the files anew.

A suite is two files: NAME.npy, one `SUITES_RECORD` a position, and NAME.json, how it was made. Words have
`cols + 1` bits a row, as everywhere (see `bttt.board`).
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

SUITES = {
    "single": "one brick, on each of the 49 cells",
    "bricks2": "random layouts of two bricks",
    "bricks4": "random layouts of four bricks",
    "drawn": "layouts of twelve bricks that are proven drawn from the start",
}
"""The suites that exist, all of them on 7x7 with four in a row."""
VERSION = 1
"""Results of different versions do not compare; a suite that differs in a single position needs a new one."""
SUITES_RECORD = np.dtype([(name, "<u8") for name in ("bricks", "first", "second", "wins", "draws")])
"""The words of the bricks, of both sides' stones, and of the cells that win and that draw; the rest lose."""


@dataclass(frozen=True, eq=False)
class Suite:
    """Labelled positions, the ones of a board next to each other, with the players to move in turn.

    Attributes:
        name: Its name.
        size: A board of the size and win length of all positions, without bricks.
        records: `[N] RECORD`, read-only.
        made: How it was made, and what was counted (the JSON file).
    """

    name: str
    size: Board
    records: np.ndarray
    made: dict[str, Any] = field(repr=False)

    def __len__(self) -> int:
        return len(self.records)

    @property
    def version(self) -> int:
        """The version, which belongs to every result."""
        return self.made["version"]

    @cached_property
    def boards(self) -> tuple[Board, ...]:
        """The boards, each once, in the order of their positions."""
        words = dict.fromkeys(self.records["bricks"].tolist())
        return tuple(self.size.with_bricks(self.size.word_cells(word)) for word in words)

    @cached_property
    def board_numbers(self) -> np.ndarray:
        """Each position's board, `[N] int64`, as an index into `boards`."""
        words = {self.size.playable ^ board.playable: number for number, board in enumerate(self.boards)}
        return np.array([words[word] for word in self.records["bricks"].tolist()], np.int64)

    @cached_property
    def values(self) -> np.ndarray:
        """The value for the player to move, `[N] int8`: 1 won, 0 drawn. None is lost: nothing is at stake."""
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
        """Returns the positions; their last moves are not known."""
        boards = [self.boards[number] for number in self.board_numbers]
        stones = zip(self.records["first"].tolist(), self.records["second"].tolist(), strict=True)
        return [Position(board, *words) for board, words in zip(boards, stones, strict=True)]

    def values_after(self, cells: np.ndarray) -> np.ndarray:
        """Returns what playing `cells` `[..., N]` is worth to the player who moves, `[..., N] int8`."""
        bits = np.uint64(1) << (cells + cells // self.size.cols).astype(np.uint64)
        wins, draws = (self.records[name] & bits != 0 for name in ("wins", "draws"))
        return np.where(wins, 1, np.where(draws, 0, -1)).astype(np.int8)

    def first_of_each_board(self, count: int) -> np.ndarray:
        """Returns the indices `[M] int64` of the first `count` positions of each board."""
        starts = np.searchsorted(self.board_numbers, self.board_numbers)
        return np.flatnonzero(np.arange(len(self)) - starts < count)

    def take(self, indices: np.ndarray) -> Suite:
        """Returns a suite of the positions at ascending `indices` `[M]`."""
        return Suite(self.name, self.size, self.records[indices], self.made)


@lru_cache
def load_suite(name: str) -> Suite:
    """Returns a suite that comes with the package; see `SUITES`.

    Raises:
        ValueError: There is no such suite, or its files are damaged or of another version.
    """
    if name not in SUITES:
        raise ValueError(f"unknown suite {name!r}; suites are {', '.join(SUITES)}")
    return read_suite(name, files("bttt") / "suite_data")


def read_suite(name: str, folder: Traversable) -> Suite:
    """Returns a suite that `write_suite` wrote; ValueError where it is damaged or of another version."""
    made = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    if made["version"] != VERSION:
        raise ValueError(
            f"suite {name!r} has version {made['version']}, this program reads version {VERSION}"
        )
    content = (folder / f"{name}.npy").read_bytes()
    if hashlib.sha256(content).hexdigest() != made["sha256"]:
        raise ValueError(f"suite {name!r} is damaged: {name}.npy is not the one that {name}.json tells of")
    records = np.load(io.BytesIO(content), allow_pickle=False)
    records.setflags(write=False)
    return Suite(name, Board.parse(made["board"]), records, made)


def write_suite(name: str, size: Board, records: np.ndarray, made: Mapping[str, Any], folder: Path) -> None:
    """Writes both files of a suite.

    Args:
        name: Its name.
        size: A board of the size and win length of all positions.
        records: `[N] RECORD`.
        made: What else the JSON file tells.
        folder: Where the files go; it must exist.
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
