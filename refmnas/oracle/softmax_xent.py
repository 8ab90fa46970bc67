"""Softmax cross-entropy with label smoothing, the definition.

    t[n,k]  = (1 - a) * [k = label[n]] + a / K                                   (1)
    M[n]    = max_k x[n,k],   Z[n] = sum_k exp(x[n,k] - M[n])                     (2)
    loss[n] = -sum_k t[n,k] * log softmax[n,k]
            = log Z[n] - (1 - a) * (x[n,label[n]] - M[n]) - a / K * sum_k (x[n,k] - M[n])  (3)
    dx[n,k] = dy[n] * (exp(x[n,k] - M[n]) / Z[n] - t[n,k])                        (4)
"""

import math

import numpy as np


def forward(x, labels, *, smoothing=0.0):
    """Equation (3)."""
    N, K = x.shape
    loss = np.zeros(N)
    for n in range(N):
        peak = float(x[n, 0])
        for k in range(K):
            peak = max(peak, float(x[n, k]))
        total, centred = 0.0, 0.0
        for k in range(K):
            total += math.exp(float(x[n, k]) - peak)
            centred += float(x[n, k]) - peak
        own = float(x[n, labels[n]]) - peak
        loss[n] = math.log(total) - (1.0 - smoothing) * own - smoothing / K * centred
    return loss


def backward(dy, x, labels, *, smoothing=0.0):
    """Equation (4): the tuple (dx,)."""
    N, K = x.shape
    dx = np.zeros(x.shape)
    for n in range(N):
        peak = float(x[n, 0])
        for k in range(K):
            peak = max(peak, float(x[n, k]))
        total = 0.0
        for k in range(K):
            total += math.exp(float(x[n, k]) - peak)
        for k in range(K):
            target = smoothing / K
            if k == labels[n]:
                target += 1.0 - smoothing
            dx[n, k] = float(dy[n]) * (math.exp(float(x[n, k]) - peak) / total - target)
    return (dx,)
