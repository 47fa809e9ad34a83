"""The image classifiers: published sizes, any image, initial weights, masks = removal, wrong requests."""

import math
from itertools import pairwise

import pytest
import torch
from shrinking import apart, masked, random_masks, settled
from small_networks import randomised
from torch import nn

from pruning.channels.groups import cuttable, find_groups
from pruning.channels.removal import shrink
from pruning.channels.tracing import LAYERS, NORMS, observe
from pruning.criteria.scores import CRITERIA
from pruning.loop.parts import Amount, Scoring
from pruning.loop.plan import Plan
from pruning.loop.prunable import whole
from pruning.models.initialisation import INITS
from pruning.models.registry import MODELS, make_model, unmasked

MNIST, CIFAR, TINY, DIGITS = (1, 28, 28), (3, 32, 32), (3, 64, 64), (1, 8, 8)
NARROW = 1 / 8
WEIGHTS = next(name for name, criterion in CRITERIA.items() if criterion.of == "weights")


def make(spec, shape=CIFAR, classes=10, **options):
    """A network of seed 0, unless the options say otherwise."""
    return make_model(spec, shape=shape, classes=classes, **{"seed": 0, **options})


def narrow(spec, shape=CIFAR):
    """A narrow network with random parameters in double precision, in evaluation, and inputs."""
    network = settled(randomised(make(spec, shape, 5, width=0.5 if spec == "vit" else NARROW), 1), shape)
    return network.double(), torch.randn(3, *shape, generator=torch.Generator().manual_seed(2)).double()


def same(one, other):
    """Whether two networks have equal weights."""
    mine, theirs = one.state_dict(), other.state_dict()
    return mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)


# ------------------------------------------------------------------------------- published sizes


def conv(inputs, outputs, side=3):
    return side * side * inputs * outputs + outputs


def normed(inputs, outputs, side=3):
    """A convolution without bias and its normalisation."""
    return side * side * inputs * outputs + 2 * outputs


def line(inputs, outputs):
    return inputs * outputs + outputs


def resnet(blocks):
    """A CIFAR ResNet: a stem, three stages, projections where the width changes."""
    first = normed(3, 16) + 2 * blocks * normed(16, 16)
    second = normed(16, 32) + (2 * blocks - 1) * normed(32, 32) + normed(16, 32, side=1)
    third = normed(32, 64) + (2 * blocks - 1) * normed(64, 64) + normed(32, 64, side=1)
    return first + second + third + line(64, 10)


def wrn(blocks, widen):
    """A WRN: a stage's first block has a projection; all 3x3 but the stem have a scale in front."""
    first, widths = 16, [widen * width for width in (16, 32, 64)]
    total = 27 * first + 2 * widths[-1]
    for before, width in zip([first, *widths], widths, strict=False):
        total += normed(before, width) - 2 * width + 2 * before + normed(width, width) + before * width
        total += (blocks - 1) * 2 * normed(width, width)
    return total + line(widths[-1], 10)


def resnet18():
    """DropNet's: the shortcut that changes the width is a 3x3 convolution too."""
    stages = [(64, 128), (128, 256), (256, 512)]
    others = sum(2 * conv(before, after) + 3 * conv(after, after) for before, after in stages)
    return conv(3, 64) + 4 * conv(64, 64) + others + line(512, 10)


def vgg(deep, conv=conv):
    """The convolutions of VGG with 2, 2, `deep`, `deep`, `deep` of them in its blocks."""
    blocks = [(3, 64, 2), (64, 128, 2), (128, 256, deep), (256, 512, deep), (512, 512, deep)]
    return sum(conv(before, width) + (depth - 1) * conv(width, width) for before, width, depth in blocks)


def dropnet_vgg(flat, hidden, classes):
    scales = 2 * (64 + 128 + 256 + 512 + 512)
    return vgg(4) + scales + line(flat, hidden) + line(hidden, classes)


