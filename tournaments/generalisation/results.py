"""The results that `bttt generalisation` writes and prints."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from agents.alphazero.training import METRICS_NAME
from bttt.runs import checking, csv_text, json_value, lined_json, provenance, read_text, rounded, write_text
from tournaments.generalisation.config import GeneralisationConfig
from tournaments.generalisation.networks import StudyNetwork
from tournaments.generalisation.plot import draw_cells, draw_curve
from tournaments.generalisation.rates import CountsByPart, study_rates
from tournaments.generalisation.table import controls_text, study_text

CSV_NAME, JSON_NAME = "generalisation.csv", "generalisation.json"
CURVE_NAME, MAPS_NAME = "generalisation.png", "cells.png"


def publish(
    folder: Path, config: GeneralisationConfig, measured: CountsByPart, compared: CountsByPart
) -> None:
    """Writes the files and prints the tables.

    Args:
        folder: Folder of the files; it must exist.
        config: The command's configuration.
        measured: All counts.
        compared: The counts for the table of controls.
    """
    rates = study_rates(measured)
    write_text(folder / CSV_NAME, csv_text(rounded(asdict(rate)) for rate in rates))
    write_text(folder / JSON_NAME, _json_text(config, measured))
    draw_curve(rates, folder / CURVE_NAME)
    draw_cells(measured, folder / MAPS_NAME)
    tables = (study_text(rates), controls_text(study_rates(compared)), cells_drawn(measured))
    print("\n\n".join(filter(None, tables)))
    names = (CSV_NAME, JSON_NAME, CURVE_NAME, MAPS_NAME)
    print(f"\nwritten: {' '.join(str(folder / name) for name in names)}")


def cells_drawn(networks: Iterable[StudyNetwork]) -> str:
    """Returns one line per training set drawn at random, with its cells; "" if there is none."""
    drawn = {
        (each.brick_set, each.seed): " ".join(each.bricks)
        for each in networks
        if each.bricks[0] != each.brick_set
    }
    return "\n".join(
        f"{brick_set} cells of seed {seed}: {cells}" for (brick_set, seed), cells in drawn.items()
    )


def _json_text(config: GeneralisationConfig, measured: CountsByPart) -> str:
    """Returns all counts as JSON, one line per network and measurement; boards are listed once."""
    boards = {
        f"{part.measure} on {part.on}": [str(each.board) for each in counts]
        for parts in measured.values()
        for part, counts in parts.items()
    }
    networks = [
        {**asdict(network), "training": _training(config.runs / network.name)} for network in measured
    ]
    head = {**provenance(config), "networks": networks, "boards": boards}
    return lined_json(head, {"counts": map(json.dumps, _lines(measured))})


def _training(folder: Path) -> dict[str, Any]:
    """Returns the iterations, seconds, games and positions of a network's training run."""
    path = folder / METRICS_NAME
    names = ("iteration", "seconds", "games", "positions")
    with checking(path):
        last = read_text(path).splitlines()[-1]
        return {name: value for name, value in json_value(last).items() if name in names}


def _lines(measured: CountsByPart) -> Iterator[dict[str, Any]]:
    for network, parts in measured.items():
        for part, counts in parts.items():
            yield {
                "variant": network.variant,
                "set": network.brick_set,
                "seed": network.seed,
                "measure": part.measure,
                "on": part.on,
                "simulations": part.simulations,
                "trials": [each.trials for each in counts],
                "hits": [each.hits for each in counts],
                "distinct": [each.distinct for each in counts],
            }
