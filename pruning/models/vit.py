"""A small vision transformer (Dosovitskiy et al., 2021) whose attention heads and MLP units can be removed.

T tokens: one for the class, then one for each patch. D channels: those of the stream that all blocks add to.
The stream itself is never cut, for a normalisation over fewer channels is another function.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from pruning.channels import Attention
from pruning.models.sizes import Shape, scaled

DEPTH, HEADS, HEAD_DIM, HIDDEN = 6, 6, 16, 4
"""Blocks, heads of a block, channels of a head, units of an MLP for each channel of the stream."""
PATCHES, LEAST_PATCH = 8, 2
"""Patches along the longer side of an image, but for rounding; rows and columns of the smallest patch."""
SPREAD = 0.1
"""Standard deviation of the initial class token and positions."""


class Block(nn.Module):
    """Attention, then an MLP, each on the normalised stream and added to it."""

    def __init__(self, width: int, heads: int, head_dim: int, hidden: int):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.query, self.key, self.value = (nn.Linear(width, heads * head_dim) for _ in range(3))
        self.attention = Attention(head_dim)
        self.gather = nn.Linear(heads * head_dim, width)
        self.hidden, self.activation, self.out = nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the stream `[B, T, D]` with what the block adds."""
        read = self.norm1(x)
        x = x + self.gather(self.attention(self.query(read), self.key(read), self.value(read)))
        return x + self.out(self.activation(self.hidden(self.norm2(x))))


class ViT(nn.Module):
    """Patches as tokens behind a class token, learned positions, blocks, a linear layer on the class token.

    Args:
        shape: Of an image; one that is no number of patches is padded with zeros, below and to the right.
        classes: Their number.
        patch: Rows and columns of a patch.
        depth: Number of blocks.
        heads: Of each block.
        head_dim: Channels of a head; the stream has `heads * head_dim`.
        hidden: Units of each MLP.

    Raises:
        ValueError: A size is below 1.
    """

    def __init__(
        self, shape: Shape, classes: int, *, patch: int, depth: int, heads: int, head_dim: int, hidden: int
    ):
        super().__init__()
        sizes = {"patch": patch, "depth": depth, "heads": heads, "head_dim": head_dim, "hidden": hidden}
        for name, size in sizes.items():
            if size < 1:
                raise ValueError(f"{name} must be at least 1, got {size}")
        channels, rows, cols = shape
        self.padding = (0, -cols % patch, 0, -rows % patch)
        tokens = 1 + -(-rows // patch) * -(-cols // patch)
        width = heads * head_dim
        self.patches = nn.Conv2d(channels, width, patch, patch)
        self.token = nn.Parameter(SPREAD * torch.randn(1, 1, width))
        self.positions = nn.Parameter(SPREAD * torch.randn(1, tokens, width))
        self.blocks = nn.ModuleList(Block(width, heads, head_dim, hidden) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)
        for module in self.modules():  # torch's own narrow weights hardly learn in the first epochs
            if isinstance(module, nn.Linear | nn.Conv2d):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Returns logits `[B, classes]` of images `[B, C, H, W]`."""
        patches = self.patches(functional.pad(x, self.padding)).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), patches], 1) + self.positions
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x[:, 0]))


def vit(shape: Shape, classes: int, width: float = 1.0) -> ViT:
    """Returns a vision transformer of 6 blocks, at width 1 of 6 heads of 16 channels: 0.7 million parameters.

    Patches are a rounded eighth of the longer side of an image, at least 2: 2, 4, 4 and 8 pixels of 8, 28, 32
    and 64.

    Args:
        shape: Channels, rows and columns of an image.
        classes: Number of classes.
        width: Factor of the number of heads, and so of the stream and the MLPs; there is at least one head.
    """
    heads = scaled(HEADS, width)
    return ViT(
        shape,
        classes,
        patch=max(LEAST_PATCH, round(max(shape[1:]) / PATCHES)),
        depth=DEPTH,
        heads=heads,
        head_dim=HEAD_DIM,
        hidden=HIDDEN * heads * HEAD_DIM,
    )
