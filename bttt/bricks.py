"""Named brick sets, and train/novel splits that list mirror images of training boards separately.

A brick set is a tuple of boards. Its name has one of these forms:

- `D4` (any cell): one board with that brick; `D4+E5`: one board with both; `none`: no brick;
- `R2` (D3, D4) and `R3` (C3, D3, D4): the training sets of the Brick Tic-Tac-Toe paper;
- `all`: one brick, on each cell in turn;
- `orbit:K` or `orbit:D4`: one brick, on each cell of the K-th orbit (from 0) or of the orbit of D4;
- `random:K`, `random:K,count=16,seed=0`: `count` different boards with K bricks each, drawn with `seed`;
  by default 16, or all if there are fewer;
- `drawn:K`, `drawn:K,count=16`: boards with K bricks whose start is a proven draw. They are the first `count`
  boards of drawn_layouts.txt, by default all (at most 50; no two are mirror images of each other);
- `python:module:function`: the boards that your own function returns, given a board without bricks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import comb
from pathlib import Path

import numpy as np

from bttt.board import Board
from bttt.runs import nearest
from bttt.symmetry import canonical_board, orbits

PAPER_SETS = {"R2": ("D3", "D4"), "R3": ("C3", "D3", "D4")}
FORMS = (
    f"a cell (D4), cells joined by + (D4+E5), none, {', '.join(PAPER_SETS)}, all, orbit:K, "
    "random:K[,count=N,seed=S], drawn:K[,count=N], python:module:function"
)
KINDS = ("all", "none", "orbit", "random", "drawn", "python")
NOVELTIES = ("seen", "mirror", "novel")
"""How a test board relates to the training boards; see `Split`."""
DRAWN_FILE = Path(__file__).with_name("drawn_layouts.txt")
"""The boards of the sets drawn:K, one per line; `bttt drawn` writes it."""
MOST_RANDOM = 100_000
DEFAULT_RANDOM_COUNT = 16


def brick_set(text: str, board: Board | None = None, *, alone: bool = False) -> tuple[Board, ...]:
    """Returns the boards of one brick set.

    Args:
        text: The name of the brick set; the module's docstring lists the forms.
        board: Gives size and win length; None is 7x7 with four in a row.
        alone: No other brick set can be given beside it, so no error advises that.

    Raises:
        ValueError: No brick set has this name, or it does not fit the board's size.
    """
    board = board if board is not None else Board()
    text = text.strip()
    kind, _, argument = text.partition(":")
    if kind == "python":
        return _own_boards(text, board)
    if kind.lower() == "orbit" and argument:
        return tuple(board.with_bricks([cell]) for cell in _orbit(argument, board))
    if kind.lower() == "random" and argument:
        return _random_boards(argument, board)
    if kind.lower() == "drawn" and argument:
        return _drawn_boards(argument, board)
    if text.lower() == "all":
        return tuple(board.with_bricks([cell]) for cell in range(board.cells))
    if text.lower() == "none":
        return (board.with_bricks(()),)
    try:
        if text.upper() in PAPER_SETS:
            return tuple(board.with_bricks([name]) for name in PAPER_SETS[text.upper()])
        found = board.with_bricks(re.split("[+,]", text))
    except ValueError as error:
        hint = nearest(text, KINDS)
        raise ValueError(f"brick set {text!r}: {error}{hint}; allowed are {FORMS}") from None
    if "," in text:
        names = [board.cell_name(cell) for cell in found.bricks]
        several = "" if alone else f"{' '.join(names)} for {len(names)} boards, or "
        raise ValueError(f"brick set {text!r} has a comma: give {several}{'+'.join(names)} for one board")
    return (found,)


def brick_sets(texts: str | Iterable[str], board: Board | None = None) -> tuple[Board, ...]:
    """Returns the boards of one or several brick sets, each board once, in order."""
    alone = isinstance(texts, str)
    if isinstance(texts, str):
        texts = texts.split()
    boards = dict.fromkeys(found for text in texts for found in brick_set(text, board, alone=alone))
    if not boards:
        raise ValueError(f"no brick set given; allowed are {FORMS}")
    return tuple(boards)


def boards_of_size(size: str, texts: str | Iterable[str]) -> tuple[Board, ...]:
    """Returns the boards of one or several brick sets for a size such as "7x7x4"."""
    board = Board.parse(size)
    if board.bricks:
        raise ValueError(f"board {size!r} already has bricks: give them as the brick set {name_of(board)}")
    return brick_sets(texts, board)


def name_of(board: Board) -> str:
    """Returns the name of the brick set that holds this board alone: "D4+E5", or "none" without bricks."""
    return "+".join(map(board.cell_name, board.bricks)) or "none"


def _own_boards(text: str, board: Board) -> tuple[Board, ...]:
    """Returns the boards of a user's function; ValueError if it fails or returns boards of another size."""
    from bttt.runs import FAILURES, load_plugin, one_line

    function = load_plugin(text, "brick set")
    try:
        found = tuple(function(board.with_bricks(())))
    except FAILURES as error:
        raise ValueError(f"brick set {text!r} fails: {one_line(error)}") from error
    for each in found:
        if not isinstance(each, Board) or each.with_bricks(()) != board.with_bricks(()):
            raise ValueError(
                f"brick set {text!r} must return boards of {board.with_bricks(())}, got {each!r}"
            )
    return found


