"""Hand-made measurements of the study `bttt compression`, on boards named by their brick."""

from collections.abc import Mapping, Sequence

from bttt.board import Board
from pruning.loop.results import GridSearch, Result
from pruning.studies.alphazero.measures import LevelTimes, MeasuredLevel
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


def level(cycle: int, parameters: int = 1000, *, density: float = 1.0, grid: GridSearch | None = None):
    """A level of 64 channels with made-up costs and times."""
    cost = {"parameters": parameters, "macs": 10 * parameters, "bytes": 4 * parameters + 200}
    kept = round(64 * density)
    result = Result(
        cycle=cycle,
        density=density,
        kept=kept,
        prunable=64,
        asked=0,
        got=0,
        layers={"stem": (kept, 64)},
        masks="",
        grid=grid,
        asks_next=0,
        dropped_next=0,
        groups={"cost": cost},
    )
    return MeasuredLevel(result, LevelTimes(one=0.5, batch=3.0, selfplay=2.0))


def pruning(
    *hits: Mapping[Part, Mapping[str, int]],
    arm="dropnet-layer",
    brick_set="D4",
    seed=0,
    parameters: Sequence[int] = (1000, 500, 250, 125),
    levels: Sequence[MeasuredLevel] | None = None,
) -> MeasuredPruning:
    """A pruning with the hits of each level, which halves the network unless told otherwise."""
    if levels is None:
        levels = [level(i, n, density=0.8**i) for i, (n, _) in enumerate(zip(parameters, hits, strict=False))]
    network = StudyNetwork("base", brick_set, seed, (brick_set,))
    return MeasuredPruning(
        ArmRun(arm, network), list(levels), [{p: counts(each) for p, each in own.items()} for own in hits]
    )


def losing(*hits: Mapping[str, int], simulations=0, **options) -> MeasuredPruning:
    """A pruning of which only the decisions that lose value are counted."""
    return pruning(*({part(simulations=simulations): each} for each in hits), **options)
