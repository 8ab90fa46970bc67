"""What the cases of both window pools share: an image, a kernel, a stride, pads and the ceil mode."""

from dataclasses import dataclass

from ..geometry import pooled
from .base import BATCHES, Case

# Extents that the stride does not divide, unequal pads, pads that only ceil's last window
# meets, and kernels as large as the padded image.
POOL_WINDOW = {
    "n": BATCHES,
    "h": (5, 1, 2, 3, 4, 7, 8),
    "w": (5, 1, 2, 3, 4, 7, 8, 9, 11),
    "c": (1, 2, 3, 4, 7, 8, 9, 16, 17),
    "kernel": ((3, 3), (2, 2), (1, 1), (2, 1), (1, 2), (3, 2), (5, 3), (2, 4), (4, 4)),
    "stride": (2, 1, 3),
    "pad": ((0, 0, 0, 0), (1, 1, 1, 1), (0, 1, 0, 1), (1, 0, 1, 0), (0, 1, 1, 0), (2, 1, 0, 2), (2, 2, 1, 1)),
    "ceil": (False, True),
}


@dataclass(frozen=True)
class PoolWindowCase(Case):
    """An image and a window over it."""

    n: int
    h: int
    w: int
    c: int
    kernel: tuple
    stride: int
    pad: tuple
    ceil: bool

    def shapes(self):
        return {"x": (self.n, self.h, self.w, self.c)}

    def result(self):
        return (self.n, *self.extents(), self.c)

    def options(self):
        return {"kernel": self.kernel, "stride": self.stride, "pad": self.pad, "ceil": self.ceil}

    def extents(self):
        """(P, Q), the rows and columns of the output."""
        top, bottom, left, right = self.pad
        return (
            pooled(self.h, self.kernel[0], self.stride, top, bottom, self.ceil),
            pooled(self.w, self.kernel[1], self.stride, left, right, self.ceil),
        )

    def is_valid(self):
        """Every window holds a pixel of the image."""
        axes = zip((self.h, self.w), self.kernel, (self.pad[0], self.pad[2]), self.extents(), strict=True)
        return all(P >= 1 and before < K and (P - 1) * self.stride - before < size for size, K, before, P in axes)

    def macs(self):
        P, Q = self.extents()
        return self.n * P * Q * self.c * self.kernel[0] * self.kernel[1]
