"""The vision transformer: heads and MLP units are cut as channels are, its stream is not."""

import copy
import math

import pytest
import torch
from shrinking import apart, masked, outputs, random_masks
from torch import nn
from torch.nn import functional

from pruning.channels.attention import Attention
from pruning.channels.groups import cuttable, find_groups
from pruning.channels.places import Slice
from pruning.channels.removal import carry_optimizer_state, restore, shrink
from pruning.channels.tracing import observe
from pruning.criteria.evidence import Evidence, batches_of
from pruning.criteria.scores import CRITERIA
from pruning.masks.held import Masks, apply, hold_at_zero, weight_masks
from pruning.measures.costs import macs
from pruning.models.vit import ViT, vit

SHAPE, HEADS, HEAD_DIM, HIDDEN, TOKENS = (3, 9, 12), 3, 4, 10, 13
WIDTH = HEADS * HEAD_DIM
STREAM = "read by LayerNorm, which computes another function over fewer channels"


def build(seed=0, **changes):
    """A small transformer in double precision, with no parameter at 0, and an input."""
    torch.manual_seed(seed)
    sizes = {"patch": 3, "depth": 2, "heads": HEADS, "head_dim": HEAD_DIM, "hidden": HIDDEN} | changes
    network = ViT(SHAPE, 5, **sizes).double().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.2)
    return network, torch.randn(4, *SHAPE, dtype=torch.double)


def by_name(groups):
    return {group.name: group for group in groups}


def first(size):
    """A mask that keeps the first of so many units."""
    return torch.arange(size) < 1


def by_hand(network, x):
    """Logits of explicit loops over patches and heads."""
    rows, cols = SHAPE[1] // 3, SHAPE[2] // 3
    kernel, tokens = network.patches.weight.flatten(1), [network.token[0].expand(len(x), -1)]
    for row in range(rows):
        for col in range(cols):
            patch = x[:, :, 3 * row : 3 * row + 3, 3 * col : 3 * col + 3].flatten(1)
            tokens.append(patch @ kernel.T + network.patches.bias)
    x = torch.stack(tokens, 1) + network.positions
    for block in network.blocks:
        read, heads = block.norm1(x), []
        query, key, value = block.query(read), block.key(read), block.value(read)
        for start in range(0, query.shape[-1], HEAD_DIM):
            q, k, v = (each[..., start : start + HEAD_DIM] for each in (query, key, value))
            heads.append((q @ k.mT / math.sqrt(HEAD_DIM)).softmax(-1) @ v)
        x = x + block.gather(torch.cat(heads, -1))
        x = x + block.out(functional.gelu(block.hidden(block.norm2(x))))
    return network.head(network.norm(x)[:, 0])


# ------------------------------------------------------------------------- the network


def test_the_network_by_hand():
    network, inputs = build()
    torch.testing.assert_close(network(inputs), by_hand(network, inputs), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("side", "patch", "tokens"), [(8, 2, 17), (28, 4, 50), (32, 4, 65), (64, 8, 65), (31, 4, 65), (1, 2, 2)]
)
def test_an_image_is_about_eight_patches_wide(side, patch, tokens):
    network = vit((3, side, side), 7, width=0.1)
    assert network.patches.kernel_size == (patch, patch)
    assert network.positions.shape == (1, tokens, 16)
    assert network(torch.randn(2, 3, side, side)).shape == (2, 7)


def test_parameters_of_the_default_by_hand():
    width = 96
    norm, linear = 2 * width, width * width + width
    mlp = width * 4 * width + 4 * width + 4 * width * width + width
    blocks = 6 * (2 * norm + 4 * linear + mlp)
    wanted = (3 * 4 * 4 + 1) * width + width + 65 * width + blocks + norm + 10 * (width + 1)
    assert sum(each.numel() for each in vit((3, 32, 32), 10).parameters()) == wanted == 683_242


@pytest.mark.parametrize(("width", "heads"), [(0.01, 1), (0.5, 3), (1.0, 6), (2.0, 12)])
def test_width_scales_heads_and_all_else_with_them(width, heads):
    network = vit((1, 8, 8), 10, width)
    assert {block.query.out_features for block in network.blocks} == {16 * heads}
    assert {block.hidden.out_features for block in network.blocks} == {64 * heads}
    assert network.head.in_features == 16 * heads


