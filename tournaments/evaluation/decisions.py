"""The decisions of an agent in the positions of a suite.

Each position has its own random generator, so decisions depend neither on the batches nor on the number of
processes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from tqdm import tqdm

from agents import Agent
from agents.asking import AgentError, query
from bttt import Position, Suite
from bttt.processes import spread, worker_count
from tournaments.play import made_from, make_again


@dataclass(frozen=True, slots=True)
class Question:
    """One position for an agent to decide.

    Attributes:
        position: The position.
        seed: Seed of the run.
        key: The repeat and the position's index in the whole suite. With the seed it selects the generator.
    """

    position: Position
    seed: int
    key: tuple[int, int]

    def generator(self) -> np.random.Generator:
        """Returns the question's own generator, in its initial state."""
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=self.key))


def decide_suite(
    name: str,
    agent: Agent,
    suite: Suite,
    places: np.ndarray,
    *,
    repeats: int = 1,
    seed: int = 0,
    batch: int = 256,
    workers: int = 1,
) -> np.ndarray:
    """Returns the cells that an agent plays, `[repeats, N] int64`.

    Args:
        name: The agent's name (spec), from which worker processes make it.
        agent: The agent.
        suite: The N positions.
        places: Their indices in the whole suite, `[N]`; they select the random streams.
        repeats: Decisions per position.
        seed: Seed of all random numbers.
        batch: Positions per query of the agent.
        workers: Worker processes; 0 starts one per core.

    Raises:
        ValueError: The agent raised an exception or played a cell that is not free; the message has the
            position.
        OSError: A worker process has died.
    """
    questions = [
        Question(position, seed, (repeat, int(place)))
        for repeat in range(repeats)
        for position, place in zip(suite.positions(), places, strict=True)
    ]
    batches = [questions[start : start + batch] for start in range(0, len(questions), batch)]
    cells: list[int] = []
    workers = worker_count(workers, len(batches))
    with tqdm(total=len(questions), unit="position", desc=name) as progress:
        for found in _answers(name, agent, batches, workers):
            cells += found
            progress.update(len(found))
    return np.array(cells, np.int64).reshape(repeats, len(suite))


def _answers(
    name: str, agent: Agent, batches: Sequence[Sequence[Question]], workers: int
) -> Iterator[list[int]]:
    """Yields the cells of each batch; the first one is decided here, so that kernels compile only once."""
    if workers == 1:
        yield from (_cells(name, agent, each) for each in batches)
        return
    yield _cells(name, agent, batches[0])
    made = made_from({name: agent})
    calls = ((name, made, each) for each in batches[1:])
    yield from spread(_cells_in_worker, calls, workers=workers, ordered=True)


def _cells_in_worker(name: str, made: str, questions: Sequence[Question]) -> list[int]:
    return _cells(name, _agent(name, made), questions)


@lru_cache(maxsize=4)
def _agent(name: str, made: str) -> Agent:
    """Returns the agent of this worker process."""
    return make_again([name], made)[name]


def _cells(name: str, agent: Agent, questions: Sequence[Question]) -> list[int]:
    """Returns the cells played; if the agent fails, queries positions one by one, to name the position."""
    positions = [question.position for question in questions]
    try:
        answer = query(agent, positions, [question.generator() for question in questions], name=name)
    except AgentError as error:
        if len(questions) > 1:
            for question in questions:
                _cells(name, agent, [question])
        raise ValueError(f"agent {name!r} {error} in {positions[0]}") from error
    return [
        _checked(name, position, decision.cell)
        for position, decision in zip(positions, answer.decisions, strict=True)
    ]


def _checked(name: str, position: Position, answer: object) -> int:
    """Returns the index of the cell played; ValueError if it is not free."""
    try:
        # An agent may answer anything; `play` checks it, and raises ValueError for what is no free cell.
        return position.play(answer).last_move  # type: ignore[arg-type, return-value]
    except ValueError as error:
        raise ValueError(f"agent {name!r} played an illegal cell: {error}, in {position}") from error
