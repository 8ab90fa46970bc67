"""One folded step: a name, an op, what it reads, its arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

IMAGE = "input"  # the name of what the first step reads


@dataclass(frozen=True, eq=False)
class Node:
    """One step.  Shapes are of one image: (H, W, C), or (C,) after the pool.

    op      conv        w (K, K, C / groups, D), b (D,)
            depthwise   w (K, K, C), b (C,)
            pointwise   w (C, D), b (D,)
            linear      w (C, D), b (D,), of a vector
            pool        the mean over all pixels
            scale       inputs (x, g): y = x * g, g one number per channel
            add         inputs (x, z): y = x + z

            and of networks of cells, and of the pieces that are not in the papers:
            act         y = x, for the activation alone
            concat      the inputs' channels behind one another; shape_in is the first one's
            average_pool, max_pool   over K x K windows; count_pad: zeros outside are counted as pixels
            shift       y[r, s] = x[r + 1, s + 1], zeros behind the image
            resize      bilinear, half_pixel, to the rows and columns of `shape`
            pyramid     the largest value in each of n x n bins for every n of `levels`
            softmax     y = e^x / sum e^x, of a vector
    stride  of rows and columns, or (rows, columns) where they differ
    act     applied to the result: a kind of refmnas.ops.activation
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    shape_in: tuple[int, ...]
    shape: tuple[int, ...]
    w: np.ndarray | None = None
    b: np.ndarray | None = None
    kernel: int = 1
    stride: int | tuple[int, int] = 1
    pad: tuple[int, int, int, int] = (0, 0, 0, 0)
    act: str = "identity"
    groups: int = 1
    count_pad: bool = False
    levels: tuple[int, ...] = ()

    @property
    def strides(self):
        """(of rows, of columns)."""
        return self.stride if isinstance(self.stride, tuple) else (self.stride, self.stride)

    @property
    def macs(self):
        """Multiply-adds of one image, by the rule of `refmnas.models.cost`."""
        if self.w is None:
            return 0
        pixels = self.shape[0] * self.shape[1] if len(self.shape) == 3 else 1
        return pixels * self.w.size
