"""What a block must be told besides its sizes: the disagreements between public sources."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Conventions:
    """One record for all layers of a block; the defaults are PyTorch's own."""

    activation: str = "relu"
    padding: str = "symmetric"  # or "same"
    bn_eps: float = 1e-5
    bn_momentum: float = 0.1  # weight of the new statistic
    bn_unbiased: bool = True  # the running variance
    se_activation: str = "relu"
    gate: str = "sigmoid"
    conv_bias: bool = False  # before batch norm
    kink: str = "torch"  # gradient where an activation has none
    strided_pool_counts: bool = False  # whether a cell's average pool of stride 2 counts padding
    dtype: type = np.float32


PYTORCH = Conventions()
