"""The figure of `bttt evaluate`: each agent's heat map by brick cell, and its rates by novelty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from bttt import NOVELTIES, Board, Suite
from tournaments.evaluation.figures import FIGURE_DPI, fill_cell, loss_colors, map_axes, style_axes
from tournaments.evaluation.value_losses import LossRate

MAPS_A_ROW = 5
WIDTH, MARGIN, HEAD, MAP, GAP, LABELS, LINE, AXIS = 10.4, 0.3, 0.35, 1.7, 0.3, 2.5, 0.34, 0.5
"""In inches: width of the figure, margin, height of a heading, side of a heat map, gap around it, width of
the agents' names, height of an agent's intervals, and height of their axis."""
MOST_LETTERS = 36
DARK = 0.55
"""Fraction of the colour scale above which numbers are white."""
TRAINED = "#1f5fbf"
COLORS = {"all": "#444b55", "seen": TRAINED, "mirror": "#2a9d8f", "novel": "#d1495b"}


def draw_evaluation(
    rates: Sequence[LossRate], suite: Suite, train: Mapping[str, Sequence[Board]], path: Path
) -> None:
    """Writes a PNG: intervals by novelty and, if each board has one brick, heat maps by brick cell.

    Args:
        rates: The rates of all agents.
        suite: The positions.
        train: The training boards by agent, if known; heat maps frame them.
        path: The file.
    """
    agents = list(dict.fromkeys(rate.agent for rate in rates))
    single = all(len(board.bricks) == 1 for board in suite.boards)
    map_rows = ceil(len(agents) / MAPS_A_ROW) if single else 0
    maps_height = HEAD + map_rows * (MAP + 2 * GAP) if single else 0
    intervals_height = len(agents) * LINE
    height = maps_height + HEAD + intervals_height + AXIS
    figure = Figure(figsize=(WIDTH, height), dpi=FIGURE_DPI)

    def axes_at(left: float, top: float, width: float, tall: float) -> Axes:
        return figure.add_axes((left / WIDTH, 1 - (top + tall) / height, width / WIDTH, tall / height))

    if single:
        highest = max(rate.rate for rate in rates if rate.kind == "board")
        head = "Error rate, %, by brick cell" + ("; trained on the framed ones" if train else "")
        figure.text(MARGIN / WIDTH, 1 - HEAD / 2 / height, head, fontsize=9, va="center")
        scale = loss_colors(highest)
        for number, agent in enumerate(agents):
            row, col = divmod(number, MAPS_A_ROW)
            axes = axes_at(MARGIN + col * (MAP + GAP), HEAD + row * (MAP + 2 * GAP) + GAP, MAP, MAP)
            own = {rate.group: rate.rate for rate in rates if rate.agent == agent and rate.kind == "board"}
            _draw_map(axes, agent, suite.size, own, scale, train.get(agent, ()))
    axes = axes_at(LABELS, maps_height + HEAD, WIDTH - LABELS - MARGIN, intervals_height)
    _draw_intervals(axes, agents, rates)
    figure.savefig(path)


def _draw_map(
    axes: Axes,
    agent: str,
    size: Board,
    by_brick: dict[str, float],
    scale: ScalarMappable,
    train: Sequence[Board],
) -> None:
    """Draws the rates, in per cent, on the brick cells; training cells get a frame."""
    map_axes(axes, size)
    axes.set_title(_short(agent), fontsize=7, pad=4)
    for cell in range(size.cells):
        row, col = divmod(cell, size.cols)
        rate = by_brick.get(size.cell_name(cell))
        if rate is None:
            continue
        fill_cell(axes, (row, col), rate, scale, dark=DARK)
        if size.with_bricks([cell]) in train:
            frame = Rectangle((col + 0.05, row + 0.05), 0.9, 0.9, fill=False, edgecolor=TRAINED, lw=1.6)
            axes.add_patch(frame)


def _draw_intervals(axes: Axes, agents: Sequence[str], rates: Sequence[LossRate]) -> None:
    """Draws rates and intervals by novelty; over all boards for agents without training boards."""
    found = {(rate.agent, rate.group): rate for rate in rates if rate.kind in ("all", "novelty")}
    trained = {agent for agent, group in found if group in NOVELTIES}
    shown = {key: rate for key, rate in found.items() if (key[1] == "all") != (key[0] in trained)}
    groups = [name for name in COLORS if any((agent, name) in shown for agent in agents)]
    step = 0.66 / len(groups)
    for number, group in enumerate(groups):
        own = [(place, shown[agent, group]) for place, agent in enumerate(agents) if (agent, group) in shown]
        middle = np.array([100 * rate.rate for _, rate in own])
        ends = [(100 * (rate.rate - rate.low), 100 * (rate.high - rate.rate)) for _, rate in own]
        y = [place + (number - (len(groups) - 1) / 2) * step for place, _ in own]
        axes.errorbar(
            middle,
            y,
            xerr=np.abs(np.array(ends)).T,
            fmt="o",
            ms=3.2,
            lw=1.3,
            color=COLORS[group],
            label="all boards" if group == "all" else f"{group} bricks",
        )
    axes.set(ylim=(len(agents) - 0.5, -0.5), xlim=(-1, None))
    axes.set_yticks(range(len(agents)), map(_short, agents), fontsize=7.5)
    axes.set_xlabel("error rate, %, with 95% intervals", fontsize=8)
    style_axes(axes, "x")
    axes.legend(
        fontsize=7.5, frameon=False, ncols=len(groups), loc="lower left", bbox_to_anchor=(0, 1), borderpad=0
    )


def _short(agent: str) -> str:
    return agent if len(agent) <= MOST_LETTERS else f"{agent[: MOST_LETTERS - 1]}\u2026"
