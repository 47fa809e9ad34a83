"""`bttt prune python:module:name,option=value`: runs a plan on a user's own task."""

from __future__ import annotations

import hashlib
import inspect
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bttt.runs import (
    CONFIG_FILE,
    FAILURES,
    aligned,
    csv_text,
    load_plugin,
    one_line,
    open_run,
    parse_options,
    read_json,
    report_found,
    write_text,
)
from pruning.loop import (
    TASK_MEMBERS,
    Plan,
    Result,
    Stop,
    Task,
    ending,
    finished_cycles,
    missing_members,
    summary_rows,
)
from pruning.loop import run as run_loop
from pruning.studies.guarded import GuardedTask

TABLE_FILE = "levels.csv"


@dataclass(frozen=True)
class OwnTask:
    """A user's own task.

    Attributes:
        task: The task.
        source: Digest of the file that defines it; a changed file starts a new run.
    """

    task: Task
    source: str


def load_task(name: str) -> OwnTask:
    """Returns the task that "python:module:name,option=value" names.

    The name is that of a task, or of a class or function that makes one; the options are its arguments.

    Raises:
        ValueError: The task cannot be loaded or made, has no such option, or lacks a member.
    """
    plain, comma, options = name.partition(",")
    if comma and not options.strip():
        raise ValueError(f"task {name!r} ends with ',': options follow it, or leave it out")
    found = load_plugin(plain, "task", lambda value: callable(value) or not missing_members(value))
    if not missing_members(found) and not inspect.isclass(found):
        if options:
            raise ValueError(f"task {plain!r} is made already: it takes no options, got {options!r}")
    else:
        arguments = _arguments(plain, options, found)
        try:
            found = found(**arguments)
        except FAILURES as error:
            raise ValueError(f"task {name!r} cannot be made: {one_line(error)}") from error
    if missing := missing_members(found):
        raise ValueError(f"task {name!r} has no {', '.join(missing)}; a task has {', '.join(TASK_MEMBERS)}")
    return OwnTask(found, _digest(found))


def _arguments(name: str, options: str, factory: Callable[..., Task]) -> dict[str, Any]:
    if not options:
        return {}  # also of a factory whose arguments cannot be read
    try:
        return parse_options(options, factory)
    except ValueError as error:
        raise ValueError(f"task {name!r}: {error}") from None


def _digest(task: Task) -> str:
    try:
        source = Path(inspect.getfile(type(task))).read_bytes()
    except (OSError, TypeError):
        return ""
    return hashlib.sha256(source).hexdigest()[:16]


def prune_task(name: str, plan: Plan, out: Path | None) -> Path:
    """Starts or resumes a plan on a user's task, prints its levels, and returns the folder.

    Raises:
        ValueError: The task or the plan is wrong, or the folder holds a run with other settings.
        OSError: The folder cannot be written; the levels finished before are kept.
    """
    own = load_task(name)
    ends = {each.name for each in fields(Stop)}  # may differ when a run is resumed
    decisive = {name: value for name, value in plan.settings().items() if name not in ends}
    settings = {**decisive, "task": name, "source": own.source}
    if out is not None:
        _refuse_changed_source(out, settings)
    with open_run("prune-task", settings, out=out) as run:
        run.write_config({**settings, "cycles": plan.stop.cycles})
        run.add_environment()
        found = finished_cycles([run.path])
        with tqdm(total=plan.stop.cycles + 1, unit="level") as bar:

            def count(result: Result) -> None:
                bar.set_postfix_str(f"density {result.density:.3f}", refresh=False)
                bar.update()

            with _untold():
                results = run_loop(GuardedTask(own.task), plan, run.path, progress=count)
        report_found(found, len(results) - found, "finished cycle", run.path)
        rows = [_row(each) for each in summary_rows(results)]
        write_text(run.path / TABLE_FILE, csv_text(rows))
        print(_table(rows))
        _print_left_out(results[-1])
    over = ending(plan, own.task.measure, results)
    if over is not None and over.early:
        print(f"\nended before cycle {plan.stop.cycles}: {over.reason}")
    print(f"\nwritten: {run.path / TABLE_FILE}")
    return run.path


def _refuse_changed_source(folder: Path, settings: Mapping[str, Any]) -> None:
    stored = read_json(folder / CONFIG_FILE, dict) if (folder / CONFIG_FILE).is_file() else {}
    if stored.get("task") == settings["task"] and stored.get("source", "") != settings["source"]:
        raise ValueError(
            f"{folder} holds a run of {settings['task']}, but the file of this task has changed since: "
            "choose another --out, or restore the file"
        )


@contextmanager
def _untold() -> Iterator[None]:
    """Silences the loop's log: the command says the same below its table."""
    log = logging.getLogger("pruning")
    before, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = before


def _row(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a row of the table; the columns of earlier versions come first."""
    unused = ("cycle", "prunable", "seconds")
    return {"level": summary["cycle"], **{name: each for name, each in summary.items() if name not in unused}}


def _print_left_out(result: Result) -> None:
    if result.left_out:
        told = (f"{name} ({why})" for name, why in result.left_out.items())
        print(f"\nleft out of pruning: {'; '.join(told)}")


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    heads = [head for head in rows[0] if head != "left out"]
    lines = [heads, *([_text(row[head]) for head in heads] for row in rows)]
    return "\n".join(aligned(lines))


def _text(value: float | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
