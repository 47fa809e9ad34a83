"""Hand-made measurements of the study `bttt compression`, on boards named by their brick."""

from collections.abc import Mapping, Sequence

from bttt.board import Board
from pruning.studies.compression.arms import ArmRun
from pruning.studies.compression.config import MeasuredPruning
from tournaments.generalisation.evaluation import Counts, Part
from tournaments.generalisation.networks import StudyNetwork

TRIALS = 100


def part(measure="losing", simulations=0):
    return Part(measure, "single", simulations, None, (), 0)


def counts(hits: Mapping[str, int]) -> list[Counts]:
    """The counts by brick: of 100 trials each, all different."""
    return [Counts(Board(bricks=cell), TRIALS, number, TRIALS) for cell, number in hits.items()]


def result(cycle: int, parameters: int = 1000, *, density: float = 1.0, **more) -> dict:
    """The result of a level, as far as the study looks at it."""
    cost = {"parameters": parameters, "macs": 10 * parameters, "bytes": 4 * parameters + 200}
    times = {"ms, 1": 0.5, "ms, 64": 3.0, "ms, 64, selfplay": 2.0}
    kept = round(64 * density)
    return {"cycle": cycle, "density": density, "kept": kept, "cost": cost, "times": times, **more}


def pruning(
    *levels: Mapping[Part, Mapping[str, int]],
    arm="dropnet-layer",
    brick_set="D4",
    seed=0,
    parameters: Sequence[int] = (1000, 500, 250, 125),
    results: Sequence[dict] | None = None,
) -> MeasuredPruning:
    """A pruning with the hits of each level, which halves the network unless told otherwise."""
    if results is None:
        results = [
            result(i, n, density=0.8**i) for i, (n, _) in enumerate(zip(parameters, levels, strict=False))
        ]
    network = StudyNetwork("base", brick_set, seed, (brick_set,))
    return MeasuredPruning(
        ArmRun(arm, network), list(results), [{p: counts(hits) for p, hits in own.items()} for own in levels]
    )


def losing(*levels: Mapping[str, int], simulations=0, **options) -> MeasuredPruning:
    """A pruning of which only the decisions that lose value are counted."""
    return pruning(*({part(simulations=simulations): hits} for hits in levels), **options)
