"""Exported networks: a policy-value network as a file for other programs, checked against torch.

>>> from pathlib import Path
>>> from tempfile import TemporaryDirectory
>>> from agents.alphazero.export import export_network
>>> with TemporaryDirectory() as folder:
...     found = export_network("d4", Path(folder) / "d4.xml")
...     [path.name for path in found.files], found.difference < 1e-4
(['d4.bin', 'd4.xml'], True)

Modules: `writing` makes the file and checks it, `formats` has the formats' writers and readers, `comparison`
compares with torch, and `description` says what the file's inputs and outputs mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from agents.alphazero.export.writing import Exported, export_network

__all__ = ["Exported", "export_network"]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("writing",))