@pytest.mark.parametrize(
    ("spec", "shape", "classes", "expected"),
    [
        ("dropnet-a", MNIST, 10, 33_450),
        ("dropnet-a:20-20", MNIST, 10, line(784, 20) + line(20, 20) + line(20, 10)),
        ("dropnet-b", MNIST, 10, conv(1, 64) + conv(64, 64) + line(7 * 7 * 64, 10)),
        ("dropnet-b:32-64", MNIST, 10, conv(1, 32) + conv(32, 64) + line(7 * 7 * 64, 10)),
        ("dropnet-c", CIFAR, 10, 394_058),
        ("dropnet-resnet18", CIFAR, 10, resnet18()),
        ("dropnet-resnet18", TINY, 200, resnet18() - line(512, 10) + line(512, 200)),
        ("dropnet-vgg19", CIFAR, 10, dropnet_vgg(512, 256, 10)),
        ("dropnet-vgg19", TINY, 200, dropnet_vgg(4 * 512, 1024, 200)),
        ("cnn", CIFAR, 10, normed(3, 16) + normed(16, 32) + normed(32, 64) + line(64, 10)),
        ("cnn:4-5-6", MNIST, 10, normed(1, 4) + normed(4, 5) + normed(5, 6) + line(6, 10)),
        ("lenet", MNIST, 10, 266_610),
        ("resnet8", CIFAR, 10, resnet(1)),
        ("resnet20", CIFAR, 10, 272_474),
        ("resnet20", CIFAR, 10, resnet(3)),
        ("resnet32", CIFAR, 10, resnet(5)),
        ("resnet56", CIFAR, 10, resnet(9)),
        ("vgg16", CIFAR, 10, vgg(3, normed) + line(512, 10)),
        ("vgg19", CIFAR, 10, vgg(4, normed) + line(512, 10)),
        ("wrn10-2", CIFAR, 10, wrn(1, 2)),
        ("wrn22-2", CIFAR, 10, wrn(3, 2)),
    ],
)
def test_parameters(spec, shape, classes, expected):
    network = make(spec, shape, classes)
    assert sum(parameter.numel() for parameter in network.parameters()) == expected


@pytest.mark.parametrize(
    ("spec", "shape", "layers", "units"),
    [
        ("dropnet-a", MNIST, 2, 80),
        ("dropnet-b:20-20", MNIST, 2, 40),
        ("dropnet-c", CIFAR, 4, 384),
        ("dropnet-resnet18", CIFAR, 20, 4_800),
        ("dropnet-vgg19", CIFAR, 16, 5_504),
        ("lenet", MNIST, 2, 400),
    ],
)
def test_what_dropnet_masks(spec, shape, layers, units):
    network = make(spec, shape)
    groups = find_groups(network, torch.zeros(1, *shape), coupled=False)
    plan = Plan(Scoring("dropnet"), Amount(coupled=False, exclude=unmasked(spec)))
    masks = whole(plan, network, groups)
    assert (len(masks), masks.size) == (layers, units)


@pytest.mark.parametrize("spec", MODELS)
def test_what_dropnet_leaves_whole_can_be_excluded_among_weights_too(spec):
    network = make(spec, width=NARROW)
    every, rest = (
        whole(Plan(Scoring(WEIGHTS), Amount(exclude=exclude)), network, ())
        for exclude in ((), unmasked(spec))
    )
    left = ["hidden.weight"] if spec in ("dropnet-c", "dropnet-vgg19") else []
    assert [name for name in every if name not in rest] == left


# ---------------------------------------------------------------------------- published structure


def flat(*widths):
    """Linear layers on the flattened input, the last without ReLU."""
    layers = [each for pair in pairwise(widths) for each in (nn.Linear(*pair), nn.ReLU())]
    return [nn.Flatten(), *layers[:-1]]


def step(inputs, outputs, *, norm=""):
    """A convolution and a ReLU, with a normalisation before or after the ReLU or without one."""
    convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=norm != "before")
    normalisation = nn.BatchNorm2d(outputs)
    return {
        "": [convolution, nn.ReLU()],
        "before": [convolution, normalisation, nn.ReLU()],
        "after": [convolution, nn.ReLU(), normalisation],
    }[norm]


def blocks(widths, depths, *, norms, last):
    """Blocks of convolutions, each with a pool; the last convolution of a block is normalised as `last`."""
    layers, inputs = [], 3
    for width, depth in zip(widths, depths, strict=True):
        for place in range(depth):
            layers += step(inputs, width, norm=last if place == depth - 1 else norms)
            inputs = width
        layers.append(nn.MaxPool2d(2))
    return layers


