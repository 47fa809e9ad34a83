"""A run of `bttt bricks`: its folder, the order of its tasks, and its results.

A task whose output file exists is skipped; the tasks of a stage run in parallel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from bttt.processes import work_through
from bttt.runs import make_folder, open_run, options_of, report_found, settings_of
from pruning.studies.alphazero import load_subject
from pruning.studies.bricks.cells import Choice, candidate_boards, choices
from pruning.studies.bricks.config import BricksConfig
from pruning.studies.bricks.tasks import HELD_FILE, LEARN_FILE, Study, play, retrain, weigh

Stage = Mapping[Path, Callable[[], None]]
"""Tasks by their output file."""


def study(config: BricksConfig) -> Path:
    """Starts or resumes the experiment, and returns the folder; see `BricksConfig`."""
    subject, teacher = load_subject(config.agent), load_subject(config.teacher)
    candidates = candidate_boards(config.candidates, subject.boards)
    drawn = {seed: choices(candidates, subject.boards, config.splits, seed) for seed in range(config.seeds)}
    settings = settings_of(config)
    settings |= {"network": subject.fingerprint, "teacher network": teacher.fingerprint}
    before = {"network": subject.earlier_fingerprint, "teacher network": teacher.earlier_fingerprint}
    defaults, earlier = options_of(BricksConfig()), {**settings, **before}
    with open_run("bricks", settings, out=config.out, defaults=defaults, earlier=earlier) as run:
        run.write_config({**settings, "seeds": config.seeds, "splits": config.splits})
        work = Study(config, run.path, subject.boards, candidates)
        for seed in drawn:
            make_folder(run.path / f"seed-{seed}")
        stages = _stages(work, drawn)
        paths = [path for stage in stages.values() for path in stage]
        found = sum(path.exists() for path in paths)
        if found < len(paths):
            run.add_environment()
        for name, stage in stages.items():
            calls = [(task,) for path, task in stage.items() if not path.exists()]
            work_through(_called, calls, workers=config.workers, what=name, unit="task")
        report_found(found, len(paths) - found, "finished task", run.path)
        from pruning.studies.bricks.report import publish  # matplotlib, which takes a second to load

        print(publish(work, drawn))
    print(f"\nwritten: {run.path}")
    return run.path


def _stages(work: Study, drawn: Mapping[int, Sequence[Choice]]) -> dict[str, Stage]:
    """Returns the stages in order."""
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


def _called(task: Callable[[], None]) -> str:
    task()
    return ""
