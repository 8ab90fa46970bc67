"""Rounding bounds: what a correct floating-point implementation may deviate from the oracle.

    allowed("conv.forward", (x, w, b), {"stride": 2}) -> the bound of each result

A bound is a statement about arrays and options, so it judges any implementation, not
only those of this package; it is derived in the module of its op and nowhere tuned.
"""

from importlib import import_module

import numpy as np

from ..errors import SpecError
from .rounding import EXP_ULPS, LOG_ULPS, UNDERFLOW, UNIT, gamma, lost

__all__ = ["EXP_ULPS", "LOG_ULPS", "UNDERFLOW", "UNIT", "allowed", "gamma", "lost"]

_MODULES = {
    "sums": ("conv", "pointwise", "depthwise", "linear"),
    "scaling": ("pool", "gate", "dropout", "drop_path"),
    "batchnorm": ("batchnorm",),
    "activation": ("activation",),
    "softmax_xent": ("softmax_xent",),
    "softmax": ("softmax",),
    "windows": ("average_pool", "max_pool", "resize", "concat"),
}
_HOME = {op: module for module, ops in _MODULES.items() for op in ops}


def allowed(function, arrays, options, dtype=None, definition=None):
    """The largest |y^ - y| of each result of `function`, a tuple of float64 arrays.

    `arrays` are the function's own, in order; `dtype` is the arithmetic judged, that of
    the first array where it is not given.  Sums of absolute values are taken by
    `definition`, the oracle's function where it is not given: hand it the NumPy
    reference's where arrays are too large for scalar loops.
    """
    op, _, direction = function.partition(".")
    bound = _bound(op, direction)
    if bound is None:
        raise SpecError(f"bounds: no bound for {function!r}; there are bounds for {', '.join(_HOME)}")
    if definition is None:
        definition = getattr(import_module(f"refmnas.oracle.{op}"), direction)
    given = [*arrays, None] if function in _WITH_BIAS and len(arrays) == 2 else arrays
    return bound(definition, np.dtype(dtype or arrays[0].dtype), *given, **options)


def _bound(op, direction):
    if op not in _HOME:
        return None
    return getattr(import_module(f"{__name__}.{_HOME[op]}"), f"{op}_{direction}", None)


_WITH_BIAS = ("conv.forward", "pointwise.forward", "depthwise.forward", "linear.forward")
