"""The evaluator on OpenVINO: independence of the batch, precision, user-defined networks, files on disk."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from agents.alphazero.network import compiled_files, openvino_evaluator
from agents.alphazero.network.evaluators import make_evaluator
from agents.alphazero.network.openvino_evaluator import (
    CALL,
    MODEL_SIZE,
    SELFPLAY_SIZES,
    SIZES,
    OpenVinoEvaluator,
    batch_sizes,
)
from agents.alphazero.network.own import own_network
from agents.alphazero.network.residual import NetworkConfig, PolicyValueNet
from agents.alphazero.network.torch_evaluators import TorchEvaluator, bfloat16_is_fast

SMALL = NetworkConfig(stream=16, blocks=(16, 24), policy=8, value=8, hidden=16)
THIN = NetworkConfig(stream=13, blocks=(5, 1, 11), policy=3, value=1, hidden=1)
DENSE = NetworkConfig(
    stream=12, blocks=(12,), kernel=4, policy=2, value=1, hidden=20, heads="dense", rows=5, cols=6, slope=0.3
)
NETWORKS = {"small": SMALL, "thin": THIN, "dense": DENSE}


def network(config=SMALL, seed=0):
    torch.manual_seed(seed)
    made = PolicyValueNet(config).train()
    with torch.no_grad():
        for _ in range(20):  # normalisation statistics as after training
            made(torch.rand(32, 3, config.rows or 7, config.cols or 7).round())
    return made.eval()


def positions(number, rows=7, cols=7):
    return (np.random.default_rng(1).random((number, 3, rows, cols)) < 0.4).astype(np.float32)


def in_parts(evaluate, planes, size):
    parts = [evaluate(planes[start : start + size]) for start in range(0, len(planes), size)]
    return [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]


def equal(found, expected):
    return all(np.array_equal(one, other) for one, other in zip(found, expected, strict=True))


@pytest.mark.parametrize("precision", ["float32", "auto", "int8"])
@pytest.mark.parametrize("name", NETWORKS)
def test_an_answer_does_not_depend_on_the_batch(name, precision):
    config = NETWORKS[name]
    evaluate = OpenVinoEvaluator(network(config), precision)
    planes = positions(300, config.rows or 7, config.cols or 7)
    together = evaluate(planes)
    for size in (1, 3, 4, 16, 33, 64, 128, 256):
        assert equal(in_parts(evaluate, planes, size), together), size
    assert evaluate._boards[planes.shape[2:]]._sizes == SIZES  # no size was refused on this processor


@pytest.mark.parametrize(("rows", "cols"), [(3, 3), (6, 6), (7, 8), (4, 12)])
def test_boards_of_other_sizes_agree_with_torch(rows, cols):
    made, planes = network(), positions(21, rows, cols)
    found, expected = OpenVinoEvaluator(made, "float32")(planes), TorchEvaluator(made)(planes)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.skipif(not bfloat16_is_fast(), reason="OpenVINO refuses bfloat16 on some processors")
def test_channels_are_added_to_whole_blocks_in_bfloat16_alone():
    made, planes = network(THIN), positions(40)
    narrow, wide = (OpenVinoEvaluator(made, precision) for precision in ("float32", "bfloat16"))
    configs = narrow._network.config, wide._network.config
    assert configs[0] == THIN
    assert (configs[1].stream, configs[1].blocks, configs[1].policy) == (16, (16, 1, 16), 16)
    for found, expected in zip(wide(planes), narrow(planes), strict=True):
        np.testing.assert_allclose(found, expected, atol=0.02 * max(1, np.abs(expected).max()))


def test_a_size_that_rounds_differently_is_not_used(monkeypatch):
    evaluate, planes = OpenVinoEvaluator(network(), "float32"), positions(70)
    expected = evaluate(planes)
    original = openvino_evaluator.compiled

    def rounding(model, size, *others):
        made = original(model, size, *others)
        if size == 4:
            call = type(made).__call__

            class Rounded(type(made)):
                def __call__(self, planes, logits, values):
                    call(self, planes, logits, values)
                    logits *= np.float32(1 + 2e-7)

            made.__class__ = Rounded
        return made

    monkeypatch.setattr(openvino_evaluator, "compiled", rounding)
    evaluate = OpenVinoEvaluator(network(), "float32")
    assert equal(in_parts(evaluate, planes, 3), expected)
    assert evaluate._boards[7, 7]._sizes == tuple(size for size in SIZES if size != 4)


@pytest.mark.parametrize("sizes", [SIZES, SELFPLAY_SIZES, (MODEL_SIZE,)])
def test_batches_hold_all_positions_at_the_least_cost(sizes):
    for number in (0, 1, 2, 3, 5, 17, 63, 64, 65, 200, 255, 256, 257, 1000):
        plan = batch_sizes(number, sizes)
        assert set(plan) <= set(sizes)
        assert sum(plan) >= number
        assert number > sum(plan[:-1]) or not plan
        one_size = min(-(-number // size) * (size + CALL) for size in sizes)
        assert sum(plan) + CALL * len(plan) <= one_size or number > max(sizes)
    assert batch_sizes(3, SIZES) == (4,)
    assert sorted(batch_sizes(20, SIZES)) == [4, 16]


@pytest.mark.parametrize(("name", "why"), [("Branching", "wrongly"), ("Unknown", "cannot run")])
def test_what_openvino_cannot_compute_is_left_to_torch(name, why, capsys):
    made = own_network(f"python:odd_networks:{name}", None, 4, 4, seed=0)
    with pytest.raises(ValueError, match=f"openvino .*{why}"):
        make_evaluator(made, "openvino")
    evaluate, planes = make_evaluator(made), positions(5, 4, 4)
    assert isinstance(evaluate, TorchEvaluator)
    assert "torch evaluates the network instead" in capsys.readouterr().err
    with torch.inference_mode():
        np.testing.assert_allclose(evaluate(planes)[0], made.eval()(torch.from_numpy(planes))[0], atol=1e-5)


NO_AMX = """
import sys, numpy as np
sys.path.insert(0, sys.argv[1])
from test_openvino_evaluator import *
assert not bfloat16_is_fast()
for config in NETWORKS.values():
    made, planes = network(config), positions(100, config.rows or 7, config.cols or 7)
    evaluate = OpenVinoEvaluator(made)
    together = evaluate(planes)
    for size in (1, 3, 16, 64):
        assert equal(in_parts(evaluate, planes, size), together), size
    for one, other in zip(together, TorchEvaluator(made)(planes)):
        np.testing.assert_allclose(one, other, atol=1e-5)
