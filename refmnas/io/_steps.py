"""What the writers of networks ask of the steps that they are given.

A step is a `refmnas.models.fold.Node`, or anything with its fields: io and models do
not know one another.
"""

from __future__ import annotations

import numpy as np

from ..errors import DtypeError, ShapeError, SpecError

WEIGHED = {"conv": 4, "depthwise": 3, "pointwise": 2, "linear": 2}  # op -> the rank of its weights
PLAIN = {"pool": 1, "scale": 2, "add": 2}  # op -> its inputs
CELLS = {  # of networks of cells and of merges, for formats that have them; None: any number from 1 on
    "act": 1, "average_pool": 1, "max_pool": 1, "shift": 1, "resize": 1, "pyramid": 1, "concat": None,
    "softmax": 1,
}  # fmt: skip
KINDS = (  # those of refmnas.ops.activation, which is not imported: files are written where no backend loads
    "identity", "relu", "relu6", "sigmoid", "swish", "hard_sigmoid", "hard_sigmoid_slim", "hard_sigmoid_keras",
    "hard_swish",
)  # fmt: skip


def checked(where, steps, taken=(), more=()):
    """(the steps as a list, the name of the image that they read); the errors name the step.

    `taken`: names that the format needs for itself; `more`: ops that it takes beside the usual ones, of CELLS.
    """
    steps = list(steps)
    if not steps:
        raise SpecError(f"{where}: no steps, wanted those of refmnas.models.fold.nodes(net)")
    image = steps[0].inputs[0]
    known = {image}
    for step in steps:
        _check_name(where, step.name, known | set(taken))
        missing = [name for name in step.inputs if name not in known]
        if missing:
            raise SpecError(f"{where}: {step.name} reads {missing[0]!r}, wanted the result of an earlier step")
        _check_op(where, step, PLAIN | {op: CELLS[op] for op in more})
        known.add(step.name)
        if step.op == "softmax" and step is not steps[-1]:
            raise SpecError(f"{where}: {step.name} is a softmax before {steps[-1].name}, wanted it as the last step")
    if len(steps[-1].shape) != 1:
        raise ShapeError(f"{where}: {steps[-1].name}, the last step, gives {steps[-1].shape}, wanted logits (classes,)")
    return steps, image


def _check_name(where, name, known):
    """A name stands once, and in the text of a format without quotes."""
    if not isinstance(name, str) or not name or not name.isprintable() or set(name) & set(" /"):
        raise SpecError(f"{where}: a step is called {name!r}, wanted a text without blanks and slashes")
    if name in known:
        raise SpecError(f"{where}: {name!r} names two things, wanted every step's name once")


def _check_op(where, step, plain):
    if min(*step.shape_in, *step.shape) < 1:
        raise ShapeError(f"{where}: {step.name} makes {step.shape} of {step.shape_in}, wanted a larger image")
    if step.act not in KINDS:
        raise SpecError(f"{where}: {step.name} has the activation {step.act!r}, wanted one of {', '.join(KINDS)}")
    if step.op in plain:
        if len(step.inputs) != (plain[step.op] or max(1, len(step.inputs))):
            raise SpecError(f"{where}: {step.name} has {len(step.inputs)} inputs, wanted {plain[step.op] or 'one or more'}")
        return
    if step.op not in WEIGHED:
        known = ", ".join((*WEIGHED, *plain))
        raise SpecError(f"{where}: {step.name} is the op {step.op!r}, wanted one of {known}")
    for key, array in (("w", step.w), ("b", step.b)):
        if not isinstance(array, np.ndarray) or array.dtype != np.float32:
            came = getattr(array, "dtype", type(array).__name__)
            raise DtypeError(f"{where}: {step.name}.{key} is {came}, wanted a float32 array: fold.nodes(net)")
        if not np.isfinite(array).all():
            raise SpecError(f"{where}: {step.name}.{key} has NaN or infinity, wanted finite weights")
    if step.w.ndim != WEIGHED[step.op] or step.b.shape != step.w.shape[-1:]:
        came = f"w {step.w.shape} and b {step.b.shape}"
        raise ShapeError(f"{where}: {step.name} has {came}, wanted {WEIGHED[step.op]} axes and one bias per channel")
