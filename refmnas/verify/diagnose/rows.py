"""What a weighted sum multiplies with its weights: one row for each output pixel."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def rows_of(part, x, d):
    """(pixels, unknowns) of output channel d, the columns in the order of w[..., d].ravel()."""
    x = np.asarray(x, np.float64)
    if part.op in ("pointwise", "linear"):
        return x.reshape(-1, x.shape[-1])
    top, bottom, left, right = part.options["pad"]
    stride, dilation = part.options["stride"], part.options.get("dilation", 1)
    K, L = part.arrays["w"].shape[:2]
    x = x[..., d : d + 1] if part.op == "depthwise" else x
    x = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))
    windows = sliding_window_view(x, ((K - 1) * dilation + 1, (L - 1) * dilation + 1), axis=(1, 2))
    windows = windows[:, ::stride, ::stride, :, ::dilation, ::dilation]  # (N, P, Q, C, K, L)
    windows = windows.transpose(0, 1, 2, 4, 5, 3)
    return windows.reshape(-1, K * L * x.shape[-1])
