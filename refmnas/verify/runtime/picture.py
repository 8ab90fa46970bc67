"""An image where none is given: the same on every machine, smooth as a photograph is, with both signs."""

from __future__ import annotations

import numpy as np

COARSE = 8  # cells of the smooth field along an edge


def picture(size, count=1, seed=0):
    """Normalised images: a smooth random field in [-2, 2), and noise of a quarter of that upon it.

        x = 2 (field + noise / 4),  field bilinear between COARSE x COARSE numbers of [-1, 1), noise in [-1, 1)

    Shapes   size an edge or (H, W) -> (count, H, W, 3).
    Units    as after a network's own preprocessing: about 0, of order 1.
    Dtypes   float32.

    >>> x = picture(32)
    >>> x.shape, bool(x.min() < -0.5 < 0.5 < x.max())
    ((1, 32, 32, 3), True)
    """
    H, W = (size, size) if np.ndim(size) == 0 else size
    rng = np.random.default_rng(seed)
    cells, noise = _uniform(rng, (count, COARSE, COARSE, 3)), _uniform(rng, (count, H, W, 3))
    field = np.einsum("pr,nrsc,qs->npqc", _between(H), cells, _between(W))
    return (2 * (field + noise / 4)).astype(np.float32)


def _uniform(rng, shape):
    """In [-1, 1), from raw integers."""
    return rng.integers(0, 1 << 24, shape).astype(np.float64) / (1 << 23) - 1


def _between(n):
    """(n, COARSE): the weights of the cells in each pixel."""
    at = np.linspace(0, COARSE - 1, n)[:, None]
    return np.maximum(0, 1 - np.abs(at - np.arange(COARSE)))
