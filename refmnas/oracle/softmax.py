"""Softmax of each row, the definition.

    M[n]    = max_k x[n,k],   Z[n] = sum_k exp(x[n,k] - M[n])  (1)
    y[n,k]  = exp(x[n,k] - M[n]) / Z[n]                        (2)
    dx[n,k] = y[n,k] * (dy[n,k] - sum_j dy[n,j] * y[n,j])      (3)
"""

import math

import numpy as np


def forward(x):
    """Equation (2)."""
    N, K = x.shape
    y = np.zeros(x.shape)
    for n in range(N):
        peak = float(x[n, 0])
        for k in range(K):
            peak = max(peak, float(x[n, k]))
        total = 0.0
        for k in range(K):
            total += math.exp(float(x[n, k]) - peak)
        for k in range(K):
            y[n, k] = math.exp(float(x[n, k]) - peak) / total
    return y


def backward(dy, x):
    """Equation (3): the tuple (dx,)."""
    N, K = x.shape
    y, dx = forward(x), np.zeros(x.shape)
    for n in range(N):
        shared = 0.0
        for k in range(K):
            shared += float(dy[n, k]) * y[n, k]
        for k in range(K):
            dx[n, k] = y[n, k] * (float(dy[n, k]) - shared)
    return (dx,)
