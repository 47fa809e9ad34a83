"""The table of `bttt methods`: all methods at one density, on AlphaZero and on a vision network."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, isnan
from pathlib import Path

from bttt.runs import aligned, csv_text, plain, provenance, read_text, write_json, write_text
from pruning.loop import Result, stored_results
from pruning.measures import Interval, student
from pruning.studies.methods.arms import METHODS_COMPARED, STUDIES, ComparedMethod
from pruning.studies.methods.config import MethodRun, MethodsConfig

CSV_NAME, JSON_NAME, TEXT_NAME = "methods.csv", "methods.json", "methods.txt"
POINTS_FILE = "points.csv"
LEGEND = """\
% kept: of the weights (or channels) inside the residual blocks; stem, shortcuts and heads are not pruned.
starts: weights from which the last training run starts. if sparse: multiply-adds if zeros were skipped; no
backend here skips them. training: multiply-adds of training if zeros were skipped, relative to one retraining
run of the dense network (for images, including the training of the dense network). AZ: the AlphaZero network.
Methods that start from initial weights learn from games of the trained network but lack its long training.
Compare only methods with the same start."""
LOSING = ("losing seen", "losing mirror", "losing novel")


@dataclass(frozen=True)
class MeasuredNetwork:
    """The final network of a method.

    Attributes:
        method: The method.
        on: "alphazero" or "vision".
        seed: Its seed.
        values: The measurements, by name.
    """

    method: str
    on: str
    seed: int
    values: Mapping[str, float]


def vision_points(folder: Path) -> list[MeasuredNetwork]:
    """Returns the final networks of all methods of a vision experiment; ValueError if there are none."""
    path = folder / POINTS_FILE
    try:
        rows = list(csv.DictReader(read_text(path).splitlines()))
        last = {_key(row): row for row in sorted(rows, key=lambda row: int(row["cycle"])) if _is_over(row)}
        spent = {key: sum(float(r["training cost"] or 0) for r in rows if _key(r) == key) for key in last}
        return [
            MeasuredNetwork(arm, "vision", seed, {**_numbers(row), "training": spent[arm, seed]})
            for (arm, seed), row in last.items()
        ]
    except (OSError, KeyError, TypeError, ValueError, csv.Error) as error:
        raise ValueError(f"{path} is not a points.csv of `bttt vision methods/...`: {error}") from error


def _is_over(row: Mapping[str, str]) -> bool:
    """Returns whether a row belongs to the last cycle of its method."""
    method = METHODS_COMPARED.get(row["arm"])
    return method is not None and int(row["cycle"]) == method.options["cycles"]


def _key(row: Mapping[str, str]) -> tuple[str, int]:
    return row["arm"], int(row["seed"])


def _numbers(row: Mapping[str, str]) -> dict[str, float]:
    found = {}
    for name in ("kept", "accuracy", "parameters", "macs", "sparse macs"):
        found[name] = float(row[name])
    return found


def alphazero_networks(config: MethodsConfig, prunings: Sequence[MethodRun]) -> list[MeasuredNetwork]:
    """Returns the final networks of all finished pruning runs."""
    found = []
    for pruned in prunings:
        folder = config.runs / pruned.folder
        results = stored_results(folder, measures=["agreement"], cost=["parameters", "macs"])
        if len(results) > pruned.method.options["cycles"]:
            values = _values(results, pruned.method.time)
            found.append(MeasuredNetwork(pruned.name, "alphazero", pruned.network.seed, values))
    return found


def _values(results: Sequence[Result], time: float) -> dict[str, float]:
    """Returns the values of a finished run; the training cost of a user's own topology is not known."""
    last = results[-1]
    found = {
        "kept": last.density,
        "agreement": last.measures["agreement"],
        **{name: last.measures[name] for name in LOSING if name in last.measures},
        "parameters": last.cost["parameters"],
        "macs": last.cost["macs"],
        "sparse macs": last.sparse_macs,
        "training": time * sum(result.training_cost for result in results),
        "seconds": sum(result.seconds.total for result in results),
    }
    return {name: value for name, value in found.items() if isfinite(value)}


def publish(config: MethodsConfig, prunings: Sequence[MethodRun], seen: Sequence[MeasuredNetwork]) -> None:
    """Writes the files and prints the table; ValueError if nothing is finished."""
    names = {pruned.name for pruned in prunings}
    measured = [each for each in seen if each.method in names] + alphazero_networks(config, prunings)
    if not measured:
        raise ValueError(f"nothing is finished yet in {config.runs}")
    methods = {**STUDIES[config.study], **{pruned.name: pruned.method for pruned in prunings}}
    text = f"{table(methods, measured)}\n\n{LEGEND}"
    rows = [
        {
            "method": each.method,
            "paper": methods[each.method].paper,
            "file": methods[each.method].file,
            "on": each.on,
            "seed": each.seed,
            **each.values,
        }
        for each in measured
    ]
    write_text(config.out / TEXT_NAME, f"{text}\n")
    write_text(config.out / CSV_NAME, csv_text(rows))
    write_json(config.out / JSON_NAME, {**provenance(config), "rows": plain(rows)}, indent=1)
    print(text)
    print(f"\nwritten: {' '.join(str(config.out / name) for name in (TEXT_NAME, CSV_NAME, JSON_NAME))}")


def table(methods: Mapping[str, ComparedMethod], measured: Sequence[MeasuredNetwork]) -> str:
    """Returns a row per method: its costs and results on the vision network and on AlphaZero."""
    columns: dict[str, tuple[str, str, Callable[[Interval], str]]] = {
        "image % kept": ("vision", "kept", _percent),
        "image MACs": ("vision", "macs", _thousands),
        "if sparse": ("vision", "sparse macs", _thousands),
        "training": ("vision", "training", _times),
        "accuracy %": ("vision", "accuracy", _interval),
        "AZ % kept": ("alphazero", "kept", _percent),
        "AZ MACs": ("alphazero", "macs", _thousands),
        "AZ if sparse": ("alphazero", "sparse macs", _thousands),
        "AZ training": ("alphazero", "training", _times),
        "error %, raw, seen": ("alphazero", "losing seen", _interval),
        "error %, raw, novel": ("alphazero", "losing novel", _interval),
    }
    lines = [["method", "prunes", "starts", *columns]]
    for method, row in methods.items():
        own = [each for each in measured if each.method == method]
        if own:
            means = [(_mean(own, on, name), tell) for on, name, tell in columns.values()]
            cells = ["-" if mean is None else tell(mean) for mean, tell in means]
            lines.append([method, row.of, row.starts, *cells])
    filled = [
        column
        for column in zip(*lines, strict=True)
        if len(lines) == 1 or any(cell != "-" for cell in column[1:])
    ]
    return "\n".join(aligned([list(line) for line in zip(*filled, strict=True)]))


def _mean(measured: Sequence[MeasuredNetwork], on: str, name: str) -> Interval | None:
    values = [each.values[name] for each in measured if each.on == on and name in each.values]
    return student(values) if values else None


def _percent(value: Interval) -> str:
    return f"{100 * value.mean:.1f}"


def _interval(value: Interval) -> str:
    half = "" if isnan(value.low) else f" ±{50 * (value.high - value.low):.1f}"
    return f"{100 * value.mean:.1f}{half}"


def _thousands(value: Interval) -> str:
    return f"{value.mean / 1000:,.0f}k"


def _times(value: Interval) -> str:
    return f"{value.mean:.2f}x"
