"""The command `bttt schedules`: the learning rate over the pruning cycles, as a plot and a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from bttt.command_line import suggest
from bttt.runs import make_folder, read_bytes
from pruning.schedules import SCHEDULES, Schedule
from pruning.studies.schedules.spec import parse_schedule

MOST_CYCLES = 100
POINTS = 5040
"""Points per cycle, excluding its end; they include the peaks of up to ten triangles."""
SUFFIXES = (".pdf", ".png", ".svg")
DRAWN_BY = b"atplotlib"
"""Part of the name of the library that draws, which stands in each of its pictures."""


@dataclass(frozen=True)
class SchedulesConfig:
    """Plot learning-rate schedules for pruning, and print the peak of each cycle.

    The options of a schedule follow its name, for example step:lr=0.1,drops=0.5+0.75 or
    silo:epsilon=0.04,delta=0.06.
    """

    schedules: Annotated[tuple[str, ...], tyro.conf.Positional] = ("silo",)
    """Schedules to plot: constant, step, linear, cosine, cyclic, one-cycle, warmup-step, ft, lrw, slr, clr,
    s-cyc, silo, silo-step or silo-linear. A schedule of your own: python:module:name,option=value."""
    cycles: int = 12
    """Cycles to plot, including the first one, in which the dense network trains."""
    out: Path = Path("runs/schedules.png")
    """Picture file, ending in .png, .svg or .pdf."""


def run(config: SchedulesConfig) -> int:
    """Draws the schedules, prints their peaks, and returns 0.

    Raises:
        ValueError: An option is wrong.
        OSError: The picture cannot be written.
    """
    _check(config)
    schedules = {spec: parse_schedule(spec) for spec in config.schedules}
    curves = {spec: curve(schedule, config.cycles) for spec, schedule in schedules.items()}
    from pruning.studies.schedules.picture import draw_schedules  # matplotlib, which takes a second to load

    make_folder(config.out.parent)
    draw_schedules(curves, config.out)
    print(peak_table(curves))
    print(f"written: {config.out}")
    suggest("prune", "alphazero:d4", "--schedule", config.schedules[0], why="retrain with this schedule")
    return 0


def _check(config: SchedulesConfig) -> None:
    if not config.schedules:
        raise ValueError(f"no schedule given; schedules are {', '.join(SCHEDULES)}")
    for number, spec in enumerate(config.schedules):
        if spec in config.schedules[:number]:
            raise ValueError(f"schedule {spec!r} is named twice")
    if not 1 <= config.cycles <= MOST_CYCLES:
        raise ValueError(f"cycles must be 1 to {MOST_CYCLES}, got {config.cycles}")
    if config.out.suffix.lower() not in SUFFIXES:
        raise ValueError(f"out must end in {', '.join(SUFFIXES)}, got {config.out}")
    if config.out.exists() and DRAWN_BY not in read_bytes(config.out):
        raise ValueError(f"{config.out} exists, and bttt has not drawn it: choose another --out")


def curve(schedule: Schedule, cycles: int) -> list[list[float]]:
    """Returns each cycle's learning rates at evenly spaced progress, `[cycles][POINTS + 1]`."""
    return [[schedule(point / POINTS, cycle) for point in range(POINTS + 1)] for cycle in range(cycles)]


def peak_table(curves: Mapping[str, Sequence[Sequence[float]]]) -> str:
    """Returns the largest learning rate of each cycle as text: one row per cycle, one column per schedule."""
    widths = [max(len(spec), 7) for spec in curves]
    lines = ["  ".join(["cycle", *(f"{spec:>{width}}" for spec, width in zip(curves, widths, strict=True))])]
    for cycle, parts in enumerate(zip(*curves.values(), strict=True)):
        peaks = (f"{max(part):{width}.5f}" for part, width in zip(parts, widths, strict=True))
        lines.append("  ".join([f"{cycle:5}", *peaks]))
    return "\n".join(lines)
