"""Training: interrupted at any write, a run resumes bit for bit; even a short run helps."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from brute_force import BruteForce, random_position

from agents.alphazero.configs import LearnerConfig, SearchConfig, SelfPlayConfig
from agents.alphazero.learning.replay import sample_type
from agents.alphazero.network.checkpoint import load_checkpoint, load_network
from agents.alphazero.network.evaluators import make_evaluator
from agents.alphazero.network.residual import PolicyValueNet
from agents.alphazero.network.torch_evaluators import TorchEvaluator
from agents.alphazero.search.batched import Search, roots_of
from agents.alphazero.training import state as training_state
from agents.alphazero.training.config import TrainConfig
from agents.alphazero.training.loop import new_network, train
from agents.alphazero.training.solver_errors import SolverErrors
from agents.alphazero.training.state import TrainingCounts, TrainingState
from bttt.bricks import boards_of_size

TINY = TrainConfig(
    board="4x4x3",
    iterations=4,
    plies=4,
    buffer=30,
    search=SearchConfig(simulations=4),
    selfplay=SelfPlayConfig(games=6),
    learner=LearnerConfig(batch=16),
)


class CutOff(BaseException):
    """Stands for the end of the process: of the code below, only `finally` still runs."""


def cut_off_at(call, monkeypatch):
    """Interrupts the next training run just before its `call`-th write of samples or state."""
    calls = 0

    def counting(write):
        def write_or_end(*arguments):
            nonlocal calls
            calls += 1
            if calls == call:
                raise CutOff
            write(*arguments)

        return write_or_end

    for name in ("write_bytes", "write_network_file"):
        monkeypatch.setattr(training_state, name, counting(getattr(training_state, name)))


def contents(folder):
    """Everything that determines the rest of a run."""
    counts, tensors = TrainingState(folder).load()
    shards = {path.name: path.read_bytes() for path in (folder / "samples").iterdir()}
    return counts.moved(seconds=0.0), tensors, shards


def test_a_training_cut_off_at_any_write_goes_on_bit_for_bit(tmp_path, capsys):
    whole = contents(train(replace(TINY, out=tmp_path / "whole")))
    for call in (5, 6):  # iteration 3: samples, then state
        config = replace(TINY, out=tmp_path / str(call))
        with pytest.MonkeyPatch.context() as patch:
            cut_off_at(call, patch)
            with pytest.raises(CutOff):
                train(config)
        done, _ = TrainingState(config.out).load()
        assert done.iteration == (call - 1) // 2
        counts, tensors, shards = contents(train(config))
        assert (counts, shards) == (whole[0], whole[2])
        assert tensors.keys() == whole[1].keys()
        assert all(torch.equal(tensor, whole[1][name]) for name, tensor in tensors.items())


def test_no_sample_is_left_out_however_few_an_iteration_brings(tmp_path, capsys):
    """Two passes over a batch of 64 are far less than a step an iteration here; they must add up."""
    config = replace(TINY, iterations=8, learner=LearnerConfig(batch=64, passes=2), out=tmp_path / "run")
    state = TrainingState(train(config))
    counts, _ = state.load()
    _, last = state.shards(sample_type(16))[-1]  # the next iteration learns from these
    assert counts.steps == int(2 * (counts.positions - last) / 64) > 0


def test_what_a_killed_write_left_is_cleared_away(tmp_path):
    state = TrainingState(tmp_path)
    state.add_samples(1, np.zeros(2, np.uint8))
    state.save(TrainingCounts(iteration=1), {"x": torch.zeros(1)})
    state.add_samples(2, np.zeros(2, np.uint8))
    state.add_metrics({"iteration": 1})
    state.add_metrics({"iteration": 2})
    (tmp_path / ".state.safetensors.17.tmp").write_bytes(b"half")
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"iteration": 1, "sec')
    counts, tensors = TrainingState(tmp_path).load()
    assert counts == TrainingCounts(iteration=1)
    assert tensors["x"].tolist() == [0]
    assert (tmp_path / "metrics.jsonl").read_text() == '{"iteration": 1}\n'
    names = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert names == {"00000001.bin", "metrics.jsonl", "state.safetensors"}


def labelled_positions(count):
    """Positions of the boards with one brick in which a move can lose value, and the cells that keep it."""
    rng = np.random.default_rng(5)
    boards = boards_of_size("4x4x3", ("all",))
    brutes = {board: BruteForce(board) for board in boards}
    found = []
    while len(found) < count:
        board = boards[rng.integers(len(boards))]
        position = random_position(board, int(rng.integers(4, 8)), rng)
        values = {cell: value for cell, (value, _) in brutes[board].verdicts(position).items()}
        if len(set(values.values())) > 1:
            found.append((position, {cell for cell in values if values[cell] == max(values.values())}))
    return found


def losing_rate(network: PolicyValueNet, labelled):
    search = Search(make_evaluator(network, "torch"), SearchConfig(simulations=0), False)
    cells = search.run(roots_of([position for position, _ in labelled])).cells.tolist()
    return np.mean([cell not in keeping for cell, (_, keeping) in zip(cells, labelled, strict=True)])


def test_a_short_training_reduces_value_losing_moves(tmp_path, capsys):
    config = TrainConfig(
        board="4x4x3",
        iterations=8,
        plies=4,
        search=SearchConfig(simulations=24),
        selfplay=SelfPlayConfig(games=48, opening_plies=4),
        learner=LearnerConfig(batch=128, passes=8, lr=5e-3, averaging=0.9),
        out=tmp_path / "run",
    )
    labelled = labelled_positions(300)
    before = losing_rate(new_network(config, labelled[0][0].board).eval(), labelled)
    network, _ = load_network(train(config) / "network.safetensors")
    after = losing_rate(network, labelled)
    # 300 positions: one standard error of a rate is under 3 points
    assert before > 0.3
    assert after < 0.6 * before


def test_error_rates_are_those_of_the_network_that_is_stored(tmp_path, capsys):
    """The evaluators of an iteration have its weights, though their architecture is converted only once."""
    config = TrainConfig(
        bricks=("D4",),
        iterations=5,
        evaluate_every=1,
        search=SearchConfig(simulations=2),
        selfplay=SelfPlayConfig(games=16),
        learner=LearnerConfig(batch=64),
        out=tmp_path / "run",
    )
    train(config)
    network, record = load_checkpoint(tmp_path / "run" / "latest.safetensors")
    measured = SolverErrors(boards_of_size("7x7x4", "D4"), False).rates(TorchEvaluator(network))
    assert record["training"]["steps"] > 5
    assert record["value-losing moves, raw policy"] == pytest.approx(measured, abs=0.02)
