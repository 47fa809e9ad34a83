"""Minutes of training until a network wins all games: python -m benchmarks.alphazero.time_to_strength.

Each run is `bttt train --bricks all --minutes BUDGET --until GOAL --seed SEED --workers WORKERS`. The
learning rate falls over the budget, twice the minutes wanted. The same command resumes an interrupted one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import tyro

from agents.alphazero import GoalName
from agents.alphazero.training import TrainConfig, train
from agents.alphazero.weights import RUN_FILE, record
from benchmarks.machine import machine
from bttt import boards_of_size
from bttt.runs import write_text

WANTED: dict[GoalName, float] = {"minimax": 2, "perfect": 3, "perfect-raw": 10}
"""Minutes within which each goal is wanted, on two cores."""


@dataclass(frozen=True)
class TimeConfig:
    """Trains until each goal is reached, with several seeds, and stores the minutes."""

    out: Path = Path("runs/time-to-strength")
    """Folder of the training runs."""
    json: Path | None = None
    """File to store the results in."""
    goals: tuple[GoalName, ...] = tuple(WANTED)
    """The goals, see bttt train --until."""
    seeds: int = 3
    """Seeds 0, 1, ... of each goal."""
    workers: int = 2
    """Processes of each run."""
    bricks: tuple[str, ...] = ("all",)
    """Brick sets to train on."""
    board: str = "7x7x4"
    """Board size and win length."""


@dataclass(frozen=True)
class Reached:
    """What one training run needed.

    Attributes:
        goal: The goal.
        seed: The seed of the run.
        reached: Whether the goal was reached within the budget.
        minutes: Minutes of training, evaluations included.
        iterations: Iterations.
        games: Self-play games.
    """

    goal: GoalName
    seed: int
    reached: bool
    minutes: float
    iterations: int
    games: int


def reach(config: TimeConfig, goal: GoalName, seed: int, **settings: object) -> Reached:
    """Trains until the goal is reached or the budget is used."""
    run = TrainConfig(
        bricks=config.bricks,
        board=config.board,
        minutes=2 * WANTED[goal],
        until=goal,
        seed=seed,
        workers=config.workers,
        out=config.out / f"{goal}-seed{seed}",
        **settings,  # type: ignore[arg-type]  # of tests: a tiny network
    )
    folder = train(run)
    reached = record(folder / RUN_FILE)["training"]["reached"] == goal
    last = json.loads((folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    return Reached(goal, seed, reached, round(last["seconds"] / 60, 2), last["iteration"], last["games"])


def measure(config: TimeConfig) -> list[Reached]:
    """Runs the trainings, prints a line for each, and stores them all after each one."""
    boards_of_size(config.board, config.bricks)  # wrong ones are told before the first training
    found: list[Reached] = []
    for goal in config.goals:
        for seed in range(config.seeds):
            found.append(reach(config, goal, seed))
            print(line(found[-1]), flush=True)
            if config.json is not None:
                write_text(config.json, results(config, found))
    return found


def line(found: Reached) -> str:
    """Returns a run's result as text."""
    text = f"{found.minutes:.1f} minutes, {found.iterations} iterations, {found.games:,} games"
    text = text if found.reached else f"not reached in {text}"
    return f"{found.goal}, seed {found.seed}: {text} (wanted: {WANTED[found.goal]:g})"


def results(config: TimeConfig, found: Sequence[Reached]) -> str:
    """Returns the results as JSON."""
    content = {
        "command": ["python", "-m", "benchmarks.alphazero.time_to_strength", *sys.argv[1:]],
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "workers": config.workers,
        "wanted": WANTED,
        "runs": [asdict(each) for each in found],
    }
    return json.dumps(content, indent=1) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; 1 where a goal was not reached in the minutes wanted, 2 for wrong input."""
    try:
        found = measure(
            tyro.cli(TimeConfig, args=arguments, prog="python -m benchmarks.alphazero.time_to_strength")
        )
    except (ValueError, OSError) as error:
        print(f"benchmarks: error: {error}", file=sys.stderr)
        return 2
    return int(any(not each.reached or each.minutes > WANTED[each.goal] for each in found))


if __name__ == "__main__":
    sys.exit(main())
