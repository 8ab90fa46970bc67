"""A failure in words: the line that repeats it, its arguments, and the way in which it fails."""

from __future__ import annotations

import re

import numpy as np

from .large import Large


def line(problem, takes_out):
    """The call of `refmnas.verify.op` that repeats a failure."""
    words = [f'"{problem.function}"', "fn"]
    if problem.layout != "NHWC":
        words.append(f'layout="{problem.layout}"')
    if isinstance(problem, Large):
        words.append("large=True")
    else:
        words += [f'case="{problem.case}"', f'data="{problem.data}"']
    if problem.keep:
        words.append(f"keep={ {name: list(places) for name, places in problem.keep} }")
    return f"refmnas.verify.op({', '.join([*words, *['out=True'] * takes_out])})"


def way(failure):
    """How it fails: the code, and of an exception its words, numbers aside."""
    return failure.code, re.sub(r"\d+", "", failure.words)[:40] if failure.code == "RAISES" else ""


def inputs(problem):
    """The arguments as short texts: elements that are not 0, or the shape."""
    if isinstance(problem, Large):
        return [f"{name} = shape {shape}" for name, shape in problem.shapes.items()]
    lines = []
    for name, a in problem.arrays.items():
        if a is None:
            lines.append(f"{name} = None")
            continue
        places = np.argwhere(a != 0)
        if len(places) > 4 or a.size <= 4:
            text = f"shape {a.shape}" if a.size > 8 else f"{a.tolist()}"
        else:
            text = f"zeros of {a.shape}" + "".join(f", [{', '.join(map(str, at))}] = {a[tuple(at)]:.9g}" for at in places)
        lines.append(f"{name} = {text}")
    options = ", ".join(f"{key}={value!r}" for key, value in problem.options.items())
    return [*lines, *([f"options {options}"] if options else [])]
