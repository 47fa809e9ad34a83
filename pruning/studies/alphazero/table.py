"""The table of the levels of a pruning run, printed and as CSV, and the table of where their time goes.

"ms, 1" and "ms, 64" are milliseconds for a batch of 1 or 64 on the evaluator that plays games, which the CSV
names in the column "evaluator". "evals/s" is evaluations per second in batches of 64 on the same evaluator
(in runs of earlier versions, on the one that generates samples). "error %" is the percentage of decisions
that are value-losing moves: on boards seen in training, their mirror images, and novel boards. It is given
for the raw policy and with search; the CSV has fractions in columns "losing" and "searched".
Where weights were pruned, "sparse MACs" and "sparse bytes" say what a program would need that skips them (a
bit for each prunable weight, and the kept ones); "of all" is the density of all weights, with those left out.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from pathlib import Path

import torch

from agents.alphazero.network import PolicyValueNet, TimeSplit, load_network, parameters, time_splits
from bttt import NOVELTIES, Board
from bttt.runs import aligned, write_text
from pruning.measures import macs
from pruning.studies.alphazero.measures import MeasuredLevel

CSV_FILE = "levels.csv"
TIMED_BATCH = 64
"""Positions a batch when the time of an evaluation is split."""
TIME_HEADS = ("MACs", "evals/s", "us", "arithmetic", "rest of products", "other layers", "calls")
"""Heads of a table of where the time of an evaluation goes."""
TIME_LEGEND = """evals/s: evaluations per processor-second; us: processor microseconds a position, of which
arithmetic: its multiply-adds (MACs), at the speed of large convolutions on this machine;
rest of products: convolutions and matrix products beyond that: memory, and channels added to whole blocks;
other layers: pooling and changes of the memory layout, by the times that OpenVINO takes of its operations;
calls: the call, by the time of one position for the same layers with one channel each"""


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Attributes:
        head: Its printed head.
        value: Returns its value for a level, None if it is not measured.
        style: Its print format; "s" marks a text, which the CSV alone has.
        beside: Name of the column that it is printed after; "" keeps the order of the CSV.
    """

    head: str
    value: Callable[[MeasuredLevel], float | str | None]
    style: str
    beside: str = ""


def _cost(name: str) -> Callable[[MeasuredLevel], float]:
    return lambda level: level.result.cost[name]


def _measure(name: str) -> Callable[[MeasuredLevel], float | None]:
    return lambda level: level.result.measures.get(name)


def _density_of_all(level: MeasuredLevel) -> float | None:
    """Returns the density of all weights, None where channels were pruned."""
    return None if isnan(level.result.sparse_bytes) else level.result.density_of_all


def _sparse_macs(level: MeasuredLevel) -> float | None:
    """Returns the multiply-adds without pruned weights, None where channels were pruned and removed."""
    return None if isnan(level.result.sparse_bytes) else level.result.sparse_macs


def _sparse_bytes(level: MeasuredLevel) -> float | None:
    """Returns the size of the level's file if it held only kept weights, and a bit for each prunable one."""
    result = level.result
    if isnan(result.sparse_bytes):
        return None
    return int(result.cost["bytes"] - result.dense_bytes + result.sparse_bytes)


def _searched(novelty: str) -> Callable[[MeasuredLevel], float | None]:
    return lambda level: level.searched.get(novelty)


COLUMNS: dict[str, Column] = {
    "level": Column("level", lambda level: level.result.cycle, "d"),
    "density": Column("density", lambda level: level.result.density, ".3f"),
    "parameters": Column("parameters", _cost("parameters"), ",d"),
    "MACs": Column("MACs", _cost("macs"), ",d"),
    "bytes": Column("bytes", _cost("bytes"), ",d"),
    "ms, 1": Column("ms, 1", lambda level: level.times.one, ".3f"),
    "ms, 64": Column("ms, 64", lambda level: level.times.batch, ".3f"),
    "evals/s": Column("evals/s", lambda level: level.times.evaluations, ",.0f"),
    "agreement": Column("agreement", _measure("agreement"), ".3f"),
    **{
        f"losing {name}": Column(f"error %, raw, {name}", _measure(f"losing {name}"), ".2%")
        for name in NOVELTIES
    },
    **{f"searched {name}": Column(f"error %, search, {name}", _searched(name), ".2%") for name in NOVELTIES},
    "density of all": Column("of all", _density_of_all, ".3f", beside="density"),
    "sparse MACs": Column("sparse MACs", _sparse_macs, ",.0f", beside="MACs"),
    "sparse bytes": Column("sparse bytes", _sparse_bytes, ",d", beside="bytes"),
    "evaluator": Column("times on", lambda level: level.times.evaluator or None, "s"),
}
"""The columns by their names in levels.csv, in its order; those added later come last."""


def write_table(folder: Path, levels: Sequence[MeasuredLevel]) -> str:
    """Writes levels.csv into a run's folder and returns the same as a table to print."""
    columns = {name: column for name, column in COLUMNS.items() if column.value(levels[0]) is not None}
    rows = [[column.value(level) for column in columns.values()] for level in levels]
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_text(folder / CSV_FILE, file.getvalue())
    printed = [columns[name] for name in _print_order(columns)]
    texts = [[format(column.value(level), column.style) for column in printed] for level in levels]
    return "\n".join(aligned([[column.head for column in printed], *texts]))


def _print_order(columns: Mapping[str, Column]) -> list[str]:
    """Returns the names of the columns in the order in which they are printed."""
    order = [name for name, column in columns.items() if not column.beside and column.style != "s"]
    for name, column in columns.items():
        if column.beside:
            order.insert(order.index(column.beside) + 1, name)
    return order


def time_table(files: Mapping[int, Path]) -> str:
    """Returns the table of where the time of each level's evaluations goes, from the files of the levels.

    Raises:
        ValueError: OpenVINO is missing, or a level is a network of the user's own.
    """
    loaded = {level: load_network(file) for level, file in files.items()}
    board = Board.parse(next(iter(loaded.values()))[1]["boards"][0])
    networks = {}
    for level, (network, _) in loaded.items():
        if not isinstance(network, PolicyValueNet):
            raise ValueError(f"time needs networks of this package, got {files[level]}")
        networks[level] = network
    splits = time_splits(networks, TIMED_BATCH, rows=board.rows, cols=board.cols)
    lines = [["level", "parameters", *TIME_HEADS]]
    for level, split in splits.items():
        multiply_adds = macs(networks[level], torch.zeros(1, 3, board.rows, board.cols))
        lines.append([str(level), f"{parameters(networks[level]):,}", *time_cells(split, multiply_adds)])
    evaluator = next(iter(splits.values())).evaluator
    return "\n".join([f"{evaluator}, batches of {TIMED_BATCH}:", "", *aligned(lines), "", TIME_LEGEND])


def time_cells(split: TimeSplit, multiply_adds: int) -> list[str]:
    """Returns the cells below `TIME_HEADS` for a network with these multiply-adds a position."""
    arithmetic = split.arithmetic(multiply_adds)
    parts = (split.total, arithmetic, split.products - arithmetic, split.others, split.calls)
    return [f"{multiply_adds:,}", f"{split.evaluations:,.0f}", *(f"{part:.2f}" for part in parts)]
