"""Channel scaling, the definition.

    y[n,h,v,c]  = x[n,h,v,c] * g[n,c]               (1)
    dx[n,h,v,c] = dy[n,h,v,c] * g[n,c]              (2)
    dg[n,c]     = sum_{h,v} dy[n,h,v,c] * x[n,h,v,c]  (3)
"""

import numpy as np


def forward(x, g):
    """Equation (1)."""
    N, H, W, C = x.shape
    y = np.zeros(x.shape)
    for n in range(N):
        for h in range(H):
            for v in range(W):
                for c in range(C):
                    y[n, h, v, c] = float(x[n, h, v, c]) * float(g[n, c])
    return y


def backward(dy, x, g):
    """Equations (2), (3): the tuple (dx, dg)."""
    N, H, W, C = x.shape
    dx, dg = np.zeros(x.shape), np.zeros(g.shape)
    for n in range(N):
        for h in range(H):
            for v in range(W):
                for c in range(C):
                    t = float(dy[n, h, v, c])
                    dx[n, h, v, c] = t * float(g[n, c])
                    dg[n, c] += t * float(x[n, h, v, c])
    return dx, dg