def test_what_is_padded_is_as_if_zeros_were_there():
    torch.manual_seed(0)
    network = vit((1, 30, 28), 10, width=0.1).double()
    images = torch.randn(2, 1, 30, 28, dtype=torch.double)
    whole = copy.deepcopy(network)
    whole.padding = (0, 0, 0, 0)
    assert torch.equal(network(images), whole(functional.pad(images, (0, 0, 0, 2))))


def test_the_class_token_alone_is_classified_and_sees_all_patches():
    network, inputs = build()
    with torch.no_grad():
        for block in network.blocks:  # nothing passes from token to token
            block.gather.weight.zero_()
    alone = outputs(network, inputs)[0]
    assert torch.equal(alone, alone[:1].expand_as(alone))
    network, inputs = build()
    inputs.requires_grad_()
    (seen,) = torch.autograd.grad(network(inputs).sum(), inputs)
    assert seen.abs().amin() > 0
    assert all(each.grad_fn is None and each.requires_grad for each in (network.token, network.positions))


def test_it_learns_random_labels_of_noise():
    torch.manual_seed(0)
    network, images, labels = vit((1, 8, 8), 4, width=0.2), torch.randn(32, 1, 8, 8), torch.arange(32) % 4
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(30):
        optimizer.zero_grad()
        functional.cross_entropy(network(images), labels).backward()
        optimizer.step()
    assert all(parameter.grad.any() for parameter in network.parameters())
    assert (network(images).argmax(1) == labels).double().mean() > 0.9


@pytest.mark.parametrize("name", ["patch", "depth", "heads", "head_dim", "hidden"])
def test_sizes_below_one_are_refused(name):
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
        build(**{name: 0})


def test_a_width_that_is_no_number_of_heads_is_refused_in_one_line():
    with pytest.raises(ValueError, match="head_dim must be at least 1, got 0"):
        Attention(0)
    with pytest.raises(ValueError, match=r"the width must be a multiple of head_dim \(4\), got 10"):
        Attention(4)(*torch.randn(3, 2, 5, 10))
    network, inputs = build()
    network.blocks[1].attention = Attention(5)
    with pytest.raises(
        ValueError, match=r"does not fit ViT: the width must be a multiple of head_dim \(5\), got 12"
    ) as error:
        find_groups(network, inputs)
    assert "\n" not in str(error.value)


# ------------------------------------------------------------------------- its groups


@pytest.mark.parametrize("coupled", [True, False])
def test_heads_and_units_are_the_groups_that_can_be_removed(coupled):
    network, inputs = build()
    groups = find_groups(network, inputs, coupled=coupled)
    free = [group for group in cuttable(groups) if not group.tied]
    assert [(group.name, group.size) for group in free] == [
        (f"blocks.{i}.{name}", size)
        for i in range(2)
        for name, size in (("query", HEADS), ("hidden", HIDDEN))
    ]
    head = by_name(groups)["blocks.1.query"]
    assert head.layers == ("blocks.1.query", "blocks.1.key", "blocks.1.value")
    assert head.producers == tuple(
        Slice(f"{layer}.{kind}", 0, 0, HEAD_DIM) for layer in head.layers for kind in ("weight", "bias")
    )
    assert head.consumers == (Slice("blocks.1.gather.weight", 1, 0, HEAD_DIM),)
    assert head.taps == head.last == ("blocks_1_attention",)
    units = by_name(groups)["blocks.1.hidden"]
    assert units.consumers == (Slice("blocks.1.out.weight", 1),)
    assert units.taps == units.last == ("blocks_1_activation",)


def test_the_stream_is_fixed_and_says_why():
    groups = by_name(find_groups(*build()))
    fixed = {name: group.fixed for name, group in groups.items() if group.fixed}
    assert fixed == {
        "patches": "read by transpose, an unsupported operation",
        "blocks.0.gather": STREAM,
        "head": "output of the network",
    }
    writers = tuple(f"blocks.{i}.{name}" for i in range(2) for name in ("gather", "out"))
    assert groups["blocks.0.gather"].layers == writers
    with pytest.raises(ValueError, match=r"blocks\.0\.gather cannot be removed: read by LayerNorm"):
        shrink(*build()[:1], groups.values(), {"blocks.0.gather": first(WIDTH)})


