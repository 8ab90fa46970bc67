"""The one place that chooses which text of an op runs.

    TABLE   op -> Row(oracle, numpy, c)

The decorated body of an op *is* its NumPy reference; `@dispatched` is the only
sign that something faster exists.  Oracle and kernel are found by name: the op
"depthwise.forward" is `oracle/depthwise.py:forward` and, where it exists,
`kernels/depthwise.py:forward`.

    auto     C where it is built and takes the dtype, else NumPy
    c        C: KernelError where it is missing, or lacks the dtype of an op that
             has a C row; an op without a C row runs NumPy
    numpy    the reference
    oracle   the scalar loops, cast back to the dtype of the inputs

>>> with use("numpy"):
...     explain("depthwise.forward").backend
'numpy'
"""

import inspect
import os
from contextvars import ContextVar
from functools import wraps
from importlib import import_module
from typing import NamedTuple

import numpy as np

from . import kernels
from . import layout as layouts
from .errors import DtypeError, KernelError, ShapeError, SpecError

BACKENDS = ("auto", "c", "numpy", "oracle")
C_DTYPES = (np.dtype(np.float32),)  # every C row takes these and no others


class Row(NamedTuple):
    """One op's three texts."""

    oracle: object
    numpy: object
    c: object  # None where no kernel was written, or C is not built
    result: object  # None, or the NamedTuple class that the op returns
    turns: tuple[str, ...]  # the layout kind of each array; empty where the op takes no layout
    gives: object  # that of the result, or a tuple of its fields'


class Choice(NamedTuple):
    """What would run, and why."""

    op: str
    backend: str
    isa: str | None
    reason: str


TABLE: dict[str, Row] = {}

_chosen: ContextVar[str | None] = ContextVar("refmnas_backend", default=None)


def _validated(name, where):
    if name not in BACKENDS:
        raise SpecError(f"{where}: backend is {name!r}, wanted one of {', '.join(BACKENDS)}")
    if name == "c" and not kernels.built():
        raise KernelError(f"{where}: backend 'c' is demanded, but the C extension is not built ({kernels.why_not()})")
    return name


class use:
    """Context manager: every op inside runs on the named backend.

    Holds for the current thread or task (a context variable) and may be nested.
    Raises SpecError for an unknown name, KernelError for "c" where C is missing.
    """

    def __init__(self, name):
        self.name = _validated(name, "use")

    def __enter__(self):
        self._token = _chosen.set(self.name)
        return self

    def __exit__(self, *exc):
        _chosen.reset(self._token)


def current():
    """The backend asked for: by `use`, else by REFMNAS_BACKEND, else "auto"."""
    return _chosen.get() or _DEFAULT


def _pick(op, row, dtype):
    """The name of the text that runs for one op and dtype."""
    asked = current()
    if asked == "auto":
        return "c" if row.c is not None and dtype in C_DTYPES else "numpy"
    if asked == "c":
        if row.c is None:
            return "numpy"
        if dtype not in C_DTYPES:
            raise KernelError(f"{op}: backend 'c' is demanded for {dtype}; the C row takes float32")
    return asked


def explain(op=None, dtype=np.float32):
    """Which text runs for `op` and `dtype` now: a Choice, or a list of all of them.

    >>> [c.op for c in explain() if c.op.startswith("gate")]
    ['gate.backward', 'gate.forward']
    """
    import_module(f"{__package__}.ops")  # ops write themselves into TABLE; nothing else here needs them
    if op is None:
        return [explain(name, dtype) for name in sorted(TABLE)]
    if op not in TABLE:
        raise SpecError(f"explain: no op {op!r}; there are {', '.join(sorted(TABLE))}")
    row, dtype, asked = TABLE[op], np.dtype(dtype), current()
    name = _pick(op, row, dtype)
    if name == "c":
        reason = f"{asked}: C is built and takes {dtype}"
    elif row.c is not None and asked == "auto":
        reason = f"auto: the C row takes float32, not {dtype}"
    elif name == "numpy" and asked != "numpy":
        reason = f"{asked}: " + ("no C row was written for this op" if kernels.built() else kernels.why_not())
    else:
        reason = f"{asked} was asked for"
    return Choice(op, name, kernels.isa() if name == "c" else None, reason)


