"""Max pooling over windows, the definition.

    y[n,p,q,c]  = max_{i,j} x[n, p*S + i - T, q*S + j - U, c], (i,j) inside the image  (1)
    dx[n,r,s,c] = sum of dy[n,p,q,c] over the windows whose first maximum is (r,s)     (2)
"""

import numpy as np


def forward(x, *, kernel, stride=1, pad=(0, 0, 0, 0), ceil=False):
    """Equation (1)."""
    (N, H, W, C), (Kh, Kw), (top, bottom, left, right) = x.shape, kernel, pad
    P, Q = _windows(H, Kh, stride, top, bottom, ceil), _windows(W, Kw, stride, left, right, ceil)
    y = np.zeros((N, P, Q, C))
    for n in range(N):
        for p in range(P):
            for q in range(Q):
                for c in range(C):
                    r, s = _first(x, n, p, q, c, kernel, stride, pad)
                    y[n, p, q, c] = x[n, r, s, c]
    return y


def backward(dy, x, *, kernel, stride=1, pad=(0, 0, 0, 0), ceil=False):
    """Equation (2): the tuple (dx,)."""
    N, P, Q, C = dy.shape
    dx = np.zeros(x.shape)
    for n in range(N):
        for p in range(P):
            for q in range(Q):
                for c in range(C):
                    r, s = _first(x, n, p, q, c, kernel, stride, pad)
                    dx[n, r, s, c] += float(dy[n, p, q, c])
    return (dx,)


def _first(x, n, p, q, c, kernel, stride, pad):
    """The place of a window's first maximum, its rows read one after the other; a NaN is larger than all."""
    (_, H, W, _), (top, _, left, _) = x.shape, pad
    place, best = None, 0.0
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            r, s = p * stride + i - top, q * stride + j - left
            if 0 <= r < H and 0 <= s < W:
                v = float(x[n, r, s, c])
                if place is None or v > best or (v != v and best == best):
                    place, best = (r, s), v
    return place


def _windows(size, K, stride, before, after, ceil):
    """Windows of one axis, one by one: those that fit, with ceil until the end is reached, none from below the image."""
    count, end = 0, before + size + after
    while count * stride + K <= end or (ceil and (count - 1) * stride + K < end):
        if ceil and count * stride >= before + size:
            break
        count += 1
    return count
