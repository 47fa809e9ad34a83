"""The transposition tables of both searches: positions up to symmetry, in buckets of two entries.

An entry stores both words of stones, so positions are never confused. Entries are valid only with the stamp
of the current call of the solver, so tables are never cleared between calls.
"""

from __future__ import annotations

import numpy as np

from bttt.kernels import hash_words, kernel

ATTACKER_MOVES = np.uint64(1 << 63)
"""Bit, unused by any board, that marks a word of stones when it is the attacker's turn."""
WAYS = 2
"""Entries per bucket: one for the position that took the most work, one for the latest."""
ENTRY_HEAD = (("key", np.uint64), ("other", np.uint64), ("stamp", np.uint32))
"""The first fields of an entry. It also has a field `work` and fields of its search."""
_ZERO = np.uint64(0)


@kernel
def _image(word, image):
    moved = _ZERO
    for i in range(8):
        moved |= image[i, (word >> np.uint64(8 * i)) & np.uint64(255)]
    return moved


@kernel
def canonical(attacker, defender, images):
    """Returns the words of the position's smallest image, which represents all its mirror images."""
    least, least_other = attacker, defender
    for number in range(1, len(images)):
        moved = _image(attacker, images[number])
        if moved <= least:
            other = _image(defender, images[number])
            if moved < least or other < least_other:
                least, least_other = moved, other
    return least, least_other


@kernel
def _bucket(key, other, table):
    """Returns the first index of the position's bucket."""
    return np.int64(hash_words(key, other) & np.uint64(len(table) - WAYS))


@kernel
def find(key, other, stamp, table):
    """Returns the index of the position, or -1 if it is not stored."""
    start = _bucket(key, other, table)
    for place in range(start, start + WAYS):
        entry = table[place]
        if entry.key == key and entry.other == other and entry.stamp == stamp:
            return place
    return -1


@kernel
def _make_room(key, other, work, stamp, table):
    """Returns the index for a new entry.

    The first entry of a bucket is the one with the most work. If the new entry has at least as much work, the
    first entry moves to the second place and makes room. Otherwise the new entry replaces the second.
    """
    start = _bucket(key, other, table)
    if table[start].stamp != stamp:
        return start
    if table[start].work > work:
        return start + 1
    table[start + 1] = table[start]
    return start


@kernel
def place_for(key, other, work, stamp, table):
    """Returns the index of the position, with a new entry if needed, and whether the entry is new.

    A new entry has no work yet; the caller fills the fields of its search.
    """
    place = find(key, other, stamp, table)
    if place >= 0:
        return place, False
    place = _make_room(key, other, work, stamp, table)
    entry = table[place]
    entry.key, entry.other, entry.stamp, entry.work = key, other, stamp, 0
    return place, True
