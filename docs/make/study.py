"""Tables of the stored study of generalisation: rates in percent, with 95% intervals."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from docs.make.stored import ROOT, csv_rows, markdown

Rate = Mapping[str, str]
STUDY = "results/generalisation/generalisation.csv"
MEASURES = {"wins": "wins", "conversion": "conversion", "losing": "error rate"}
MAIN_COLUMNS = (("wins", "novel"), ("conversion", "novel"), ("losing", "seen"), ("losing", "novel"))
CONTROL_COLUMNS = (("wins", "0"), ("wins", "100"), ("losing", "0"), ("losing", "100"))


def generalisation() -> str:
    """Returns wins, conversions and error rates on single-brick boards, by training set and simulations.

    Wins and conversions of a set without novel boards are those on its training boards, in brackets.
    """
    rates = [rate for rate in csv_rows(STUDY) if rate["variant"] == "base" and rate["on"] == "single"]
    found = _found(rates, lambda rate: (rate["measure"], rate["novelty"]))
    heads = ["trained on", "cells", "seeds", "simulations"]
    heads += [f"{MEASURES[measure]}, {'training' if on == 'seen' else on}" for measure, on in MAIN_COLUMNS]
    rows = []
    for (brick_set, cells, simulations), own in found.items():
        seeds = max(int(rate["seeds"]) for rate in own.values())
        shown = [_on(novelty, measure, own) for measure, novelty in MAIN_COLUMNS]
        rows.append([brick_set, cells, str(seeds), _search(simulations), *shown])
    return markdown(heads, rows)


def _on(novelty: str, measure: str, own: Mapping[tuple[str, str], Rate]) -> str:
    if (measure, novelty) in own:
        return _text(own[measure, novelty])
    return "-" if measure == "losing" else f"[{_text(own[measure, 'seen'])}]"


def controls(path: str = STUDY, simulations: str = "0,100") -> str:
    """Returns wins and error rates on novel cells of networks trained on D4, by variant of the recipe."""
    rates = [
        rate
        for rate in csv_rows(path)
        if rate["brick_set"] == "D4" and rate["on"] == "single" and rate["novelty"] == "novel"
    ]
    found = _found(rates, lambda rate: (rate["measure"], rate["simulations"]), ("variant",))
    chosen = [column for column in CONTROL_COLUMNS if column[1] in simulations.split(",")]
    heads = ["variant", "seeds", *(f"{MEASURES[measure]}, {_search(number)}" for measure, number in chosen)]
    rows = []
    for (variant,), own in found.items():
        seeds = max(int(own[column]["seeds"]) for column in chosen)
        rows.append([f"`{variant}`", str(seeds), *(_text(own[column]) for column in chosen)])
    return markdown(heads, rows)


def training_time() -> str:
    """Returns a sentence on the time and the games of the study's base networks."""
    study = json.loads((ROOT / STUDY).with_suffix(".json").read_text(encoding="utf-8"))
    runs = [each["training"] for each in study["networks"] if each["variant"] == "base"]
    (iterations,) = {run["iteration"] for run in runs}
    minutes, config = sorted(run["seconds"] / 60 for run in runs), study["config"]
    games = sorted(run["games"] for run in runs)
    study_link = f"The {len(runs)} base networks of the [study](results/generalisation.md)"
    took = f"took {minutes[0]:.1f} to {minutes[-1]:.1f} minutes each for {iterations} iterations,"
    where = f"{config['workers']} networks at a time on {study['cores']} cores."
    return f"{study_link}\n{took} {where}\nEach run played {games[0]:,} to {games[-1]:,} games."


def other_boards(measure: str) -> str:
    """Returns one measure on layouts of several bricks or boards of other sizes, by training set."""
    rates = [
        rate
        for rate in csv_rows(STUDY)
        if rate["variant"] == "base" and rate["on"] != "single" and rate["measure"] == measure
    ]
    columns = list(dict.fromkeys(rate["on"] for rate in rates))
    found = _found(rates, lambda rate: rate["on"])
    rows = [
        [brick_set, _search(simulations), *(_text(own[column]) for column in columns)]
        for (brick_set, _, simulations), own in found.items()
    ]
    return markdown(["trained on", "simulations", *columns], rows)


def _found(
    rates: list[dict[str, str]],
    column: Callable[[Rate], object],
    keys: tuple[str, ...] = ("brick_set", "cells", "simulations"),
) -> dict[tuple[str, ...], dict[object, Rate]]:
    found: dict[tuple[str, ...], dict[object, Rate]] = {}
    for rate in rates:
        found.setdefault(tuple(rate[key] for key in keys), {})[column(rate)] = rate
    return found


def _search(simulations: str) -> str:
    return "raw policy" if simulations == "0" else simulations


def _text(rate: Rate) -> str:
    if not rate["low"]:
        return f"{100 * float(rate['rate']):.1f} (-)"
    percent = [100 * float(rate[name]) for name in ("rate", "low", "high")]
    return "{:.1f} ({:.0f}-{:.0f})".format(*percent)
