"""How a network's weights lie in memory."""

from __future__ import annotations

import torch
from torch import nn


def lay_out(network: nn.Module, memory_format: torch.memory_format) -> None:
    """Lays out the weights of a network in place, for example as `torch.channels_last`."""
    # torch documents memory_format, but the overloads of its annotations lack it
    network.to(memory_format=memory_format)  # type: ignore[call-overload]
