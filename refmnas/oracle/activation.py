"""Activations, the definition.

    identity            y = x                                          dx = dy                          (1)
    relu                y = max(x, 0)                                  dx = dy where x > 0, else 0      (2)
    relu6               y = min(max(x, 0), 6)                          dx = dy where 0 < x < 6, else 0  (3)
    sigmoid             y = s(x) = 1 / (1 + exp(-x))                   dx = dy * s(x) * s(-x)           (4)
    swish               y = x * s(x)                                   dx = dy * s(x) * (1 + x * s(-x)) (5)
    hard_sigmoid        y = min(max(x + 3, 0), 6) / 6                  dx = dy / 6 where -3 < x < 3     (6)
    hard_sigmoid_slim   y = min(max(x + 3, 0), 6) * 0.16667            dx = dy * 0.16667 where -3 < x < 3  (7)
    hard_sigmoid_keras  y = min(max(0.2 * x + 0.5, 0), 1)              dx = dy * 0.2 where -2.5 < x < 2.5  (8)
    hard_swish          y = x * min(max(x + 3, 0), 6) / 6              dx = dy * (x / 3 + 1 / 2) where -3 < x < 3,
                                                                       0 at and below -3, dy at and above 3  (9)
    hard_sigmoid_torch  as hard_sigmoid                                dx = dy * f where -3 < x < 3, f being 1/6
                                                                       rounded to float32                (10)

In (8) the ends themselves pass dy * 0.2 under the kink rule "tf".
"""

import math

import numpy as np


def forward(x, *, kind):
    """The y of equations (1) to (10)."""
    y = np.zeros(x.shape)
    for k in np.ndindex(x.shape):
        v = float(x[k])
        if kind == "identity":
            y[k] = v
        elif kind == "relu":
            y[k] = max(v, 0.0)
        elif kind == "relu6":
            y[k] = min(max(v, 0.0), 6.0)
        elif kind == "sigmoid":
            y[k] = _sigmoid(v)
        elif kind == "swish":
            y[k] = v * _sigmoid(v)
        elif kind in ("hard_sigmoid", "hard_sigmoid_torch"):
            y[k] = min(max(v + 3.0, 0.0), 6.0) / 6.0
        elif kind == "hard_sigmoid_slim":
            y[k] = min(max(v + 3.0, 0.0), 6.0) * 0.16667
        elif kind == "hard_sigmoid_keras":
            y[k] = min(max(0.2 * v + 0.5, 0.0), 1.0)
        elif kind == "hard_swish":
            y[k] = v * min(max(v + 3.0, 0.0), 6.0) / 6.0
        else:
            raise ValueError(kind)
    return y


def backward(dy, x, *, kind, kink="torch"):
    """The dx of equations (1) to (10): the tuple (dx,)."""
    dx = np.zeros(x.shape)
    for k in np.ndindex(x.shape):
        v, t = float(x[k]), float(dy[k])
        if kind == "identity":
            dx[k] = t
        elif kind == "relu":
            dx[k] = t if v > 0 else 0.0
        elif kind == "relu6":
            dx[k] = t if 0 < v < 6 else 0.0
        elif kind == "sigmoid":
            dx[k] = t * _sigmoid(v) * _sigmoid(-v)
        elif kind == "swish":
            dx[k] = t * _sigmoid(v) * (1.0 + v * _sigmoid(-v))
        elif kind == "hard_sigmoid":
            dx[k] = t / 6.0 if -3 < v < 3 else 0.0
        elif kind == "hard_sigmoid_slim":
            dx[k] = t * 0.16667 if -3 < v < 3 else 0.0
        elif kind == "hard_sigmoid_torch":
            dx[k] = t * (11184811 / 2**26) if -3 < v < 3 else 0.0
        elif kind == "hard_sigmoid_keras":
            inside = -2.5 <= v <= 2.5 if kink == "tf" else -2.5 < v < 2.5
            dx[k] = t * 0.2 if inside else 0.0
        elif kind == "hard_swish":
            dx[k] = 0.0 if v <= -3 else t if v >= 3 else t * (v / 3.0 + 0.5)
        else:
            raise ValueError(kind)
    return (dx,)


def _sigmoid(v):
    """1 / (1 + exp(-v)), with exp taken of negative numbers only: it cannot overflow."""
    if v >= 0:
        return 1.0 / (1.0 + math.exp(-v))
    return math.exp(v) / (1.0 + math.exp(v))