def test_without_coupling_what_is_added_to_the_stream_can_be_masked():
    network, inputs = build()
    groups = find_groups(network, inputs, coupled=False)
    tied = [group for group in groups if group.tied]
    assert [group.name for group in tied] == [
        f"blocks.{i}.{name}" for i in range(2) for name in ("gather", "out")
    ]
    for group in tied:
        zeroed = masked(network, groups, {group.name: first(WIDTH)})
        for values in observe(zeroed, group.taps, inputs).values():
            assert values[..., 0].all() and not values[..., 1:].any()


def test_every_layer_is_in_one_group():
    network, inputs = build()
    groups = find_groups(network, inputs)
    layers = [layer for group in groups for layer in group.layers]
    wanted = [name for name, each in network.named_modules() if isinstance(each, nn.Linear | nn.Conv2d)]
    assert sorted(layers) == sorted(wanted)
    assert find_groups(network, inputs[:1]) == groups


# ------------------------------------------------------------------------- masked = shrunk


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("seed", range(3))
def test_masked_is_shrunk(seed, kept):
    network, inputs = build(seed)
    groups = find_groups(network, inputs)
    masks = random_masks(groups, seed, kept)
    small, _ = shrink(network, groups, masks)
    zeroed = masked(network, groups, masks)
    assert apart(zeroed, small, inputs) < 1e-12
    apply(network, weight_masks(groups, masks, network))
    assert torch.equal(network(inputs), zeroed(inputs))
    after = by_name(find_groups(small, inputs))
    for name, mask in masks.items():
        assert after[name].size == int(mask.sum())


def test_each_group_alone_down_to_one_unit():
    network, inputs = build()
    groups = find_groups(network, inputs)
    for group in cuttable(groups):
        for unit in range(group.size):
            masks = {group.name: torch.arange(group.size) == unit}
            small, _ = shrink(network, groups, masks)
            assert apart(masked(network, groups, masks), small, inputs) < 1e-12
            assert apart(network, small, inputs) > 1e-3


def test_one_head_and_one_unit_of_each_block_are_left():
    network, inputs = build()
    groups = find_groups(network, inputs)
    masks = {group.name: first(group.size) for group in cuttable(groups)}
    small, _ = shrink(network, groups, masks)
    for block in small.blocks:
        assert {each.out_features for each in (block.query, block.key, block.value)} == {HEAD_DIM}
        assert (block.gather.in_features, block.hidden.out_features, block.out.in_features) == (
            HEAD_DIM,
            1,
            1,
        )
    assert apart(masked(network, groups, masks), small, inputs) < 1e-12
    torch.testing.assert_close(small(inputs), by_hand(small, inputs), rtol=1e-12, atol=1e-12)
    with pytest.raises(ValueError, match=r"blocks\.0\.query must keep at least one of its 3 channels"):
        shrink(network, groups, {"blocks.0.query": first(HEADS) < 0})


def test_queries_keys_or_values_cut_alone_are_not_a_head():
    """At 0, queries (or keys) leave a head that takes the mean of its values."""
    network, inputs = build()
    groups = find_groups(network, inputs)
    masks = {"blocks.0.query": first(HEADS)}
    naive = copy.deepcopy(network)
    with torch.no_grad():
        naive.blocks[0].query.weight[HEAD_DIM:] = naive.blocks[0].query.bias[HEAD_DIM:] = 0
    assert apart(masked(network, groups, masks), naive, inputs) > 1e-3


def test_states_files_and_the_way_back(tmp_path):
    network, inputs = build()
    groups = find_groups(network, inputs)
    masks = random_masks(groups, 0)
    small, param_map = shrink(network, groups, masks)
    torch.save(small.state_dict(), tmp_path / "small.pt")
    again, _ = shrink(build(seed=1)[0], groups, masks)
    again.load_state_dict(torch.load(tmp_path / "small.pt"))
    assert apart(small, again, inputs) == 0
    big, _ = build(seed=2)
    restore(small, big, param_map)
    assert apart(masked(network, groups, masks), big, inputs) < 1e-12
    assert apart(small, shrink(big, groups, masks)[0], inputs) == 0


