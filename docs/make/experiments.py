"""Tables of the stored pruning runs, of the claims on image classifiers, of methods and of benchmarks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks.__main__ import HEADINGS, figure
from docs.make.stored import ROOT, csv_rows, markdown
from pruning.studies.alphazero import COLUMNS
from pruning.studies.methods import METHODS_COMPARED
from pruning.studies.published import verdict_table

TO_ROOT = "../../"
"""From the pages of results to the root of the project."""


def levels(folder: str, *, rows: str = "", columns: str = "") -> str:
    """Returns the levels of a stored pruning run.

    Args:
        folder: Of the run, relative to the root of the project.
        rows: Levels to show, with "," between them; "" shows all.
        columns: Columns of levels.csv to show, with ";" between them; "name=head" shows another head.
    """
    stored = csv_rows(f"{folder}/levels.csv")
    if rows:
        by_level = {row["level"]: row for row in stored}
        stored = [by_level[level] for level in rows.split(",")]
    chosen = [column.partition("=") for column in columns.split(";")] if columns else []
    names = [name for name, _, _ in chosen] or list(stored[0])
    heads = [new or COLUMNS[name].head for name, _, new in chosen]
    heads = heads or [COLUMNS[name].head for name in names]
    return markdown(heads, [[_level_text(name, row[name]) for name in names] for row in stored])


def _level_text(name: str, value: str) -> str:
    style = COLUMNS[name].style
    if style == "s":
        return value
    return format(float(value) if "." in style else int(value), style)


def claims(paper: str) -> str:
    """Returns the claims of one paper by the outcome of each experiment, with links to the reports."""
    lines = verdict_table(ROOT / "results/vision").splitlines()
    start = f"| {paper}: "
    rows = [f"| {line.removeprefix(start)}" for line in lines if line.startswith(start)]
    if not rows:
        raise ValueError(f"no claim of {paper!r}")
    return "\n".join([*lines[:2], *rows]).replace(f"]({ROOT.as_posix()}/", f"]({TO_ROOT}")


def experiments() -> str:
    """Returns the stored experiments on image classifiers, with the number of claims by outcome."""
    rows = []
    for path in sorted((ROOT / "results/vision").rglob("results.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        outcomes = [claim["verdict"] for claim in record["claims"]]
        refuted = sum(claim["evidence"].startswith("refuted") for claim in record["claims"])
        counts = [outcomes.count("confirmed"), refuted, outcomes.count("not confirmed") - refuted]
        place = f"{TO_ROOT}{path.parent.relative_to(ROOT).as_posix()}"
        links = f"[report]({place}/report.txt), [figure]({place}/figure.png)"
        scale = path.parent.parent.name
        rows.append(
            [f"`{record['recipe']}`", scale, *map(str, [*counts, outcomes.count("not testable")]), links]
        )
    heads = ["recipe", "scale", "confirmed", "refuted", "undecided", "not testable", "evidence"]
    return markdown(heads, rows)


def benchmarks() -> str:
    """Returns the stored benchmarks with their ratios to the peers and their targets."""
    record = json.loads((ROOT / "results/benchmarks/benchmarks.json").read_text(encoding="utf-8"))
    return markdown([*HEADINGS[:-1], "met"], [_benchmark(result) for result in record["results"]])


def _benchmark(result: dict[str, object]) -> list[str]:
    wanted = ""
    if result["target"] is not None:
        wanted = f"{result['target']:g}x"
    elif result["limit"] is not None:
        wanted = f"at most {result['limit']:g} {result['unit']}"
    return [
        str(result["name"]),
        f"{figure(result['ours'])} {result['unit']}",
        str(result["peer_name"] or ""),
        "" if result["peer"] is None else figure(result["peer"]),
        "" if result["ratio"] is None else f"{result['ratio']:.3g}x",
        wanted,
        {True: "yes", False: "no", None: ""}[result["met"]],
    ]


def machine(path: str) -> str:
    """Returns what a stored record of benchmarks says of its machine, as one sentence."""
    found = json.loads((ROOT / Path(path)).read_text(encoding="utf-8"))["machine"]
    return ", ".join(f"{name} {value}" for name, value in found.items()) + "."


def methods() -> str:
    """Returns the methods that `bttt methods` compares: what they prune, where training starts, the paper."""
    rows = [
        [f"`{name}`", method.of, method.starts, method.paper, f"`pruning/{method.file}`"]
        for name, method in METHODS_COMPARED.items()
    ]
    return markdown(["method", "prunes", "last training starts from", "paper", "formula"], rows)


PRUNED_NETWORKS = "results/pruning-time/pruned-networks.json"
"""The measurements of `python -m benchmarks.pruned_networks`."""


def pruned_networks(*, batch: str = "64") -> str:
    """Returns how fast networks with a fifth of the parameters are, by what their widths are rounded to.

    Args:
        batch: Positions a batch.
    """
    heads = ["network", "multiples of", "stream, blocks", "% of parameters"]
    found: dict[tuple[str, str, float], list[str]] = {}
    for row in _pruned_rows(batch):
        key = row["network"], _rounding(row), row["wanted"]
        widths = f"{row['stream']}, {_runs(row['blocks'])}"
        cells = found.setdefault(key, [*key[:2], widths, f"{100 * row['share']:.1f}"])
        cells += [f"{row['evaluations']:,.0f}", f"{row['ratio']:.2f}"]
    precisions = dict.fromkeys(row["precision"] for row in _pruned_rows(batch))
    speeds = [text for name in precisions for text in (f"evals/s, {name}", "to dense")]
    return markdown([*heads, *speeds], [*found.values()])


def pruned_times(*, batch: str = "64", rounded: str = "16") -> str:
    """Returns where the time of an evaluation goes, in dense networks and with a fifth of the parameters.

    Args:
        batch: Positions a batch.
        rounded: The multiples that the pruned networks' widths are rounded to.
    """
    parts = ("us", "arithmetic", "rest of products", "other layers", "calls")
    rows = [
        [
            row["precision"],
            row["network"],
            f"{100 * row['share']:.1f}",
            *(f"{row[name]:.2f}" for name in parts),
        ]
        for row in _pruned_rows(batch)
        if str(row["round_to"] or rounded) == rounded and row["wanted"] in (1.0, 0.2)
    ]
    return markdown(["precision", "network", "% of parameters", *parts], sorted(rows, key=lambda row: row[0]))


def _pruned_rows(batch: str) -> list[dict[str, Any]]:
    record = json.loads((ROOT / PRUNED_NETWORKS).read_text(encoding="utf-8"))
    return [row for row in record["results"] if str(row["batch"]) == batch]


def _rounding(row: Mapping[str, Any]) -> str:
    return str(row["round_to"] or "dense")


def _runs(widths: Sequence[int]) -> str:
    """Returns widths as text, equal ones in a row together: "3x32 3x16"."""
    return " ".join(f"{len([*same])}x{width}" for width, same in groupby(widths))
