"""Attention between tokens as one operation without parameters; its heads can be pruned as units."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class Attention(nn.Module):
    """Scaled dot-product attention whose number of heads follows from the width of its input.

    To remove heads, only the linear layers around it need to shrink. A head with query, key and value 0 has
    output 0.

    Args:
        head_dim: Channels of a head, which are contiguous in queries, keys and values.

    Raises:
        ValueError: `head_dim` is below 1.
    """

    def __init__(self, head_dim: int):
        super().__init__()
        if head_dim < 1:
            raise ValueError(f"head_dim must be at least 1, got {head_dim}")
        self.head_dim = head_dim

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Returns `[B, T, heads * head_dim]` for queries of this shape, and keys and values of S tokens.

        Raises:
            ValueError: The width is not a multiple of `head_dim`.
        """
        if query.shape[-1] % self.head_dim:
            raise ValueError(
                f"the width must be a multiple of head_dim ({self.head_dim}), got {query.shape[-1]}"
            )
        heads = (each.unflatten(-1, (-1, self.head_dim)).transpose(1, 2) for each in (query, key, value))
        return functional.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(2)

    def extra_repr(self) -> str:
        """Returns the text that `print` shows."""
        return f"head_dim={self.head_dim}"
