"""Benchmark: what is measured, against what, and how much is wanted; and how it is measured."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from bttt.runs import require_at_least

MEASURED_SECONDS = 1.0


@dataclass(frozen=True)
class Benchmark:
    """A figure of ours, with a peer's or with a limit.

    Attributes:
        name: What is measured.
        unit: Its unit, as "games/CPU-s".
        ours: Sets up, warms up, measures for about a second of CPU time, and returns the figure.
        peer_name: What it is compared with, as "OpenSpiel C++ MCTSBot, gomoku(7,4)".
        peer: The same for the peer; raises ImportError where it is not installed.
        target: The ratio ours / peer that is required; None for the record only.
        limit: The most that ours may be; None for no limit.
    """

    name: str
    unit: str
    ours: Callable[[], float]
    peer_name: str = ""
    peer: Callable[[], float] | None = None
    target: float | None = None
    limit: float | None = None


@dataclass(frozen=True)
class Measurement:
    """The medians of a benchmark's repeats.

    Attributes:
        benchmark: What was measured.
        ours: Our figure.
        peer: The peer's; None without a peer, or where it is not installed.
        ratio: ours / peer, the median of the ratios of the pairs; None without a peer's figure.
    """

    benchmark: Benchmark
    ours: float
    peer: float | None
    ratio: float | None

    @property
    def met(self) -> bool | None:
        """Whether the target and the limit are met; None where there is none to judge by."""
        benchmark = self.benchmark
        if benchmark.target is not None:
            return None if self.ratio is None else self.ratio >= benchmark.target
        return None if benchmark.limit is None else self.ours <= benchmark.limit


def measure(benchmark: Benchmark, *, repeats: int = 3) -> Measurement:
    """Returns the medians of `repeats` pairs, ours and the peer's in turn: what else runs hits both."""
    require_at_least(1, repeats=repeats)
    ours: list[float] = []
    peer: list[float] = []
    run_peer = benchmark.peer
    for _ in range(repeats):
        ours.append(float(benchmark.ours()))
        if run_peer is not None:
            try:
                peer.append(float(run_peer()))
            except ImportError:
                run_peer = None
    if not peer:
        return Measurement(benchmark, statistics.median(ours), None, None)
    ratio = statistics.median(mine / other for mine, other in zip(ours, peer, strict=True))
    return Measurement(benchmark, statistics.median(ours), statistics.median(peer), ratio)


def rate(work: Callable[[], int], *, seconds: float | None = None) -> float:
    """Returns units a CPU-second: calls `work`, which returns how many units it did, for that long.

    One call before the clock starts compiles and warms up. The default is `MEASURED_SECONDS`.
    """
    work()
    seconds = MEASURED_SECONDS if seconds is None else seconds
    done = 0
    started = time.process_time()
    while (used := time.process_time() - started) < seconds:
        done += work()
    return done / used