def test_training_the_masked_network_is_training_the_shrunk_one():
    network, inputs = build()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-3)

    def step(network, optimizer):
        optimizer.zero_grad()
        network(inputs).square().mean().backward()
        optimizer.step()

    step(network, optimizer)
    groups = find_groups(network, inputs)
    masks = random_masks(groups, 1)
    small, param_map = shrink(network, groups, masks)
    other = torch.optim.SGD(small.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-3)
    carry_optimizer_state(optimizer, other, network, small, param_map)
    hold_at_zero(network, optimizer, weight_masks(groups, masks, network))
    before = copy.deepcopy(small.state_dict())
    for _ in range(3):
        step(network, optimizer)
        step(small, other)
    for name, value in small.state_dict().items():
        kept = param_map.gather(name, network.state_dict()[name])
        torch.testing.assert_close(value, kept, rtol=1e-11, atol=1e-11)
        assert not torch.equal(value, before[name])


# ------------------------------------------------------------------------- scores


def evidence(network, inputs, alive=None):
    groups = find_groups(network, inputs)
    whole = {group.name: torch.ones(group.size, dtype=torch.bool) for group in cuttable(groups)}
    return Evidence(
        network=network,
        alive=Masks(alive or whole),
        groups=groups,
        batches=lambda: batches_of([inputs], 2),
        loss=lambda network, batch: (network(batch[0]) - 0.1).square().mean(),
        before={},
        generator=torch.Generator().manual_seed(0),
        sample=lambda: [[inputs]],
        example=inputs[:1],
    )


UNITS = [name for name, row in CRITERIA.items() if row.of == "units" and row.score]


@pytest.mark.parametrize("criterion", UNITS)
def test_every_criterion_of_units_scores_heads_and_units(criterion):
    network, inputs = build()
    if criterion == "apoz":
        for block in network.blocks:
            block.activation = nn.ReLU()
    state, found = copy.deepcopy(network.state_dict()), evidence(network, inputs)
    scores = CRITERIA[criterion].score(found)
    assert {name: tuple(each.shape) for name, each in scores.items()} == found.alive.shapes
    assert all(each.isfinite().all() for each in scores.values())
    if criterion != "apoz-code":  # which has no map that is 0 on average
        assert all(each.any() for name, each in scores.items() if criterion != "apoz" or "hidden" in name)
    assert all(torch.equal(state[name], each) for name, each in network.state_dict().items())


def test_zeros_are_not_counted_where_a_gelu_gives_none():
    with pytest.raises(ValueError, match="this network has none"):
        CRITERIA["apoz"].score(evidence(*build()))


@pytest.mark.parametrize("criterion", [name for name in UNITS if name not in ("apoz", "random")])
def test_units_of_a_pruned_network_score_as_if_all_were_alive(criterion):
    network, inputs = build()
    groups = find_groups(network, inputs)
    alive = random_masks(groups, 2)
    apply(network, weight_masks(groups, alive, network))
    some = CRITERIA[criterion].score(evidence(network, inputs, alive))
    everything = CRITERIA[criterion].score(evidence(network, inputs))
    for name, mask in alive.items():
        torch.testing.assert_close(some[name][mask], everything[name][mask], rtol=1e-10, atol=1e-12)


def seen(network, inputs):
    """What heads and MLP units give in the first block, before they are read."""
    found = {}

    def keep(name):
        return lambda module, arguments: found.update({name: arguments[0].detach()})

    handles = [
        network.blocks[0].gather.register_forward_pre_hook(keep("blocks.0.query")),
        network.blocks[0].out.register_forward_pre_hook(keep("blocks.0.hidden")),
    ]
    network(inputs)
    for handle in handles:
        handle.remove()
    return found


