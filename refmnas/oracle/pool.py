"""Global average pooling, the definition.

    y[n,c]      = sum_{h,v} x[n,h,v,c] / (H * W)  (1)
    dx[n,h,v,c] = dy[n,c] / (H * W)               (2)
"""

import numpy as np


def forward(x):
    """Equation (1)."""
    N, H, W, C = x.shape
    y = np.zeros((N, C))
    for n in range(N):
        for c in range(C):
            total = 0.0
            for h in range(H):
                for v in range(W):
                    total += float(x[n, h, v, c])
            y[n, c] = total / (H * W)
    return y


def backward(dy, x):
    """Equation (2): the tuple (dx,)."""
    N, H, W, C = x.shape
    dx = np.zeros(x.shape)
    for n in range(N):
        for h in range(H):
            for v in range(W):
                for c in range(C):
                    dx[n, h, v, c] = float(dy[n, c]) / (H * W)
    return (dx,)
