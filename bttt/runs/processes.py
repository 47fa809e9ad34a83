"""Independent tasks side by side in processes: the one place that knows how they are spread."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from tqdm import tqdm

T = TypeVar("T")


def worker_count(workers: int, tasks: int) -> int:
    """Returns how many processes to use: `workers`, or one a core where that is 0, but at most `tasks`."""
    import joblib

    return max(1, min(workers or joblib.cpu_count(), tasks))


def spread(
    task: Callable[..., T], calls: Iterable[tuple[Any, ...]], *, workers: int, ordered: bool = False
) -> Iterator[T]:
    """Calls a task with each of several arguments, and returns an iterator over the results.

    The processes begin at once, before the first result is asked for. With one worker there is no other
    process, and each call is made when its result is asked for. The caller alone writes results.

    Args:
        task: Picklable; what it returns depends on its arguments alone.
        calls: Its arguments, a tuple for each call.
        workers: Processes; joblib's current backend starts them (`joblib.parallel_config` chooses another).
        ordered: Results come in the order of the calls; by default as they finish.

    Raises:
        OSError: A process has died; raised here, or where the next result is asked for.
    """
    import joblib

    parallel = joblib.Parallel(n_jobs=workers, return_as="generator" if ordered else "generator_unordered")
    with _deaths_reported():
        results = parallel(joblib.delayed(task)(*arguments) for arguments in calls)
    return _each(results)


def _each(results: Iterator[T]) -> Iterator[T]:
    with _deaths_reported():
        yield from results


@contextmanager
def _deaths_reported() -> Iterator[None]:
    from concurrent.futures.process import BrokenProcessPool

    try:
        yield
    except BrokenProcessPool as error:
        raise OSError(
            "a worker process has died (killed, out of memory, or ended by an agent); "
            "what is stored is kept: rerun the command to continue"
        ) from error


def side_by_side(
    task: Callable[..., str], calls: Iterable[tuple[Any, ...]], *, workers: int, progress: tqdm
) -> None:
    """Calls a task with each of several arguments, in any order, and shows the progress.

    Args:
        task: Picklable; returns its name, to be shown.
        calls: Its arguments.
        workers: Processes.
        progress: Moves on by one for each.

    Raises:
        OSError: A process has died.
    """
    for name in spread(task, calls, workers=workers):
        progress.set_postfix_str(name, refresh=False)
        progress.update()


def work_through(
    task: Callable[..., str], calls: Sequence[tuple[Any, ...]], *, workers: int, what: str, unit: str
) -> None:
    """Calls a task with each of several arguments, in any order, under a progress bar of its own.

    Args:
        task: Picklable; returns its name, to be shown.
        calls: Its arguments; without any there is no bar.
        workers: Processes at most.
        what: Name of the bar.
        unit: Name of a task.

    Raises:
        OSError: A process has died.
    """
    from tqdm import tqdm

    if calls:
        with tqdm(total=len(calls), unit=unit, desc=what) as progress:
            side_by_side(task, calls, workers=worker_count(workers, len(calls)), progress=progress)


@contextmanager
def quietly() -> Iterator[None]:
    """Keeps a task that runs beside others from printing, and torch to one thread."""
    import torch

    torch.set_num_threads(1)
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        yield
