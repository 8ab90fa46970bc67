"""Answers to a kit, in NumPy alone: refmnas is not needed here.

    refmnas kit make --ops pointwise,linear,pool,gate --format npz --out kit
    python examples/kit_numpy.py kit answers
    refmnas kit check kit answers

Each case of the manifest names its function, options and files; an answer is a file of the same
name with the results in float32.  Functions that stand not in FUNCTIONS are left out, and
`kit check` says that they are missing.
"""

import json
import sys
from pathlib import Path

import numpy as np


def pointwise(x, w, b=None):
    """A convolution of 1 x 1, or a dense layer: a matrix product over the last axis."""
    y = x @ w
    return {"y": y if b is None else y + b}


def pointwise_backward(dy, x, w):
    """Gradients of the input, the weight and the bias."""
    rows = dy.reshape(-1, dy.shape[-1])
    return {"dx": dy @ w.T, "dw": x.reshape(-1, x.shape[-1]).T @ rows, "db": rows.sum(axis=0)}


def pool(x):
    """The mean over all pixels."""
    return {"y": x.mean(axis=(1, 2))}


def pool_backward(dy, x):
    """Every pixel has its share."""
    share = dy / np.float32(x.shape[1] * x.shape[2])
    return {"dx": np.broadcast_to(share[:, None, None, :], x.shape)}


def gate(x, g):
    """A number per image and channel."""
    return {"y": x * g[:, None, None, :]}


def gate_backward(dy, x, g):
    """Both factors' gradients."""
    return {"dx": dy * g[:, None, None, :], "dg": (dy * x).sum(axis=(1, 2))}


FUNCTIONS = {
    "pointwise.forward": pointwise, "pointwise.backward": pointwise_backward,
    "linear.forward": pointwise, "linear.backward": pointwise_backward,
    "pool.forward": pool, "pool.backward": pool_backward,
    "gate.forward": gate, "gate.backward": gate_backward,
}  # fmt: skip


def main(kit, answers):
    """Answer every case that FUNCTIONS has."""
    kit, answers = Path(kit), Path(answers)
    answers.mkdir(exist_ok=True)
    for case in json.loads((kit / "manifest.json").read_text())["cases"]:
        if case["function"] in FUNCTIONS:
            given = np.load(kit / case["in"]["file"])
            found = FUNCTIONS[case["function"]](**{name: given[name] for name in case["inputs"]}, **case["options"])
            np.savez(answers / f"{case['name']}.npz", **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