def test_dropnet_is_the_mean_over_samples_tokens_and_the_channels_of_a_head():
    network, inputs = build()
    one, other = (CRITERIA[name].score(evidence(network, inputs)) for name in ("dropnet", "dropnet-code"))
    for name, values in seen(network, inputs).items():
        assert values.shape == (4, TOKENS, WIDTH if "query" in name else HIDDEN)
        for unit, score in enumerate(one[name]):
            span = HEAD_DIM if "query" in name else 1
            own = values[..., unit * span : (unit + 1) * span]
            assert float(score) == pytest.approx(float(own.abs().mean()))
            assert float(other[name][unit]) == pytest.approx(float(own.mean((1, 2)).abs().mean()))


def test_as_many_tokens_as_units_are_not_taken_for_them():
    network, inputs = build(hidden=TOKENS)
    score = CRITERIA["dropnet"].score(evidence(network, inputs))["blocks.0.hidden"]
    wanted = seen(network, inputs)["blocks.0.hidden"].abs().mean((0, 1))
    torch.testing.assert_close(score, wanted)


def test_norms_are_of_queries_keys_and_values():
    network, inputs = build()
    block = network.blocks[0]
    for criterion, power in (("l1", 1), ("l2", 2)):
        found = CRITERIA[criterion].score(evidence(network, inputs))["blocks.0.query"]
        rows = [
            each.weight.unflatten(0, (HEADS, HEAD_DIM)).flatten(1)
            for each in (block.query, block.key, block.value)
        ]
        torch.testing.assert_close(found, torch.cat(rows, 1).norm(power, dim=1).detach())


def test_taylor_is_the_squared_slope_of_a_gate_on_the_head_or_unit():
    network, inputs = build()
    evidence_ = evidence(network, inputs)
    found = CRITERIA["taylor"].score(evidence_)
    for name, layer, span in (("blocks.0.query", "gather", HEAD_DIM), ("blocks.1.hidden", "out", 1)):
        reader = network.blocks[int(name.split(".")[1])].get_submodule(layer)
        for unit in range(2):
            slopes = []
            for batch in inputs.split(2):
                gates = torch.ones(reader.in_features, dtype=torch.double, requires_grad=True)
                handle = reader.register_forward_pre_hook(lambda module, x, gates=gates: (x[0] * gates,))
                (slope,) = torch.autograd.grad(evidence_.loss(network, [batch]), gates)
                handle.remove()
                slopes.append(float(slope[unit * span : (unit + 1) * span].sum()))
            assert float(found[name][unit]) == pytest.approx(sum(each**2 for each in slopes) / 2, rel=1e-8)


def test_the_oracle_is_the_loss_without_a_head():
    network, inputs = build()
    evidence_ = evidence(network, inputs)
    found = CRITERIA["oracle"].score(evidence_)["blocks.1.query"]
    for head in range(HEADS):
        small, _ = shrink(network, evidence_.groups, {"blocks.1.query": torch.arange(HEADS) != head})
        with torch.no_grad():
            assert float(found[head]) == pytest.approx(float(evidence_.loss(small, [inputs])), rel=1e-10)


# ------------------------------------------------------------------------- costs


@pytest.mark.parametrize("heads", [HEADS, 1])
def test_multiply_adds_by_hand(heads):
    network, inputs = build()
    kept = {f"blocks.{i}.query": torch.arange(HEADS) < heads for i in range(2)}
    network, _ = shrink(network, find_groups(network, inputs), kept)
    inner = heads * HEAD_DIM
    attention = TOKENS * 4 * WIDTH * inner + 2 * TOKENS * TOKENS * inner
    block = attention + TOKENS * 2 * WIDTH * HIDDEN
    wanted = (TOKENS - 1) * 3 * 3 * 3 * WIDTH + 2 * block + 5 * WIDTH
    assert macs(network, inputs) == macs(network.float(), inputs.float()) == wanted


def test_multiply_adds_of_torchs_own_attention():
    layer = nn.TransformerEncoderLayer(WIDTH, HEADS, HIDDEN, batch_first=True)
    wanted = TOKENS * (4 * WIDTH * WIDTH + 2 * WIDTH * HIDDEN) + 2 * TOKENS * TOKENS * WIDTH
    assert macs(layer, torch.randn(1, TOKENS, WIDTH)) == wanted