EIGHTHS = (8, 16, 32, 64, 64)
SEQUENCES = {
    "dropnet-a": lambda: flat(3 * 32 * 32, 5, 5, 10),
    "lenet": lambda: flat(3 * 32 * 32, 38, 12, 10),
    "dropnet-b": lambda: [*blocks((8, 8), (1, 1), norms="", last=""), *flat(8 * 8 * 8, 10)],
    "dropnet-c": lambda: [
        *blocks((8, 8, 16, 16), (1, 1, 1, 1), norms="", last=""),
        *flat(2 * 2 * 16, 32, 10),
    ],
    "dropnet-vgg19": lambda: [
        *blocks(EIGHTHS, (2, 2, 4, 4, 4), norms="", last="after"),
        *flat(64, 32, 10),
    ],
    "vgg16": lambda: [
        *blocks(EIGHTHS, (2, 2, 3, 3, 3), norms="before", last="before"),
        *flat(64, 10),
    ],
    "vgg19": lambda: [
        *blocks(EIGHTHS, (2, 2, 4, 4, 4), norms="before", last="before"),
        *flat(64, 10),
    ],
}
"""Networks without shortcuts at an eighth of their width, as plain sequences."""


@pytest.mark.parametrize("spec", SEQUENCES)
def test_a_plain_sequence_of_the_published_layers_gives_the_same(spec):
    network = randomised(make(spec, width=1 / 8), 3)
    sequence = nn.Sequential(*SEQUENCES[spec]()).eval()
    tensors = [*network.state_dict().values()]
    sequence.load_state_dict(dict(zip(sequence.state_dict(), tensors, strict=True)))
    images = torch.rand(2, *CIFAR)
    torch.testing.assert_close(network(images), sequence(images))


def test_a_published_resnet_by_hand():
    """ResNet-8 is short enough to be written down."""
    network, x = narrow("resnet8")
    relu, given = torch.relu, x
    x = relu(network.stem_norm(network.stem(x)))
    for number, block in enumerate(network.blocks):
        inner = block.norm2(block.conv2(relu(block.norm1(block.conv1(x)))))
        x = relu(inner + (block.short_norm(block.short(x)) if number else x))
        assert x.shape[2:] == (32 >> number, 32 >> number)
    torch.testing.assert_close(network(given), network.out(x.mean((2, 3))), rtol=0, atol=0)


def test_a_wide_resnet_by_hand():
    """WRN-10-2; additions are left as they are, a projection reads what the convolutions read."""
    network, given = narrow("wrn10-2")
    relu, x = torch.relu, network.stem(given)
    for number, block in enumerate(network.blocks):
        active = relu(block.norm1(x))
        x = block.conv2(relu(block.norm2(block.conv1(active)))) + block.short(active)
        assert x.shape[2:] == (32 >> number, 32 >> number)
    expected = network.out(relu(network.norm(x)).mean((2, 3)))
    torch.testing.assert_close(network(given), expected, rtol=0, atol=0)


def test_only_the_first_block_of_a_wide_resnet_s_stage_has_a_projection():
    projected = [block.short is not None for block in make("wrn22-2", width=NARROW).blocks]
    assert projected == 3 * [True, False, False]


def test_the_maps_of_the_small_network_halve():
    network, x = narrow("cnn")
    for side, conv, norm in zip((32, 16, 8), network.convs, network.norms, strict=True):
        x = torch.relu(norm(conv(x)))
        assert x.shape[2:] == (side, side)


def test_dropnets_resnet_by_hand():
    network, x = narrow("dropnet-resnet18")
    assert not any(isinstance(module, NORMS) for module in network.modules())
    relu, given, sides = torch.relu, x, (16, 8, 4, 2)
    x = relu(network.stem(x))
    for number, (side, (first, second)) in enumerate(zip(sides, network.stages, strict=True)):
        x = nn.functional.max_pool2d(x, 2)
        x = relu(first.conv2(relu(first.conv1(x)))) + (relu(first.short(x)) if number else x)
        x = relu(second.conv2(relu(second.conv1(x)))) + x
        assert x.shape[2:] == (side, side)
    torch.testing.assert_close(network(given), network.out(x.mean((2, 3))), rtol=0, atol=0)


@pytest.mark.parametrize("spec", ["dropnet-resnet18", "dropnet-vgg19"])
def test_dropnet_scores_each_layer_behind_its_relu_and_normalisation(spec):
    network, inputs = narrow(spec)
    negative = []
    for group in cuttable(find_groups(network, inputs, coupled=False)):
        (values,) = observe(network, group.taps, inputs).values()
        negative += [group.name] if (values < 0).any() else []
    last_of_blocks = [f"blocks.{block}.convs.{depth - 1}" for block, depth in enumerate((2, 2, 4, 4, 4))]
    assert negative == (last_of_blocks if spec == "dropnet-vgg19" else [])


