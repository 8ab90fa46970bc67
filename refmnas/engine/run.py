"""The plan that a user holds: `compile(net)`, then `plan(x)`."""

from __future__ import annotations

import mmap
import os
import threading
import weakref
from contextlib import suppress
from typing import NamedTuple

import numpy as np

from .. import kernels
from ..errors import DataError, DtypeError, KernelError, ShapeError, SpecError
from ..io.onnx import Graph
from ..models import fold
from ..recognition.nodes import nodes as graph_nodes
from . import pack, program, stages, steps

HUGE = 1 << 21  # bytes of a large page
_PLANS: weakref.WeakSet[Plan | Features] = weakref.WeakSet()


def _begin_anew():
    """In a child after fork: a plan that another thread was running would wait for that thread for ever."""
    for plan in list(_PLANS):
        plan._lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)


class Row(NamedTuple):
    """One step of a plan."""

    kind: str
    names: tuple[str, ...]
    shape: tuple[int, ...]  # of one image's result
    flops: int  # two per multiply-add, of the whole batch
    bytes: int  # of weights and biases
    units: int  # that threads share


class Memory(NamedTuple):
    """Bytes of a plan."""

    weights: int
    arena: int  # buffers between steps
    scratch: int  # of all threads together


def compile(net, *, batch=1, size=None, threads=1):
    """A plan of `net` for images of `size`: its weights folded, packed and owned by the plan.

    net       a Network of `refmnas.models`, of any dtype; later changes of it do not reach the plan.  Or a
              graph of `refmnas.io.onnx.load` or `io.tflite.load` from one image to a vector of classes,
              all of whose operators are steps of a network: `refmnas.recognition.nodes`
    batch     images of one run
    size      an edge or (H, W); None: the network's own, or the file's
    threads   that run each image together; the result is the same bits for any number

    Raises   SpecError for a batch, size or number of threads that cannot be, and for a
             network with a step that the engine does not know, named; DataError for
             weights that are not finite; KernelError where C was not built.
    """
    if not kernels.built():
        raise KernelError(f"compile: the engine is C, which is not built ({kernels.why_not()})")
    batch, threads = _whole("batch", batch, 1 << 20), _whole("threads", threads, 256)
    if isinstance(net, Graph):
        found = graph_nodes(net, None if size is None else _size(size))
        _size(found[0].shape_in[:2])
    else:
        size = _size(net.size if size is None else size)
        found = fold.nodes(net, size)
    return Plan(_checked(found), batch=batch, threads=threads)


def _size(size):
    """(H, W) of an edge or of a pair; so small that a place in a plane of 16 channels is an int32."""
    pair = tuple(size) if isinstance(size, (tuple, list)) else (size, size)
    if len(pair) != 2:
        raise SpecError(f"compile: size is {size!r}, wanted an edge or (H, W)")
    return tuple(_whole("size", s, 1 << 13) for s in pair)


def _whole(name, value, most):
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not 1 <= value <= most:
        raise SpecError(f"compile: {name} is {value!r}, wanted a whole number from 1 to {most}")
    return int(value)


def _checked(nodes):
    """The folded nodes, finite, with a pixel left at every one."""
    size = nodes[0].shape_in[:2]
    for node in nodes:
        if min(node.shape) < 1:
            raise SpecError(f"compile: size is {size}; at {node.name} no pixel is left, wanted a larger image")
        for kind, a in (("weights", node.w), ("bias", node.b)):
            if a is not None and not np.isfinite(a).all():
                raise DataError(f"compile: the {kind} of {node.name}, batch norm folded in, are not all finite")
    return nodes


