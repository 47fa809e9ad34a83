"""A run of `bttt bricks`: its folder, the order of its tasks, and its results.

A task is not done again where its file is there; those of a stage run beside each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from tqdm import tqdm

from bttt.runs import add_environment, default_folder, hold, open_folder, plain, side_by_side, write_json
from pruning.studies.alphazero import load_subject
from pruning.studies.bricks.cells import Choice, candidate_boards, choices
from pruning.studies.bricks.config import BricksConfig
from pruning.studies.bricks.tasks import HELD_FILE, LEARN_FILE, Study, play, retrain, weigh

NOT_SETTINGS = ("out", "workers", "seeds", "splits")
"""Options that do not change what a task does."""
Stage = Mapping[Path, Callable[[], None]]
"""Tasks by the file that they write."""


def study(config: BricksConfig) -> Path:
    """Runs the experiment, or the rest of it, and returns the folder; see `BricksConfig`."""
    subject, teacher = load_subject(config.agent), load_subject(config.teacher)
    candidates = candidate_boards(config.candidates, subject.boards)
    drawn = {seed: choices(candidates, subject.boards, config.splits, seed) for seed in range(config.seeds)}
    settings = {name: value for name, value in plain(asdict(config)).items() if name not in NOT_SETTINGS}
    settings |= {"network": subject.fingerprint, "teacher network": teacher.fingerprint}
    folder = config.out or default_folder("bricks", settings)
    open_folder(folder, settings, plain(asdict(BricksConfig())))
    work = Study(config, folder, subject.boards, candidates)
    with hold(folder):
        write_json(folder / "config.json", {**settings, "seeds": config.seeds, "splits": config.splits})
        for seed in drawn:
            (folder / f"seed-{seed}").mkdir(exist_ok=True)
        stages = _stages(work, drawn)
        if any(not path.exists() for stage in stages.values() for path in stage):
            add_environment(folder)
        for name, stage in stages.items():
            _each(config.workers, name, [task for path, task in stage.items() if not path.exists()])
        from pruning.studies.bricks.report import publish  # matplotlib, which takes a second to load

        print(publish(work, drawn))
    print(f"\nwritten: {folder}")
    return folder


def _stages(work: Study, drawn: Mapping[int, Sequence[Choice]]) -> dict[str, Stage]:
    """Returns the stages in their order."""
    files, boards = (LEARN_FILE, HELD_FILE), (None, *work.candidates)
    return {
        "games": {
            work.games_file(seed, name): partial(play, work, seed, name) for seed in drawn for name in files
        },
        "retrainings": {
            work.retrained_file(seed, board): partial(retrain, work, seed, board)
            for seed in drawn
            for board in boards
        },
        "choices": {
            work.weighed_file(seed, choice): partial(weigh, work, seed, choice)
            for seed, own in drawn.items()
            for choice in own
        },
    }


def _each(workers: int, what: str, tasks: Sequence[Callable[[], None]]) -> None:
    """Runs tasks, in processes of their own where there are several workers."""
    if tasks:
        with tqdm(total=len(tasks), desc=what) as bar:
            calls = ((task,) for task in tasks)
            side_by_side(_called, calls, workers=min(workers, len(tasks)), progress=bar)


def _called(task: Callable[[], None]) -> str:
    task()
    return ""