# ------------------------------------------------------------------------------ any image and width


@pytest.mark.parametrize("shape", [MNIST, CIFAR, TINY, DIGITS, (2, 3, 5), (2, 5, 3)])
@pytest.mark.parametrize("spec", MODELS)
def test_any_image_gives_logits(spec, shape):
    network = make(spec, shape, classes=7, width=NARROW)
    logits = network(torch.rand(2, *shape))
    assert logits.shape == (2, 7)
    logits.square().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize(
    ("spec", "width", "expected"),
    [
        ("dropnet-a:40-21", 0.5, [20, 10]),
        ("dropnet-a", 2, [80, 80]),
        ("dropnet-c", 0.25, [16, 16, 32, 32, 64]),
        ("dropnet-c:8-4-6-9", 1, [8, 4, 6, 9, 256]),
        ("dropnet-c", 0.001, [1, 1, 1, 1, 1]),
        ("resnet8", 0.5, [8, 8, 16, 16, 32, 32]),
        ("cnn", 0.5, [8, 16, 32]),
        ("vgg16", 0.1, [6] * 2 + [13] * 2 + [26] * 3 + [51] * 6),
    ],
)
def test_width_multiplies_all_hidden_layers(spec, width, expected):
    network = make(spec, DIGITS, width=width)
    groups = cuttable(find_groups(network, torch.zeros(1, *DIGITS)))
    assert [group.size for group in groups] == expected


# --------------------------------------------------------------------------------- masks = removal


@pytest.mark.parametrize("spec", MODELS)
def test_a_masked_network_is_the_shrunk_one(spec):
    network, inputs = narrow(spec)
    groups = find_groups(network, inputs)
    masks = random_masks(groups, 3)
    zeroed = masked(network, groups, masks)
    small, _ = shrink(network, groups, masks)
    assert apart(zeroed, small, inputs) < 1e-12
    assert apart(zeroed, network, inputs) > 1e-3
    assert sum(each.numel() for each in small.parameters()) < sum(
        each.numel() for each in network.parameters()
    )


@pytest.mark.parametrize("spec", [spec for spec in MODELS if spec != "vit"])
def test_only_the_classes_cannot_be_cut(spec):
    network, inputs = narrow(spec)
    groups = find_groups(network, inputs)
    assert [(group.layers, group.fixed) for group in groups if group.fixed] == [
        (("out",), "output of the network")
    ]
    made = {layer for group in groups for layer in group.layers}
    assert made == {name for name, module in network.named_modules() if isinstance(module, LAYERS)}


@pytest.mark.parametrize("spec", ["dropnet-resnet18", "resnet8"])
def test_without_coupling_a_masked_layer_adds_nothing(spec):
    network, inputs = narrow(spec)
    groups = find_groups(network, inputs, coupled=False)
    assert any(group.tied for group in groups)
    masks = {group.name: torch.arange(group.size) % 2 == 0 for group in cuttable(groups)}
    zeroed = masked(network, groups, masks)
    for group in cuttable(groups):
        assert len(group.layers) == len(group.taps) == 1
        (values,) = observe(zeroed, group.taps, inputs).values()
        assert not values[:, ~masks[group.name]].any()
        assert values[:, masks[group.name]].any()


def test_without_coupling_a_branch_can_be_emptied():
    network, inputs = narrow("dropnet-resnet18")
    groups = find_groups(network, inputs, coupled=False)
    name = "stages.2.1.conv2"
    empty = {name: torch.zeros(network.get_submodule(name).out_channels, dtype=torch.bool)}
    skipped = masked(network, (), {})
    skipped.stages[2][1] = nn.Identity()
    torch.testing.assert_close(masked(network, groups, empty)(inputs), skipped(inputs), rtol=0, atol=0)


# -------------------------------------------------------------------------------- initial weights


@pytest.mark.parametrize("spec", MODELS)
def test_a_seed_is_its_weights(spec):
    options = {"shape": DIGITS, "width": NARROW}
    for init in INITS:
        network = make(spec, init=init, **options)
        assert same(network, make(spec, init=init, **options))
        assert not same(network, make(spec, init=init, seed=1, **options))


