"""The nodes of steps that networks of cells and merges have beside the usual ones."""

from __future__ import annotations

import numpy as np

from ...geometry import bins


class CellNodes:
    """A part of `write.Writer`, which has `_node`, `_tensors` and the opset."""

    opset: int

    def _node(self, name, op_type, inputs, output, **attributes):
        raise NotImplementedError

    def _tensors(self, name, **arrays):
        raise NotImplementedError

    def _identity(self, step, result):
        self._node(step.name, "Identity", step.inputs, result)

    def _concat(self, step, result):
        self._node(step.name, "Concat", step.inputs, result, axis=1)

    def _pool(self, step, result):
        top, bottom, left, right = step.pad
        options = {"kernel_shape": (step.kernel,) * 2, "pads": (top, left, bottom, right), "strides": step.strides}
        if step.op == "average_pool":
            options["count_include_pad"] = int(step.count_pad)
        self._node(step.name, "AveragePool" if step.op == "average_pool" else "MaxPool", step.inputs, result, **options)

    def _softmax(self, step, result):
        self._node(f"{step.name}/flat", "Flatten", step.inputs, f"{step.name}/flat", axis=1)
        self._node(step.name, "Softmax", [f"{step.name}/flat"], result, axis=1)

    def _shift(self, step, result):
        pads = (0, 0, -1, -1, 0, 0, 1, 1)
        if self.opset < 11:
            self._node(step.name, "Pad", step.inputs, result, pads=pads)
            return
        self._node(step.name, "Pad", [*step.inputs, *self._tensors(step.name, pads=np.array(pads, np.int64))], result)

    def _resize(self, step, result):
        rows = _weights(step.shape_in[0], step.shape[0])
        columns = _weights(step.shape_in[1], step.shape[1]).T
        left, right = self._tensors(step.name, rows=rows, columns=columns)
        self._node(step.name, "MatMul", [*step.inputs, right], f"{step.name}/wide")
        self._node(f"{step.name}/down", "MatMul", [left, f"{step.name}/wide"], result)

    def _pyramid(self, step, result):
        parts = []
        for n in step.levels:
            for row in bins(step.shape_in[0], n):
                parts += [self._bin(step, len(parts) + k, row, c) for k, c in enumerate(bins(step.shape_in[1], n))]
        self._node(step.name, "Concat", parts, result, axis=1)

    def _bin(self, step, number, rows, columns):
        """The largest value of one bin; the tensor's name."""
        at, source = f"{step.name}/bin{number}", step.inputs[0]
        starts, ends = (rows[0], columns[0]), (rows[1], columns[1])
        if self.opset < 10:
            self._node(f"{at}/cut", "Slice", [source], f"{at}/cut", axes=(2, 3), starts=starts, ends=ends)
        else:
            named = {key: np.array(v, np.int64) for key, v in (("starts", starts), ("ends", ends), ("axes", (2, 3)))}
            self._node(f"{at}/cut", "Slice", [source, *self._tensors(at, **named)], f"{at}/cut")
        kernel = (rows[1] - rows[0], columns[1] - columns[0])
        self._node(at, "MaxPool", [f"{at}/cut"], at, kernel_shape=kernel, pads=(0, 0, 0, 0), strides=(1, 1))
        return at

    OPS = {  # noqa: RUF012
        "act": _identity, "concat": _concat, "average_pool": _pool, "max_pool": _pool, "shift": _shift,
        "resize": _resize, "pyramid": _pyramid, "softmax": _softmax,
    }  # fmt: skip


def _weights(size, wanted):
    """(wanted, size): how much of each pixel is in each result, of bilinear resize with half_pixel places."""
    places = np.clip((np.arange(wanted) + 0.5) * size / wanted - 0.5, 0, size - 1)
    return np.maximum(0, 1 - np.abs(places[:, None] - np.arange(size))).astype(np.float32)
