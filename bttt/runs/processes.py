"""Runs independent tasks of a study side by side in processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import joblib
from tqdm import tqdm


def side_by_side(
    task: Callable[..., str], calls: Iterable[tuple[Any, ...]], *, workers: int, progress: tqdm
) -> None:
    """Calls a task with each of several arguments, in processes of its own, in any order.

    Args:
        task: Picklable; returns its name, to be shown.
        calls: Its arguments.
        workers: Processes.
        progress: Is moved on by one for each.

    Raises:
        OSError: A process has died.
    """
    parallel = joblib.Parallel(n_jobs=workers, return_as="generator_unordered")
    try:
        for name in parallel(joblib.delayed(task)(*arguments) for arguments in calls):
            progress.set_postfix_str(name, refresh=False)
            progress.update()
    except BrokenProcessPool as error:
        raise OSError(
            "a worker process has died (killed or out of memory); what is stored is kept"
        ) from error


@contextmanager
def quietly() -> Iterator[None]:
    """Lets nothing be printed, since others work beside; torch gets one thread."""
    import torch

    torch.set_num_threads(1)
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        yield
