"""Value-losing moves per decision: the rates of an agent on a suite, in all and by group, with intervals.

A decision loses value where the cell played leads to less than the position was worth: a win becomes a draw
or a loss, or a draw a loss. The rate of a group is the share of its decisions that lose value.

Intervals hold with 95% and take boards for the unit, since positions of one board resemble each other: the
spread of a ratio over boards, with Student's t. Where that says nothing, for one board alone or if all boards
have the same rate, it is Wilson's interval over positions.

Shapes: N positions, R repeats (decisions of one agent in the same position), M positions of a group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.special import stdtrit

from bttt import Board, Suite, canonical_board, split
from bttt.runs import wilson

THROWN = {"win to draw": (1, 0), "win to loss": (1, -1), "draw to loss": (0, -1)}
"""What is thrown away: the value before and after a move. Their rates add up to that of all decisions."""
NOVELTIES = ("seen", "mirror", "novel")
TASKS = ("win", "block", "quiet")


@dataclass(frozen=True, slots=True)
class LossRate:
    """The value-losing moves of an agent in one group of decisions.

    Attributes:
        agent: Name (spec) of the agent.
        kind: What its groups differ in: all, novelty, board, orbit, ply, side, value, task, thrown.
        group: The group, as "novel" or "D4".
        positions: Different positions.
        decisions: Decisions, repeats included.
        losing: How many of them lose value; in a group of the kind "thrown" in that way.
        rate: Their share.
        low: Lower end of the 95% interval of the rate.
        high: Upper end.
    """

    agent: str
    kind: str
    group: str
    positions: int
    decisions: int
    losing: int
    rate: float
    low: float
    high: float


def novelties(train: Sequence[Board], boards: Sequence[Board]) -> dict[Board, str]:
    """Returns which boards are seen, mirror or novel, given those trained on; see `bttt.bricks.split`."""
    found = split(train, boards)
    return {board: name for name in NOVELTIES for board in getattr(found, name)}


def loss_rates(agent: str, suite: Suite, cells: np.ndarray, train: Sequence[Board] = ()) -> list[LossRate]:
    """Returns the rates of all groups.

    Args:
        agent: Name of the agent.
        suite: The positions.
        cells: The cells played, `[R, N] int64`.
        train: Boards that the agent was trained on; without any there are no groups of the kind "novelty".
    """
    after = suite.values_after(cells)
    losing = after < suite.values
    boards = suite.board_numbers
    rates = [_rate(agent, "all", "all", losing, boards)]
    for kind, (names, members) in groups(suite, train).items():
        for number, name in enumerate(names):
            chosen = members == number
            if chosen.any():
                rates.append(_rate(agent, kind, name, losing[:, chosen], boards[chosen]))
    for name, (before, then) in THROWN.items():
        rates.append(_rate(agent, "thrown", name, (suite.values == before) & (after == then), boards))
    return rates


def groups(suite: Suite, train: Sequence[Board] = ()) -> dict[str, tuple[list[str], np.ndarray]]:
    """Returns, for each kind, its groups and each position's group `[N] int64`, an index into them.

    The kind "orbit" names boards that are mirror images by the one with the smallest bricks; "task" tells
    whether the player to move can win at once, must block the other side's win, or neither ("quiet").
    """
    boards, plies = suite.boards, suite.plies
    by_board = {
        "board": [board.brick_names or "none" for board in boards],
        "orbit": [canonical_board(board).brick_names or "none" for board in boards],
    }
    if train:
        known = novelties(train, boards)
        by_board["novelty"] = [known[board] for board in boards]
    found = {}
    for kind, labels in by_board.items():
        names = list(NOVELTIES) if kind == "novelty" else list(dict.fromkeys(labels))
        found[kind] = names, np.array([names.index(label) for label in labels])[suite.board_numbers]
    found["ply"] = [str(ply) for ply in range(plies.max() + 1)], plies
    found["side"] = ["first", "second"], plies % 2
    found["value"] = ["drawn", "won"], suite.values
    found["task"] = list(TASKS), _tasks(suite)
    return found


def _tasks(suite: Suite) -> np.ndarray:
    """Returns each position's task, `[N] int64`, as an index into `TASKS`."""
    records = suite.records
    second_moves = suite.plies % 2 == 1
    mine, theirs = (
        np.where(second_moves, records[one], records[other])[:, None]
        for one, other in (("second", "first"), ("first", "second"))
    )
    windows = np.array(suite.size.windows, np.uint64)
    almost = suite.size.win_length - 1
    open_to = {}
    for name, stones, others in (("win", mine, theirs), ("block", theirs, mine)):
        free = windows & (others | records["bricks"][:, None]) == 0
        open_to[name] = (free & (np.bitwise_count(windows & stones) == almost)).any(axis=1)
    return np.select([open_to["win"], open_to["block"]], [0, 1], 2)


def _rate(agent: str, kind: str, group: str, losing: np.ndarray, boards: np.ndarray) -> LossRate:
    """Returns the rate of decisions `losing` `[R, M] bool` on the boards numbered `[M]`."""
    repeats, positions = losing.shape
    _, members = np.unique(boards, return_inverse=True)
    lost = np.bincount(members, losing.sum(axis=0))
    decisions = np.bincount(members) * repeats
    rate = float(lost.sum() / decisions.sum())
    low, high = ratio_interval(lost, decisions, positions)
    return LossRate(agent, kind, group, positions, int(decisions.sum()), int(lost.sum()), rate, low, high)


def ratio_interval(parts: np.ndarray, totals: np.ndarray, trials: int) -> tuple[float, float]:
    """Returns the 95% interval of the share `parts.sum() / totals.sum()`, in [0, 1].

    Args:
        parts: Numerators by board, `[boards]`.
        totals: Denominators by board, `[boards]`.
        trials: Independent trials, for Wilson's interval where the spread over boards says nothing.
    """
    rate = parts.sum() / totals.sum()
    residuals = parts - rate * totals
    if len(parts) == 1 or np.allclose(residuals, 0):
        return wilson(rate, trials)
    half = spread_half_width(residuals) / totals.sum()
    return float(max(0.0, rate - half)), float(min(1.0, rate + half))


def spread_half_width(residuals: np.ndarray) -> float:
    """Returns half the width of a sum's 95% interval, from its two or more units' residuals `[units]`."""
    units = len(residuals)
    return stdtrit(units - 1, 0.975) * sqrt(units / (units - 1) * (residuals**2).sum())