def dispatched(name, *, check, turns=(), gives=layouts.PLAIN, result=None):
    """Make a NumPy reference the public op `name`.

    check(*arrays, **options) -> (arrays, options) validates a call and completes
    it, once for all backends.  `turns` names each array's layout kind and `gives`
    the result's (or its fields'); an op with turns takes `layout="NCHW"`.
    """
    module, function = name.split(".")

    def decorate(body):
        oracle = getattr(import_module(f"{__package__}.oracle.{module}"), function)
        row = TABLE[name] = Row(oracle, body, kernels.find(module, function), result, turns, gives)
        arrays_of = [p.name for p in inspect.signature(body).parameters.values() if p.kind is not p.KEYWORD_ONLY]

        def run(arrays, options):
            arrays, options = check(*arrays, **options)
            backend = _pick(name, row, arrays[0].dtype)
            if backend == "c":
                y = row.c(*arrays, **options)
                return y if result is None else result(*y)
            options = dict(options)  # a check may hand out the same dict twice
            out = options.pop("out", None)
            y = row.numpy(*arrays, **options) if backend == "numpy" else _from_oracle(row, arrays, options)
            if out is None:
                return y
            out[...] = y
            return out

        @wraps(body)
        def op(*arrays, layout="NHWC", **options):
            if layout == "NHWC":
                return run(arrays, options)
            return _turned(name, run, arrays_of, turns, gives, layout, arrays, options)

        op.__signature__ = _signature(body, bool(turns))
        return op

    return decorate


def _from_oracle(row, arrays, options):
    """The oracle's float64 answer, in the dtype and the type of the op's own."""
    y = row.oracle(*arrays, **options)
    if row.result is None:
        return y.astype(arrays[0].dtype)
    return row.result(*(None if a is None else a.astype(arrays[0].dtype) for a in y))


def _turned(name, run, arrays_of, turns, gives, layout, arrays, options):
    """A call in another layout: views turned at the border, results turned back."""
    layouts.check(layout, name)
    if not turns:
        raise SpecError(f"{name}: takes no layout; its arrays have no image axes")
    given = dict(zip(arrays_of, arrays, strict=False)) | {k: options.pop(k) for k in arrays_of if k in options}
    for key, a in given.items():
        if a is not None and not isinstance(a, np.ndarray):
            raise DtypeError(f"{name}: {key} is {type(a).__name__}, wanted a NumPy array")
    out = options.pop("out", None)
    kinds = [(k, kind) for k, kind in zip(arrays_of, turns, strict=True) if k in given]
    y = run((), {k: _turn(name, k, kind, given[k]) for k, kind in kinds} | options)
    if isinstance(y, tuple):
        return type(y)(*(layouts.from_nhwc(kind, a) for kind, a in zip(gives, y, strict=True)))
    y = layouts.from_nhwc(gives, y)
    if out is None:
        return y
    writable(name, out, y.shape, y.dtype)[...] = y
    return out


def _turn(name, key, kind, a):
    try:
        return layouts.to_nhwc(kind, a)
    except ShapeError as error:
        raise ShapeError(f"{name}: {key}: {error}") from None


def writable(name, out, shape, dtype, *inputs):
    """`out` itself where a result of this shape and dtype can be written into it."""
    if not isinstance(out, np.ndarray) or out.dtype != dtype:
        raise DtypeError(f"{name}: out is {getattr(out, 'dtype', type(out).__name__)}, wanted an array of {dtype}")
    if out.shape != shape:
        raise ShapeError(f"{name}: out has shape {out.shape}, wanted {shape}")
    if not (out.flags.writeable and out.flags.c_contiguous):
        raise ShapeError(f"{name}: out must be writable and C-contiguous")
    if any(a is not None and np.may_share_memory(out, a) for a in inputs):
        raise ShapeError(f"{name}: out shares memory with an input; wanted memory of its own")
    return out


def _signature(body, has_layout):
    own = inspect.signature(body)
    if not has_layout:
        return own
    extra = inspect.Parameter("layout", inspect.Parameter.KEYWORD_ONLY, default="NHWC")
    return own.replace(parameters=[*own.parameters.values(), extra])


_DEFAULT = _validated(os.environ.get("REFMNAS_BACKEND") or "auto", "REFMNAS_BACKEND")
