"""Networks cut to a fifth of their parameters: how much faster they are, by what widths are rounded to.

`python -m benchmarks.pruned_networks --json FILE` measures all, and stores where the time goes; the rows of
`python -m benchmarks` are those with a target. One thread, CPU seconds, weights as drawn: what they are takes
no time.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path

import torch
import tyro

from agents.alphazero.network import (
    PRESETS,
    PolicyValueNet,
    bfloat16_is_fast,
    make_evaluator,
    parameters,
    time_splits,
    untrained,
)
from benchmarks.benchmark import Benchmark, rate
from benchmarks.machine import machine
from pruning.channels import find_groups
from pruning.masks import Masks, drop_lowest
from pruning.measures import macs
from pruning.studies.alphazero import shrunk_config

SHARE = 0.2
"""Of the parameters, kept at most."""
DENSE = (0, 1.0)
"""Multiples and fraction of the dense network."""
LEAST = 40
"""Hundredths of the channels that are tried first; so few keep more than any share here."""
ROUNDED = (1, 8, 16, 32)
SMALLER = ((16, 0.13),)
"""Multiples and fractions of the parameters that are measured besides."""
PRECISIONS = ("bfloat16", "float32")
"""The first only where it is fast."""
BATCH = 64
TARGET = 4


@cache
def dense(preset: str) -> PolicyValueNet:
    """Returns a network as it is drawn."""
    return untrained(PRESETS[preset], 0).eval()


@cache
def pruned(preset: str, round_to: int, share: float = SHARE) -> PolicyValueNet:
    """Returns a network with at most a share of the parameters, or with one multiple a layer if that is more.

    Each layer keeps the same fraction of its channels, as near as multiples of `round_to` allow: what
    `bttt prune --scope layer --cycles 1 --round-to N` keeps, at the smallest `--fraction` in hundredths.
    """
    network = dense(preset)
    groups = [group for group in find_groups(network, torch.zeros(1, 3, 7, 7)) if not group.fixed]
    whole = Masks.ones({group.name: (group.size,) for group in groups})
    scores = {name: torch.zeros(mask.shape) for name, mask in whole.items()}
    for hundredths in range(LEAST, 100):
        chosen = drop_lowest(
            *(scores, whole), fraction=hundredths / 100, scope="layer", floor=1, round_to=round_to
        )
        with torch.device("meta"):  # widths alone
            small = PolicyValueNet(shrunk_config(network.config, chosen.masks))
        if parameters(small) <= share * parameters(network):
            break
    return untrained(small.config, 0).eval()


def evaluate(find: Callable[[], PolicyValueNet], evaluator: str) -> float:
    """Returns positions evaluated a CPU-second in batches of `BATCH`."""
    judge = make_evaluator(find(), evaluator)
    planes = torch.randint(0, 2, (BATCH, 3, 7, 7), generator=torch.Generator().manual_seed(0)).float().numpy()

    def work() -> int:
        judge(planes)
        return BATCH

    return rate(work)


BENCHMARKS: list[Benchmark] = [
    Benchmark(
        name=f"{preset} network, a fifth of the parameters in multiples of 16 channels, batch {BATCH}{text}",
        unit="evaluations/CPU-s",
        ours=partial(evaluate, partial(pruned, preset, 16), evaluator),
        peer_name="the dense network",
        peer=partial(evaluate, partial(dense, preset), evaluator),
        target=TARGET,
    )
    for preset in ("base", "paper")
    for evaluator, text in (("auto", ""), ("openvino-float32", ", float32"))
]


@dataclass(frozen=True)
class PrunedNetworksConfig:
    """Measures dense and pruned networks of all sizes, and stores where the time of an evaluation goes."""

    json: Path
    """File to store the results in."""
    batches: tuple[int, ...] = (1, BATCH, 256)
    """Batch sizes."""


def rows(preset: str, precision: str, batch: int) -> list[dict[str, object]]:
    """Returns the times of a dense network and of its pruned ones that differ, all measured in turn."""
    kept = [*((round_to, SHARE) for round_to in ROUNDED), *SMALLER]
    found = {DENSE: dense(preset)}
    for each in kept:
        network = pruned(preset, *each)
        if all(network.config != other.config for other in found.values()):
            found[each] = network
    splits = time_splits(found, batch, precision=precision)
    made = []
    for (round_to, wanted), split in splits.items():
        network = found[round_to, wanted]
        config, products = network.config, macs(network, torch.zeros(1, 3, 7, 7))
        made.append(
            {
                "network": preset,
                "precision": precision,
                "batch": batch,
                "round_to": round_to or None,
                "wanted": wanted,
                "stream": config.stream,
                "blocks": list(config.blocks),
                "heads": [config.policy, config.value, config.hidden],
                "parameters": parameters(network),
                "share": parameters(network) / parameters(found[DENSE]),
                "macs": products,
                "evaluations": split.evaluations,
                "ratio": splits[DENSE].total / split.total,
                "us": split.total,
                "arithmetic": split.arithmetic(products),
                "rest of products": split.products - split.arithmetic(products),
                "other layers": split.others,
                "calls": split.calls,
            }
        )
    return made


def main() -> int:
    """Measures and writes the file."""
    config = tyro.cli(PrunedNetworksConfig, prog="python -m benchmarks.pruned_networks")
    config.json.parent.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    measured = []
    for preset in PRESETS:
        for precision in PRECISIONS if bfloat16_is_fast() else PRECISIONS[-1:]:
            for batch in config.batches:
                measured += (found := rows(preset, precision, batch))
                for row in found:
                    print(*(f"{each:.4g}" if isinstance(each, float) else each for each in row.values()))
    record = {
        "command": ["python", "-m", "benchmarks.pruned_networks", *sys.argv[1:]],
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": 0,
        "machine": machine(),
        "results": measured,
    }
    config.json.write_text(json.dumps(record, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
