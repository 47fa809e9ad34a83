"""Error rates of an agent on a suite: the fraction of value-losing moves, overall and by group.

A move loses value if it turns a win into a draw or a loss, or a draw into a loss.

The 95% intervals take boards as the sampling unit, since positions of one board resemble each other. An
interval is the spread of a ratio over boards, with Student's t. If all boards have the same rate, there is no
spread, and Wilson's interval over positions is used; also with a single board, where the interval is about
other positions of this board. Two boards give no interval: their spread is not known well enough.

Shapes: N positions, R repeats (decisions of one agent in the same position), M positions of a group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bttt import NOVELTIES, Board, Suite, canonical_board, split
from bttt.runs import ratio_interval

THROWN = {"win to draw": (1, 0), "win to loss": (1, -1), "draw to loss": (0, -1)}
"""Kinds of value loss: the values before and after a move. Their rates sum to the rate of all decisions."""
TASKS = ("win", "block", "quiet")


@dataclass(frozen=True, slots=True)
class LossRate:
    """The value-losing moves of an agent in one group of decisions.

    Attributes:
        agent: Name (spec) of the agent.
        kind: The criterion that defines groups: all, novelty, board, orbit, ply, side, value, task, thrown.
        group: The group, for example "novel" or "D4".
        positions: Number of different positions.
        decisions: Number of decisions, including repeats.
        losing: Number of value-losing decisions; for the kind "thrown", only those with the group's loss.
        rate: Fraction of the decisions, in [0, 1].
        low: Lower end of the rate's 95% interval; nan on two boards, which give no interval.
        high: Upper end of the rate's 95% interval; nan on two boards.
        boards: Number of boards; 0 if unknown, as in stored tables.
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
    boards: int = 0


def novelties(train: Sequence[Board], boards: Sequence[Board]) -> dict[Board, str]:
    """Returns the novelty of each board (seen, mirror or novel), given the training boards (`bttt.split`)."""
    found = split(train, boards)
    return {board: name for name in NOVELTIES for board in getattr(found, name)}


def loss_rates(agent: str, suite: Suite, cells: np.ndarray, train: Sequence[Board] = ()) -> list[LossRate]:
    """Returns the rates of all groups.

    Args:
        agent: Name of the agent.
        suite: The positions.
        cells: The cells played, `[R, N] int64`.
        train: Boards that the agent was trained on. If empty, there are no groups of the kind "novelty".
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
    """Returns, for each kind, its groups and each position's group, `[N] int64`, as an index into them.

    The kind "orbit" groups boards that are mirror images, under the name of the one with the smallest bricks.
    "task" is whether the player to move can win at once ("win"), must block a win ("block"), or neither
    ("quiet").
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
    """Returns the rate of the decisions `losing`, `[R, M] bool`, on the boards with numbers `[M]`."""
    repeats, positions = losing.shape
    _, members = np.unique(boards, return_inverse=True)
    lost = np.bincount(members, losing.sum(axis=0))
    decisions = np.bincount(members) * repeats
    rate = float(lost.sum() / decisions.sum())
    low, high = ratio_interval(lost, decisions, positions)
    counts = positions, int(decisions.sum()), int(lost.sum())
    return LossRate(agent, kind, group, *counts, rate, low, high, len(lost))