# ------------------------------------------------------------------------- other networks of tokens


class Tokens(nn.Module):
    """Linear layers on tokens `[B, 6, 6]`, as wide as they are many, with something between them."""

    def __init__(self, between, middle=None):
        super().__init__()
        self.first, self.second, self.last = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 3)
        self.between, self.middle = between, middle

    def forward(self, x):
        return self.last(self.between(self, functional.gelu(self.second(functional.gelu(self.first(x))))))


BETWEEN = {
    "nothing": (lambda net, x: 0.5 * x, None, ""),
    "channels first": (lambda net, x: x.transpose(1, 2), None, "read by transpose, an unsupported operation"),
    "tokens first": (
        lambda net, x: x + x.transpose(1, 2),
        None,
        "read by transpose, an unsupported operation",
    ),
    "the first token": (lambda net, x: x[:, 0], None, "read by getitem, an unsupported operation"),
    "mean over channels": (
        lambda net, x: x.mean(2, keepdim=True) + x,
        None,
        "read by mean, whose input has its channels in the last dimension",
    ),
    "flattened": (
        lambda net, x: x.flatten(1).unflatten(1, (6, 6)),
        None,
        "read by flatten, whose input has its channels in the last dimension",
    ),
    "layer norm": (lambda net, x: net.middle(x), nn.LayerNorm(6), STREAM),
    "functional norm": (
        lambda net, x: functional.layer_norm(x, (6,)),
        None,
        "read by layer_norm, which computes another function over fewer channels",
    ),
    "torch's attention": (
        lambda net, x: net.middle(x, x, x)[0],
        nn.MultiheadAttention(6, 2, batch_first=True),
        "read by MultiheadAttention, an unsupported operation",
    ),
    "one layer for all": (lambda net, x: net.middle(x, x, x), Attention(2), ""),
    "mixed": (
        lambda net, x: net.middle(x, torch.cat([x[..., :3], x[..., 3:]], -1), x),
        Attention(2),
        "read by getitem, an unsupported operation",
    ),
    "heads of two sizes": (
        lambda net, x: net.middle[0](x, x, x) + net.middle[1](x, x, x),
        nn.ModuleList([Attention(2), Attention(1)]),
        "",
    ),
}


@pytest.mark.parametrize("name", BETWEEN)
def test_what_is_not_understood_of_tokens_is_fixed_and_the_rest_masked_is_shrunk(name):
    between, module, why = BETWEEN[name]
    torch.manual_seed(0)
    network = Tokens(between, copy.deepcopy(module)).double().eval()
    inputs = torch.randn(4, 6, 6, dtype=torch.double)
    groups = find_groups(network, inputs)
    assert by_name(groups)["first"].fixed == ""
    assert by_name(groups)["second"].fixed == why
    masks = random_masks(groups, 0)
    masks["first"] = torch.arange(6) % 2 == 0
    small, _ = shrink(network, groups, masks)
    assert apart(masked(network, groups, masks), small, inputs) < 1e-12


def test_maps_read_along_their_places_are_fixed():
    class Mixer(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.mix, self.last = nn.Conv2d(3, 5, 1), nn.Linear(4, 4), nn.Linear(5, 2)

        def forward(self, x):
            return self.last(self.mix(self.conv(x).flatten(2)).mean(2))

    groups = by_name(find_groups(Mixer(), torch.randn(2, 3, 2, 2)))
    assert groups["conv"].fixed == "read along its last dimension"
    assert groups["mix"].fixed == "read by mean, whose input has its channels in the last dimension"


def test_what_is_added_to_something_not_understood_is_fixed():
    class Residual(Tokens):
        def forward(self, x):
            x = x.roll(1, 1)
            return self.last(x + self.second(functional.gelu(self.first(x))))

    network, inputs = Residual(None), torch.randn(2, 6, 6)
    groups = find_groups(network, inputs)
    assert [(group.name, group.fixed) for group in groups] == [
        ("first", ""),
        ("second", "made by roll"),
        ("last", "output of the network"),
    ]
