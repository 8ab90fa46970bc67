"""Concatenation along the channels, the definition.

    y[...,c]  = a[...,c] for c < A, b[...,c - A] from there on  (1)
    da[...,c] = dy[...,c],   db[...,c] = dy[...,A + c]          (2)
"""

import numpy as np


def forward(a, b):
    """Equation (1)."""
    A, B = a.shape[-1], b.shape[-1]
    y = np.zeros((*a.shape[:-1], A + B))
    for k in np.ndindex(a.shape[:-1]):
        for c in range(A):
            y[(*k, c)] = a[(*k, c)]
        for c in range(B):
            y[(*k, A + c)] = b[(*k, c)]
    return y


def backward(dy, a, b):
    """Equation (2): the tuple (da, db)."""
    A, B = a.shape[-1], b.shape[-1]
    da, db = np.zeros(a.shape), np.zeros(b.shape)
    for k in np.ndindex(a.shape[:-1]):
        for c in range(A):
            da[(*k, c)] = dy[(*k, c)]
        for c in range(B):
            db[(*k, c)] = dy[(*k, A + c)]
    return da, db