rounded = OpenVinoEvaluator(network(), "int8")
assert equal(in_parts(rounded, positions(70), 3), rounded(positions(70)))
print("as on any processor")
"""


@pytest.mark.parametrize("limit", ["AVX2", "AVX512_CORE_BF16"])
def test_processors_without_fast_bfloat16_use_float32(limit):
    environment = {**os.environ, "ONEDNN_MAX_CPU_ISA": limit}
    words = [sys.executable, "-c", NO_AMX, os.path.dirname(__file__)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120)
    assert done.stdout == "as on any processor\n", done.stderr


class TestNetworksOnDisk:
    @pytest.fixture
    def folder(self, tmp_path, monkeypatch):
        monkeypatch.setattr(compiled_files, "cache_folder", lambda: tmp_path)
        return tmp_path

    @pytest.fixture
    def compilations(self, monkeypatch):
        sizes = []
        original = openvino_evaluator.compiled
        monkeypatch.setattr(
            openvino_evaluator,
            "compiled",
            lambda model, size, *others: sizes.append(size) or original(model, size, *others),
        )
        return sizes

    def test_a_second_process_finds_them(self, folder, compilations):
        made, planes = network(), positions(3)
        expected = OpenVinoEvaluator(made, keep=True)(planes)
        assert compilations == [4, MODEL_SIZE]
        assert len(list(folder.iterdir())) == 2
        again = OpenVinoEvaluator(made, keep=True)
        assert equal(again(planes), expected)
        assert equal(in_parts(again, positions(90), 1), in_parts(OpenVinoEvaluator(made), positions(90), 64))
        assert compilations[:3] == [4, MODEL_SIZE, 1]

    @pytest.mark.parametrize(
        "damage", [lambda old: b"", lambda old: old[: len(old) // 2], lambda old: old[:-9] + b"x" * 9]
    )
    def test_damaged_files_are_compiled_again_and_mended(self, folder, compilations, damage):
        made, planes = network(), positions(3)
        expected = OpenVinoEvaluator(made, keep=True)(planes)
        whole = {path: path.read_bytes() for path in folder.iterdir()}
        for path, content in whole.items():
            path.write_bytes(damage(content))
        assert equal(OpenVinoEvaluator(made, keep=True)(planes), expected)
        assert equal(OpenVinoEvaluator(made, keep=True)(planes), expected)
        assert compilations == 2 * [4, MODEL_SIZE]  # and not a third time

    @pytest.mark.parametrize("place", ["nowhere/deeper", "file/deeper", None])
    def test_a_folder_that_cannot_be_written_is_done_without(self, tmp_path, monkeypatch, place):
        (tmp_path / "file").touch()
        monkeypatch.setattr(compiled_files, "cache_folder", lambda: place and tmp_path / place)
        made, planes = network(), positions(3)
        assert equal(OpenVinoEvaluator(made, keep=True)(planes), OpenVinoEvaluator(made)(planes))

    def test_another_network_or_precision_has_its_own(self, folder, compilations):
        planes = positions(MODEL_SIZE)
        for seed in (0, 1):
            for precision in ("float32", "auto", "int8"):
                OpenVinoEvaluator(network(seed=seed), precision, keep=True)(planes)
        assert len(list(folder.iterdir())) == (6 if bfloat16_is_fast() else 4)

    def test_the_oldest_are_deleted(self, folder, monkeypatch):
        OpenVinoEvaluator(network(), keep=True)(positions(MODEL_SIZE))
        (first,) = folder.iterdir()
        os.utime(first, (0, 0))
        monkeypatch.setattr(compiled_files, "MOST_BYTES", first.stat().st_size * 3 // 2)
        OpenVinoEvaluator(network(seed=1), keep=True)(positions(MODEL_SIZE))
        (left,) = folder.iterdir()
        assert left != first

    def test_self_play_keeps_none(self, folder):
        make_evaluator(network(), "selfplay")(positions(3))
        assert not list(folder.iterdir())


QUIET = """
import sys
events = []
watched = ("socket.", "subprocess.", "os.system", "os.posix_spawn", "os.fork")
sys.addaudithook(lambda name, _: events.append(name) if name.startswith(watched) else None)
{before}
import openvino
import numpy as np
from agents.alphazero.network import PRESETS, make_evaluator, untrained
make_evaluator(untrained(PRESETS["small"], 0), "openvino-float32")(np.zeros((1, 3, 7, 7), np.float32))
print(events, [name for name in sys.modules if name.startswith("openvino_telemetry.")])
"""


def test_nothing_is_sent(tmp_path):
    """OpenVINO reports its import to its makers; in this package's processes it tries nothing of the kind."""
    code = QUIET.replace("{before}", "import agents.alphazero.network.openvino_model as m; m.openvino()")
    environment = {name: value for name, value in os.environ.items() if name != "CI"} | {
        "HOME": str(tmp_path)
    }
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120)
    assert done.stdout == "[] []\n", done.stderr
    assert not (tmp_path / "intel").exists()  # where its telemetry keeps an identifier
