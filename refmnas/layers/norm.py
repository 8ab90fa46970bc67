"""Batch normalisation as a layer: two functions under one name.

    train    y = gamma * (x - m) / sqrt(v + eps) + beta, m and v of this batch;
             then running = (1 - momentum) * running + momentum * (m, v)
    eval     the same with the running m and v, which are constants

`momentum` is the weight of the new statistic (PyTorch's sense; Keras' is 1 minus it).
The variance that is stored may be the unbiased one, v * n / (n - 1) over n values per
channel; the one that normalises is always the biased one.

Source: Ioffe and Szegedy 2015, arXiv:1502.03167, algorithms 1 and 2.
"""

from __future__ import annotations

import numpy as np

from ..layout import PLAIN
from ..ops import batchnorm
from .base import Layer, Param


class BatchNorm(Layer):
    """Per-channel normalisation, with gamma, beta and the running mean and var."""

    kind = "batch norm"

    def __init__(self, channels, *, eps=1e-5, momentum=0.1, unbiased=True, dtype=np.float32):
        super().__init__()
        self.eps, self.momentum, self.unbiased = eps, momentum, unbiased
        self.channels = channels
        self.params["gamma"] = Param(np.ones(channels, dtype), PLAIN)
        self.params["beta"] = Param(np.zeros(channels, dtype), PLAIN)
        self.params["mean"] = Param(np.zeros(channels, dtype), PLAIN, trainable=False)
        self.params["var"] = Param(np.ones(channels, dtype), PLAIN, trainable=False)

    def _values(self):
        return [p.value for p in self.params.values()]

    def forward(self, x, train=False):
        gamma, beta, mean, var = self._values()
        if not train:
            y = batchnorm.forward_eval(x, gamma, beta, mean, var, eps=self.eps)
            return self.remember(y, x, None)
        batch = batchnorm.forward(x, gamma, beta, eps=self.eps)
        count = x.size // self.channels
        options = {"count": count, "momentum": self.momentum, "unbiased": self.unbiased}
        new = batchnorm.running(mean, var, batch.mean, batch.var, **options)
        mean[...], var[...] = new.mean, new.var  # in place: who holds `parameters()` sees it
        return self.remember(batch.y, x, (batch.mean, batch.rstd))

    def backward(self, dy):
        x, batch = self.recall(dy)
        gamma, _, mean, var = self._values()
        if batch is None:
            grads = batchnorm.backward_eval(dy, x, gamma, mean, var, eps=self.eps)
        else:
            grads = batchnorm.backward(dy, x, gamma, *batch)
        self.params["gamma"].grad, self.params["beta"].grad = grads.gamma, grads.beta
        return grads.x
