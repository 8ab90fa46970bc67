"""Average pooling over windows, the definition.

    y[n,p,q,c]  = sum_{i,j} x[n, p*S + i - T, q*S + j - U, c] / m[p,q]            (1)
    dx[n,r,s,c] = sum over (p,i), (q,j) with p*S + i - T = r and q*S + j - U = s
                  of dy[n,p,q,c] / m[p,q]                                         (2)
    m[p,q]      = the taps of the window that lie in the image, or in the padded image  (3)
"""

import numpy as np


def forward(x, *, kernel, stride=1, pad=(0, 0, 0, 0), count_pad=False, ceil=False):
    """Equation (1)."""
    (N, H, W, C), (Kh, Kw), (top, bottom, left, right) = x.shape, kernel, pad
    P, Q = _windows(H, Kh, stride, top, bottom, ceil), _windows(W, Kw, stride, left, right, ceil)
    y = np.zeros((N, P, Q, C))
    for n in range(N):
        for p in range(P):
            for q in range(Q):
                m = _taps(p, q, H, W, kernel, stride, pad, count_pad)
                for c in range(C):
                    total = 0.0
                    for i in range(Kh):
                        for j in range(Kw):
                            r, s = p * stride + i - top, q * stride + j - left
                            if 0 <= r < H and 0 <= s < W:
                                total += float(x[n, r, s, c])
                    y[n, p, q, c] = total / m
    return y


def backward(dy, x, *, kernel, stride=1, pad=(0, 0, 0, 0), count_pad=False, ceil=False):
    """Equation (2): the tuple (dx,)."""
    (N, H, W, C), (Kh, Kw), (top, _, left, _) = x.shape, kernel, pad
    _, P, Q, _ = dy.shape
    dx = np.zeros(x.shape)
    for n in range(N):
        for p in range(P):
            for q in range(Q):
                m = _taps(p, q, H, W, kernel, stride, pad, count_pad)
                for c in range(C):
                    for i in range(Kh):
                        for j in range(Kw):
                            r, s = p * stride + i - top, q * stride + j - left
                            if 0 <= r < H and 0 <= s < W:
                                dx[n, r, s, c] += float(dy[n, p, q, c]) / m
    return (dx,)


def _taps(p, q, H, W, kernel, stride, pad, count_pad):
    """Equation (3), tap by tap."""
    top, bottom, left, right = pad
    m = 0
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            r, s = p * stride + i - top, q * stride + j - left
            if count_pad and r < H + bottom and s < W + right:
                m += 1
            if not count_pad and 0 <= r < H and 0 <= s < W:
                m += 1
    return m


def _windows(size, K, stride, before, after, ceil):
    """Windows of one axis, one by one: those that fit, with ceil until the end is reached, none from below the image."""
    count, end = 0, before + size + after
    while count * stride + K <= end or (ceil and (count - 1) * stride + K < end):
        if ceil and count * stride >= before + size:
            break
        count += 1
    return count
