"""Runs the benchmarks and prints one Markdown table: python -m benchmarks [NAME ...] [--json FILE]."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import tyro

from benchmarks import (
    environments,
    pruned_networks,
    pruning_methods,
    search,
    solver,
    vision,
)
from benchmarks.alphazero import speed, training
from benchmarks.benchmark import Benchmark, Measurement, measure
from benchmarks.machine import machine

BENCHMARKS: list[Benchmark] = [
    *search.BENCHMARKS,
    *solver.BENCHMARKS,
    *environments.BENCHMARKS,
    *speed.BENCHMARKS,
    *training.BENCHMARKS,
    *vision.BENCHMARKS,
    *pruning_methods.BENCHMARKS,
    *pruned_networks.BENCHMARKS,
]
HEADINGS = ("benchmark", "ours", "peer", "peer's", "ratio", "wanted", "")
NOT_INSTALLED = "not installed: pip install -e '.[bench]'"


@dataclass(frozen=True)
class BenchmarkConfig:
    """Measures ours and the peers in turn, in this process, and prints the ratios."""

    names: Annotated[tuple[str, ...], tyro.conf.Positional] = ()
    """Run only the benchmarks whose name or peer contains one of these."""
    json: Path | None = None
    """File to store the results in."""
    repeats: int = 3
    """How often each is measured; medians are shown."""


def select(benchmarks: Iterable[Benchmark], names: Iterable[str]) -> list[Benchmark]:
    """Returns the benchmarks whose name or peer contains one of `names`; all where there are none."""
    names, benchmarks = list(names), list(benchmarks)
    chosen = [
        benchmark
        for benchmark in benchmarks
        if not names or any(name in f"{benchmark.name} {benchmark.peer_name}" for name in names)
    ]
    if not chosen:
        known = ", ".join(dict.fromkeys(benchmark.name for benchmark in benchmarks))
        raise ValueError(f"no benchmark is named like {' or '.join(map(repr, names))}; there are: {known}")
    return chosen


def table_row(measurement: Measurement) -> str:
    """Returns a measurement as a row of the Markdown table."""
    benchmark = measurement.benchmark
    wanted = ""
    if benchmark.target is not None:
        wanted = f"{benchmark.target:g}x"
    elif benchmark.limit is not None:
        wanted = f"at most {benchmark.limit:g} {benchmark.unit}"
    peer = "" if measurement.peer is None else figure(measurement.peer)
    if benchmark.peer is not None and measurement.peer is None:
        peer = NOT_INSTALLED
    cells = (
        benchmark.name,
        f"{figure(measurement.ours)} {benchmark.unit}",
        benchmark.peer_name,
        peer,
        "" if measurement.ratio is None else f"{measurement.ratio:.3g}x",
        wanted,
        {True: "met", False: "missed", None: ""}[measurement.met],
    )
    return f"| {' | '.join(cells)} |"


def figure(value: float) -> str:
    """Returns a number with three significant digits, and thousands marked."""
    return f"{float(f'{value:.3g}'):,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def as_json(measurement: Measurement) -> dict[str, object]:
    """Returns a measurement as the results file has it."""
    benchmark = measurement.benchmark
    return {
        "name": benchmark.name,
        "unit": benchmark.unit,
        "ours": measurement.ours,
        "peer_name": benchmark.peer_name,
        "peer": measurement.peer,
        "ratio": measurement.ratio,
        "target": benchmark.target,
        "limit": benchmark.limit,
        "met": measurement.met,
    }


def run(config: BenchmarkConfig, benchmarks: Iterable[Benchmark] = BENCHMARKS) -> list[Measurement]:
    """Measures, prints the table as it grows, stores the results, and returns them."""
    chosen = select(benchmarks, config.names)
    if config.json is not None:
        config.json.touch()  # a file that cannot be written is found now, not after a minute
    here = machine()
    print(", ".join(f"{key} {value}" for key, value in here.items()), end="\n\n")
    print(f"| {' | '.join(HEADINGS)} |\n|{'---|' * len(HEADINGS)}")
    measurements = []
    for benchmark in chosen:
        measurements.append(measure(benchmark, repeats=config.repeats))
        print(table_row(measurements[-1]), flush=True)
    if config.json is not None:
        results = {
            "command": ["python", "-m", "benchmarks", *sys.argv[1:]],
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": here,
            "results": [as_json(measurement) for measurement in measurements],
        }
        config.json.write_text(json.dumps(results, indent=1) + "\n")
    return measurements


def main() -> int:
    """Runs the command; 1 where a target is missed, 2 for wrong input."""
    config = tyro.cli(BenchmarkConfig, prog="python -m benchmarks")
    try:
        measurements = run(config)
    except (ValueError, OSError) as error:
        print(f"benchmarks: error: {error}", file=sys.stderr)
        return 2
    return int(any(measurement.met is False for measurement in measurements))


if __name__ == "__main__":
    sys.exit(main())
