"""Drop-path (stochastic depth) with a given mask, the definition.

    y[n,...]  = x[n,...] * m[n] / (1 - rate)   (1)
    dx[n,...] = dy[n,...] * m[n] / (1 - rate)  (2)
"""

import numpy as np


def forward(x, mask, *, rate):
    """Equation (1)."""
    y = np.zeros(x.shape)
    for k in np.ndindex(x.shape):
        y[k] = float(x[k]) * float(mask[k[0]]) / (1.0 - rate)
    return y


def backward(dy, x, mask, *, rate):
    """Equation (2): the tuple (dx,)."""
    dx = np.zeros(x.shape)
    for k in np.ndindex(x.shape):
        dx[k] = float(dy[k]) * float(mask[k[0]]) / (1.0 - rate)
    return (dx,)
