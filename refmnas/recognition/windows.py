"""What graphs of cells have beside convolutions: pools over windows, what is put together, moved and cut.

    a 1 x 1 window of stride S before a 1 x 1 convolution    the convolution's stride is S          (1)
    zeros behind, the first row and column cut off           the image moved up and left            (2)
    the first row and column of a window's result cut off    S zeros less before the image          (3)

    the least number around, before a largest value         its own padding                         (4)
    zeros around an average of all K K pixels, times
    K K over those of the image                             the average of these                    (5)

(3) goes through 1 x 1 convolutions to what is before them.  Zeros before an average without padding are pixels that
count; before other pools they are no padding of its own, unless (3) leaves none.  In (4) the least number is minus
infinity or float32's own, which differ where a pixel is minus infinity.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from ..io.onnx.operators.window import geometry
from .parts import Part, Unknown, pair, stride_of

MOVED = (-1, 1, -1, 1)  # top, bottom, left, right of equation (2)
LEAST = float(np.finfo(np.float32).min)
_PADDED = ("Conv", "Pad", "Transpose", "Slice", "AveragePool", "MaxPool")  # those that know of zeros before them
_CUT = ("Pad", "Transpose", "Slice")  # those that know of an image that lacks rows
_WINDOWS = ("conv", "depthwise", "average_pool", "max_pool")


class Windows:
    """A part of `reduce.Reader`, which has the graph and what was found so far."""

    def __init__(self):
        self.uncut: list[Part] = []  # pools over zeros that a cut must take away
        self.walls: dict[str, tuple[int, ...]] = {}  # tensors with the least number around, as `pads` are with zeros
        self._reads: Counter | None = None

    def is_uncut(self):
        """Whether a pool is left that takes zeros for pixels."""
        return any(any(part.pad[::2]) for part in self.uncut)

    def check_pads(self, step):
        """Zeros before, and rows cut off, are known to those alone that can have them."""
        sides = [self.pads[name] for name in step.reads() if name in self.pads]
        if (sides and step.op not in _PADDED) or (min(map(min, sides), default=0) < 0 and step.op not in _CUT):
            raise Unknown
        if step.op not in ("MaxPool", "Transpose") and any(name in self.walls for name in step.reads()):
            raise Unknown

    def walled(self, step, sides, before):
        """Equation (4): the result of a step is its operand with the least number on its sides."""
        if any(before) or min(sides) < 0:
            raise Unknown
        self.same(step)
        self.walls[step.results[0]] = sides

    def shared(self, step, x, array):
        """Whether the step's product with a constant is equation (5), and then it is the average."""
        part, shape = self.made.get(self.real(x)), self.graph.known[x].shape
        if not self.is_alone(part) or self._reads[x] != 1 or part.op != "average_pool" or not part.count_pad:
            return False
        source = self.graph.known[part.inputs[0]].shape
        if shape is None or source is None or None in (*shape[1:], *source[1:]):
            return False
        size = source[1:3] if part.inputs[0] in self.last else source[2:]
        counts = (shape[1:3], (1, -1, -1, 1)) if x in self.last else (shape[2:], (1, 1, -1, -1))
        axes = []
        for k, (n, windows) in enumerate(zip(size, counts[0], strict=True)):
            first = np.arange(windows) * pair(part.stride)[k] - part.pad[2 * k]
            axes.append(np.minimum(first + part.kernel, n) - np.maximum(first, 0))
        shares = part.kernel**2 / np.outer(*axes)
        wanted = np.expand_dims(shares.astype(np.float32), [k for k, n in enumerate(counts[1]) if n == 1])
        if not np.array_equal(array, wanted):
            return False
        part.count_pad = False
        self.renamed(part, step.results[0])
        return True

    def padded(self, step, sides):
        """The result of a step is its operand with zeros on its sides, fewer than none where rows are cut off."""
        if sides == MOVED:
            self.add("shift", step, [step.operands["x"]])
            return
        self.same(step)
        self.pads[step.results[0]] = sides

    def is_alone(self, part):
        """Whether one step alone reads what a part makes."""
        if self._reads is None:
            self._reads = Counter(name for step in self.graph.steps for name in step.reads())
        return part is not None and self._reads[part.output] == 1

    def alone(self, name):
        """The part that makes `name`, which one step alone reads."""
        part = self.made.get(self.real(name))
        if not self.is_alone(part):
            raise Unknown
        return part

    def skipping(self, name):
        """A pool over windows of one pixel: equation (1)."""
        part = self.made.get(self.real(name))
        is_pool = part is not None and part.op in ("average_pool", "max_pool")
        return part if is_pool and part.kernel == 1 and not any(part.pad) else None

    def take_concat(self, step):
        parts = step.operands["x"]
        names = list(parts) if isinstance(parts, (list, tuple)) else [parts]
        rank, axis = 4, 3 if names[0] in self.last else 1
        if step.attributes["axis"] % rank != axis or any(map(self.is_constant, names)):
            raise Unknown
        self.add("concat", step, names)

    def _window(self, step, op):
        a, x = step.attributes, step.operands["x"]
        kernel, shape = tuple(a["kernel_shape"]), self.graph.known[x].shape or (None,) * 4
        if x in self.last or len(set(kernel)) != 1 or len(kernel) != 2 or a.get("ceil_mode"):
            raise Unknown
        if a["auto_pad"].startswith("SAME") and None in shape[2:]:
            raise Unknown
        strides, dilations, pairs, _ = geometry(a, shape[2:], kernel)
        zeros = self.pads.get(x, (0, 0, 0, 0))
        counts = any(zeros) and op == "average_pool" and not any(map(any, pairs))
        if set(dilations) != {1} or (any(zeros[1::2]) and not counts):
            raise Unknown
        walls = self.walls.get(x, (0, 0, 0, 0))
        pad = tuple(sum(sides) for sides in zip((*pairs[0], *pairs[1]), zeros, walls, strict=True))
        options = {"kernel": kernel[0], "stride": stride_of(strides), "pad": pad}
        self.add(op, step, [x], count_pad=bool(counts or a.get("count_include_pad")), **options)
        if any(zeros) and not counts:
            self.uncut.append(self.parts[-1])

    def take_averagepool(self, step):
        self._window(step, "average_pool")

    def take_maxpool(self, step):
        self._window(step, "max_pool")

    def take_slice(self, step):
        """Equations (2) and (3), of both axes or one after the other."""
        x, result = step.operands["x"], step.results[0]
        cut = self._first(step)
        part = None if x in self.pads else self._window_before(x)
        if part is None:
            before = self.pads.get(x, (0, 0, 0, 0))
            self.padded(step, tuple(n - (cut[k // 2] if k % 2 == 0 else 0) for k, n in enumerate(before)))
            return
        strides = pair(part.stride)
        pad = tuple(n - strides[k // 2] * (cut[k // 2] if k % 2 == 0 else 0) for k, n in enumerate(part.pad))
        if min(pad) < 0:
            raise Unknown
        part.pad = pad
        self.renamed(self.made[self.real(x)], result)

    def _window_before(self, name):
        """The window whose result `name` is, or through 1 x 1 convolutions comes from, all read once; or None."""
        part = self.made.get(self.real(name))
        while self.is_alone(part) and part.op == "matrix":
            part = self.made.get(self.real(part.inputs[0]))
        return part if self.is_alone(part) and part.op in _WINDOWS else None

    def _first(self, step):
        """(rows, columns) that are cut off before the image; Unknown where anything else is."""
        starts, ends, axes, steps = (self.constant(step, name) for name in ("starts", "ends", "over", "steps"))
        shape = self.graph.known[step.operands["x"]].shape
        if axes is None or shape is None or len(shape) != 4 or (steps is not None and set(steps.tolist()) != {1}):
            raise Unknown
        found = dict.fromkeys((1, 2) if step.operands["x"] in self.last else (2, 3), 0)
        for start, end, axis in zip(starts.tolist(), ends.tolist(), axes.tolist(), strict=True):
            axis %= 4
            if start == 0 and shape[axis] is not None and end >= shape[axis]:
                continue
            if axis not in found or shape[axis] is None or start != 1 or end < shape[axis]:
                raise Unknown
            found[axis] = 1
        return tuple(found.values())
