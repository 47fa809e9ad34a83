"""Sections of a sparse-training report: weights by layer, their costs, and grids of settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bttt.runs import aligned
from pruning.measures import Interval, paired
from pruning.studies.experiment import LEAST_SEEDS, Answer, Check
from pruning.studies.vision.cost import INFERENCE, TRAINING
from pruning.studies.vision.points import KEPT, Point, by_level

VALIDATION = "validation accuracy"
"""The metric for selecting a cell."""
ALPHAS, EVERY = (0.1, 0.2, 0.3, 0.4, 0.5), (25, 50, 100, 200, 400)
"""The grid: RigL's initial fraction of dropped weights (alpha), and steps between updates."""
DEFAULT_CELL = (0.3, 100)
"""RigL's own alpha and steps between updates."""
MOST_COLUMNS = 9


def layer_densities(points: Sequence[Point]) -> str:
    """Returns the fraction kept in each layer, by variant, one table per part; "" if nothing is masked."""
    tables = []
    for part in sorted({point.part for point in points}):
        found = {arm: _layers(own) for arm, own in _last_networks(points, part).items()}
        found = {arm: layers for arm, layers in found.items() if layers and min(layers.values()) < 1}
        if found:
            tables.append(_layer_table(found))
    return "\n\n".join(tables)


def costs(points: Sequence[Point]) -> str:
    """Returns the fraction kept, accuracy, and costs of inference and training, by variant and part."""
    lines = []
    for part in sorted({point.part for point in points}):
        for arm, own in _last_networks(points, part).items():
            if all({INFERENCE, TRAINING} <= point.metrics.keys() for point in own.values()):
                kept, right = (_mean(own, name) for name in ("density", "accuracy"))
                shares = (_mean(own, INFERENCE), _mean(own, TRAINING))
                figures = (f"{100 * each:.3g}" for each in (kept, *shares))
                lines.append([arm, *figures, f"{100 * right:.1f}"])
    if not lines:
        return ""
    return "\n".join(aligned([["variant", "% kept", "inference", "training", "accuracy"], *lines]))


def level_pairs(points: Sequence[Point]) -> str:
    """Returns ERK's lead over uniform at equal weights and at equal multiply-adds, by method and part."""
    lines = []
    for budget, suffix in (("weights", "erk"), ("multiply-adds", "erk-macs")):
        for method in dict.fromkeys(point.arm.partition("-uniform")[0] for point in points):
            for part in sorted({point.part for point in points}):
                own = _last_networks(points, part)
                erk, uniform = own.get(f"{method}-{suffix}"), own.get(f"{method}-uniform")
                if erk and uniform:
                    lines.append([budget, method, *_pair(erk, uniform)])
    if not lines:
        return ""
    head = ["equal", "method", "% kept by uniform", "by ERK", "ERK's multiply-adds", "ERK minus uniform"]
    return "\n".join(aligned([head, *lines], left=(0, 1)))


def cell_name(alpha: float, every: int) -> str:
    """Returns the name of the variant for one cell of the grid."""
    return f"alpha-{alpha:g}-every-{every}"


def grid_table(points: Sequence[Point]) -> str:
    """Returns each grid cell's test accuracy in %, with the standard deviation over the seeds."""
    cells = _cells(points)
    if not cells:
        return ""
    alphas, intervals = sorted({alpha for alpha, _ in cells}), sorted({every for _, every in cells})
    lines = [
        [f"alpha {alpha:g}", *(_cell(cells.get((alpha, every), {})) for every in intervals)]
        for alpha in alphas
    ]
    return "\n".join(aligned([["", *(f"every {every:g}" for every in intervals)], *lines]))


def default_is_good(points: Sequence[Point]) -> tuple[Answer, str]:
    """Checks that RigL's own cell is within one standard deviation of the best cell on validation."""
    cells = _cells(points)
    own = cells.get(DEFAULT_CELL, {})
    if len(own) < LEAST_SEEDS:
        return "not testable", f"{cell_name(*DEFAULT_CELL)} has {len(own)} of the {LEAST_SEEDS} seeds needed"
    if (number := len(cells)) < len(ALPHAS) * len(EVERY):
        return "not testable", f"there are {number} of the {len(ALPHAS) * len(EVERY)} cells of the grid"
    best = max(cells, key=lambda cell: _mean(cells[cell], VALIDATION))
    spread = float(np.std([point.accuracy for point in cells[best].values()], ddof=1))
    lead = _mean(cells[best], "accuracy") - _mean(own, "accuracy")
    answer: Answer = "confirmed" if lead <= spread else "not confirmed"
    told = f"{cell_name(*best)} of {len(cells)} cells minus the default: {100 * lead:+.2f} points"
    return answer, f"{told}, SD {100 * spread:.2f} over {len(own)} seeds"


