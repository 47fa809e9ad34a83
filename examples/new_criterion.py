"""Your own pruning criterion, compared with two built-in criteria."""

import tempfile
from pathlib import Path

from digits import Digits

from pruning import CRITERIA, Criterion, Plan, run
from pruning.criteria import mean_of_maps


def peak(evidence):
    """Returns the mean over samples of each channel's highest activation on its map; the highest are kept."""
    return mean_of_maps(evidence, lambda maps: maps.amax(2))


def main():
    """Prunes 60% of the channels once, by each criterion, and retrains."""
    CRITERIA["peak"] = Criterion(peak, "units")
    for name in ("peak", "dropnet", "random"):
        plan = Plan.from_settings(
            criterion=name, fraction=0.6, cycles=1, schedule="clr", schedule_options={"lr": 0.1}
        )
        dense, pruned = run(Digits(), plan, Path(tempfile.mkdtemp()) / name)
        print(f"{name}: {dense.measures['accuracy']:.1%} dense, {pruned.measures['accuracy']:.1%} pruned")


if __name__ == "__main__":
    main()
