"""The dense layer, the definition.

    y[n,d]  = b[d] + sum_c x[n,c] * w[c,d]  (1)
    dx[n,c] = sum_d dy[n,d] * w[c,d]        (2)
    dw[c,d] = sum_n dy[n,d] * x[n,c]        (3)
    db[d]   = sum_n dy[n,d]                 (4)
"""

import numpy as np


def forward(x, w, b=None):
    """Equation (1)."""
    (N, C), D = x.shape, w.shape[1]
    y = np.zeros((N, D))
    for n in range(N):
        for d in range(D):
            total = 0.0 if b is None else float(b[d])
            for c in range(C):
                total += float(x[n, c]) * float(w[c, d])
            y[n, d] = total
    return y


def backward(dy, x, w):
    """Equations (2), (3), (4): the tuple (dx, dw, db)."""
    (N, C), D = x.shape, w.shape[1]
    dx, dw, db = np.zeros(x.shape), np.zeros(w.shape), np.zeros(D)
    for n in range(N):
        for d in range(D):
            t = float(dy[n, d])
            db[d] += t
            for c in range(C):
                dx[n, c] += t * float(w[c, d])
                dw[c, d] += t * float(x[n, c])
    return dx, dw, db
