"""Batch normalisation over all axes but the last, the definition.

m pixels k = 1..m in all (m = N*H*W, or N), per channel c:

    mean[c] = sum_k x[k,c] / m                                          (1)
    var[c]  = sum_k (x[k,c] - mean[c])^2 / m                            (2)
    rstd[c] = 1 / sqrt(var[c] + eps)                                    (3)
    y[k,c]  = gamma[c] * (x[k,c] - mean[c]) * rstd[c] + beta[c]         (4)
    z[k,c]  = (x[k,c] - mean[c]) * rstd[c]                              (5)
    dbeta[c]  = sum_k dy[k,c],   dgamma[c] = sum_k dy[k,c] * z[k,c]     (6)
    dx[k,c] = gamma[c] * rstd[c] / m * (m * dy[k,c] - dbeta[c] - z[k,c] * dgamma[c])  (7)
    dx[k,c] = gamma[c] * rstd[c] * dy[k,c]     (evaluation: mean and rstd are constants)  (8)
    running = (1 - momentum) * running + momentum * batch               (9)
    batch variance in (9): var, or var * count / (count - 1) where unbiased  (10)
"""

import math

import numpy as np


def forward(x, gamma, beta, *, eps):
    """Equations (1) to (4): the tuple (y, mean, var, rstd)."""
    C = x.shape[-1]
    pixels = [k for k in np.ndindex(x.shape[:-1])]
    y, mean, var, rstd = np.zeros(x.shape), np.zeros(C), np.zeros(C), np.zeros(C)
    for c in range(C):
        for k in pixels:
            mean[c] += float(x[(*k, c)])
        mean[c] /= len(pixels)
        for k in pixels:
            centred = float(x[(*k, c)]) - mean[c]
            var[c] += centred * centred
        var[c] /= len(pixels)
        rstd[c] = 1.0 / math.sqrt(var[c] + eps)
        for k in pixels:
            y[(*k, c)] = float(gamma[c]) * (float(x[(*k, c)]) - mean[c]) * rstd[c] + float(beta[c])
    return y, mean, var, rstd


def backward(dy, x, gamma, mean, rstd):
    """Equations (5) to (7): the tuple (dx, dgamma, dbeta)."""
    C = x.shape[-1]
    pixels = [k for k in np.ndindex(x.shape[:-1])]
    dx, dgamma, dbeta = np.zeros(x.shape), np.zeros(C), np.zeros(C)
    for c in range(C):
        for k in pixels:
            dbeta[c] += float(dy[(*k, c)])
            dgamma[c] += float(dy[(*k, c)]) * (float(x[(*k, c)]) - float(mean[c])) * float(rstd[c])
        for k in pixels:
            z = (float(x[(*k, c)]) - float(mean[c])) * float(rstd[c])
            inner = len(pixels) * float(dy[(*k, c)]) - dbeta[c] - z * dgamma[c]
            dx[(*k, c)] = float(gamma[c]) * float(rstd[c]) / len(pixels) * inner
    return dx, dgamma, dbeta


def forward_eval(x, gamma, beta, mean, var, *, eps):
    """Equations (3) and (4) with the given mean and variance."""
    y = np.zeros(x.shape)
    for k in np.ndindex(x.shape):
        c = k[-1]
        rstd = 1.0 / math.sqrt(float(var[c]) + eps)
        y[k] = float(gamma[c]) * (float(x[k]) - float(mean[c])) * rstd + float(beta[c])
    return y


def backward_eval(dy, x, gamma, mean, var, *, eps):
    """Equations (5), (6), (8): the tuple (dx, dgamma, dbeta)."""
    dx, dgamma, dbeta = np.zeros(x.shape), np.zeros(x.shape[-1]), np.zeros(x.shape[-1])
    for k in np.ndindex(x.shape):
        c = k[-1]
        rstd = 1.0 / math.sqrt(float(var[c]) + eps)
        dx[k] = float(gamma[c]) * rstd * float(dy[k])
        dgamma[c] += float(dy[k]) * (float(x[k]) - float(mean[c])) * rstd
        dbeta[c] += float(dy[k])
    return dx, dgamma, dbeta


def running(running_mean, running_var, mean, var, *, count, momentum, unbiased):
    """Equations (9), (10): the tuple (new mean, new variance)."""
    C = len(mean)
    new_mean, new_var = np.zeros(C), np.zeros(C)
    for c in range(C):
        batch = float(var[c])
        if unbiased:
            batch = batch * count / (count - 1)
        new_mean[c] = (1.0 - momentum) * float(running_mean[c]) + momentum * float(mean[c])
        new_var[c] = (1.0 - momentum) * float(running_var[c]) + momentum * batch
    return new_mean, new_var