def costlier(arm: str, other: str) -> Check[Point]:
    """Returns the check that a variant needs more multiply-adds than another, in the same parts."""

    def check(points: Sequence[Point]) -> tuple[Answer, str]:
        parts = sorted({point.part for point in points if point.arm == arm})
        pairs = [[_last_networks(points, part).get(name, {}) for name in (arm, other)] for part in parts]
        pairs = [pair for pair in pairs if all(pair)]
        if not pairs:
            return "not testable", f"the variant {arm} or {other} is missing"
        seeds = sorted(set.intersection(*(set(own) for pair in pairs for own in pair)))
        if len(seeds) < LEAST_SEEDS:
            return "not testable", f"{arm} and {other} share {len(seeds)} of the {LEAST_SEEDS} seeds needed"
        values, others = (
            [float(np.mean([pair[side][seed].metrics[INFERENCE] for pair in pairs])) for seed in seeds]
            for side in (0, 1)
        )
        found = paired(values, others).difference
        told = (
            f"{arm} {np.mean(values):.1%} of the dense network's, {other} {np.mean(others):.1%}: "
            f"{100 * found.mean:+.2f} points ({100 * found.low:+.2f} to {100 * found.high:+.2f}) "
            f"over {found.n} seeds"
        )
        if found.low > 0:
            return "confirmed", told
        return "not confirmed", f"{'refuted' if found.high < 0 else 'undecided'}: {told}"

    return check


def _last_networks(points: Sequence[Point], part: int) -> dict[str, Mapping[int, Point]]:
    """Returns the networks of a part's last cycle, by variant (if it has the part) and seed."""
    found: dict[str, Mapping[int, Point]] = {}
    for arm in dict.fromkeys(point.arm for point in points):
        cycles = [own for level, own in by_level(points, arm).items() if level[0] == part and level[1]]
        if cycles:
            found[arm] = cycles[-1]
    return found


def _layers(networks: Mapping[int, Point]) -> dict[str, float]:
    first = next(iter(networks.values()))
    names = [name for name in first.metrics if name.startswith(KEPT)]
    return {name.removeprefix(KEPT): _mean(networks, name) for name in names}


def _layer_table(found: Mapping[str, Mapping[str, float]]) -> str:
    """Returns a table of variants by layers; with many layers, of layers by variants."""
    layers = list(dict.fromkeys(layer for own in found.values() for layer in own))
    texts = [
        [arm, *(f"{100 * own[layer]:.3g}" if layer in own else "" for layer in layers)]
        for arm, own in found.items()
    ]
    lines = [["", *(layer.removesuffix(".weight") for layer in layers)], *texts]
    if len(layers) > MOST_COLUMNS:
        lines = [list(column) for column in zip(*lines, strict=True)]
    return "\n".join(aligned(lines))


def _pair(erk: Mapping[int, Point], uniform: Mapping[int, Point]) -> list[str]:
    kept = [f"{100 * _mean(own, 'density'):.3g}" for own in (uniform, erk)]
    macs = _mean(erk, INFERENCE) / _mean(uniform, INFERENCE)
    seeds = sorted(set(erk) & set(uniform))
    one, other = ([own[seed].accuracy for seed in seeds] for own in (erk, uniform))
    return [*kept, f"x{macs:.2f}", _lead(paired(one, other).difference) if len(seeds) > 1 else ""]


def _lead(found: Interval) -> str:
    return f"{100 * found.mean:+.2f} ({100 * found.low:+.2f} to {100 * found.high:+.2f})"


def _cells(points: Sequence[Point]) -> dict[tuple[float, int], Mapping[int, Point]]:
    """Returns the grid's networks by alpha and interval, and by seed."""
    found = {}
    for arm, own in _last_networks(points, 0).items():
        words = arm.split("-")
        if len(words) == 4 and words[::2] == ["alpha", "every"]:
            found[float(words[1]), int(words[3])] = own
    return found


def _cell(networks: Mapping[int, Point]) -> str:
    if not networks:
        return ""
    accuracies = [100 * point.accuracy for point in networks.values()]
    spread = f" ±{np.std(accuracies, ddof=1):.1f}" if len(accuracies) > 1 else ""
    return f"{np.mean(accuracies):.1f}{spread}"


def _mean(networks: Mapping[int, Point], name: str) -> float:
    """Returns the mean of a number of the points, or of a metric."""
    own = ("density", "accuracy")
    values = (getattr(each, name) if name in own else each.metrics[name] for each in networks.values())
    return float(np.mean(list(values)))
