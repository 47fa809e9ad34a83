"""The file formats of exported networks: how each is written, and how another program reads it.

Each writer takes the network for inference (a torch module), example planes, the axes of the planes that are
free, by number and name, and the metadata. It writes into a folder and returns the files. Each reader gives
the outputs of such a file in float32.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from agents.alphazero.export.comparison import Answers
from agents.alphazero.export.description import MARK
from agents.alphazero.network import openvino
from bttt import __version__
from bttt.runs import nearest

METADATA_KEY = "bttt"
INPUT, OUTPUTS = "planes", ("logits", "values")
EXTRA = "pip install 'brick-tic-tac-toe[onnx]'"
Axes = Mapping[int, str]
Write = Callable[[nn.Module, Tensor, Axes, str, Path], tuple[Path, ...]]


@dataclass(frozen=True)
class Format:
    """A file format.

    Attributes:
        name: Its name in a sentence.
        packages: Packages that the writer and the reader import.
        reader: The package that reads the file for the comparison.
        write: Writes the files; the last one is the one that the user names.
        read: Returns what a file answers.
    """

    name: str
    packages: tuple[str, ...]
    reader: str
    write: Write
    read: Callable[[Path], Answers]


def format_of(path: Path) -> Format:
    """Returns the format of a file's suffix.

    Raises:
        ValueError: There is none, or one of its packages is not installed.
    """
    suffix = path.suffix  # OpenVINO knows no .XML
    if suffix not in FORMATS:
        raise ValueError(
            f"FILE must end in {' or '.join(FORMATS)}, got {path}{nearest(suffix, list(FORMATS))}"
        )
    found = FORMATS[suffix]
    for package in found.packages:
        if find_spec(package) is None:
            hint = EXTRA if package == "onnx" else f"pip install {package}"
            raise ValueError(f"{suffix} needs {package}; install it with {hint}")
    return found


def write_onnx(
    network: nn.Module, example: Tensor, axes: Axes, metadata: str, path: Path
) -> tuple[Path, ...]:
    """Writes an ONNX file with torch's exporter by tracing, which needs no package but onnx."""
    import onnx

    cells = {1: "cells"} if 2 in axes else {}
    shapes = {INPUT: dict(axes), OUTPUTS[0]: {0: axes[0], **cells}, OUTPUTS[1]: {0: axes[0]}}
    torch.onnx.export(
        network,
        (example,),
        path,
        dynamo=False,
        input_names=[INPUT],
        output_names=list(OUTPUTS),
        dynamic_axes=shapes,
    )
    model = onnx.load(path)
    model.producer_name, model.producer_version = MARK, __version__
    onnx.helper.set_model_props(model, {METADATA_KEY: metadata})
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return (path,)


def write_openvino(
    network: nn.Module, example: Tensor, axes: Axes, metadata: str, path: Path
) -> tuple[Path, ...]:
    """Writes OpenVINO's intermediate representation: an .xml file, and its weights as .bin beside it."""
    runtime = openvino()
    shape = [-1 if axis in axes else size for axis, size in enumerate(example.shape)]
    model = runtime.convert_model(network, example_input=example, input=shape)
    model.inputs[0].set_names({INPUT})
    for output, name in zip(model.outputs, OUTPUTS, strict=True):
        output.set_names({name})
    model.set_friendly_name(MARK)
    model.set_rt_info(metadata, METADATA_KEY)
    weights = path.with_suffix(".bin")
    runtime.serialize(model, path, weights)
    return weights, path


def write_program(
    network: nn.Module, example: Tensor, axes: Axes, metadata: str, path: Path
) -> tuple[Path, ...]:
    """Writes a program of torch.export, with the metadata as the extra file bttt.json."""
    free = {axis: torch.export.Dim(name, min=1) for axis, name in axes.items()}
    program = torch.export.export(network, (example,), dynamic_shapes=(free,))
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # names of files on this machine
    torch.export.save(program, path, extra_files={f"{METADATA_KEY}.json": metadata})
    return (path,)


def read_by_openvino(path: Path) -> Answers:
    """Returns what an .onnx or .xml file answers in OpenVINO, computed in float32."""
    runtime = openvino()
    settings = {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": 1,
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,
    }
    compiled = runtime.Core().compile_model(path, "CPU", settings)

    def answers(planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = compiled({INPUT: planes})
        return found[OUTPUTS[0]], found[OUTPUTS[1]]

    return answers


def read_program(path: Path) -> Answers:
    """Returns what a .pt2 file answers in torch."""
    module = torch.export.load(path).module()

    def answers(planes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with torch.no_grad():
            logits, values = module(torch.from_numpy(planes))
        return logits.numpy(), values.numpy()

    return answers


@contextmanager
def quiet() -> Iterator[None]:
    """Suppresses the warnings of the exporters: that others are newer, and what tracing cannot see."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


FORMATS: dict[str, Format] = {
    ".onnx": Format("ONNX", ("onnx", "openvino"), "openvino", write_onnx, read_by_openvino),
    ".xml": Format("OpenVINO IR", ("openvino",), "openvino", write_openvino, read_by_openvino),
    ".pt2": Format("torch.export", ("torch",), "torch", write_program, read_program),
}
"""The formats by suffix."""
