"""What the inputs and outputs of an exported network mean, so that a stranger can use the file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agents.alphazero.configs import SearchConfig
from agents.alphazero.network import AlphaZeroNetwork, PolicyValueNet

THIRD_PLANES = {
    "playable": "the cells without bricks, free or taken",
    "bricks": "the bricks",
}
"""The third input plane, by the network's encoding."""
SHOWN_BOARDS = 3
MARK = "bttt export"
"""Stands in each file of the command, among the metadata."""


@dataclass(frozen=True)
class Description:
    """A network's inputs, outputs and history.

    Attributes:
        network: The network's name, as given by the caller.
        digest: Digest of what it learned.
        size: Rows and columns of its board; None for boards of any size.
        third: What the third plane marks.
        architecture: Its architecture, as its checkpoint stores it.
        record: Bricks, boards, seed, command and date of its training.
    """

    network: str
    digest: str
    size: tuple[int, int] | None
    third: str
    architecture: Mapping[str, Any] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)

    @property
    def axes(self) -> tuple[str, str]:
        """Rows and columns of the planes: numbers, or names where they are free."""
        return ("rows", "cols") if self.size is None else (str(self.size[0]), str(self.size[1]))

    def tensors(self) -> dict[str, str]:
        """Returns the shape and meaning of the file's input and outputs, by name."""
        rows, cols = self.axes
        cells = "rows * cols" if self.size is None else str(self.size[0] * self.size[1])
        discount = self.record.get("config", {}).get("search", {}).get("discount", SearchConfig.discount)
        return {
            "planes": f"[batch, 3, {rows}, {cols}] float32, zeros and ones: 0 the stones of the player "
            f"to move, 1 the other player's stones, 2 {self.third}",
            "logits": f"[batch, {cells}] float32, a cell each, row by row; mask taken cells and bricks, then "
            "the softmax is the policy",
            "values": "[batch] float32 in [-1, 1]: the result expected for the player to move, 1 a win, "
            f"0 a draw, -1 a loss, times {discount:g} for each ply until then",
        }

    def metadata(self) -> str:
        """Returns the description as JSON, for the file's own metadata."""
        boards = {"boards": self.boards_text()}
        values = {
            "written by": MARK,
            "network": self.network,
            "digest": self.digest,
            **self.tensors(),
            **boards,
        }
        return json.dumps(values | {"architecture": self.architecture, "record": self.record})

    def boards_text(self) -> str:
        """Returns the boards that the file accepts, and those that the network was trained on."""
        accepted = "any size" if self.size is None else f"{self.size[0]}x{self.size[1]}"
        trained = self.record.get("boards", [])
        if not trained:
            return accepted
        more = f" and {len(trained) - SHOWN_BOARDS} more" if len(trained) > SHOWN_BOARDS else ""
        return f"{accepted}; trained on {' '.join(trained[:SHOWN_BOARDS])}{more}"


def describe(network: AlphaZeroNetwork, name: str, digest: str, record: Mapping[str, Any]) -> Description:
    """Returns the description of a network with the record of its checkpoint."""
    config = network.config
    any_size = isinstance(network, PolicyValueNet) and network.config.heads == "conv"
    return Description(
        name,
        digest,
        None if any_size else (config.rows, config.cols),
        THIRD_PLANES[config.encoding],
        config.to_json(),
        record,
    )
