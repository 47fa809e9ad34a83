"""Independent tasks in parallel processes; no other module starts worker processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bttt.processes.peers import end_after
from bttt.processes.signals import leave_to_parent

if TYPE_CHECKING:
    from tqdm import tqdm

T = TypeVar("T")
_watched = False
"""Whether this worker already looks."""


def worker_count(workers: int, tasks: int) -> int:
    """Returns the number of processes to use: `workers`, or one per core if it is 0, but at most `tasks`."""
    import joblib

    return max(1, min(workers or joblib.cpu_count(), tasks))


def spread(
    task: Callable[..., T], calls: Iterable[tuple[Any, ...]], *, workers: int, ordered: bool = False
) -> Iterator[T]:
    """Calls a task for several tuples of arguments, and returns an iterator over the results.

    The processes start immediately, before the first result is requested. With one worker, no other process
    is started and each call is made when its result is requested. Only the calling process writes results.
    Workers end when the calling process is gone, however it ended, and leave Ctrl-C to it.

    Args:
        task: Picklable function whose result depends only on its arguments.
        calls: A tuple of arguments for each call.
        workers: Processes, started by joblib's current backend (`joblib.parallel_config` chooses another).
        ordered: Return results in the order of the calls; by default, as they finish.

    Raises:
        OSError: A process has died; raised here or when the next result is requested.
    """
    import joblib

    parallel = joblib.Parallel(n_jobs=workers, return_as="generator" if ordered else "generator_unordered")
    with _deaths_reported():
        results = parallel(joblib.delayed(_work)(os.getpid(), task, *arguments) for arguments in calls)
    return _each(results)


def _work(caller: int, task: Callable[..., T], *arguments: Any) -> T:
    """Calls a task in a worker process, which ends when its caller has ended."""
    global _watched
    if os.getpid() != caller and not _watched:
        _watched = True
        end_with(caller)
        leave_to_parent()
    return task(*arguments)


def is_worker() -> bool:
    """Returns whether this process is a worker that `spread` started; a message is told once, not by each."""
    from multiprocessing import parent_process

    return parent_process() is not None


def end_with(parent: int) -> None:
    """Ends this process with `parent`, see `end_after`, if that process started it.

    A worker that a third process started, for example on another machine, is left alone.
    """
    from multiprocessing import current_process

    if getattr(current_process(), "_parent_pid", None) == parent:
        end_after(parent)


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
            "stored results are kept: rerun the command to resume; with bttt tournament --isolate, an agent "
            "that ends its process only loses the game"
        ) from error


def side_by_side(
    task: Callable[..., str], calls: Iterable[tuple[Any, ...]], *, workers: int, progress: tqdm
) -> None:
    """Calls a task for several tuples of arguments, in any order, and shows the progress.

    Args:
        task: Picklable function that returns its name, which is shown.
        calls: A tuple of arguments for each call.
        workers: Processes.
        progress: The progress bar, advanced by one per call.

    Raises:
        OSError: A process has died.
    """
    for name in spread(task, calls, workers=workers):
        progress.set_postfix_str(name, refresh=False)
        progress.update()


def work_through(
    task: Callable[..., str], calls: Sequence[tuple[Any, ...]], *, workers: int, what: str, unit: str
) -> None:
    """Calls a task for several tuples of arguments, in any order, with its own progress bar.

    Args:
        task: Picklable function that returns its name, which is shown.
        calls: A tuple of arguments for each call; without calls there is no bar.
        workers: Maximum processes; 0 for one per core.
        what: Title of the bar.
        unit: Name of a task in the bar.

    Raises:
        OSError: A process has died.
    """
    from tqdm import tqdm

    if calls:
        with tqdm(total=len(calls), unit=unit, desc=what) as progress:
            side_by_side(task, calls, workers=worker_count(workers, len(calls)), progress=progress)


@contextmanager
def quietly() -> Iterator[None]:
    """Suppresses a task's output and limits torch to one thread, for tasks that run in parallel."""
    import torch

    torch.set_num_threads(1)
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        yield
