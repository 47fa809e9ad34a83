"""A user's task in a command: an error inside it ends the command with one line that names the task."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from typing import Any

from agents.asking import place
from bttt.runs import FAILURES, one_line
from pruning.loop import Task, fingerprint

METHODS = ("build", "dense", "train", "evaluate", "loss")
SPLITS = ("batches", "sample")
"""The methods that return batches, which may be made while they are read."""


class GuardedTask:
    """A task whose errors are ValueErrors that name its class and method; the cause is kept."""

    def __init__(self, task: Task):
        self._task = task

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._task, name)
        if name in METHODS:
            return self._guarded(name, value)
        if name in SPLITS:
            return lambda: self._each(name, value)
        return value

    @property
    def fingerprint(self) -> Mapping[str, str | int | float]:
        """The fingerprint of the user's task."""
        return fingerprint(self._task)

    def _guarded(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def call(*args: Any, **options: Any) -> Any:
            try:
                return method(*args, **options)
            except FAILURES as error:
                raise self._failure(name, error) from error

        return call

    def _each(self, name: str, method: Callable[[], Iterable[Any]]) -> Iterator[Any]:
        try:
            yield from method()
        except GeneratorExit:  # the reader stops early
            raise
        except FAILURES as error:
            raise self._failure(name, error) from error

    def _failure(self, name: str, error: BaseException) -> ValueError:
        return ValueError(f"{type(self._task).__name__}.{name} failed: {one_line(error)}{place(error)}")
