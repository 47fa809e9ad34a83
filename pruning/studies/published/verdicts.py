"""The table of verdicts: one row per claim, each verdict linked to its report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bttt.runs import read_json
from pruning.studies.experiment import JSON_FILE, TEXT_FILE

VERDICTS = ("confirmed", "not confirmed", "not testable")


def verdict_table(folder: Path) -> str:
    """Returns a Markdown table with a row per claim and the experiments by verdict.

    Args:
        folder: Contains experiment folders of `bttt vision`, at any depth.

    Raises:
        ValueError: There is no experiment in it, or a file is corrupt.
    """
    records = {path.parent: read_json(path, dict) for path in sorted(folder.rglob(JSON_FILE))}
    if not records:
        raise ValueError(f"{folder} contains no experiment: expected {JSON_FILE} in its folders")
    places: dict[tuple[str, str], dict[str, list[str]]] = {}
    for path, record in records.items():
        claims = record.get("claims")
        if "recipe" not in record or not isinstance(claims, list) or not all(map(_is_finding, claims)):
            raise ValueError(f"{path / JSON_FILE} is not from bttt vision: it lacks the recipe or the claims")
        paper, _, name = str(record["recipe"]).partition("/")
        for found in record["claims"]:
            own = places.setdefault((paper, found["claim"]), {verdict: [] for verdict in VERDICTS})
            own[found["verdict"]].append(f"[{name}]({(path / TEXT_FILE).as_posix()}){_refuted(found)}")
    lines = ["| claim | confirmed | not confirmed | not testable |", "|---|---|---|---|"]
    for (paper, claim), own in places.items():
        cells = (", ".join(own[verdict]) for verdict in VERDICTS)
        lines.append(f"| {paper}: {claim} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _is_finding(found: Any) -> bool:
    known = isinstance(found, Mapping) and {"claim", "verdict", "evidence"} <= set(found)
    return known and found["verdict"] in VERDICTS and isinstance(found["evidence"], str)


def _refuted(found: Mapping[str, Any]) -> str:
    return " (refuted)" if found["evidence"].startswith("refuted") else ""
