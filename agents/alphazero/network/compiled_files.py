"""Compiled networks on disk, beside the compiled kernels, so that the next process need not compile them.

A file that is damaged, or that cannot be read or written, counts as missing.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from functools import cache
from pathlib import Path

from agents.alphazero.network import openvino_model, quantisation, residual
from agents.alphazero.network.openvino_model import CompiledNetwork, Precision, imported, processor
from agents.alphazero.network.residual import PolicyValueNet
from bttt.kernels import cache_folder
from bttt.runs import read_bytes, write_bytes

SUFFIX = ".openvino"
MOST_BYTES = 2**27
"""Maximum size of all files together; beyond it the oldest are deleted."""
DIGEST_BYTES = hashlib.sha256().digest_size


class CompiledFiles:
    """The files of a network for each batch size and board size.

    Args:
        network: The network.
        precision: The precision it is compiled for.
    """

    def __init__(self, network: PolicyValueNet, precision: Precision):
        self._precision = precision
        self._folder = cache_folder()
        digest = hashlib.sha256(repr((network.config, precision, processor(), _sources())).encode())
        for name, tensor in network.state_dict().items():
            digest.update(name.encode())
            digest.update(tensor.cpu().contiguous().numpy().tobytes())
        self._name = digest.hexdigest()[:32]

    def load(self, size: int, rows: int, cols: int) -> CompiledNetwork | None:
        """Returns the network compiled for a batch size and board size, if it is stored."""
        if self._folder is None:
            return None
        try:
            content = read_bytes(self._path(self._folder, size, rows, cols), most=MOST_BYTES)
            if hashlib.sha256(content[DIGEST_BYTES:]).digest() != content[:DIGEST_BYTES]:
                return None
            return imported(content[DIGEST_BYTES:], self._precision)
        except (OSError, RuntimeError, ValueError):
            return None

    def store(self, network: CompiledNetwork, rows: int, cols: int) -> None:
        """Stores a compiled network, if its folder can be written."""
        if self._folder is None:
            return
        content = network.exported()
        with suppress(OSError):
            path = self._path(self._folder, network.size, rows, cols)
            write_bytes(path, hashlib.sha256(content).digest() + content)
            _delete_oldest(self._folder)

    def _path(self, folder: Path, size: int, rows: int, cols: int) -> Path:
        return folder / f"{self._name}-{rows}x{cols}-{size}{SUFFIX}"


def _delete_oldest(folder: Path) -> None:
    sizes = [(path, path.stat()) for path in folder.glob(f"*{SUFFIX}")]
    kept = 0
    for path, found in sorted(sizes, key=lambda each: each[1].st_mtime, reverse=True):
        kept += found.st_size
        if kept > MOST_BYTES:
            path.unlink(missing_ok=True)


@cache
def _sources() -> str:
    """Returns a digest of the code that defines the architecture and compiles it."""
    paths = (Path(str(module.__file__)) for module in (residual, openvino_model, quantisation))
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()
