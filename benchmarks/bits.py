"""The promise of identical bits: a million outputs per network, 0 of which may differ.

    python benchmarks/bits.py                             every network
    python benchmarks/bits.py mnasnet-a1 --outputs 2e6    more of one
    python benchmarks/bits.py --width 1.0 --size 224

An image's logits must be the same bits in any plan of the same weights and size: on each
usable instruction set, with 1, 2, 3, 5 or 8 threads, in batches of 1, 2 or 3 at any
position, and when run again.  The first plan's answers, alone and with one thread, are the
measure; all others are compared with them as words, so that -0.0 differs from 0.0.

Exit code 0: no bit differs; 1: some do, each plan named.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time

import numpy as np

import refmnas
from refmnas import kernels
from refmnas.models import build, names

SIZES, WIDTHS = (33, 41, 48, 65), (0.35, 1.0)
THREADS, BATCHES = (1, 2, 3, 5, 8), (1, 2, 3)


def stirred(name, width, classes, seed):
    """A network whose batch norm has something to fold."""
    net, rng = build(name, width=width, classes=classes, seed=seed), np.random.default_rng(seed)
    state = net.state()
    for key, a in state.items():
        if key.endswith((".mean", ".beta")):
            state[key] = rng.normal(0, 0.2, a.shape)
        elif key.endswith((".var", ".gamma")):
            state[key] = rng.uniform(0.5, 1.5, a.shape)
    return net.load(state)


def words(y):
    """Logits as unsigned words."""
    return np.ascontiguousarray(y).view(np.uint32)


def answers(net, x, isa, threads, batch):
    """Logits of every image, in `batch`es that begin at each image in turn: (image, words) pairs."""
    with kernels.select_isa(isa):
        plan = refmnas.compile(net, batch=batch, size=x.shape[1:3], threads=threads)
    for first in range(len(x)):
        order = [(first + k) % len(x) for k in range(batch)]
        yield from zip(order, words(plan(np.ascontiguousarray(x[order]))), strict=True)


def compare(net, x, kinds):
    """(outputs compared, outputs that differ, the plans that differ) over (isa, threads, batch) of `kinds`."""
    want = dict(answers(net, x, kernels.isas()[0], 1, 1))
    compared, differing, wrong = 0, 0, []
    for kind in kinds:
        differ = 0
        for image, row in answers(net, x, *kind):
            compared += row.size
            differ += int((row != want[image]).sum())
        differing += differ
        wrong += [kind] if differ else []
    return compared, differing, wrong


def everything():
    """Every (isa, threads, batch); each of a few neighbours has each of them at least once."""
    return list(itertools.product(kernels.isas(), THREADS, BATCHES))


def _network(name, outputs, widths, sizes):
    """Go over widths, sizes and images until so many outputs were compared."""
    compared = differing = 0
    wrong, began = [], time.perf_counter()
    for seed, (size, width) in zip(itertools.count(), itertools.cycle(itertools.product(sizes, widths)), strict=False):
        net = stirred(name, width, 1000, seed)
        x = np.random.default_rng(seed).standard_normal((3, size, size, 3), np.float32)
        kinds = everything()
        more, differ, plans = compare(net, x, kinds[seed % 3 :: 3] if compared else kinds)
        compared, differing = compared + more, differing + differ
        wrong += [f"{name} width {width} size {size} seed {seed}: {plan}" for plan in plans]
        if compared >= outputs:
            break
    seconds = time.perf_counter() - began
    print(f"{name:20s} {compared:>10,d} outputs compared, {differing} differ ({seconds:.0f} s)", flush=True)
    return wrong


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", nargs="*", help="names; default all")
    parser.add_argument("--outputs", type=float, default=1e6, help="to compare per network, at least (1e6)")
    parser.add_argument("--width", type=float, action="append", help=f"repeatable; default {WIDTHS}")
    parser.add_argument("--size", type=int, action="append", help=f"repeatable; default {SIZES}")
    given = parser.parse_args(argv)
    wrong = []
    for name in given.network or names():
        wrong += _network(name, given.outputs, given.width or WIDTHS, given.size or SIZES)
    print("".join(f"  differs: {line}\n" for line in wrong), end="")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
