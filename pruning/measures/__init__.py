"""pruning/measures."""

from pruning.measures.costs import cost, latencies_ms, macs
from pruning.measures.intervals import Interval, normal, paired, student
from pruning.measures.spreads import spread
from pruning.measures.tickets import Bounds, TicketVerdict, verdict

__all__ = [
    "Bounds",
    "Interval",
    "TicketVerdict",
    "cost",
    "latencies_ms",
    "macs",
    "normal",
    "paired",
    "spread",
    "student",
    "verdict",
]
