import numpy as np
import pytest
import torch

from agents.alphazero.network import openvino_evaluator
from agents.alphazero.network.evaluators import make_evaluator, with_symmetries
from agents.alphazero.network.openvino_evaluator import OpenVinoEvaluator
from agents.alphazero.network.residual import NetworkConfig, PolicyValueNet
from agents.alphazero.network.torch_evaluators import TorchEvaluator, bfloat16_is_fast
from bttt.symmetry import symmetries

CONV = NetworkConfig(stream=16, blocks=(16, 24), policy=8, value=8, hidden=16)
DENSE = NetworkConfig(
    stream=12, blocks=(12,), kernel=4, policy=2, value=1, hidden=8, heads="dense", rows=5, cols=6, slope=0.3
)


def network(config=CONV, seed=0):
    """A network with normalisation statistics as after training."""
    torch.manual_seed(seed)
    made = PolicyValueNet(config).train()
    with torch.no_grad():
        for _ in range(20):
            made(torch.rand(32, 3, config.rows or 7, config.cols or 7).round())
    return made.eval()


def positions(number, rows=7, cols=7, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.random((number, 3, rows, cols)) < 0.4).astype(np.float32)


def answers_of_torch(made, planes):
    with torch.inference_mode():
        logits, values = made(torch.from_numpy(planes))
    return logits.numpy(), values.numpy()


def assert_close(found, expected, atol):
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == np.float32
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, atol=atol, rtol=0)


@pytest.mark.parametrize("name", ["openvino-float32", "torch"])
@pytest.mark.parametrize("config", [CONV, DENSE])
def test_evaluators_for_playing_agree_with_the_network(name, config):
    made = network(config)
    planes = positions(37, config.rows or 7, config.cols or 7)
    assert_close(make_evaluator(made, name)(planes), answers_of_torch(made, planes), 1e-4)


def spread(made, planes):
    """The standard deviations of logits and values, to which errors are compared."""
    return [float(each.std()) for each in answers_of_torch(made, planes)]


@pytest.mark.parametrize(
    ("make", "share"),
    [
        (lambda made: TorchEvaluator(made, "bfloat16"), 0.2),
        (lambda made: OpenVinoEvaluator(made), 0.2),
        (lambda made: make_evaluator(made, "openvino-int8"), 0.2),
    ],
    ids=["torch", "openvino", "int8"],
)
def test_rounded_evaluators_stay_near_the_network(make, share):
    made, planes = network(), positions(64)
    found, expected = make(made)(planes), answers_of_torch(made, planes)
    for one, other, size in zip(found, expected, spread(made, planes), strict=True):
        error = float(np.sqrt(np.mean((one - other) ** 2)))
        assert error < share * size
        assert error > 0 or not bfloat16_is_fast()


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_an_answer_of_torch_does_not_depend_on_the_batch(precision):
    evaluate, planes = TorchEvaluator(network(), precision), positions(150)
    together = evaluate(planes)
    for size in (1, 3, 4, 16, 33, 128):
        parts = [evaluate(planes[start : start + size]) for start in range(0, len(planes), size)]
        for number in range(2):
            alone = np.concatenate([part[number] for part in parts])
            assert np.array_equal(alone, together[number]), size


@pytest.mark.parametrize("name", ["torch", "openvino-float32"])
def test_one_evaluator_judges_boards_of_several_sizes(name):
    made = network()
    evaluate = make_evaluator(made, name)
    for rows, cols in [(7, 7), (4, 4), (5, 6), (7, 7)]:
        planes = positions(5, rows, cols)
        assert_close(evaluate(planes), answers_of_torch(made, planes), 1e-4)


@pytest.mark.parametrize("name", ["torch", "selfplay", "openvino"])
def test_the_network_may_change_afterwards(name):
    made, planes = network(), positions(8)
    evaluate = make_evaluator(made, name)
    before = evaluate(planes)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(1.0)
    for one, other in zip(evaluate(planes), before, strict=True):
        assert np.array_equal(one, other)


def test_the_number_of_threads_is_the_callers():
    evaluate, before = make_evaluator(network(), "torch"), torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        evaluate(positions(4))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(("rows", "cols"), [(5, 5), (4, 6)])
def test_symmetries_make_answers_that_turn_with_the_board(rows, cols):
    evaluate = TorchEvaluator(network())
    mean = with_symmetries(evaluate)
    planes = positions(6, rows, cols)
    logits, values = mean(planes)
    for symmetry in symmetries(rows, cols):
        turned = symmetry.policy(planes.reshape(6, 3, -1)).reshape(planes.shape)
        assert_close(mean(turned), (symmetry.policy(logits), values), 1e-4)
    # the network itself is not symmetric
    assert np.abs(evaluate(planes)[0] - logits).max() > 0.01


def test_symmetries_are_means_of_logits_and_values():
    evaluate = TorchEvaluator(network())
    planes = positions(1, 5, 5)
    logits, values = [], []
    for symmetry in symmetries(5, 5):
        turned = symmetry.policy(planes.reshape(1, 3, -1)).reshape(planes.shape)
        of_image, value = evaluate(turned)
        logits.append([of_image[0][symmetry.cell(cell)] for cell in range(25)])
        values.append(value)
    assert_close(with_symmetries(evaluate)(planes), (np.mean(logits, 0)[None], np.mean(values, 0)), 1e-5)


def test_selfplay_gives_the_answers_of_play():
    made, planes = network(), positions(16)
    found, expected = make_evaluator(made, "selfplay")(planes), make_evaluator(made)(planes)
    assert all(np.array_equal(one, other) for one, other in zip(found, expected, strict=True))


@pytest.mark.parametrize(
    ("name", "hint"),
    [("fast", ""), ("tourch", r" \(did you mean 'torch'\?\)"), ("onnx-int8", "; it was removed: use open")],
)
def test_unknown_evaluator_is_an_error(name, hint):
    known = "auto, openvino, openvino-float32, openvino-int8, torch, cuda"
    with pytest.raises(ValueError, match=f"evaluator must be one of {known}, got '{name}'{hint}"):
        make_evaluator(network(), name)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize(("name", "device"), [("cuda", "cpu"), ("selfplay", "cuda"), ("torch", "cuda")])
def test_cuda_without_a_gpu_is_an_error(name, device):
    with pytest.raises(ValueError, match="cuda is not available"):
        make_evaluator(network(), name, device)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_cuda_stays_near_the_network():
    made = network()
    evaluate = make_evaluator(made, "cuda")
    for number in (1, 100, 1000, 100):
        planes = positions(number)
        for one, other in zip(evaluate(planes), answers_of_torch(made, planes), strict=True):
            assert float(np.sqrt(np.mean((one - other) ** 2))) < 0.05


def test_without_openvino_torch_takes_over_and_says_so_once(monkeypatch, capsys):
    monkeypatch.setattr(openvino_evaluator, "openvino_is_installed", lambda: False)
    with pytest.raises(ValueError, match=r"openvino is not installed \(pip install openvino\)"):
        make_evaluator(network(), "openvino")
    assert isinstance(make_evaluator(network()), TorchEvaluator)
    assert isinstance(make_evaluator(network(), "selfplay"), TorchEvaluator)
    told = capsys.readouterr().err
    assert told == (
        "bttt: openvino is not installed (pip install openvino); torch evaluates the network instead, "
        "several times slower\n"
    )
