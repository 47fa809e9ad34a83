"""Which cells are candidates, and which are held out for them."""

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
    """A choice between candidate cells, and the cells that tell whether it was a good one.

    Attributes:
        name: A name for files: the number of the split, and a or b for the half.
        number: Tells it from the other choices of its seed.
        candidates: Boards of which one is to be added.
        held: Boards that no symmetry takes to a training cell or to a candidate.
    """

    name: str
    number: int
    candidates: tuple[Board, ...]
    held: tuple[Board, ...]


def cells() -> tuple[Board, ...]:
    """Returns the boards with one brick, by cell."""
    return boards_of_size(SIZE, ("all",))


def candidate_boards(texts: Sequence[str], base: Sequence[Board]) -> tuple[Board, ...]:
    """Returns the candidates of some brick sets, by default one cell of each orbit without training cell.

    Args:
        texts: Brick sets.
        base: The training boards.

    Raises:
        ValueError: The training boards or a candidate are not 7x7 with one brick, or a candidate is a mirror
            image of a training board; fewer than two candidates.
    """
    known = set(cells())
    for board in base:
        if board not in known:
            raise ValueError(f"the network must be trained on boards {SIZE} with one brick, not on {board}")
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
        raise ValueError(f"candidates must be at least {LEAST_CANDIDATES} cells, got {len(found)}")
    return found


def choices(candidates: Sequence[Board], base: Sequence[Board], splits: int, seed: int) -> tuple[Choice, ...]:
    """Returns the choices of a seed: both halves of each split, or with no splits one with all candidates.

    Whole orbits are drawn, so that candidates that are mirror images stay in one half.

    Raises:
        ValueError: More splits than there are; a half with one candidate; no cell to hold out.
    """
    if not splits:
        return (_choice("together", 0, candidates, base),)
    orbits = list(dict.fromkeys(map(canonical_board, candidates)))
    half = len(orbits) // 2
    possible = comb(len(orbits), half) // (1 if len(orbits) % 2 else 2)
    if half < 1 or splits > possible:
        raise ValueError(
            f"splits must be at most {possible if half else 0} with candidates of {len(orbits)} orbits, "
            f"got {splits}; 0 weighs all candidates together"
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
            f"a choice needs at least {LEAST_CANDIDATES} candidates, one half of a split is {names} alone; "
            "give candidates of more orbits, or splits=0"
        )
    held = split([*base, *candidates], cells()).novel
    if not held:
        raise ValueError(
            f"no cell is left to hold out beside {names} and their mirror images: take fewer candidates, or "
            "splits above 0"
        )
    return Choice(name, number, tuple(candidates), held)
