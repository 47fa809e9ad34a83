"""Measures of a network and of an experiment: cost, intervals over seeds, and lottery tickets.

>>> from pruning.measures import paired, student
>>> interval = student([0.90, 0.92, 0.94])
>>> round(interval.mean, 2), round(interval.low, 2), round(interval.high, 2)
(0.92, 0.87, 0.97)
>>> round(paired([0.90, 0.92, 0.94], [0.88, 0.91, 0.92]).difference.mean, 3)
0.017

Modules: `costs` has density, parameters, multiply-adds and latency, `intervals` Student's and normal
intervals, `spreads` the spread of gradients and activations, and `tickets` the outcome of a lottery-ticket
test.
"""

from pruning.measures.costs import cost, latencies_ms, macs, run_unfused
from pruning.measures.intervals import Interval, Values, normal, paired, student
from pruning.measures.spreads import measure_spread
from pruning.measures.tickets import Bounds, TicketVerdict, verdict

__all__ = [
    "Bounds",
    "Interval",
    "TicketVerdict",
    "Values",
    "cost",
    "latencies_ms",
    "macs",
    "measure_spread",
    "normal",
    "paired",
    "run_unfused",
    "student",
    "verdict",
]
