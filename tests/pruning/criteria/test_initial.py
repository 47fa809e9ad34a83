"""Scores before training: hand-counted cases, finite differences, conservation of flow."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional

from pruning.criteria.evidence import Evidence
from pruning.criteria.initial import TEMPERATURE, grasp, snip, synflow
from pruning.masks.held import Masks, apply
from pruning.masks.select import drop_lowest
from pruning.models.registry import make_model


class Quadratic(nn.Module):
    """Outputs each weight times its input: of inputs of one, the weights."""

    def __init__(self, weights):
        super().__init__()
        self.scale = nn.Linear(len(weights), 1, bias=False).double()
        with torch.no_grad():
            self.scale.weight.copy_(torch.tensor([weights], dtype=torch.double))

    def forward(self, inputs):
        return inputs * self.scale.weight


class Judge(nn.Module):
    """Two heads on a normalised convolution; the value goes through tanh."""

    def __init__(self):
        super().__init__()
        self.stem, self.norm = nn.Conv2d(2, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.policy, self.value = nn.Conv2d(4, 1, 1, bias=False), nn.Linear(4, 1)

    def forward(self, x):
        x = torch.relu(self.norm(self.stem(x)))
        return self.policy(x).flatten(1), torch.tanh(self.value(x.mean((2, 3)))).squeeze(1)


def evidence(network, batches, loss, alive=None):
    layers = (nn.Conv2d, nn.Linear)
    modules = {name: module for name, module in network.named_modules() if isinstance(module, layers)}
    whole = Masks.ones({f"{name}.weight": module.weight.shape for name, module in modules.items()})
    example = batches[0][0][:1]
    return Evidence(
        network=network.eval(),
        alive=whole if alive is None else alive,
        groups=(),
        batches=lambda: batches,
        loss=loss,
        before={},
        generator=torch.Generator(),
        sample=lambda: batches,
        example=example,
    )


def classified(network, batch):
    return functional.cross_entropy(network(batch[0]), batch[1])


def judged(network, batch):
    logits, values = network(batch[0])
    return functional.cross_entropy(logits, batch[1]) + (values - 0.5).square().mean()


def lenet(seed=0, samples=40):
    network = make_model("lenet:12-8", shape=(1, 4, 4), classes=5, seed=seed).double()
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(samples, 1, 4, 4, generator=generator, dtype=torch.double)
    return network, [[images, torch.arange(samples) % 5]]


def judge(seed=0):
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Judge().double()
    planes = torch.rand(24, 2, 3, 3, generator=generator, dtype=torch.double)
    return network, [[planes, torch.arange(24) % 9]]


def test_grasp_on_a_quadratic_keeps_the_largest_products():
    curvature = torch.tensor([1.0, 3.0, 0.5, 2.0], dtype=torch.double)
    weights = [2.0, -0.5, 3.0, 1.0]

    def loss(network, batch):  # the temperature divides the outputs, and so the weights, by 200
        return 0.5 * (curvature * (TEMPERATURE * network(batch[0])).square()).sum()

    found = grasp(evidence(Quadratic(weights), [[torch.ones(1, 4, dtype=torch.double)]], loss))
    # S = -(a w)^2 is the change of the gradient flow; what is kept is -S
    torch.testing.assert_close(found["scale.weight"], (curvature * torch.tensor([weights])).square())


def test_grasp_is_the_change_of_the_gradient_flow_to_first_order():
    network, batches = lenet()
    about = evidence(network, batches, classified)
    scores = grasp(about)
    names = list(about.alive)

    def flow(state):
        copied = copy.deepcopy(network)
        copied.load_state_dict(state)
        loss = functional.cross_entropy(copied(batches[0][0]) / TEMPERATURE, batches[0][1]) * 40
        weights = [dict(copied.named_parameters())[name] for name in names]
        return sum(g.square().sum() for g in torch.autograd.grad(loss, weights))

    epsilon = 1e-5
    for name in names:
        for entry in (0, 7):
            more, less = (copy.deepcopy(network.state_dict()) for _ in range(2))
            more[name].view(-1)[entry] *= 1 + epsilon
            less[name].view(-1)[entry] *= 1 - epsilon
            slope = (flow(more) - flow(less)) / (2 * epsilon)  # w dF/dw = 2 w (H g)
            torch.testing.assert_close(2 * scores[name].view(-1)[entry], slope, rtol=1e-5, atol=1e-12)


def test_grasp_sums_the_gradient_before_it_is_squared():
    network, ((images, labels),) = lenet()
    halves = [[images[:20], labels[:20]], [images[20:], labels[20:]]]
    one, two = (grasp(evidence(network, parts, classified)) for parts in ([[images, labels]], halves))
    for name, score in one.items():
        torch.testing.assert_close(score, two[name])


def test_all_outputs_are_divided_by_the_temperature():
    network, batches = judge()
    seen = []

    def loss(network, batch):
        seen.append([output.detach() for output in network(batch[0])])
        return judged(network, batch)

    grasp(evidence(network, batches, loss))
    snip(evidence(network, batches, loss))
    for cool, hot in zip(*seen, strict=True):
        torch.testing.assert_close(cool * TEMPERATURE, hot)


@pytest.mark.parametrize("criterion", [snip, grasp])
def test_neither_loss_of_two_decides_alone(criterion):
    network, batches = judge()
    joint = criterion(evidence(network, batches, judged))["stem.weight"]

    def policy(network, batch):
        return functional.cross_entropy(network(batch[0])[0], batch[1])

    def value(network, batch):
        return (network(batch[0])[1] - 0.5).square().mean()

    for alone in (policy, value):
        found = criterion(evidence(network, batches, alone))["stem.weight"]
        difference = (found - joint).norm() / joint.norm()
        assert difference > 0.02  # with a temperature of the logits alone it is 0.0001 for the value


def test_snip_on_a_linear_model_is_the_product_of_gradient_and_weight():
    network = nn.Sequential(nn.Linear(3, 1, bias=False)).double()
    inputs = torch.tensor([[1.0, 2.0, -1.0], [0.0, 1.0, 4.0]], dtype=torch.double)
    found = snip(evidence(network, [[inputs]], lambda network, batch: network(batch[0]).mean()))
    # the loss is summed over the samples: its gradient is the sum of the inputs
    torch.testing.assert_close(found["0.weight"], (network[0].weight * inputs.sum(0)).abs().detach())


def test_normalising_snip_changes_no_mask():
    network, batches = lenet()
    about = evidence(network, batches, classified)
    scores = snip(about)
    total = sum(score.sum() for score in scores.values())
    shares = {name: score / total for name, score in scores.items()}
    kept = [drop_lowest(each, about.alive, fraction=0.9).masks for each in (scores, shares)]
    assert kept[0] == kept[1]


@pytest.mark.parametrize("criterion", [snip, grasp, synflow])
@pytest.mark.parametrize("build", [lenet, judge])
def test_scores_leave_the_network_as_it_is(criterion, build):
    network, batches = build()
    before = copy.deepcopy(network.state_dict())
    loss = judged if build is judge else classified
    scores = criterion(evidence(network, batches, loss))
    assert all(score.isfinite().all() and score.shape == before[name].shape for name, score in scores.items())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in network.parameters())
    assert not network.training


@pytest.mark.parametrize("criterion", [snip, grasp])
def test_normalisations_are_scored_with_the_statistics_of_the_sample(criterion):
    network, batches = judge()
    one = criterion(evidence(network, batches, judged))
    with torch.no_grad():
        network.norm.running_mean.add_(3)
    two = criterion(evidence(network, batches, judged))
    assert all(torch.equal(score, two[name]) for name, score in one.items())


@pytest.mark.parametrize("criterion", [snip, grasp])
def test_a_sample_that_is_empty_is_an_error(criterion):
    network, batches = lenet()
    empty = evidence(network, batches, classified)
    object.__setattr__(empty, "sample", tuple)
    with pytest.raises(ValueError, match="sample is empty"):
        criterion(empty)


def test_synflow_conserves_the_flow_in_each_layer():
    network, batches = lenet()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Linear):
                module.bias.zero_()
    scores = synflow(evidence(network, batches, classified))
    totals = [float(score.sum()) for score in scores.values()]
    assert totals == pytest.approx([totals[0]] * 3)


def test_synflow_on_two_layers_by_hand():
    network = nn.Sequential(nn.Linear(2, 2, bias=False), nn.ReLU(), nn.Linear(2, 1, bias=False)).double()
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([[1.0, -2.0], [3.0, 4.0]]))
        network[2].weight.copy_(torch.tensor([[-5.0, 6.0]]))
    inputs = torch.randn(4, 2, dtype=torch.double)
    scores = synflow(evidence(network, [[inputs]], classified))
    assert scores["0.weight"].tolist() == [[5, 10], [18, 24]]
    assert scores["2.weight"].tolist() == [[15, 42]]


def test_synflow_uses_no_data_and_no_saturation():
    network, batches = judge()
    with torch.no_grad():
        network.value.weight.mul_(1000)  # tanh of that has no gradient
    scores = synflow(evidence(network, batches, judged))
    assert (scores["value.weight"] > 0).all()
    again = synflow(evidence(network, [[-batches[0][0], batches[0][1]]], judged))
    assert all(torch.equal(score, again[name]) for name, score in scores.items())


def emptied(masks):
    return [name for name, density in masks.densities().items() if not density]


def test_synflow_in_many_rounds_keeps_every_layer_where_one_round_empties_one():
    network = make_model("lenet:40-40", shape=(1, 8, 8), classes=4, seed=3)
    about = evidence(network, [[torch.randn(4, 1, 8, 8), torch.arange(4)]], classified)
    once = drop_lowest(synflow(about), about.alive, count=about.alive.size - 20).masks
    masks = about.alive
    for done in range(1, 101):
        keep = round(about.alive.size * (20 / about.alive.size) ** (done / 100))
        pruned = copy.deepcopy(network)
        apply(pruned, masks)
        again = evidence(pruned, [[torch.randn(4, 1, 8, 8), torch.arange(4)]], classified, masks)
        masks = drop_lowest(synflow(again), masks, count=masks.kept - keep).masks
    assert masks.kept == 20
    assert not emptied(masks)
    assert emptied(once)


def test_scores_of_a_pruned_network_see_only_what_is_left():
    network, batches = lenet()
    about = evidence(network, batches, classified)
    half = drop_lowest(snip(about), about.alive, fraction=0.5).masks
    apply(network, half)
    for criterion in (snip, grasp, synflow):
        scores = criterion(evidence(network, batches, classified, half))
        assert all((scores[name][~mask] == 0).all() for name, mask in half.items())