class Plan:
    """What `compile` returns: y = plan(x), x (N, H, W, 3) float32, y (N, classes)."""

    def __init__(self, nodes, *, batch, threads, stored=()):
        self.isa, shape = kernels.isa(), steps.Shape(*_engine().shape(kernels.isa()))
        self._built = program.Builder(nodes, shape, stored).run().shared(threads)
        self.batch, self.threads, self.size, self.classes = batch, threads, nodes[0].shape_in[:2], nodes[-1].shape[0]
        (self._weights,) = _arrays(self._built.packer.weights.size)
        self._built.packer.weights.into(self._weights)
        self._tables = np.zeros(self._built.packer.tables.size, np.int32)
        self._built.packer.tables.into(self._tables)
        self._built.packer.empty()
        self._program, self._buffers, self._work, arena = self._assembled(batch)
        self._lock = threading.Lock()
        _PLANS.add(self)
        self.memory = Memory(4 * self._weights.size, 4 * arena, 4 * (self._work.size - arena))

    def _assembled(self, batch, kept=()):
        """(program, buffers by name, work memory, its floats before the scratch), with some buffers kept to the end."""
        buffers, arena = self._built.buffers(kept)
        scratch = -(-self._built.scratch // pack.LINE) * pack.LINE
        (work,) = _arrays(arena + self.threads * scratch)
        places = [{field: buffers[name].at for field, name in s.buffers.items()} for s in self._built.steps]
        records = [s.record | {"kind": s.kind} | at for s, at in zip(self._built.steps, places, strict=True)]
        options = {"isa": self._built.shape.isa, "batch": batch, "threads": self.threads, "classes": self.classes}
        options |= {"image_h": self.size[0], "image_w": self.size[1], "scratch": arena, "scratch_size": scratch}
        return _engine().Program(records, self._weights, work, self._tables, options), buffers, work, arena

    def __repr__(self):
        return f"<Plan of {len(self._built.steps)} steps, {self.size} batch {self.batch} threads {self.threads} {self.isa}>"

    def __call__(self, x, *, out=None, layout="NHWC"):
        """Logits (N, classes), in a fresh array or in `out`.

        x float32 (N, H, W, 3), or (N, 3, H, W) with layout="NCHW"; taken without a copy
        where it is contiguous.  May be called from several threads: they take turns.
        """
        x = self._checked(x, layout)
        y = np.empty((self.batch, self.classes), np.float32) if out is None else self._checked_out(out, x)
        with self._lock:
            self._program.run(x, y)
        return y

    def _checked(self, x, layout):
        if layout not in ("NHWC", "NCHW"):
            raise SpecError(f"Plan: layout is {layout!r}, wanted NHWC or NCHW")
        wanted = (self.batch, *self.size, 3) if layout == "NHWC" else (self.batch, 3, *self.size)
        if not isinstance(x, np.ndarray) or x.dtype != np.float32:
            came = x.dtype if isinstance(x, np.ndarray) else type(x).__name__
            raise DtypeError(f"Plan: x is {came}, wanted a float32 array of shape {wanted}")
        if x.shape != wanted:
            raise ShapeError(f"Plan: x has shape {x.shape}, wanted {wanted} ({layout}); compile(batch=, size=) chooses")
        x = x if layout == "NHWC" else x.transpose(0, 2, 3, 1)
        return np.require(x, np.float32, "CA")

    def _checked_out(self, out, x):
        wanted = (self.batch, self.classes)
        if not isinstance(out, np.ndarray) or out.dtype != np.float32:
            came = out.dtype if isinstance(out, np.ndarray) else type(out).__name__
            raise DtypeError(f"Plan: out is {came}, wanted a float32 array of shape {wanted}")
        if out.shape != wanted:
            raise ShapeError(f"Plan: out has shape {out.shape}, wanted {wanted}")
        if not (out.flags.c_contiguous and out.flags.writeable and out.flags.aligned):
            raise ShapeError("Plan: out is strided or read-only, wanted a writable C-contiguous array")
        if np.may_share_memory(out, x):
            raise DataError("Plan: out shares memory with x, wanted an array of its own")
        return out

    @property
    def steps(self):
        """Every step in order: kind, nodes, shape of its result, operations, bytes of weights, units for threads."""
        return [self._row(s) for s in self._built.steps]

    def _row(self, s):
        return Row(steps.KINDS[s.kind], s.names, s.shape, 2 * s.macs * self.batch, s.size, s.record["units"])

    def outputs(self, names):
        """What the plan computes on its way: a function of x that gives {name: (N, H, W, C)}, or (N, C) of means and
        of dense layers before the last step, as fresh arrays.

        names    of layers or blocks: "stages.2.0" is the block's result; or {key: name}, as a
                 network's `features` are, and then the result has the keys.  The stem's result
                 and that of the 1 x 1 before the global mean are computed by a second plan
                 where this one fuses them.  What lies inside another fused step is never
                 stored: SpecError then names what there is.

        >>> features = plan.outputs(["stages.2.0", "stages.4.1"])    # doctest: +SKIP
        >>> features(x)["stages.2.0"].shape                          # doctest: +SKIP
        (1, 28, 28, 40)
        """
        named = {names: names} if isinstance(names, str) else names if isinstance(names, dict) else {n: n for n in names}
        nodes = {node.name for node in self._built.given}
        wanted = {next((form for form in _forms(name) if form in nodes), name) for name in named.values()}
        fused = {s.names[0] for s in self._built.steps if s.kind == steps.MEAN} | {self._built.given[0].name}
        fused = (fused | self._built.merged) & wanted - {name for s in self._built.steps for name in s.buffers.values()}
        plan = Plan(self._built.given, batch=self.batch, threads=self.threads, stored=fused) if fused else self
        return Features(plan, named)

    def profile(self, x, runs=30):
        """Median seconds of every step over `runs` runs; whole steps are timed, so a run costs the same.

        Of several threads, a stage takes as long as the longest at work in it; its steps share
        that as their times are.
        """
        x, y = self._checked(x, "NHWC"), np.empty((self.batch, self.classes), np.float32)
        with self._lock:
            spent = [self._program.profile(x, y) for _ in range(runs)]
        return np.median([stages.times(one, self._built.stages) for one in spent], axis=0)


def _forms(name):
    """The nodes whose result can be that of a layer or a block of this name, the first of them that there is."""
    return name, f"{name}.add", f"{name}.project", f"{name}.y"


class Features:
    """What `Plan.outputs` returns.  It has memory of its own beside the plan's weights."""

    def __init__(self, plan, names):
        self._shapes = plan._built.stored_shapes()
        self._names = {key: self._found(name) for key, name in names.items()}
        self._program, self._buffers, self._work, _ = plan._assembled(1, set(self._names.values()))
        self._plan, self._block, self._lanes = plan, plan._built.block, plan._built.laid.lanes
        self._lock = threading.Lock()
        _PLANS.add(self)

    def _found(self, name):
        """The step whose result is a layer's or a block's."""
        for known in _forms(name):
            if known in self._shapes:
                return known
        raise SpecError(f"Plan.outputs: no step stores {name!r}; there are {', '.join(self._shapes)}")

    def __call__(self, x, *, layout="NHWC"):
        x = self._plan._checked(x, layout)
        found = {name: np.empty((len(x), *self._shapes[at]), np.float32) for name, at in self._names.items()}
        logits = np.empty((1, self._plan.classes), np.float32)
        with self._lock:
            for n in range(len(x)):
                self._program.run(x[n : n + 1], logits)
                for name, at in self._names.items():
                    found[name][n] = self._plane(at)
        return found

    def _plane(self, name):
        """A buffer's blocks as (H, W, C), or (C,)."""
        (*pixels, c), buffer = self._shapes[name], self._buffers[name]
        blocks = self._work[buffer.at : buffer.at + buffer.size].reshape(-1, *(pixels or (1, 1)), self._block)
        return blocks.transpose(1, 2, 0, 3).reshape(*pixels, -1)[..., self._lanes.get(name, slice(c))]


def _engine():
    from ..kernels import engine  # it needs the C extension

    return engine


def _arrays(*floats):
    """Zeroed float32 arrays in one arena at a large page's boundary: fewer pages to look up while they are walked."""
    total = sum(-(-n // 1024) * 4096 for n in floats)
    # Private: by default a child after fork would share the memory, and both would run in it at once.
    private = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}
    try:
        room = mmap.mmap(-1, total + HUGE, **private)
    except OSError as error:
        raise MemoryError(f"compile: the system has no {total} bytes for the plan ({error})") from error
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):  # a system without large pages
            room.madvise(mmap.MADV_HUGEPAGE)
    whole = np.frombuffer(room, np.uint8)
    at = -whole.ctypes.data % HUGE
    arrays = []
    for n in floats:
        arrays.append(whole[at : at + 4 * n].view(np.float32))
        at += -(-n // 1024) * 4096
    return arrays
