"""Resizing an image, nearest and bilinear, the definition.

    y[n,p,q,c]  = sum_{r,s} A[p,r] * B[q,s] * x[n,r,s,c]                             (1)
    dx[n,r,s,c] = sum_{p,q} A[p,r] * B[q,s] * dy[n,p,q,c]                            (2)
    A[p,r]      = 1 - |u[p] - r| where positive (bilinear), or 1 at r = round(u[p])  (3)
    u[p]        = (p + 1/2) * H / P - 1/2  half_pixel
                  p * (H - 1) / (P - 1)    align_corners, 0 where P = 1
                  p * H / P                asymmetric; each moved into 0 .. H - 1    (4)
"""

import numpy as np


def forward(x, *, size, mode="bilinear", places="half_pixel", rounding="floor"):
    """Equation (1)."""
    (N, H, W, C), (P, Q) = x.shape, size
    A, B = _weights(P, H, mode, places, rounding), _weights(Q, W, mode, places, rounding)
    y = np.zeros((N, P, Q, C))
    for n in range(N):
        for p in range(P):
            for q in range(Q):
                for r in range(H):
                    for s in range(W):
                        if A[p, r] > 0 and B[q, s] > 0:
                            for c in range(C):
                                y[n, p, q, c] += A[p, r] * B[q, s] * float(x[n, r, s, c])
    return y


def backward(dy, x, *, size, mode="bilinear", places="half_pixel", rounding="floor"):
    """Equation (2): the tuple (dx,)."""
    (N, H, W, C), (P, Q) = x.shape, size
    A, B = _weights(P, H, mode, places, rounding), _weights(Q, W, mode, places, rounding)
    dx = np.zeros(x.shape)
    for n in range(N):
        for p in range(P):
            for q in range(Q):
                for r in range(H):
                    for s in range(W):
                        if A[p, r] > 0 and B[q, s] > 0:
                            for c in range(C):
                                dx[n, r, s, c] += A[p, r] * B[q, s] * float(dy[n, p, q, c])
    return (dx,)


def _weights(P, H, mode, places, rounding):
    """A of equation (3)."""
    A = np.zeros((P, H))
    for p in range(P):
        for r in range(H):
            A[p, r] = _weight(p, r, P, H, mode, places, rounding)
    return A


def _weight(p, r, P, H, mode, places, rounding):
    """One A[p,r]; u[p] of (4) as the fraction above / below of whole numbers, so that no place is rounded."""
    if places == "half_pixel":
        above, below = (2 * p + 1) * H - P, 2 * P
    elif places == "align_corners":
        above, below = (p * (H - 1), P - 1) if P > 1 else (0, 1)
    else:
        above, below = p * H, P
    if above < 0:
        above = 0
    if above > (H - 1) * below:
        above = (H - 1) * below
    if mode == "bilinear":
        return max(0.0, (below - abs(above - r * below)) / below)
    nearest = above // below
    rest = above - nearest * below
    if rounding == "ceil" and rest > 0:
        nearest += 1
    if rounding == "round_prefer_floor" and 2 * rest > below:
        nearest += 1
    if rounding == "round_prefer_ceil" and 2 * rest >= below:
        nearest += 1
    return 1.0 if r == nearest else 0.0
