"""A task and a plan: train, prune, retrain in cycles. The same call resumes."""

import sys
import tempfile
from pathlib import Path

import torch
from digits import Digits

from pruning import Plan, cost, run, shrink
from pruning.loop import Amount, LearningRate, Scoring, Stop

PLAN = Plan(
    Scoring("dropnet"),  # the least active channels
    Amount(scope="layer", fraction=0.3),
    learning_rate=LearningRate("clr", {"lr": 0.1}),
    stop=Stop(cycles=3),
)


def main(folder):
    """Prunes a small network on scikit-learn's digits and prints each level."""
    task, levels = Digits(), []

    def publish(level):
        levels.append(level)

    def show(result):
        print(f"level {result.cycle}: {result.density:.1%} kept, {result.measures['accuracy']:.1%} correct")

    run(task, PLAN, folder, publish, show)
    again = run(task, PLAN, folder)  # nothing is trained twice
    print(f"{len(again)} levels are stored in {folder.name}")
    if levels:
        last = levels[-1]
        small, _ = shrink(last.network, last.groups, last.removable)
        small.eval()
        same = torch.allclose(small(task.example), last.network.eval()(task.example), atol=1e-5)
        print(f"channels removed: {cost(small, task.example).parameters:,} parameters, same outputs: {same}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()) / "pruned")
