"""Weights: every weight of every kind of layer can be pruned, and what cannot is named with the reason."""

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from pruning.channels import find_weights

COMPUTED = "a tensor that a parametrization computes the weight from"
KINDS = {
    nn.Linear(3, 2): {"weight": (2, 3)},
    nn.Bilinear(3, 4, 2): {"weight": (2, 3, 4)},
    nn.Conv1d(3, 2, 5): {"weight": (2, 3, 5)},
    nn.Conv2d(4, 4, 3, groups=4): {"weight": (4, 1, 3, 3)},
    nn.Conv3d(3, 2, 1): {"weight": (2, 3, 1, 1, 1)},
    nn.ConvTranspose1d(3, 2, 5): {"weight": (3, 2, 5)},
    nn.ConvTranspose2d(3, 2, 5): {"weight": (3, 2, 5, 5)},
    nn.ConvTranspose3d(3, 2, 1): {"weight": (3, 2, 1, 1, 1)},
    nn.RNN(3, 2): {"weight_ih_l0": (2, 3), "weight_hh_l0": (2, 2)},
    nn.GRU(3, 2, bidirectional=True): {
        f"weight_{kind}_l0{way}": (6, 3 if kind == "ih" else 2)
        for way in ("", "_reverse")
        for kind in ("ih", "hh")
    },
    nn.LSTM(3, 4, proj_size=2): {"weight_ih_l0": (16, 3), "weight_hh_l0": (16, 2), "weight_hr_l0": (2, 4)},
    nn.LSTMCell(3, 2): {"weight_ih": (8, 3), "weight_hh": (8, 2)},
    nn.GRUCell(3, 2): {"weight_ih": (6, 3), "weight_hh": (6, 2)},
    nn.RNNCell(3, 2): {"weight_ih": (2, 3), "weight_hh": (2, 2)},
    nn.MultiheadAttention(4, 2, add_bias_kv=True): {"in_proj_weight": (12, 4), "out_proj.weight": (4, 4)},
    nn.MultiheadAttention(4, 2, kdim=3, vdim=5): {
        **{"q_proj_weight": (4, 4), "k_proj_weight": (4, 3), "v_proj_weight": (4, 5)},
        "out_proj.weight": (4, 4),
    },
    nn.Embedding(5, 3): {},
    nn.EmbeddingBag(5, 3): {},
    nn.BatchNorm2d(3): {},
}


@pytest.mark.parametrize("layer", KINDS, ids=lambda layer: type(layer).__name__)
def test_the_weights_of_every_kind_of_layer(layer):
    found = find_weights(layer)
    assert found.prunable == KINDS[layer]
    matrices = {name: each for name, each in layer.named_parameters() if each.dim() > 1}
    assert found.prunable.keys() | found.left_out.keys() == matrices.keys()
    assert found.total == sum(each.numel() for each in matrices.values())


def test_embeddings_are_pruned_on_request_and_others_are_named():
    network = nn.ModuleDict(
        {
            "embedding": nn.Embedding(5, 3),
            "norm": nn.LayerNorm((3, 3)),
            "attention": nn.MultiheadAttention(4, 2, add_bias_kv=True),
            "linear": parametrizations.weight_norm(nn.Linear(3, 2)),
        }
    )
    network.register_parameter("scale", nn.Parameter(torch.ones(1, 2)))
    assert find_weights(network).left_out == {
        "scale": "a parameter of ModuleDict, which is no layer of torch that is pruned",
        "embedding.weight": "an embedding, pruned on request (embeddings)",
        "norm.weight": "a parameter of LayerNorm, which is no layer of torch that is pruned",
        "norm.bias": "a parameter of LayerNorm, which is no layer of torch that is pruned",
        "attention.bias_k": "a bias",
        "attention.bias_v": "a bias",
        **{f"linear.parametrizations.weight.original{i}": COMPUTED for i in range(2)},
    }
    assert find_weights(network, embeddings=True).prunable["embedding.weight"] == (5, 3)


@pytest.mark.parametrize("embeddings", [False, True])
def test_a_tied_weight_has_one_entry_and_the_name_of_the_layer_that_is_pruned(embeddings):
    network = nn.ModuleDict({"e": nn.Embedding(5, 3), "o": nn.Linear(3, 5, bias=False), "p": nn.Linear(3, 5)})
    network["o"].weight = network["e"].weight
    network["p"].weight = network["e"].weight
    found = find_weights(network, embeddings=embeddings)
    assert (found.prunable, found.left_out, found.total) == ({"o.weight": (5, 3)}, {}, 15)


def test_frozen_and_own_subclasses_count():
    class Own(nn.Linear):
        def forward(self, x):
            return super().forward(x) + 1

    network = nn.Sequential(Own(2, 3), nn.Linear(3, 2).requires_grad_(False))
    assert list(find_weights(network).prunable) == ["0.weight", "1.weight"]
