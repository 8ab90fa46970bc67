"""What the cases of a convolution share: an image, a kernel, a stride, a dilation and pads."""

from dataclasses import dataclass

from ..geometry import extent
from .base import BATCHES, Case

# Extents with (size + pads - span) mod S != 0, unequal pads, kernels larger than the image
# (but not than the padded one), and the empty batch.
WINDOW = {
    "n": BATCHES,
    "h": (5, 1, 2, 3, 7, 8, 11, 16),
    "w": (5, 1, 2, 3, 7, 8, 9, 14, 15, 17, 23),
    "kh": (3, 1, 2, 5, 7),
    "kw": (3, 1, 2, 5, 7),
    "stride": (1, 2, 3),
    "dilation": (1, 2),
    "pad": ((1, 1, 1, 1), (0, 0, 0, 0), (0, 1, 0, 1), (2, 2, 2, 2), (1, 2, 1, 2), (3, 0, 1, 4), (0, 3, 2, 1)),
    "bias": (True, False),
}


@dataclass(frozen=True)
class WindowCase(Case):
    """An image and a window over it."""

    n: int
    h: int
    w: int
    kh: int
    kw: int
    stride: int
    dilation: int
    pad: tuple
    bias: bool

    def options(self):
        return {"stride": self.stride, "pad": self.pad, "dilation": self.dilation}

    def extents(self):
        """(P, Q), the rows and columns of the output."""
        top, bottom, left, right = self.pad
        return (
            extent(self.h, self.kh, self.stride, top, bottom, self.dilation),
            extent(self.w, self.kw, self.stride, left, right, self.dilation),
        )

    def is_valid(self):
        return min(self.extents()) >= 1