def _orbit(argument: str, board: Board) -> tuple[int, ...]:
    known = orbits(board.rows, board.cols)
    if argument.isdecimal():
        if int(argument) >= len(known):
            raise ValueError(
                f"orbit:{argument} does not exist: a {board.size_text} board has orbits 0 to {len(known) - 1}"
            )
        return known[int(argument)]
    try:
        cell = board.cell(argument)
    except ValueError as error:
        raise ValueError(f"orbit:{argument}: {error}; orbits are 0 to {len(known) - 1}") from None
    return next(orbit for orbit in known if cell in orbit)


def _numbers(kind: str, argument: str, options: Mapping[str, str]) -> tuple[int, dict[str, int]]:
    """Returns K and the option values of an argument such as "3,count=16".

    Args:
        kind: The word before the colon.
        argument: The text after the colon.
        options: The allowed options, each with the letter for its value in the error message.
    """
    number, *settings = argument.split(",")
    given: dict[str, int] = {}
    try:
        for setting in settings:
            name, _, value = setting.partition("=")
            if name not in options or name in given:
                raise ValueError
            given[name] = int(value)
        return int(number), given
    except ValueError:
        form = f"{kind}:K[,{','.join(f'{name}={letter}' for name, letter in options.items())}]"
        raise ValueError(f"brick set '{kind}:{argument}' does not have the form {form}") from None


def _random_boards(argument: str, board: Board) -> tuple[Board, ...]:
    bricks, given = _numbers("random", argument, {"count": "N", "seed": "S"})
    if not 0 <= bricks < board.cells:
        raise ValueError(f"random:{bricks}: the number of bricks must be 0 to {board.cells - 1}")
    possible = min(comb(board.cells, bricks), MOST_RANDOM)
    count, seed = given.get("count", min(DEFAULT_RANDOM_COUNT, possible)), given.get("seed", 0)
    if not 1 <= count <= possible or seed < 0:
        raise ValueError(
            f"random:{argument}: count must be 1 to {possible} and seed at least 0, "
            f"got count={count}, seed={seed}"
        )
    rng = np.random.default_rng(seed)
    boards: dict[Board, None] = {}
    while len(boards) < count:
        cells = rng.choice(board.cells, size=bricks, replace=False)
        boards[board.with_bricks(cells.tolist())] = None
    return tuple(boards)


def _drawn_boards(argument: str, board: Board) -> tuple[Board, ...]:
    bricks, given = _numbers("drawn", argument, {"count": "N"})
    size = board.with_bricks(())
    known = [drawn for drawn in _drawn_layouts() if drawn.with_bricks(()) == size]
    if not known:
        sizes = dict.fromkeys(str(drawn.with_bricks(())) for drawn in _drawn_layouts())
        raise ValueError(
            f"drawn:{argument}: no drawn layouts are known for {size}, only for {', '.join(sizes)}"
        )
    found = [drawn for drawn in known if len(drawn.bricks) == bricks]
    if not found:
        numbers = sorted({len(drawn.bricks) for drawn in known})
        raise ValueError(f"drawn:{argument}: the number of bricks must be {', '.join(map(str, numbers))}")
    count = given.get("count", len(found))
    if not 1 <= count <= len(found):
        raise ValueError(f"drawn:{argument}: count must be 1 to {len(found)}, got {count}")
    return tuple(found[:count])


@cache
def _drawn_layouts() -> tuple[Board, ...]:
    """Returns all boards of the file of drawn layouts."""
    lines = DRAWN_FILE.read_text(encoding="utf-8").splitlines()
    return tuple(Board.parse(line) for line in lines if not line.startswith("#"))


@dataclass(frozen=True)
class Split:
    """Test boards grouped by their relation to the training boards.

    Attributes:
        train: The training boards.
        seen: Test boards that are training boards.
        mirror: Test boards that are a mirror image or rotation of a training board. An agent trained with
            flipped or rotated copies of its games has seen them too.
        novel: All other test boards.
    """

    train: tuple[Board, ...]
    seen: tuple[Board, ...]
    mirror: tuple[Board, ...]
    novel: tuple[Board, ...]


def split(train: Sequence[Board], test: Sequence[Board]) -> Split:
    """Returns the boards of `test` as seen, mirror or novel, relative to the training boards `train`."""
    canonical = {canonical_board(board) for board in train}
    kinds: dict[str, list[Board]] = {name: [] for name in NOVELTIES}
    for board in test:
        if board in train:
            kinds["seen"].append(board)
        elif canonical_board(board) in canonical:
            kinds["mirror"].append(board)
        else:
            kinds["novel"].append(board)
    return Split(tuple(train), *(tuple(boards) for boards in kinds.values()))
