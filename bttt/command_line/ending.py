"""What a command says on stderr, beside its results: its boards at the start, the next step at the end."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence

from bttt.board import Board
from bttt.bricks import name_of

FIRST_BOARDS = 3
"""How many boards are named."""


def tell_boards(boards: Sequence[Board], what: str = "") -> None:
    """Prints how many boards a command plays or trains on, and the first few, in one line on stderr.

    Args:
        boards: The boards, at least one.
        what: What happens on them, for example "trained on".
    """
    sys.stdout.flush()
    print(f"{what} {boards_text(boards)}".strip(), file=sys.stderr, flush=True)
    warn_of_sizes(boards)


def warn_of_sizes(boards: Sequence[Board]) -> None:
    """Prints a warning on stderr if no winning line fits on a board; `tell_boards` does so too."""
    if warnings := [board.size_warning for board in boards if board.size_warning]:
        print(f"warning: {warnings[0]}", file=sys.stderr)


def boards_text(boards: Sequence[Board]) -> str:
    """Returns the number of boards and the names of the first few: "49 boards: A1, A2, A3, ..."."""
    default = Board()
    size = boards[0].with_bricks(())
    of = "" if size == default else f" of {size}"
    named = [name_of(board) for board in boards[:FIRST_BOARDS]]
    more = ["..."] if len(boards) > FIRST_BOARDS else []
    return f"{len(boards)} board{'s' if len(boards) > 1 else ''}{of}: {', '.join([*named, *more])}"


def suggest(*arguments: object, why: str) -> None:
    """Prints a suggested next command, in one line on stderr, separate from the results.

    Args:
        arguments: The arguments of `bttt`.
        why: What the suggested command does.
    """
    command = shlex.join(["bttt", *map(str, arguments)])
    sys.stdout.flush()
    print(f"next: {command}  # {why}", file=sys.stderr, flush=True)
