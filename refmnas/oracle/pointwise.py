"""Pointwise (1 x 1) convolution, the definition.

    y[n,h,v,d]  = b[d] + sum_c x[n,h,v,c] * w[c,d]      (1)
    dx[n,h,v,c] = sum_d dy[n,h,v,d] * w[c,d]            (2)
    dw[c,d]     = sum_{n,h,v} dy[n,h,v,d] * x[n,h,v,c]  (3)
    db[d]       = sum_{n,h,v} dy[n,h,v,d]               (4)
"""

import numpy as np


def forward(x, w, b=None):
    """Equation (1)."""
    (N, H, W, C), D = x.shape, w.shape[1]
    y = np.zeros((N, H, W, D))
    for n in range(N):
        for h in range(H):
            for v in range(W):
                for d in range(D):
                    total = 0.0 if b is None else float(b[d])
                    for c in range(C):
                        total += float(x[n, h, v, c]) * float(w[c, d])
                    y[n, h, v, d] = total
    return y


def backward(dy, x, w):
    """Equations (2), (3), (4): the tuple (dx, dw, db)."""
    (N, H, W, C), D = x.shape, w.shape[1]
    dx, dw, db = np.zeros(x.shape), np.zeros(w.shape), np.zeros(D)
    for n in range(N):
        for h in range(H):
            for v in range(W):
                for d in range(D):
                    t = float(dy[n, h, v, d])
                    db[d] += t
                    for c in range(C):
                        dx[n, h, v, c] += t * float(w[c, d])
                        dw[c, d] += t * float(x[n, h, v, c])
    return dx, dw, db
