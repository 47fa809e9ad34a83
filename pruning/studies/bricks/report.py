"""The results of `bttt bricks`: report.txt, bricks.csv, bricks.json and bricks.png."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from bttt.runs import aligned, checking, csv_text, environment, plain, read_json, write_json, write_text
from pruning.measures import Interval, student
from pruning.studies.bricks.cells import Choice
from pruning.studies.bricks.plot import draw
from pruning.studies.bricks.ranking import (
    LEARNED,
    PREDICTORS,
    TRUTHS,
    PredictorQuality,
    Row,
    predictor_quality,
    rows_of,
)
from pruning.studies.bricks.tasks import Study

CSV_FILE, JSON_FILE, TEXT_FILE, PICTURE_FILE = "bricks.csv", "bricks.json", "report.txt", "bricks.png"
UNITS: Mapping[str, tuple[float, int]] = {"loss": (1000, 2), "losing": (100, 2)}
"""By ground truth: the factor of a gain, and its digits."""
LEGEND = """\
rank: Spearman's correlation with the gain from retraining. regret: how much less the picked candidate gains
than the best one (loss in thousandths of a nat, moves in points). (others): compared with the mean gain of
the other seeds, whose retraining runs use other games. All are means over choices, with 95% intervals over
seeds. learned weights: weights of the candidates from bilevel optimisation of the held-out loss. first
hypergradient: how fast that loss falls with each weight, at uniform weights. refit of each: held-out loss
after fitting heads to the training cells and this candidate. worst cell: the candidate's own loss after
fitting heads to the training cells only. retraining, other seeds: mean gain of the other seeds, which is
the noise ceiling."""
FIT_LABELS = {
    "training cells alone": "training cells only",
    "and the best candidate": "training cells + best candidate",
}
"""Stored name of a fit -> its label in the table."""
FITS_NOTE = """\
selection loss: on the positions that choose the weights. test loss: on positions from other games.
error %, raw: decisions that are value-losing moves. test loss above learned: in thousandths of a nat."""


def publish(work: Study, drawn: Mapping[int, Sequence[Choice]]) -> str:
    """Writes the results of a finished run, and returns its tables."""
    found = {
        (seed, choice.name): read_json(work.weighed_file(seed, choice), dict)
        for seed, own in drawn.items()
        for choice in own
    }
    measured = {
        (seed, board.brick_names if board else ""): read_json(work.retrained_file(seed, board), dict)
        for seed in drawn
        for board in (None, *work.candidates)
    }
    with checking(work.folder, "delete the JSON file that lacks it, and rerun"):
        rows = rows_of(found, measured)
        told = predictor_quality(rows)
        text = "\n".join(_lines(work, found, measured, rows, told))
    write_text(work.folder / TEXT_FILE, f"{text}\n")
    write_text(work.folder / CSV_FILE, csv_text(map(_flat, rows)))
    record = {
        **environment(),
        "config": plain(asdict(work.config)),
        "foretold": [asdict(each) for each in told],
        "choices": [{"seed": seed, "choice": name, **each} for (seed, name), each in found.items()],
        "retrained": [{"seed": seed, "with": name, **each} for (seed, name), each in measured.items()],
    }
    write_json(work.folder / JSON_FILE, _without_nan(plain(record)))
    draw(rows, [board.bricks[0] for board in work.base], work.folder / PICTURE_FILE)
    return text


def _lines(
    work: Study,
    found: Mapping[tuple[int, str], Mapping[str, Any]],
    measured: Mapping[tuple[int, str], Mapping[str, Any]],
    rows: Sequence[Row],
    told: Sequence[PredictorQuality],
) -> Iterable[str]:
    base = " ".join(board.brick_names for board in work.base)
    seeds = len({row.seed for row in rows})
    yield (
        f"{work.config.agent}, trained on {base}: which of {len(work.candidates)} cells to add? {seeds} seed"
        f"{'s' * (seeds != 1)}; {len(found)} choices, each with "
        f"{_range(len(each['candidates']) for each in found.values())} candidates and "
        f"{_range(len(each['held']) for each in found.values())} held-out cells"
    )
    for truth, what in zip(TRUTHS, ("loss", "value-losing moves"), strict=True):
        yield from (
            "",
            f"How well each ranking predicts the gain in {what} from retraining:",
            *_predictor_table(told, truth),
        )
    yield LEGEND
    yield from ("", "Heads on the frozen trunk, measured on held-out cells:", *_fits_table(found))
    yield from ("", "Each candidate, mean over choices and seeds:", *_candidates_table(rows))
    yield from ("", *_costs(found, measured))


def _predictor_table(told: Sequence[PredictorQuality], truth: str) -> list[str]:
    several = any(each.of_others for each in told)
    lines = [["ranked by", "rank", "regret", *(["rank (others)", "regret (others)"] if several else [])]]
    factor, digits = UNITS[truth]
    for each in told:
        own = [(each.correlation, 1, 2), (each.regret, factor, digits)]
        apart = [(each.of_others, 1, 2), (each.regret_of_others, factor, digits)] if several else []
        texts = [_interval(found.get(truth), scale, places) for found, scale, places in (*own, *apart)]
        lines.append([each.predictor, *texts])
    return aligned(lines, left=(0,))


def _fits_table(found: Mapping[tuple[int, str], Mapping[str, Any]]) -> list[str]:
    names = list(next(iter(found.values()))["fits"])
    lines = [["heads fitted to", "selection loss", "test loss", "error %, raw", "test loss above learned"]]
    for name in names:
        values = {
            what: _by_seed((seed, each["fits"][name][what]) for (seed, _), each in found.items())
            for what in ("choosing", "measuring", "losing")
        }
        above = _by_seed(
            (seed, each["fits"][name]["measuring"] - each["fits"][LEARNED]["measuring"])
            for (seed, _), each in found.items()
        )
        lines.append(
            [
                FIT_LABELS.get(name, name),
                f"{values['choosing'].mean:.4f}",
                f"{values['measuring'].mean:.4f}",
                f"{values['losing'].mean:.2%}",
                _interval(above, 1000, 2),
            ]
        )
    return [*aligned(lines, left=(0,)), FITS_NOTE]


def _candidates_table(rows: Sequence[Row]) -> list[str]:
    number = {key: sum((row.seed, row.choice) == key for row in rows) for key in _keys(rows)}
    lines = [["cell", "weight / uniform", "gain, loss", "gain, error %, raw"]]
    for cell in sorted({row.candidate for row in rows}):
        own = [row for row in rows if row.candidate == cell]
        weight = _by_seed((row.seed, row.scores[LEARNED] * number[row.seed, row.choice]) for row in own)
        gained = [_by_seed((row.seed, row.gains[truth]) for row in own) for truth in TRUTHS]
        texts = [_interval(each, *UNITS[truth]) for truth, each in zip(TRUTHS, gained, strict=True)]
        lines.append([cell, _interval(weight, 1, 2), *texts])
    return [*aligned(lines, left=(0,)), "gain, loss: thousandths of a nat. gain, error %, raw: points."]


def _costs(
    found: Mapping[tuple[int, str], Mapping[str, Any]], measured: Mapping[tuple[int, str], Mapping[str, Any]]
) -> Iterable[str]:
    for name in next(iter(found.values()))["seconds"]:
        seconds = np.mean([each["seconds"][name] for each in found.values()])
        calls = {
            kind: np.mean([each["calls"][name][kind] for each in found.values()])
            for kind in ("gradients", "products")
        }
        yield (
            f"{name}: {seconds:.1f} s per choice, {calls['gradients']:.0f} gradients and "
            f"{calls['products']:.0f} second-order products on all positions"
        )
    tried = np.mean([each["tried"] for each in found.values()])
    seconds = np.mean([each["seconds"] for each in measured.values()])
    yield f"random weights tried: {tried:.0f} per choice; retraining: {seconds:.1f} s per candidate"


def _flat(row: Row) -> dict[str, Any]:
    """Returns a row of the CSV file."""
    values = {"seed": row.seed, "choice": row.choice, "candidate": row.candidate}
    values |= {name: row.scores[name] for name in PREDICTORS}
    values |= {f"gain {truth}": row.gains[truth] for truth in TRUTHS}
    return values | {f"gain {truth}, other seeds": row.gains_of_others.get(truth) for truth in TRUTHS}


def _keys(rows: Sequence[Row]) -> list[tuple[int, str]]:
    return list(dict.fromkeys((row.seed, row.choice) for row in rows))


def _by_seed(values: Iterable[tuple[int, float]]) -> Interval:
    """Returns the mean over seeds of each seed's mean value, with its interval."""
    own: dict[int, list[float]] = {}
    for seed, value in values:
        own.setdefault(seed, []).append(value)
    return student([float(np.mean(each)) for each in own.values()])


def _interval(each: Interval | None, factor: float, digits: int) -> str:
    if each is None:
        return "-"
    mean = f"{factor * each.mean:.{digits}f}"
    if not each.known:
        return mean
    return f"{mean} ({factor * each.low:.{digits}f} to {factor * each.high:.{digits}f})"


def _range(numbers: Iterable[int]) -> str:
    found = sorted(set(numbers))
    return str(found[0]) if len(found) == 1 else f"{found[0]} to {found[-1]}"


def _without_nan(value: Any) -> Any:
    """Returns JSON values with null for nan, because the interval of one seed has no ends."""
    if isinstance(value, Mapping):
        return {name: _without_nan(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_without_nan(each) for each in value]
    return None if isinstance(value, float) and np.isnan(value) else value
