"""The operators of steps that networks of cells and merges have beside the usual ones.

    concat              CONCATENATION of the last axis
    average_pool        AVERAGE_POOL_2D, which never counts the pixels of SAME; zeros that count are a PAD before it,
                        and where pads are not SAME's and do not count, PAD, the pool and MUL by K K over the pixels
                        that each window has
    max_pool            MAX_POOL_2D; pads that are not SAME's are a PADV2 of the least float32
    shift               PAD by one pixel behind, SLICE from the second row and column on
    resize              RESIZE_BILINEAR with half_pixel_centers
    pyramid             SLICE and MAX_POOL_2D of each bin, CONCATENATION
"""

from __future__ import annotations

import numpy as np

from ...geometry import bins, same_pad

SAME, VALID = 0, 1


class CellOperators:
    """A part of `write.Writer`, which has the tensors, `_operator`, `_constant` and `_padded`."""

    batch: int
    numbers: dict[str, int]

    def _operator(self, op, inputs, result, shape, **options):
        raise NotImplementedError

    def _constant(self, name, array):
        raise NotImplementedError

    def _padded(self, step, x, value=None):
        raise NotImplementedError

    def _concat(self, step, inputs, result, shape, act):
        self._operator("CONCATENATION", inputs, result, shape, axis=len(shape) - 1, act=act)

    def _pool(self, step, inputs, result, shape, act):
        """Either pool, over windows."""
        options = {"padding": VALID, "filter_h": step.kernel, "filter_w": step.kernel, "act": act}
        options |= {"stride_h": step.strides[0], "stride_w": step.strides[1]}
        is_average = step.op == "average_pool"
        kind = "AVERAGE_POOL_2D" if is_average else "MAX_POOL_2D"
        if not any(step.pad):
            self._operator(kind, inputs, result, shape, **options)
        elif is_same(step, (step.kernel, step.kernel)) and not (is_average and step.count_pad):
            self._operator(kind, inputs, result, shape, **options | {"padding": SAME})
        elif is_average and not step.count_pad:
            self._operator(kind, [self._padded(step, inputs[0])], f"{step.name}/all", shape, **options | {"act": 0})
            share = self._constant(f"{step.name}/share", _shares(step))
            self._operator("MUL", [self.numbers[f"{step.name}/all"], share], result, shape, act=act)
        else:
            least = None if is_average else np.finfo(np.float32).min
            self._operator(kind, [self._padded(step, inputs[0], least)], result, shape, **options)

    def _softmax(self, step, inputs, result, shape, act):
        flat = f"{step.name}/flat"
        self._operator("RESHAPE", [*inputs, self._constant(f"{step.name}/shape", np.array(shape, "<i4"))], flat, shape)
        self._operator("SOFTMAX", [self.numbers[flat]], result, shape, beta=1.0)

    def _shift(self, step, inputs, result, shape, act):
        height, width, channels = step.shape_in
        paddings = self._constant(f"{step.name}/paddings", np.array(((0, 0), (0, 1), (0, 1), (0, 0)), "<i4"))
        padded = self.batch, height + 1, width + 1, channels
        self._operator("PAD", [*inputs, paddings], f"{step.name}/padded", padded)
        self._cut(step.name, self.numbers[f"{step.name}/padded"], (1, 1), shape, result)

    def _cut(self, name, x, first, shape, result):
        """As many pixels as `shape` has, from the pixel `first` on."""
        begin = self._constant(f"{name}/begin", np.array((0, *first, 0), "<i4"))
        size = self._constant(f"{name}/size", np.array(shape, "<i4"))
        self._operator("SLICE", [x, begin, size], result, shape)

    def _resize(self, step, inputs, result, shape, act):
        size = self._constant(f"{step.name}/size", np.array(step.shape[:2], "<i4"))
        self._operator("RESIZE_BILINEAR", [*inputs, size], result, shape, half_pixel_centers=True)

    def _pyramid(self, step, inputs, result, shape, act):
        """Every bin is a map of one pixel; side by side they are the result."""
        parts, channels = [], step.shape_in[2]
        for n in step.levels:
            for rows in bins(step.shape_in[0], n):
                for columns in bins(step.shape_in[1], n):
                    at, extents = f"{step.name}/bin{len(parts)}", (rows[1] - rows[0], columns[1] - columns[0])
                    self._cut(f"{at}/cut", inputs[0], (rows[0], columns[0]), (self.batch, *extents, channels), f"{at}/cut")
                    options = {"padding": VALID, "stride_h": 1, "stride_w": 1, "filter_h": extents[0], "filter_w": extents[1]}
                    self._operator("MAX_POOL_2D", [self.numbers[f"{at}/cut"]], at, (self.batch, 1, 1, channels), **options)
                    parts.append(self.numbers[at])
        self._operator("CONCATENATION", parts, result, shape, axis=len(shape) - 1, act=act)

    OPS = {  # noqa: RUF012
        "concat": _concat, "average_pool": _pool, "max_pool": _pool, "shift": _shift, "resize": _resize, "pyramid": _pyramid,
        "softmax": _softmax,
    }  # fmt: skip


def is_same(step, kernel):
    """Whether the step's pads are those of the SAME rule."""
    rules = [same_pad(n, k, s) for n, k, s in zip(step.shape_in[:2], kernel, step.strides, strict=True)]
    return step.pad == (*rules[0], *rules[1])


def _shares(step):
    """(1, P, Q, 1): K K over the number of pixels of the image in each window."""
    counts = []
    for k, n in enumerate(step.shape_in[:2]):
        first = np.arange(step.shape[k]) * step.strides[k] - step.pad[2 * k]
        counts.append(np.minimum(first + step.kernel, n) - np.maximum(first, 0))
    return (step.kernel**2 / np.outer(*counts)).astype(np.float32)[None, :, :, None]
