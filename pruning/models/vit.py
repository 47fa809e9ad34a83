"""A small vision transformer (Dosovitskiy et al., 2021) whose attention heads and MLP units can be removed.

Shapes: T tokens, one for the class and then one for each patch; D channels of the stream that all blocks add
to. The stream itself is never pruned, since a normalisation over fewer channels computes another function.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from pruning.channels import Attention
from pruning.models.sizes import Shape, scaled

DEPTH, HEADS, HEAD_DIM, HIDDEN = 6, 6, 16, 4
"""Blocks, heads per block, channels per head, and MLP units per channel of the stream."""
PATCHES, LEAST_PATCH = 8, 2
"""Patches along the longer side of an image, up to rounding; side of the smallest patch, in pixels."""
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
        """Returns the stream `[B, T, D]` plus the outputs of the block."""
        read = self.norm1(x)
        x = x + self.gather(self.attention(self.query(read), self.key(read), self.value(read)))
        return x + self.out(self.activation(self.hidden(self.norm2(x))))


class ViT(nn.Module):
    """Class token and patch tokens, learned positions, blocks, and a linear layer on the class token.

    Args:
        shape: Channels, rows and columns of an image. An image that patches do not fit is padded with zeros,
            below and to the right.
        classes: Number of classes.
        patch: Side of a patch, in pixels.
        depth: Number of blocks.
        heads: Number of heads of each block.
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
        for module in self.modules():  # with torch's smaller default weights, the first epochs learn little
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
    """Returns a vision transformer of 6 blocks; width 1 has 6 heads of 16 channels, 0.7 million parameters.

    The patch side is 1/8 of the longer image side, rounded, at least 2 pixels: 2, 4, 4 and 8 pixels for 8,
    28, 32 and 64.

    Args:
        shape: Channels, rows and columns of an image.
        classes: Number of classes.
        width: Factor of the number of heads (at least one), and thus of the stream and the MLPs.
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
