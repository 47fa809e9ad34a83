"""The files and tables of `bttt compression`, from the measured pruning runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from bttt.runs import csv_text, lined_json, provenance, rounded, write_text
from pruning.studies.compression.answers import excess_text, oracle_text, threshold_text
from pruning.studies.compression.config import JSON_NAME, CompressionConfig, MeasuredPruning, control_sets
from pruning.studies.compression.oracle import oracle_cycles
from pruning.studies.compression.plot import draw_arms, draw_levels
from pruning.studies.compression.question import excesses, ratios, thresholds
from pruning.studies.compression.rates import level_rates
from pruning.studies.compression.table import arms_text, levels_text, times_text

CSV_NAME, TEXT_NAME = "compression.csv", "compression.txt"
LEVELS_NAME, ARMS_NAME = "compression.png", "arms.png"


def publish(folder: Path, config: CompressionConfig, measured: Sequence[MeasuredPruning]) -> None:
    """Writes the files and prints the tables.

    Args:
        folder: An existing folder for the files.
        config: The command's configuration.
        measured: The pruning runs.
    """
    rates = level_rates(measured)
    write_text(folder / CSV_NAME, csv_text(rounded(asdict(rate)) for rate in rates))
    write_text(folder / JSON_NAME, _json_text(config, measured))
    main = [each for each in measured if each.pruned.arm == config.arms[0]]
    main_rates = [rate for rate in rates if rate.arm == config.arms[0]]
    arm_rates = level_rates(compared(config, measured))
    names = [CSV_NAME, JSON_NAME, TEXT_NAME]
    for name, draw, own in ((LEVELS_NAME, draw_levels, main_rates), (ARMS_NAME, draw_arms, arm_rates)):
        if own:
            draw(own, folder / name)
            names.append(name)
    tables = (
        "" if main else f"The measurements of {config.arms[0]}, the first variant, are not complete yet.",
        levels_text(main_rates),
        arms_text(arm_rates),
        times_text([level for each in measured for level in each.levels]),
        excess_text(excesses(main)),
        threshold_text(thresholds(main), ratios(main)),
        oracle_text(oracle_cycles(config, measured)),
    )
    text = "\n\n".join(filter(None, tables))
    write_text(folder / TEXT_NAME, f"{text}\n")
    print(text)
    print(f"\nwritten: {' '.join(str(folder / name) for name in names)}")


def compared(config: CompressionConfig, measured: Sequence[MeasuredPruning]) -> list[MeasuredPruning]:
    """Returns the pruning runs restricted to the training sets, seeds and levels of the controls.

    Empty if fewer than two variants are measured there.
    """
    seeds = config.seeds if config.control_seeds is None else config.control_seeds
    found = [
        each
        for each in measured
        if each.pruned.network.brick_set in control_sets(config) and each.pruned.network.seed < seeds
    ]
    if len({each.pruned.arm for each in found}) < 2:
        return []
    levels = max(len(each.counts) for each in found if each.pruned.arm != config.arms[0])
    return [replace(each, levels=each.levels[:levels], counts=each.counts[:levels]) for each in found]


def _json_text(config: CompressionConfig, measured: Sequence[MeasuredPruning]) -> str:
    """Returns all results and counts as JSON: one line per level, and one per measurement of a level.

    The boards are listed once; trials equal on all boards are stored as one number.
    """
    boards = {
        f"{part.measure} on {part.on}": [str(one.board) for one in counts]
        for each in measured
        for part, counts in each.counts[0].items()
    }
    prunings = [{"name": each.pruned.name, **asdict(each.pruned)} for each in measured]
    head = {**provenance(config), "prunings": prunings, "boards": boards}
    return lined_json(
        head, {"levels": map(_line, _levels(measured)), "counts": map(_line, _counts(measured))}
    )


def _line(values: Mapping[str, Any]) -> str:
    return json.dumps(values, separators=(",", ":"))


def _levels(measured: Sequence[MeasuredPruning]) -> Iterator[dict[str, Any]]:
    for each in measured:
        for level in each.levels:
            yield {"pruning": each.pruned.name, **level.result.to_json(), "times": level.times.to_json()}


def _counts(measured: Sequence[MeasuredPruning]) -> Iterator[dict[str, Any]]:
    for each in measured:
        for level, parts in enumerate(each.counts):
            for part, counts in parts.items():
                yield {
                    "pruning": each.pruned.name,
                    "level": level,
                    "measure": part.measure,
                    "on": part.on,
                    "simulations": part.simulations,
                    "trials": _by_board([one.trials for one in counts]),
                    "hits": [one.hits for one in counts],
                    "distinct": _by_board([one.distinct for one in counts]),
                }


def _by_board(numbers: list[int]) -> list[int] | int:
    """Returns the numbers, or a single number if all boards have the same."""
    return numbers[0] if len(set(numbers)) == 1 else numbers
