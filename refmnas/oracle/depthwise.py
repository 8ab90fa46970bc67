"""Depthwise convolution, the definition.

    y[n,p,q,c]  = b[c] + sum_{i,j} x[n, p*S + i*L - T, q*S + j*L - U, c] * w[i,j,c]  (1)
    dx[n,r,s,c] = sum over (p,i), (q,j) with p*S + i*L - T = r and q*S + j*L - U = s
                  of dy[n,p,q,c] * w[i,j,c]                                          (2)
    dw[i,j,c]   = sum_{n,p,q} dy[n,p,q,c] * x[n, p*S + i*L - T, q*S + j*L - U, c]    (3)
    db[c]       = sum_{n,p,q} dy[n,p,q,c]                                            (4)
"""

import numpy as np


def forward(x, w, b=None, *, stride=1, pad=(0, 0, 0, 0), dilation=1):
    """Equation (1)."""
    (N, H, W, C), (Kh, Kw, _) = x.shape, w.shape
    top, bottom, left, right = pad
    P = len(range(0, H + top + bottom - (Kh - 1) * dilation, stride))
    Q = len(range(0, W + left + right - (Kw - 1) * dilation, stride))
    y = np.zeros((N, P, Q, C))
    for n in range(N):
        for p in range(P):
            for q in range(Q):
                for c in range(C):
                    total = 0.0 if b is None else float(b[c])
                    for i in range(Kh):
                        for j in range(Kw):
                            r = p * stride + i * dilation - top
                            s = q * stride + j * dilation - left
                            if 0 <= r < H and 0 <= s < W:
                                total += float(x[n, r, s, c]) * float(w[i, j, c])
                    y[n, p, q, c] = total
    return y


def backward(dy, x, w, *, stride=1, pad=(0, 0, 0, 0), dilation=1):
    """Equations (2), (3), (4): the tuple (dx, dw, db)."""
    (N, H, W, C), (Kh, Kw, _), (_, P, Q, _) = x.shape, w.shape, dy.shape
    top, _, left, _ = pad
    dx, dw, db = np.zeros(x.shape), np.zeros(w.shape), np.zeros(C)
    for n in range(N):
        for p in range(P):
            for q in range(Q):
                for c in range(C):
                    d = float(dy[n, p, q, c])
                    db[c] += d
                    for i in range(Kh):
                        for j in range(Kw):
                            r = p * stride + i * dilation - top
                            s = q * stride + j * dilation - left
                            if 0 <= r < H and 0 <= s < W:
                                dx[n, r, s, c] += d * float(w[i, j, c])
                                dw[i, j, c] += d * float(x[n, r, s, c])
    return dx, dw, db
