"""Processes: work spread over several, a child that answers requests, signals, and what user code may change.

>>> from bttt.processes import spread
>>> list(spread(pow, [(2, 3), (2, 4)], workers=1, ordered=True))
[8, 16]

Modules: `spreading` calls a function in several processes, `peers` are processes that work in step with this
one, `child` is one that answers requests and may fail, `signals` says what ends a command, `surroundings`
restores what user code changed.
"""

import bttt.processes.starting  # noqa: F401  # first, for Ctrl-C during the other imports

# isort: split
from bttt.processes.child import Child, ChildEndedError, ChildLateError, serve
from bttt.processes.peers import Peer
from bttt.processes.signals import (
    came,
    end_at_once,
    end_despite_threads,
    exit_code,
    interrupt,
    is_interrupt,
    leave_to_parent,
    raise_interrupt,
)
from bttt.processes.spreading import is_worker, quietly, side_by_side, spread, work_through, worker_count
from bttt.processes.surroundings import unharmed

__all__ = [
    "Child",
    "ChildEndedError",
    "ChildLateError",
    "Peer",
    "came",
    "end_at_once",
    "end_despite_threads",
    "exit_code",
    "interrupt",
    "is_interrupt",
    "is_worker",
    "leave_to_parent",
    "quietly",
    "raise_interrupt",
    "serve",
    "side_by_side",
    "spread",
    "unharmed",
    "work_through",
    "worker_count",
]
