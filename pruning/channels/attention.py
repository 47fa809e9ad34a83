"""Attention between tokens, as one operation without parameters: its heads are units of pruning."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class Attention(nn.Module):
    """Scaled dot-product attention whose number of heads follows from the width of what it reads.

    So a network from which heads are removed needs nothing but smaller linear layers around it. A head of
    which query, key and value are 0 gives 0.

    Args:
        head_dim: Channels of a head, neighbours in queries, keys and values.

    Raises:
        ValueError: `head_dim` is below 1.
    """

    def __init__(self, head_dim: int):
        super().__init__()
        if head_dim < 1:
            raise ValueError(f"head_dim must be at least 1, got {head_dim}")
        self.head_dim = head_dim

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Returns `[B, T, heads * head_dim]` of queries of this shape, and keys and values of S tokens.

        Raises:
            ValueError: The width is no multiple of `head_dim`.
        """
        if query.shape[-1] % self.head_dim:
            raise ValueError(
                f"a width of {query.shape[-1]} is no number of heads of {self.head_dim} channels"
            )
        heads = (each.unflatten(-1, (-1, self.head_dim)).transpose(1, 2) for each in (query, key, value))
        return functional.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(2)

    def extra_repr(self) -> str:
        """Returns what `print` shows of it."""
        return f"head_dim={self.head_dim}"
