"""The figures of `bttt generalisation`: rates by number of training cells, and maps of brick cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullLocator

from bttt import Board
from tournaments.evaluation import FIGURE_DPI, fill_cell, loss_colors, map_axes, style_axes
from tournaments.generalisation.evaluation import SINGLE
from tournaments.generalisation.networks import BASE, SINGLE_SIZE
from tournaments.generalisation.rates import CountsByPart, Rate
from tournaments.generalisation.table import TITLES

PANEL_WIDTH, PANEL_HEIGHT, FOOT = 3.7, 2.5, 0.5
"""In inches: width and height of a panel of the curves, and height of the legend below them."""
ROWS = {"novel": "novel cells", "seen": "training cells"}
COLORS = ("#d1495b", "#1f5fbf", "#2a9d8f", "#8a5fbf", "#444b55")
"""Colours by number of simulations, in ascending order."""
SHIFT = 1.06
"""Factor between the x-values of neighbouring curves, so that intervals do not hide each other."""
MAP, GAP, LEFT, HEAD = 1.75, 0.32, 0.95, 0.75
"""In inches: side of a map, gap around it, width of the sets' names, and height of the headings."""
MAP_MEASURES = ("wins", "losing")
MAP_SIMULATIONS = 2
"""How many numbers of simulations have maps; the lowest ones are shown."""
DARK = 0.6
"""Fraction of the colour scale above which numbers are white."""
TRAINED = "#111111"


def draw_curve(rates: Sequence[Rate], path: Path) -> None:
    """Writes a PNG: each measure of the base networks by training cells, on novel and on training cells."""
    shown = [rate for rate in rates if rate.on == SINGLE and rate.variant == BASE and rate.novelty in ROWS]
    measures = [measure for measure in TITLES if any(rate.measure == measure for rate in shown)]
    simulations = sorted({rate.simulations for rate in shown})
    size = PANEL_WIDTH * max(1, len(measures)), PANEL_HEIGHT * len(ROWS) + FOOT
    figure = Figure(figsize=size, dpi=FIGURE_DPI)
    panels = figure.subplots(len(ROWS), max(1, len(measures)), squeeze=False, sharex=True, sharey="col")
    for row, (novelty, name) in enumerate(ROWS.items()):
        panels[row, 0].set_ylabel(name, fontsize=9)
        for axes, measure in zip(panels[row], measures, strict=False):
            own = [rate for rate in shown if (rate.measure, rate.novelty) == (measure, novelty)]
            _draw_panel(axes, own, simulations)
            if not row:
                axes.set_title(TITLES[measure], fontsize=8.5)
    for axes, measure in zip(panels[-1], measures, strict=False):
        axes.set_ylim(bottom=0)
        _label_sets(axes, [rate for rate in shown if rate.measure == measure])
    names = [f"{number} simulations" if number else "raw policy" for number in simulations]
    handles = [Line2D([], [], color=_color(number), marker="o", ms=3.5) for number in range(len(names))]
    figure.legend(handles, names, loc="lower center", ncols=max(1, len(names)), fontsize=8, frameon=False)
    figure.tight_layout(rect=(0, 0.3 / size[1], 1, 1))
    figure.savefig(path)


def _color(number: int) -> str:
    return COLORS[number % len(COLORS)]


def _draw_panel(axes: Axes, rates: Sequence[Rate], simulations: Sequence[int]) -> None:
    for number, searched in enumerate(simulations):
        own = sorted((rate for rate in rates if rate.simulations == searched), key=lambda rate: rate.cells)
        if own:
            ends = np.array([(100 * (rate.rate - rate.low), 100 * (rate.high - rate.rate)) for rate in own])
            axes.errorbar(
                [rate.cells * SHIFT**number for rate in own],
                [100 * rate.rate for rate in own],
                yerr=np.abs(ends).T,
                fmt="o-",
                ms=3.5,
                lw=1.2,
                elinewidth=0.8,
                color=_color(number),
            )
    style_axes(axes, "y")


def _label_sets(axes: Axes, rates: Sequence[Rate]) -> None:
    """Labels the axis of training cells with their numbers and, below, the names of the sets."""
    sets: dict[int, list[str]] = {}
    for rate in rates:
        if rate.brick_set not in sets.setdefault(rate.cells, []):
            sets[rate.cells].append(rate.brick_set)
    axes.set_xscale("log")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(list(sets), [_set_label(*item) for item in sets.items()], fontsize=7)
    axes.set_xlabel("training cells", fontsize=8)


