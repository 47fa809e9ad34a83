"""The candidate cells, and the cells held out for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np

from bttt import Board, boards_of_size, canonical_board, split

SIZE = "7x7x4"
LEAST_CANDIDATES = 2


@dataclass(frozen=True)
class Choice:
    """A choice between candidate cells, and the held-out cells to evaluate it on.

    Attributes:
        name: A name for files: the number of the split, and a or b for the half.
        number: Its index among the choices of its seed.
        candidates: Boards, one of which will be added to training.
        held: Held-out boards: no symmetry maps them to a training cell or a candidate.
    """

    name: str
    number: int
    candidates: tuple[Board, ...]
    held: tuple[Board, ...]


def cells() -> tuple[Board, ...]:
    """Returns the boards with one brick, by cell."""
    return boards_of_size(SIZE, ("all",))


def candidate_boards(texts: Sequence[str], base: Sequence[Board]) -> tuple[Board, ...]:
    """Returns the candidates in some brick sets; by default one cell of each orbit without a training cell.

    Args:
        texts: Brick sets.
        base: The training boards.

    Raises:
        ValueError: A board is not 7x7 with one brick, a candidate is a mirror image of a training board, or
            there are fewer than two candidates.
    """
    known = set(cells())
    for board in base:
        if board not in known:
            raise ValueError(f"the network must be trained on boards {SIZE} with one brick, got {board}")
    novel = split(base, cells()).novel
    if not texts:
        first = {canonical_board(board): board for board in reversed(novel)}
        found = tuple(sorted(first.values(), key=lambda board: board.bricks))
    else:
        found = boards_of_size(SIZE, texts)
    for board in found:
        if board not in known:
            raise ValueError(f"a candidate must have one brick, got {board.brick_names or 'none'}")
        if board not in novel:
            raise ValueError(f"candidate {board.brick_names} is a training cell, or a mirror image of one")
    if len(found) < LEAST_CANDIDATES:
        raise ValueError(f"at least {LEAST_CANDIDATES} candidates are needed, got {len(found)}")
    return found


def choices(candidates: Sequence[Board], base: Sequence[Board], splits: int, seed: int) -> tuple[Choice, ...]:
    """Returns the choices of a seed: both halves of each split; without splits, one choice of all candidates.

    Complete orbits are drawn, so mirror images among the candidates stay in the same half.

    Raises:
        ValueError: There are too few splits, a half has one candidate, or no cell can be held out.
    """
    if not splits:
        return (_choice("together", 0, candidates, base),)
    orbits = list(dict.fromkeys(map(canonical_board, candidates)))
    half = len(orbits) // 2
    possible = comb(len(orbits), half) // (1 if len(orbits) % 2 else 2)
    if half < 1 or splits > possible:
        raise ValueError(
            f"splits must be at most {possible if half else 0} with candidates of {len(orbits)} orbits, "
            f"got {splits}; use 0 to weight all candidates together"
        )
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    drawn: dict[frozenset[frozenset[int]], None] = {}
    while len(drawn) < splits:
        order = rng.permutation(len(orbits)).tolist()
        drawn[frozenset({frozenset(order[:half]), frozenset(order[half:])})] = None
    found = []
    for number, halves in enumerate(drawn):
        for side, members in enumerate(sorted(halves, key=sorted)):
            chosen = {orbits[member] for member in members}
            own = [board for board in candidates if canonical_board(board) in chosen]
            found.append(_choice(f"split-{number}{'ab'[side]}", 2 * number + side, own, base))
    return tuple(found)


def _choice(name: str, number: int, candidates: Sequence[Board], base: Sequence[Board]) -> Choice:
    names = " ".join(board.brick_names for board in candidates)
    if len(candidates) < LEAST_CANDIDATES:
        raise ValueError(
            f"a choice needs at least {LEAST_CANDIDATES} candidates, but one half of a split is only "
            f"{names}; "
            "give candidates of more orbits, or splits=0"
        )
    held = split([*base, *candidates], cells()).novel
    if not held:
        raise ValueError(
            f"no cell is left to hold out besides {names} and their mirror images: use fewer candidates, or "
            "splits above 0"
        )
    return Choice(name, number, tuple(candidates), held)