def test_the_callers_random_numbers_are_left_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    make("resnet8", init="xavier-normal", seed=6)
    assert torch.equal(torch.rand(3), expected)


def layers_of(network):
    """Weights with enough entries for statistics, each with the numbers that it reads and feeds."""
    for module in network.modules():
        if isinstance(module, LAYERS) and module.weight.numel() >= 10_000:
            weight = module.weight.detach()
            yield weight, weight[0].numel(), weight[:, 0].numel()


def uniform(weight, bound):
    assert 0.99 * bound < weight.abs().max() <= bound
    normal(weight, bound / math.sqrt(3))


def normal(weight, deviation):
    assert abs(weight.mean()) < 0.05 * deviation
    assert weight.std() == pytest.approx(deviation, rel=0.05)


@pytest.mark.parametrize(
    ("init", "check"),
    [
        ("default", lambda weight, reads, feeds: uniform(weight, math.sqrt(1 / reads))),
        ("glorot-uniform", lambda weight, reads, feeds: uniform(weight, math.sqrt(6 / (reads + feeds)))),
        ("xavier-normal", lambda weight, reads, feeds: normal(weight, math.sqrt(2 / (reads + feeds)))),
        ("kaiming-normal", lambda weight, reads, feeds: normal(weight, math.sqrt(2 / reads))),
    ],
)
@pytest.mark.parametrize("spec", ["dropnet-vgg19", "resnet20"])
def test_weights_are_drawn_as_their_rule_says(spec, init, check):
    network = make(spec, width=0.5 if spec == "dropnet-vgg19" else 2, init=init)
    found = [*layers_of(network)]
    assert len(found) >= 10
    for weight, reads, feeds in found:
        check(weight, reads, feeds)
    biases = [module.bias for module in network.modules() if isinstance(module, LAYERS)]
    assert all(bias is None or bool(bias.any()) == (init == "default") for bias in biases)


@pytest.mark.parametrize("init", INITS)
def test_scales_of_normalisations_are_1_but_for_silos_rule(init):
    norms = [module for module in make("resnet56", init=init).modules() if isinstance(module, NORMS)]
    scales = torch.cat([norm.weight.detach() for norm in norms])
    if init == "xavier-normal":
        assert scales.mean() == pytest.approx(1, abs=0.002)
        assert scales.std() == pytest.approx(0.02, rel=0.1)
    else:
        assert (scales == 1).all()
    assert not any(norm.bias.any() or norm.running_mean.any() for norm in norms)


# --------------------------------------------------------------------------------- wrong requests


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("resnet-20", r"unknown model 'resnet-20' \(did you mean 'resnet20'\?\); models are dropnet-a, "),
        ("LeNet", r"unknown model 'LeNet' \(did you mean 'lenet'\?\)"),
        ("", r"unknown model ''; models are"),
        (
            "resnet20:16",
            r"model 'resnet20' has fixed numbers of units: expected 'resnet20', got 'resnet20:16'",
        ),
        *(
            (
                f"dropnet-a:{units}",
                rf"takes 2 numbers .* for example dropnet-a:40-40, got 'dropnet-a:{units}'",
            )
            for units in (
                "",
                "40",
                "40-40-40",
                "40-x",
                "40--40",
                "-40-40",
                "40-0",
                "40-1e3",
                "4²-40",
                "40-65537",
            )
        ),
    ],
)
def test_a_wrong_specification_is_one_line(spec, said):
    for asked in (lambda: make(spec), lambda: unmasked(spec)):
        with pytest.raises(ValueError, match=said) as caught:
            asked()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"init": "xavier"}, r"unknown initialisation 'xavier' \(did you mean 'xavier-normal'\?\); init"),
        ({"width": 0}, r"width must be above 0 and at most 16, got 0"),
        ({"width": math.nan}, "got nan"),
        ({"width": 17}, "got 17"),
        ({"shape": (28, 28)}, r"shape must be channels, rows and columns, each at least 1, got \(28, 28\)"),
        ({"shape": (0, 28, 28)}, r"got \(0, 28, 28\)"),
        ({"classes": 0}, "classes must be a whole number, at least 1, got 0"),
        ({"seed": -1}, "seed must be a whole number from 0 .*, got -1"),
        ({"seed": 2**63}, "seed must be"),
    ],
)
def test_wrong_options_are_one_line(options, said):
    with pytest.raises(ValueError, match=said) as caught:
        make("dropnet-a", **options)
    assert "\n" not in str(caught.value)
