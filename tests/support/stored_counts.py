"""The counts of a study as its results file stores them."""

from collections.abc import Mapping, Sequence
from typing import Any

from bttt.board import Board
from tournaments.generalisation.evaluation import Counts, Part


def part_of(line: Mapping[str, Any]) -> Part:
    """The measurement of a line of counts; amounts are not stored."""
    return Part(line["measure"], line["on"], line["simulations"], None, (), 0)


def counts_of(line: Mapping[str, Any], boards: Mapping[str, Sequence[str]]) -> list[Counts]:
    """The counts of a line; one number stands for as many on all boards."""
    names = boards[f"{line['measure']} on {line['on']}"]
    trials, distinct = (
        value if isinstance(value, list) else [value] * len(names)
        for value in (line["trials"], line["distinct"])
    )
    found = zip(names, trials, line["hits"], distinct, strict=True)
    return [Counts(Board.parse(board), *numbers) for board, *numbers in found]
