"""Words of error messages."""

import pytest

from pruning.words import kind_of, nearest


@pytest.mark.parametrize(
    "said",
    [
        *(
            "an LSTM",
            "a GRU",
            "an RNN",
            "an Embedding",
            "a Linear",
            "an MLP",
            "a MultiheadAttention",
            "a str",
        ),
        *(
            "an Unfold",
            "an Upsample",
            "a UNet",
            "a Uniform",
            "an int",
            "an ndarray",
            "a NoneType",
            "an LPPool2d",
        ),
    ],
)
def test_a_class_has_its_article(said):
    assert kind_of(type(said.split()[1], (), {})()) == said


def test_the_nearest_name_is_suggested_as_it_is_spelled():
    assert nearest("ressnet", ["ResNet", "vgg"]) == " (did you mean 'ResNet'?)"
    assert nearest("zebra", ["ResNet", "vgg"]) == ""
