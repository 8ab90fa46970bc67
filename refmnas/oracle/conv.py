"""Convolution, dense and grouped, the definition.

    y[n,p,q,d]  = b[d] + sum_{i,j,c} x[n, p*S + i*L - T, q*S + j*L - U, g*F + c] * w[i,j,c,d]   (1)
    dx[n,r,s,e] = sum over (p,i), (q,j), (c,d) with p*S + i*L - T = r,
                  q*S + j*L - U = s and g*F + c = e  of dy[n,p,q,d] * w[i,j,c,d]               (2)
    dw[i,j,c,d] = sum_{n,p,q} dy[n,p,q,d] * x[n, p*S + i*L - T, q*S + j*L - U, g*F + c]        (3)
    db[d]       = sum_{n,p,q} dy[n,p,q,d]                                                      (4)

F = C / G input channels per group, g = d // (D / G) the group of output d.
"""

import numpy as np


def forward(x, w, b=None, *, stride=1, pad=(0, 0, 0, 0), dilation=1, groups=1):
    """Equation (1)."""
    (N, H, W, _), (Kh, Kw, F, D) = x.shape, w.shape
    top, bottom, left, right = pad
    P = len(range(0, H + top + bottom - (Kh - 1) * dilation, stride))
    Q = len(range(0, W + left + right - (Kw - 1) * dilation, stride))
    y = np.zeros((N, P, Q, D))
    for n in range(N):
        for p in range(P):
            for q in range(Q):
                for d in range(D):
                    g = d // (D // groups)
                    total = 0.0 if b is None else float(b[d])
                    for i in range(Kh):
                        for j in range(Kw):
                            r = p * stride + i * dilation - top
                            s = q * stride + j * dilation - left
                            if 0 <= r < H and 0 <= s < W:
                                for c in range(F):
                                    total += float(x[n, r, s, g * F + c]) * float(w[i, j, c, d])
                    y[n, p, q, d] = total
    return y


def backward(dy, x, w, *, stride=1, pad=(0, 0, 0, 0), dilation=1, groups=1):
    """Equations (2), (3), (4): the tuple (dx, dw, db)."""
    (N, H, W, _), (Kh, Kw, F, D), (_, P, Q, _) = x.shape, w.shape, dy.shape
    top, _, left, _ = pad
    dx, dw, db = np.zeros(x.shape), np.zeros(w.shape), np.zeros(D)
    for n in range(N):
        for p in range(P):
            for q in range(Q):
                for d in range(D):
                    g = d // (D // groups)
                    t = float(dy[n, p, q, d])
                    db[d] += t
                    for i in range(Kh):
                        for j in range(Kw):
                            r = p * stride + i * dilation - top
                            s = q * stride + j * dilation - left
                            if 0 <= r < H and 0 <= s < W:
                                for c in range(F):
                                    dx[n, r, s, g * F + c] += t * float(w[i, j, c, d])
                                    dw[i, j, c, d] += t * float(x[n, r, s, g * F + c])
    return dx, dw, db
