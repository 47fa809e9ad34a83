"""The answers that `bttt compression` prints: error rates on novel cells, and SILO's learning rates."""

from __future__ import annotations

from collections.abc import Sequence

from bttt import NOVELTIES
from bttt.runs import aligned
from pruning.measures import Interval
from pruning.studies.compression.oracle import OracleCycle
from pruning.studies.compression.question import MATCHED, RISE, Excess, Ratio, Threshold
from pruning.studies.compression.table import GROUPS, percent, searched, share_text

NAMES = GROUPS | {MATCHED: "matched"}
WORDS = {1: "above 0", -1: "below 0", 0: "not clearly different from 0"}
EXCESS_TITLE = """\
Does the error rate rise earlier on novel cells than on training cells? Error rate: % of decisions that are
value-losing moves. The columns show its rise over level 0, in points. excess: novel minus training, mean
over the seeds with Student's 95% interval ({seeds})"""
THRESHOLD_TITLE = f"""\
% of the parameters kept when the error rate has risen by {100 * RISE:.0f} point, mean over the seeds; <=:
upper bound, because some networks never rise that far; matched: novel cells in groups of the size of the
training set; ratio: matched / training, above 1 if novel cells suffer earlier; decisions: per network"""


def excess_text(excesses: Sequence[Excess]) -> str:
    """Returns the excess of each level and the verdict for each training set; "" if there are none.

    Args:
        excesses: The excesses of one variant.
    """
    if not excesses:
        return ""
    found: dict[str, dict[int | None, dict[int, Excess]]] = {}
    for each in excesses:
        levels = found.setdefault(each.brick_set, {})
        levels.setdefault(each.level, {})[each.simulations] = each
    simulations = list(dict.fromkeys(each.simulations for each in excesses))
    heads = [f"{name} {searched(n)}" for n in simulations for name in ("training", "novel", "excess")]
    rows = [["set", "level", "kept", *heads]]
    for brick_set, levels in found.items():
        for level, own in levels.items():
            share = next(iter(own.values())).share
            head = ["mean", ""] if level is None else [str(level), f"{percent(share)}%"]
            rows.append(
                [brick_set, *head, *(cell for n in simulations for cell in _excess_cells(own.get(n)))]
            )
    title = EXCESS_TITLE.format(seeds=_told_seeds([each.excess for each in excesses]))
    return "\n".join([title, *aligned(rows, left=(0,)), *_verdicts(excesses)])


def _excess_cells(excess: Excess | None) -> list[str]:
    if excess is None:
        return ["-"] * 3
    mean, *ends = (_points(each) for each in (excess.excess.mean, excess.excess.low, excess.excess.high))
    interval = f" ({' to '.join(ends)})" if excess.excess.known else ""
    return [_points(excess.seen), _points(excess.novel), mean + interval]


def _points(rise: float) -> str:
    return f"{100 * rise:+.1f}"


def _told_seeds(intervals: Sequence[Interval]) -> str:
    most = max(each.n for each in intervals)
    if most == 1:
        return "one seed: no interval"
    return f"{most} seeds{', so few that the interval is wide' if most < 5 else ''}"


def _verdicts(excesses: Sequence[Excess]) -> list[str]:
    """Returns a line per training set and number of simulations: where the interval excludes 0."""
    found: dict[tuple[str, int], list[Excess]] = {}
    for each in excesses:
        found.setdefault((each.brick_set, each.simulations), []).append(each)
    return [f"{brick_set} {searched(number)}: {_verdict(own)}" for (brick_set, number), own in found.items()]


def _verdict(excesses: Sequence[Excess]) -> str:
    known = [each for each in excesses if each.excess.known]
    levels = [each for each in known if each.level is not None]
    if not levels:
        return "no interval, so no conclusion"
    mean = next((_sign(each.excess) for each in known if each.level is None), 0)
    told = [f"{WORDS[mean]} on average over the levels"]
    for sign in (1, -1):
        if own := [str(each.level) for each in levels if _sign(each.excess) == sign]:
            told.append(f"{WORDS[sign]} at {_levels(own)}")
    return f"excess {', '.join(told)}"


def _sign(interval: Interval) -> int:
    """Returns the side of 0 on which an interval lies: 1 or -1, or 0 if it contains 0."""
    return int(interval.low > 0) - int(interval.high < 0)


def _levels(levels: Sequence[str]) -> str:
    return f"level{'s' * (len(levels) > 1)} {' '.join(levels)}"


def threshold_text(thresholds: Sequence[Threshold], ratios: Sequence[Ratio]) -> str:
    """Returns the thresholds and ratios by training set and number of simulations; "" if there are none.

    Args:
        thresholds: The thresholds of one variant.
        ratios: The ratios of the same variant.
    """
    if not thresholds:
        return ""
    of_ratio = {(each.brick_set, each.simulations): each.ratio for each in ratios}
    found: dict[tuple[str, int], dict[str, Threshold]] = {}
    for each in thresholds:
        found.setdefault((each.brick_set, each.simulations), {})[each.novelty] = each
    shown = [name for name in (*NOVELTIES, MATCHED) if any(name in own for own in found.values())]
    rows = [["set", "search", "seeds", *(NAMES[name] for name in shown), "ratio", "decisions"]]
    for (brick_set, number), own in found.items():
        seeds = max(each.share.n for each in own.values())
        decisions = " / ".join(str(own[name].decisions) if name in own else "-" for name in shown)
        cells = [_threshold(own.get(name)) for name in shown]
        ratio = _ratio(of_ratio.get((brick_set, number)))
        rows.append([brick_set, searched(number), str(seeds), *cells, ratio, decisions])
    return "\n".join([THRESHOLD_TITLE, *aligned(rows, left=(0, 1))])


def _threshold(threshold: Threshold | None) -> str:
    if threshold is None:
        return "-"
    share = threshold.share
    return f"{'<=' * threshold.bound}{share_text(share.mean, share.low, share.high)}"


def _ratio(ratio: Interval | None) -> str:
    if ratio is None:
        return "-"
    ends = f" ({ratio.low:.2f}-{ratio.high:.2f})" if ratio.known else ""
    return f"{ratio.mean:.2f}{ends}"


def oracle_text(cycles: Sequence[OracleCycle]) -> str:
    """Returns SILO's peaks next to the oracle's intervals, and how many are inside; "" if there are none."""
    if not cycles:
        return ""
    rows = [["set", "seed", "cycle", "interval", "best", "SILO", "inside", "near"]]
    for each in cycles:
        interval = f"{each.low:g}-{each.high:g}"
        answers = ("yes" if answer else "no" for answer in (each.inside, each.near))
        told = [str(each.seed), str(each.cycle), interval, f"{each.best:g}", f"{each.silo:.4f}"]
        rows.append([each.brick_set, *told, *answers])
    title = (
        "SILO's peak learning rate and the oracle's interval (the tried values that are nearly the best);\n"
        "near: the tried value nearest to SILO's peak is inside the interval"
    )
    inside, near = (sum(getattr(each, name) for each in cycles) for name in ("inside", "near"))
    shares = (f"{number} of {len(cycles)} ({number / len(cycles):.0%})" for number in (inside, near))
    summary = "SILO's peak is inside in {} cycles, near in {}".format(*shares)
    return "\n".join([title, *aligned(rows, left=(0,)), summary])
