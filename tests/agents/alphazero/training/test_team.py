"""Several processes, here threads: a run resumes bit for bit, and results do not depend on time."""

import threading
import time
from dataclasses import replace
from queue import SimpleQueue

import numpy as np
import pytest
import torch

from agents.alphazero.configs import LearnerConfig, SearchConfig, SelfPlayConfig
from agents.alphazero.training import team
from agents.alphazero.training.config import TrainConfig
from agents.alphazero.training.loop import train
from agents.alphazero.training.state import TrainingState
from agents.alphazero.training.team import new_part
from bttt.bricks import boards_of_size

TINY = TrainConfig(
    board="4x4x3",
    iterations=3,
    plies=8,
    workers=2,
    search=SearchConfig(simulations=4),
    selfplay=SelfPlayConfig(games=7),
    learner=LearnerConfig(batch=128, passes=20, schedule="constant"),
)


class Near:
    """A peer that works in a thread of this process, after a while."""

    seconds = 0.0

    def __init__(self, module, function):
        self.there, self.here = SimpleQueue(), SimpleQueue()
        work = threading.Thread(target=self._work, args=(getattr(team, function),), daemon=True)
        work.start()

    def _work(self, function):
        def receive():
            message = self.there.get()
            time.sleep(self.seconds)
            if message is None:
                raise EOFError
            return message

        with pytest.raises(EOFError):
            function(receive, self.here.put)

    def send(self, message):
        self.there.put(message)

    def receive(self):
        return self.here.get()

    def stop(self):
        self.there.put(None)


def contents(folder):
    counts, tensors = TrainingState(folder).load()
    shards = {path.name: path.read_bytes() for path in (folder / "samples").iterdir()}
    return counts.moved(seconds=0.0), tensors, shards


def test_a_run_of_two_resumes_bit_for_bit_whoever_is_faster(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(team, "Peer", Near)
    whole = contents(train(replace(TINY, out=tmp_path / "whole")))
    monkeypatch.setattr(Near, "seconds", 0.01)
    train(replace(TINY, iterations=2, out=tmp_path / "run"))
    counts, tensors, shards = contents(train(replace(TINY, out=tmp_path / "run")))
    assert counts.steps > 0
    assert (counts, shards) == (whole[0], whole[2])
    assert tensors.keys() == whole[1].keys()
    assert all(torch.equal(tensor, whole[1][name]) for name, tensor in tensors.items())


def test_the_games_are_divided_among_the_processes():
    boards = boards_of_size(TINY.board, TINY.bricks)
    parts = [new_part(TINY, boards, False, number).state() for number in range(2)]
    assert [len(part["boards"]) for part in parts] == [3, 4]
    assert not np.array_equal(parts[0]["first"], parts[1]["first"][:3])
