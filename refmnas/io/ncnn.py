"""ncnn files: a text of layers (.param) and the weights in the same order (.bin).

    7767517                                            the magic number
    layers blobs                                       how many of each follow
    Type name inputs outputs in... out... key=value    one layer a line

Every blob is read once: what two layers read goes through a Split.  In the .bin, weights
follow a flag of four bytes (0: float32), biases follow bare.  ReLU, clip, sigmoid and
hard-swish are parameters of the convolution before them, as ncnn's own optimiser writes
them; other activations are layers.

One image at a time, NCHW without its N: `input` is (3, H, W), `logits` is (classes,).

Source: docs/developer-guide/{param-and-model-file-structure, operators,
binaryop-broadcasting}.md of the ncnn project.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from ..errors import FormatError, SpecError
from ..layout import CONV, DEPTHWISE, LINEAR, POINTWISE, from_nhwc
from . import _steps
from ._replace import replacing

MAGIC = 7767517
LOGITS = "logits"
LONGEST_NAME = 255
ADD, MUL = 0, 2  # BinaryOp's param 0
_FUSED = {  # activation -> ncnn's number of it in a convolution, and its numbers
    "identity": (0, ()),
    "relu": (1, ()),
    "relu6": (3, (0.0, 6.0)),
    "sigmoid": (4, ()),
    "hard_swish": (6, (1 / 6, 0.5)),
}
_LAYERS = {  # activation -> layers one after the other: type, params
    "relu": (("ReLU", {}),),
    "relu6": (("Clip", {0: 0.0, 1: 6.0}),),
    "sigmoid": (("Sigmoid", {}),),
    "swish": (("Swish", {}),),
    "hard_sigmoid": (("HardSigmoid", {0: 1 / 6, 1: 0.5}),),
    "hard_sigmoid_slim": (
        ("BinaryOp", {0: ADD, 1: 1, 2: 3.0}),
        ("Clip", {0: 0.0, 1: 6.0}),
        ("BinaryOp", {0: MUL, 1: 1, 2: 0.16667}),
    ),
    "hard_sigmoid_keras": (("HardSigmoid", {0: 0.2, 1: 0.5}),),
    "hard_swish": (("HardSwish", {0: 1 / 6, 1: 0.5}),),
}


def save(path, steps):
    """Write `path` (NAME.param) and NAME.bin beside it, each whole or not at all; returns both paths.

    steps       of `refmnas.models.fold.nodes(net, size)`; anything with those fields

    Raises   SpecError for another suffix, or steps that cannot be; DtypeError for
             weights that are not float32; FormatError where a file cannot be written.
    """
    param = Path(path)
    if param.suffix.lower() != ".param":
        raise SpecError(f"{path}: the suffix is {param.suffix!r}, wanted .param; the weights go to .bin beside it")
    text, weights = encode(steps, where=str(path))
    target = param.with_suffix(".bin")
    try:
        with replacing(param) as first, replacing(target) as second:
            first.write(text.encode("utf-8"))
            second.write(weights)
    except OSError as error:
        raise FormatError(f"{error.filename or path}: cannot be written: {error.strerror}") from error
    return param, target


def encode(steps, *, where="ncnn.encode"):
    """(the text of the .param, the bytes of the .bin)."""
    steps, image = _steps.checked(where, steps, (LOGITS,))
    long = [step.name for step in steps if len(step.name.encode()) > LONGEST_NAME - 32]
    if long:
        raise SpecError(f"{where}: the name {long[0][:40]!r}... is too long, wanted at most {LONGEST_NAME - 32} bytes")
    writer = _Writer(steps, image)
    lines = [str(MAGIC), f"{len(writer.lines)} {writer.blobs}", *writer.lines]
    return "\n".join(lines) + "\n", b"".join(writer.weights)


class _Writer:
    """Lines and weights, layer by layer."""

    def __init__(self, steps, image):
        self.lines: list[str] = []
        self.weights: list[bytes] = []
        self.blobs = 0
        self.readers = Counter(name for step in steps for name in step.inputs)
        self.copies: dict[str, list[str]] = {}
        height, width, channels = steps[0].shape_in
        self._layer("Input", image, (), (image,), {0: width, 1: height, 2: channels})
        self._split(image)
        for step in steps:
            self._step(step, LOGITS if step is steps[-1] else step.name)
            self._split(step.name)

    def _step(self, step, result):
        """A step's layer, and those of an activation that it cannot take along."""
        is_fused = step.w is not None and step.act in _FUSED
        after = () if is_fused or step.act == "identity" else _LAYERS[step.act]
        blobs = [*(f"{step.name}/{number}" for number in range(len(after))), result]
        read = tuple(self.copies[name].pop(0) if name in self.copies else name for name in step.inputs)
        kind, params = self._op(step, step.act if is_fused else "identity")
        self._layer(kind, step.name, read, blobs[:1], params)
        for number, (kind, params) in enumerate(after):
            self._layer(kind, f"{step.name}/{number}", blobs[number : number + 1], blobs[number + 1 :][:1], params)

    def _op(self, step, act):
        """(type, params) of a step; its weights go to the file."""
        if step.op == "pool":
            return "Pooling", {0: 1, 4: 1}
        if step.op in ("scale", "add"):
            return "BinaryOp", {0: MUL if step.op == "scale" else ADD}
        number, values = _FUSED[act]
        fused = ({9: number} if number else {}) | ({10: values} if values else {})
        self.weights += [bytes(4), _bytes(from_nhwc(_LAYOUT[step.op], step.w)), _bytes(step.b)]
        if step.op == "linear":
            return "InnerProduct", {0: step.w.shape[1], 1: 1, 2: step.w.size} | fused
        top, bottom, left, right = step.pad
        height, width = step.w.shape[:2] if step.op in ("conv", "depthwise") else (1, 1)
        params = {0: step.w.shape[-1], 1: width, 3: step.strides[1], 4: left, 5: 1, 6: step.w.size}
        params |= {11: height, 13: step.strides[0], 14: top, 15: right, 16: bottom} | fused
        groups = step.w.shape[2] if step.op == "depthwise" else step.groups
        if groups > 1 or step.op == "depthwise":
            return "ConvolutionDepthWise", params | {7: groups}
        return "Convolution", params

    def _split(self, name):
        """A blob that several steps read becomes as many."""
        count = self.readers[name]
        if count > 1:
            self.copies[name] = [f"{name}/split{number}" for number in range(count)]
            self._layer("Split", f"{name}/split", (name,), self.copies[name], {})

    def _layer(self, kind, name, read, written, params):
        words = [f"{kind:20}", f"{name:28}", str(len(read)), str(len(written)), *read, *written]
        self.lines.append(" ".join([*words, *(_param(key, value) for key, value in sorted(params.items()))]))
        self.blobs += len(written)


_LAYOUT = {"conv": CONV, "depthwise": DEPTHWISE, "pointwise": POINTWISE, "linear": LINEAR}


def _param(key, value):
    """One `key=value`; an array's key counts down from -23300."""
    if isinstance(value, tuple):
        return f"{-23300 - key}=" + ",".join([str(len(value)), *map(_number, value)])
    return f"{key}={_number(value)}"


def _number(value):
    """A float in the 15 characters that ncnn's parser reads, with its exponent; nine digits tell a float32."""
    return f"{value:.8e}" if isinstance(value, float) else str(value)


def _bytes(array):
    return np.ascontiguousarray(array, "<f4").tobytes()
