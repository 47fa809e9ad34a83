"""The plots of `bttt compression`: value-losing moves by the fraction kept, and by variant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pruning.studies.compression.arms import variant_options
from pruning.studies.compression.rates import LevelRate
from pruning.studies.compression.table import GROUPS
from pruning.studies.experiment import BLACK, DASHES, DOTS_AN_INCH, HUES, SMALL, fraction_ticks, style_plot
from tournaments.generalisation import ALL

PANEL_WIDTH, PANEL_HEIGHT, FOOT = 2.35, 1.95, 0.75
"""Inches: size of a panel, and height of the legend and axis label under the panels."""
ARMS_INCHES = (7.1, 3.9)
STYLES = {"seen": (HUES[0], "o", "-"), "mirror": (HUES[2], "s", "--"), "novel": (HUES[1], "^", "-")}
"""Colour, marker and dash by novelty."""
COLORS, MARKERS = (BLACK, *HUES), ("o", "s", "^")
"""By variant; the first one is black."""
BAND = 0.17
"""Opacity of the 95% bands."""
TICKS = (100, 50, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1)
SHARE = "parameters kept, % (log scale)"
LOSING = "value-losing moves, %"


def draw_levels(rates: Sequence[LevelRate], path: Path) -> None:
    """Writes a PNG: a column for each training set, a row for each number of simulations.

    Args:
        rates: The rates of one variant.
        path: The file to write.
    """
    losing = [rate for rate in rates if rate.measure == "losing" and rate.novelty in STYLES]
    sets = list(dict.fromkeys(rate.brick_set for rate in losing))
    simulations = list(dict.fromkeys(rate.simulations for rate in losing))
    size = PANEL_WIDTH * max(2, len(sets)), PANEL_HEIGHT * len(simulations) + FOOT
    figure = Figure(figsize=size, dpi=DOTS_AN_INCH, layout="constrained")
    panels = figure.subplots(len(simulations), len(sets), squeeze=False, sharex=True, sharey="row")
    for row, number in zip(panels, simulations, strict=True):
        row[0].set_ylabel(f"{_searched(number)}\n{LOSING}", fontsize=SMALL)
        for axes, brick_set in zip(row, sets, strict=True):
            own = [rate for rate in losing if (rate.brick_set, rate.simulations) == (brick_set, number)]
            for novelty in (name for name in STYLES if any(rate.novelty == name for rate in own)):
                _draw_group(axes, [rate for rate in own if rate.novelty == novelty], novelty)
            _dress(axes, [rate.share for rate in losing])
        row[0].set_ylim(bottom=0)
    for axes in panels[-1]:
        axes.set_xlabel(SHARE, fontsize=SMALL)
    for axes, brick_set in zip(panels[0], sets, strict=True):
        axes.set_title(_set_title([rate for rate in losing if rate.brick_set == brick_set]), fontsize=8.5)
    lines = {line.get_label(): line for axes in panels.flat for line in axes.get_lines()}
    lines = {name: lines[name] for name in map(_group_label, STYLES) if name in lines}
    figure.legend(
        lines.values(), lines, loc="outside lower center", ncols=len(lines), fontsize=8, frameon=False
    )
    figure.savefig(path)


def _draw_group(axes: Axes, rates: Sequence[LevelRate], novelty: str) -> None:
    color, marker, dash = STYLES[novelty]
    rates = sorted(rates, key=lambda rate: rate.level)
    shares = [100 * rate.share for rate in rates]
    lows, highs = ([100 * getattr(rate, end) for rate in rates] for end in ("low", "high"))
    axes.fill_between(shares, lows, highs, color=color, alpha=BAND, lw=0)
    means, label = [100 * rate.rate for rate in rates], _group_label(novelty)
    axes.plot(shares, means, color=color, marker=marker, ls=dash, label=label, ms=3, lw=1.2)


def _group_label(novelty: str) -> str:
    return f"{GROUPS[novelty]} cells"


def _set_title(rates: Sequence[LevelRate]) -> str:
    cells = max((rate.boards for rate in rates if rate.novelty == "seen"), default=0)
    return f"trained on {rates[0].brick_set}: {cells} cell{'s' * (cells != 1)}"


def _searched(simulations: int) -> str:
    return f"{simulations} simulations" if simulations else "raw policy"


def _dress(axes: Axes, shares: Sequence[float]) -> None:
    """Gives the axes a logarithmic scale of fractions kept, decreasing to the right."""
    least = 100 * min(shares)
    axes.set_xscale("log")
    axes.set_xlim(118, min(least / 1.18, 50))
    fraction_ticks(axes, [tick for tick in TICKS if tick >= least / 1.18], heights=7)
    style_plot(axes)


def draw_arms(rates: Sequence[LevelRate], path: Path) -> None:
    """Writes a PNG: pruning targets and restarts in one panel, learning rates in the other.

    It shows the rates on all cells, for the first training set, with the fewest simulations measured. A
    variant that prunes nothing has no fractions of its own. It is drawn at those of the first variant that
    prunes, level by level, because both are retrained equally often.

    Args:
        rates: The rates of all variants, on their common training sets and seeds.
        path: The file to write.
    """
    least = min(rate.simulations for rate in rates)
    first = rates[0].brick_set
    chosen = ("losing", ALL, least, first)
    found: dict[str, list[LevelRate]] = {}
    for rate in sorted(rates, key=lambda rate: rate.level):
        if (rate.measure, rate.novelty, rate.simulations, rate.brick_set) == chosen:
            found.setdefault(rate.arm, []).append(rate)
    main = next(iter(found))
    schedules = [arm for arm in found if "schedule" in variant_options(arm)]
    parts = {
        "criteria and restarts": [arm for arm in found if arm not in schedules],
        "learning rates": [main, *(arm for arm in schedules if arm != main)],
    }
    parts = {name: arms for name, arms in parts.items() if len(arms) > 1}
    figure = Figure(figsize=ARMS_INCHES, dpi=DOTS_AN_INCH, layout="constrained")
    panels = figure.subplots(1, len(parts), squeeze=False, sharey=True)[0]
    for axes, (title, arms) in zip(panels, parts.items(), strict=True):
        _draw_arms(axes, {arm: found[arm] for arm in arms})
        _dress(axes, [rate.share for own in found.values() for rate in own])
        axes.set_title(title, fontsize=8.5)
        axes.set_xlabel(SHARE, fontsize=SMALL)
        axes.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, -0.17),
            ncols=3,
            fontsize=6.5,
            frameon=False,
            handlelength=3,
        )
    panels[0].set_ylabel(f"trained on {first}, {_searched(least)}, all cells\n{LOSING}", fontsize=SMALL)
    panels[0].set_ylim(bottom=0)
    figure.savefig(path)


def _draw_arms(axes: Axes, found: Mapping[str, Sequence[LevelRate]]) -> None:
    cutting = [own for own in found.values() if own[-1].share < 1]
    for number, (arm, own) in enumerate(found.items()):
        places = own if own[-1].share < 1 or not cutting else cutting[0][: len(own)]
        shares = [100 * rate.share for rate in places]
        drawn = own[: len(shares)]
        color, style = COLORS[number % len(COLORS)], number // len(COLORS) % len(DASHES)
        if not number:
            lows, highs = ([100 * getattr(rate, end) for rate in drawn] for end in ("low", "high"))
            axes.fill_between(shares, lows, highs, color=color, alpha=BAND, lw=0)
        means, width = [100 * rate.rate for rate in drawn], 1.5 if not number else 1
        (line,) = axes.plot(shares, means, color=color, marker=MARKERS[style], label=arm, ms=2.2, lw=width)
        line.set_linestyle(DASHES[style])
