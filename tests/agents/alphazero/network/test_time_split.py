"""Where the time of an evaluation goes: the parts sum to the total, and arithmetic grows with the network."""

import time
from dataclasses import replace

import pytest

from agents.alphazero.network import time_split
from agents.alphazero.network.openvino_model import large_convolutions
from agents.alphazero.network.residual import PRESETS, untrained
from agents.alphazero.network.time_split import least_microseconds, peak, time_splits


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(time_split, "ROUNDS", 3)
    monkeypatch.setattr(time_split, "SECONDS", 0.002)
    monkeypatch.setattr(time_split, "PROFILED", 5)


def test_the_parts_of_a_wider_network_are_larger_and_sum_to_its_time():
    narrow = replace(PRESETS["small"], blocks=(32,))
    networks = {
        "narrow": untrained(narrow, 0),
        "wide": untrained(replace(narrow, stream=96, blocks=(96,)), 0),
    }
    found = time_splits(networks, 64, precision="float32")
    for split in found.values():
        assert split.evaluator == "openvino, float32"
        assert split.calls + split.products + split.others == pytest.approx(split.total)
        assert min(split.calls, split.products, split.others) >= 0
        assert split.evaluations == 1e6 / split.total
    narrow, wide = found.values()
    assert wide.products > 3 * narrow.products  # of 8 times the multiply-adds
    assert wide.calls < 3 * narrow.calls
    many = 10**12
    assert narrow.arithmetic(0) == 0 < narrow.arithmetic(1000) < narrow.arithmetic(many) == narrow.products


def test_large_convolutions_are_counted_by_hand():
    assert large_convolutions("float32")[1] == 4 * 4 * 14 * 14 * 256 * 256 * 9
    assert peak("float32") > 1000  # a billion a second
    assert time_split.TimeSplit("openvino, float32", 9.0, 1.0, 8.0, 0.0).arithmetic(1) == 1 / peak("float32")


def test_the_least_time_of_the_turns_counts_and_the_first_turn_does_not(monkeypatch):
    monkeypatch.setattr(time_split, "SECONDS", 0)
    milliseconds = iter([50, 3, 1, 2])

    def run():
        until = time.process_time() + next(milliseconds) / 1000
        while time.process_time() < until:
            pass

    assert 1000 <= least_microseconds({"run": run})["run"] < 1900