def _set_label(cells: int, names: Sequence[str]) -> str:
    """Returns the number of cells and, below it, the names of the sets that are not just this number."""
    return "\n".join([str(cells), *(name for name in names if name != str(cells))])


def draw_cells(measured: CountsByPart, path: Path) -> None:
    """Writes a PNG: maps of the rates by brick cell, for each training set of the base networks.

    Rates are means over the seeds. A frame marks a training cell of all seeds, and a dashed frame a training
    cell of some seeds.
    """
    sets = list(dict.fromkeys(network.brick_set for network in measured if network.variant == BASE))
    maps = _maps(measured)
    highest = max(
        (max(own.values()) for (_, (measure, _)), own in maps.items() if measure == "losing"), default=0
    )
    columns = sorted(
        {column for _, column in maps}, key=lambda column: (MAP_MEASURES.index(column[0]), column)
    )
    width = LEFT + max(1, len(columns)) * (MAP + GAP)
    height = HEAD + max(1, len(sets)) * (MAP + GAP)
    figure = Figure(figsize=(width, height), dpi=FIGURE_DPI)
    head = "Mean over the seeds, in %, by the brick's cell; trained on the framed cells (dashed: some seeds)"
    figure.text(0.12 / width, 1 - 0.18 / height, head, fontsize=8, va="center")
    for row, brick_set in enumerate(sets):
        top = HEAD + row * (MAP + GAP)
        figure.text(0.12 / width, 1 - (top + MAP / 2) / height, brick_set, fontsize=10, va="center")
        trained = _trained(measured, brick_set)
        for col, column in enumerate(columns):
            left = LEFT + col * (MAP + GAP)
            axes = figure.add_axes((left / width, 1 - (top + MAP) / height, MAP / width, MAP / height))
            if not row:
                axes.set_title(_heading(*column), fontsize=7.5, pad=12)
            _draw_map(axes, maps.get((brick_set, column), {}), _scale(column[0], highest), trained)
    figure.savefig(path)


def _maps(measured: CountsByPart) -> dict[tuple[str, tuple[str, int]], dict[Board, float]]:
    """Returns the rates by board, for each training set and each measure and number of simulations shown."""
    simulations = sorted({part.simulations for parts in measured.values() for part in parts})
    totals: dict[tuple[str, tuple[str, int]], dict[Board, np.ndarray]] = {}
    for network, parts in measured.items():
        for part, counts in parts.items():
            shown = part.measure in MAP_MEASURES and part.simulations in simulations[:MAP_SIMULATIONS]
            if network.variant != BASE or part.on != SINGLE or not shown:
                continue
            own = totals.setdefault((network.brick_set, (part.measure, part.simulations)), {})
            for each in counts:
                own[each.board] = own.get(each.board, 0) + np.array([each.hits, each.trials])
    return {key: {board: hits / n for board, (hits, n) in own.items()} for key, own in totals.items()}


def _trained(measured: CountsByPart, brick_set: str) -> dict[Board, float]:
    """Returns, for each board, the fraction of a training set's networks that were trained on it."""
    own = [network for network in measured if network.variant == BASE and network.brick_set == brick_set]
    fractions: dict[Board, float] = {}
    for network in own:
        for board in network.boards:
            fractions[board] = fractions.get(board, 0) + 1 / len(own)
    return fractions


def _heading(measure: str, simulations: int) -> str:
    what = {"wins": "won against minimax:depth=2", "losing": "error rate"}[measure]
    return f"{what},\n{f'{simulations} simulations' if simulations else 'raw policy'}"


def _scale(measure: str, highest: float) -> ScalarMappable:
    """Returns the colours. Dark means many: good for wins, bad for value-losing moves."""
    if measure == "wins":
        return ScalarMappable(Normalize(0, 1.15), colormaps["YlGn"])
    return loss_colors(highest)


def _draw_map(
    axes: Axes, rates: Mapping[Board, float], scale: ScalarMappable, trained: Mapping[Board, float]
) -> None:
    size = Board.parse(SINGLE_SIZE)
    map_axes(axes, size)
    axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False)
    for board, rate in rates.items():
        fill_cell(axes, divmod(board.bricks[0], size.cols), rate, scale, dark=DARK)
    for board, fraction in trained.items():
        row, col = divmod(board.bricks[0], size.cols)
        style = "-" if fraction > 0.999 else (0, (2, 1.2))
        frame = Rectangle(
            (col + 0.06, row + 0.06), 0.88, 0.88, fill=False, edgecolor=TRAINED, lw=1.3, ls=style
        )
        axes.add_patch(frame)
