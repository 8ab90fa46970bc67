"""What a runtime is given: a network as the files that we write of it, or a user's own file."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import SpecError
from ...io import onnx, tflite
from ...models import fold
from ...models.plan import sides
from .. import parts as verify_parts
from ..part import IMAGE, Part

SUFFIXES = (".onnx", ".tflite")


@dataclass(frozen=True, eq=False)
class Subject:
    """The graph that is judged, and what a runtime is given of it.

    name      of the network or the file
    graph     of `io.onnx.load` or `io.tflite.load`: the reference.  Of a network the ONNX file that we write
    parts     of the graph
    path      of the user's file, or None
    net       the network, or None; `steps` its folded steps
    size      (H, W); batch: images of one run, None where any number is taken
    """

    name: str
    graph: Any
    parts: list[Part]
    path: Path | None
    net: Any
    steps: list[Any] | None
    size: tuple[int, int]
    batch: int | None

    @property
    def suffix(self):
        return None if self.path is None else self.path.suffix.lower()

    @property
    def image(self):
        return next(iter(self.graph.inputs))

    @property
    def last(self):
        return next(iter(self.graph.outputs))

    def tensors(self):
        """Names of every tensor that a node gives, without the last: what can be shown."""
        return [name for step in self.graph.steps for name in step.results if name and name != self.last]

    def aliases(self):
        """{a tensor: the part that it is}: TFLite's tensors are our parts turned to rows of channels."""
        own = {part.name for part in self.parts}
        found = {name: name for name in own}
        for step in self.graph.steps:
            if step.op in ("Transpose", "Reshape", "Squeeze", "Flatten", "Identity"):
                read = found.get(next(iter(step.reads()), None))
                if read is not None:
                    found.setdefault(step.results[0], read)
        return found


def of_network(net, size=None, batch=1):
    """The `Subject` of a network; batch norm is folded, as in every file that we write."""
    size = sides(net.size if size is None else size)
    steps = fold.nodes(net, size)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{net.spec.name}.onnx"
        onnx.save(path, steps, batch=batch)
        graph = onnx.load(path)
    name = f"{net.spec.name} width {net.spec.width:g}, {net.dialect.source}"
    return Subject(name, graph, verify_parts.of_graph(graph), None, net, steps, tuple(size), batch)


def of_file(path, size=None):
    """The `Subject` of an ONNX or TFLite file; `size` where the file leaves it open.

    Raises   SpecError for another suffix, an operator that is no part, a size that is missing or another than the
             file's; FormatError for a file that cannot be read.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise SpecError(f"verify: {path} has the suffix {path.suffix!r}, wanted {' or '.join(SUFFIXES)}")
    graph = (onnx if path.suffix.lower() == ".onnx" else tflite).load(path)
    parts = verify_parts.of_graph(graph, size)
    _, shape = next(iter(graph.inputs.values()))
    own = shape[1:3] if shape[1] != 3 else shape[2:]
    size = tuple(own) if size is None else tuple(sides(size))
    return Subject(graph.name, graph, parts, path, None, None, size, shape[0] if isinstance(shape[0], int) else None)


def coarser(parts, last):
    """[(in words, names of parts)]: ever fewer tensors that are shown, as runtimes fuse ever more.

    Without what an activation or batch norm alone reads; without what a sum alone reads and a convolution gave;
    without what a depthwise convolution alone reads.
    """
    needed = _needed(parts, last)
    by_name = {part.name: part for part in parts}
    readers = Counter(name for part in needed for name in part.inputs)
    only = {name: part for part in needed for name in part.inputs if readers[name] == 1 and name != IMAGE}
    shown = [part.name for part in needed if part.name != last]
    found = []
    sums = ("conv", "depthwise", "pointwise")
    for words, into, of in (
        ("what leads into an activation", ("act", "batchnorm"), None),
        ("what leads into an activation, and a convolution that leads into a sum", ("add",), sums),
        ("what leads into an activation, a sum or a depthwise convolution", ("depthwise",), None),
    ):
        fused = {name for name, part in only.items() if part.op in into and (of is None or by_name[name].op in of)}
        fewer = [name for name in shown if name not in fused]
        if len(fewer) < len(shown) or not found:
            found.append((words, fewer))
        shown = fewer
    return found


def _needed(parts, last):
    wanted, found = {last}, []
    for part in reversed(parts):
        if part.name in wanted:
            wanted.update(part.inputs)
            found.append(part)
    return found[::-1]
