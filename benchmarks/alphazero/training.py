"""Training: gradient steps against plain torch, and whole runs with one and with two processes.

    python -m benchmarks.alphazero.training --json training.json

runs `bttt train` with its default settings, with one and two processes in turn, and prints where time goes.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from torch.nn import functional

from agents.alphazero import LearnerConfig
from agents.alphazero.learning import Learner, images, make_batch, sample_type
from agents.alphazero.network import PRESETS, untrained
from agents.alphazero.training import METRICS_NAME
from benchmarks.benchmark import Benchmark, rate
from benchmarks.machine import machine
from bttt import Board

BATCH = 512
SAMPLES = 5_000
BEFORE = 10
"""Iterations before the first that counts: the replay buffer is empty at first."""


@dataclass(frozen=True)
class RunsConfig:
    """Measures `bttt train` with one and with two processes."""

    iterations: int = 20
    """Iterations that are measured, in each run."""
    repeats: int = 3
    """Runs with one and with two processes, in turn; medians are shown."""
    json: Path | None = None
    """File to store the results in."""


def random_samples() -> np.ndarray:
    """Returns samples with random stones and policies; what a step costs does not depend on them."""
    rng, size = np.random.default_rng(0), Board()
    samples = np.zeros(SAMPLES, sample_type(size.cells))
    samples["playable"] = size.playable
    words = rng.integers(2**62, size=(2, SAMPLES), dtype=np.uint64)
    samples["mine"], samples["theirs"] = words[0] & size.playable, words[1] & ~words[0] & size.playable
    samples["policy"] = rng.dirichlet(np.full(size.cells, 0.3), size=SAMPLES)
    samples["value"] = rng.uniform(-1, 1, SAMPLES)
    return samples


def learn(preset: str) -> float:
    """Returns samples learned a CPU-second by the learner."""
    torch.set_num_threads(1)
    learner = Learner(untrained(PRESETS[preset], 0), LearnerConfig(batch=BATCH), Board())
    samples, rng = random_samples(), np.random.default_rng(1)
    return rate(lambda: BATCH * learner.learn_at(samples, 1, 1e-3, rng).steps)


def learn_plainly(preset: str, bfloat16: bool) -> float:
    """Returns samples learned a CPU-second by a plain loop of torch, with autograd.

    Args:
        preset: The network.
        bfloat16: Whether its products are in bfloat16 (autocast).
    """
    torch.set_num_threads(1)
    network = untrained(PRESETS[preset], 0).to(memory_format=torch.channels_last).train()
    average = torch.optim.swa_utils.AveragedModel(
        network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.99), use_buffers=True
    )
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-2, fused=True)
    size, samples, rng = Board(), random_samples(), np.random.default_rng(1)
    symmetries = images(size, "all")

    def work() -> int:
        chosen = samples[rng.integers(len(samples), size=BATCH)]
        turns = symmetries[rng.integers(len(symmetries), size=BATCH)]
        planes, policies, values = map(torch.from_numpy, make_batch(chosen, size, turns, False))
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            logits, expected = network(planes.contiguous(memory_format=torch.channels_last))
        policy_loss = -(policies * functional.log_softmax(logits.float(), 1)).sum(1).mean()
        loss = policy_loss + functional.mse_loss(expected.float(), values)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        average.update_parameters(network)
        return BATCH

    return rate(work)


BENCHMARKS: list[Benchmark] = [
    Benchmark(
        name=f"alphazero learner, batches of {BATCH}, {preset}",
        unit="samples/CPU-s",
        ours=partial(learn, preset),
        peer_name=f"plain torch loop, {'bfloat16 (autocast)' if bfloat16 else 'float32'}",
        peer=partial(learn_plainly, preset, bfloat16),
    )
    for preset in ("small", "base")
    for bfloat16 in (False, True)
]


def run_of(workers: int, iterations: int) -> dict[str, float]:
    """Returns seconds of an iteration of `bttt train`, what they are spent on, and what comes of them."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["train", "--iterations", str(BEFORE + iterations), "--evaluate-every", "1000"]
        words += ["--workers", str(workers), "--out", folder]
        subprocess.run([sys.executable, "-m", "bttt", *words], check=True, capture_output=True)
        lines = Path(folder, METRICS_NAME).read_text().splitlines()
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines[BEFORE - 1 : -1]]  # the last evaluates
    first, *rows = rows
    seconds, games = (rows[-1][name] - first[name] for name in ("seconds", "games"))

    def mean(name: str) -> float:
        return statistics.mean(row[name] for row in rows)

    return {
        "iteration, s": seconds / len(rows),
        "playing, s": mean("seconds_playing"),
        "learning, s": mean("seconds_learning"),
        "games/s": games / seconds,
        "simulations/s": mean("simulations/s"),
        "samples learned/s": sum(row["steps"] for row in rows) * LearnerConfig().batch / seconds,
        "memory, MB": rows[-1]["peak_memory_mb"],
    }


def table(runs: dict[int, list[dict[str, float]]], form: Callable[[float], str] = "{:,.4g}".format) -> str:
    """Returns the medians as a Markdown table, with the ratio of games a second of paired runs."""
    names = list(runs[1][0])
    lines = [
        f"| processes | {' | '.join(names)} | times one process |",
        "| --- |" + " ---: |" * (len(names) + 1),
    ]
    for workers, found in runs.items():
        cells = [form(statistics.median(row[name] for row in found)) for name in names]
        ratios = [row["games/s"] / one["games/s"] for row, one in zip(found, runs[1], strict=True)]
        lines.append(f"| {workers} | {' | '.join(cells)} | {statistics.median(ratios):.2f} |")
    return "\n".join(lines)


def main() -> int:
    """Measures and prints the table."""
    config = tyro.cli(RunsConfig)
    runs: dict[int, list[dict[str, float]]] = {1: [], 2: []}
    for _ in range(config.repeats):
        for workers, found in runs.items():
            found.append(run_of(workers, config.iterations))
    print(table(runs))
    if config.json is not None:
        config.json.parent.mkdir(parents=True, exist_ok=True)
        content = {"machine": machine(), "results": {str(number): found for number, found in runs.items()}}
        config.json.write_text(json.dumps(content, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
