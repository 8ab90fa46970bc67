"""Depthwise convolution: the public op against PyTorch, layer by layer, one thread.

    python benchmarks/depthwise.py [--only forward|gradients] [--layers REGEX] [--clock cpu] [--json FILE]

Every depthwise layer of MnasNet-A1 and B1, MobileNetV2 and MobileNetV3-Large at
batch 1 and input 224, float32.  Equality is proved first (both within twice the
derived bound of each other); then the two alternate in one process, and a ratio
is the median of the ratios of neighbouring measurements.  The peer is PyTorch on
channels_last tensors under inference_mode, the faster of its ways at hand.
The peer's gradients are those of x and w; ours includes that of b.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
# These two, set for another machine, would slow NumPy's side down.
for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)

import argparse
import json
import re
import statistics
import sys
from pathlib import Path
from time import perf_counter, thread_time

import numpy as np
import torch

import refmnas
from refmnas import kernels
from refmnas.bench import clock as clocks
from refmnas.bench import machine as machines
from refmnas.bench import order
from refmnas.bounds import gamma
from refmnas.ops import depthwise

# (channels, height = width of the input, kernel, stride)
NETWORKS = {
    "mnasnet-a1": [
        (32, 112, 3, 1), (96, 112, 3, 2), (144, 56, 3, 1), (72, 56, 5, 2), (120, 28, 5, 1), (240, 28, 3, 2),
        (480, 14, 3, 1), (672, 14, 3, 1), (672, 14, 5, 2), (960, 7, 5, 1), (960, 7, 3, 1),
    ],
    "mnasnet-b1": [
        (32, 112, 3, 1), (48, 112, 3, 2), (72, 56, 3, 1), (72, 56, 5, 2), (120, 28, 5, 1), (240, 28, 5, 2),
        (480, 14, 5, 1), (480, 14, 3, 1), (576, 14, 3, 1), (576, 14, 5, 2), (1152, 7, 5, 1), (1152, 7, 3, 1),
    ],
    "mobilenet-v2": [
        (32, 112, 3, 1), (96, 112, 3, 2), (144, 56, 3, 1), (144, 56, 3, 2), (192, 28, 3, 1), (192, 28, 3, 2),
        (384, 14, 3, 1), (576, 14, 3, 1), (576, 14, 3, 2), (960, 7, 3, 1),
    ],
    "mobilenet-v3-large": [
        (16, 112, 3, 1), (64, 112, 3, 2), (72, 56, 3, 1), (72, 56, 5, 2), (120, 28, 5, 1), (240, 28, 3, 2),
        (200, 14, 3, 1), (184, 14, 3, 1), (480, 14, 3, 1), (672, 14, 3, 1), (672, 14, 5, 2), (960, 7, 5, 1),
    ],
}  # fmt: skip
PAIRS = 15  # alternating measurements of a layer
SPAN_S = 4e-3  # at least this long each
CLOCKS = {"wall": perf_counter, "cpu": thread_time}  # cpu leaves out the time that others had the core
clock = CLOCKS["wall"]


def layers():
    """Every layer once: {(C, H, K, S): names of the networks that have it}."""
    found = {}
    for name, rows in NETWORKS.items():
        for row in rows:
            found.setdefault(row, []).append(name)
    return found


class Layer:
    """One layer's operands in both layouts, and the functions to be timed."""

    def __init__(self, C, H, K, S):
        rng = np.random.default_rng(C * 1000 + H * 10 + K + S)
        pad = K // 2
        self.options = {"stride": S, "pad": (pad,) * 4}
        self.x = rng.standard_normal((1, H, H, C), np.float32)
        self.w = rng.standard_normal((K, K, C), np.float32)
        self.y = depthwise.forward(self.x, self.w, **self.options)
        self.dy = rng.standard_normal(self.y.shape, np.float32)
        self.peer = [_channels_last(self.x), _weight(self.w), _channels_last(self.dy)]
        self.conv = {"stride": S, "padding": pad, "groups": C}
        self.pad, self.stride, self.channels, self.kernel = pad, S, C, K

    def forward(self):
        return depthwise.forward(self.x, self.w, **self.options)

    def gradients(self):
        return depthwise.backward(self.dy, self.x, self.w, **self.options)

    def peer_forward(self):
        return torch.nn.functional.conv2d(self.peer[0], self.peer[1], **self.conv)

    def peer_gradients(self):
        x, w, dy = self.peer
        s, p = [self.stride] * 2, [self.pad] * 2
        return torch.ops.aten.convolution_backward(
            dy, x, w, None, s, p, [1, 1], False, [0, 0], self.channels, [True, True, False]
        )

    def prove(self):
        """AssertionError unless both sides agree to within the two derived bounds together."""
        taps, pixels = self.kernel**2, self.dy.shape[1] * self.dy.shape[2]
        x, w, dy = abs(self.x), abs(self.w), abs(self.dy)
        size = depthwise.forward(x, w, **self.options)
        sizes = depthwise.backward(dy, x, w, **self.options)
        ours, theirs = self.gradients(), self.peer_gradients()
        pairs = [
            (self.forward(), _nhwc(self.peer_forward()), gamma(taps + 1) * size),
            (ours.x, _nhwc(theirs[0]), gamma(taps) * sizes.x),
            (ours.w, theirs[1].numpy()[:, 0].transpose(1, 2, 0), gamma(pixels) * sizes.w),
        ]
        for got, want, bound in pairs:
            # `size` was itself rounded: one part in a thousand covers that many times over.
            assert np.all(abs(got.astype(np.float64) - want) <= 2.002 * bound.astype(np.float64)), self.options


def _channels_last(a):
    return torch.from_numpy(np.ascontiguousarray(a.transpose(0, 3, 1, 2))).contiguous(memory_format=torch.channels_last)


def _weight(w):
    w = torch.from_numpy(np.ascontiguousarray(w.transpose(2, 0, 1)[:, None]))
    return w.contiguous(memory_format=torch.channels_last)


def _nhwc(t):
    return t.numpy().transpose(0, 2, 3, 1)


def _seconds(function, calls):
    return clocks.seconds_per_call(function, calls, clock)


def alternate(*functions):
    """Seconds of each function, PAIRS times in turn: a list of tuples."""
    return clocks.alternate(functions, pairs=PAIRS, span_s=SPAN_S, now=clock)


def summary(times):
    """Minimum and median in us of ours (first) and the peer (second), and the ratio."""
    ours, peer = zip(*times, strict=True)
    return {
        "ours_min_us": min(ours) * 1e6,
        "ours_median_us": statistics.median(ours) * 1e6,
        "peer_min_us": min(peer) * 1e6,
        "peer_median_us": statistics.median(peer) * 1e6,
        "ratio": statistics.median(b / a for a, b in times),
    }


def against_numpy(layer, what):
    """How many times as long the NumPy reference takes: a median of three."""
    ours = getattr(layer, what)

    def reference():
        with refmnas.use("numpy"):
            ours()

    return statistics.median(_seconds(reference, 1) / _seconds(ours, 5) for _ in range(3))


def python_side():
    """us of one public call on the smallest arrays, where the kernel has next to nothing to do."""
    x, w = np.ones((1, 1, 1, 8), np.float32), np.ones((1, 1, 8), np.float32)
    calls = (lambda: depthwise.forward(x, w), lambda: depthwise.backward(x, x, w))
    return {
        name: min(_seconds(call, 5000) for _ in range(9)) * 1e6
        for name, call in zip(("forward_us", "gradients_us"), calls, strict=True)
    }


def machine():
    """What a figure depends on."""
    versions = machines.versions()
    return {
        "processor": machines.processor(),
        "isa": kernels.isa(),
        "isas": kernels.isas(),
        "peer_isa": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "cpus": os.cpu_count(),
        "load_before": machines.load(),  # above 0: others were at work
        "versions": {
            "refmnas": refmnas.__version__,
            "torch": torch.__version__,
            "numpy": versions["numpy"],
            "python": versions["python"],
        },
    }


def measure(key, names, only):
    """One layer's record."""
    layer = Layer(*key)
    layer.prove()
    record = {"layer": "C{} H{} k{} s{}".format(*key), "kernel": key[2], "networks": names}
    if only != "gradients":
        record["forward"] = summary(alternate(layer.forward, layer.peer_forward))
        record["forward"]["numpy_ratio"] = against_numpy(layer, "forward")
    if only != "forward":
        record["gradients"] = summary(alternate(layer.gradients, layer.peer_gradients))
        record["gradients"]["numpy_ratio"] = against_numpy(layer, "gradients")
    return record


def line(record):
    """One layer in one line of text."""
    words = [f"{record['layer']:18s}"]
    for what in ("forward", "gradients"):
        if what in record:
            r = record[what]
            words.append(
                f"{what} {r['ours_median_us']:7.1f} ({r['ours_min_us']:7.1f}) | {r['peer_median_us']:7.1f}"
                f" ({r['peer_min_us']:7.1f}) us | x{r['ratio']:5.2f}  numpy x{r['numpy_ratio']:5.1f}"
            )
    return "  ".join(words)


def conclude(records):
    """The figures that are judged."""
    forward = [r["forward"]["ratio"] for r in records if "forward" in r]
    totals = {}
    if forward:
        totals |= {"forward_mean": order.geometric_mean(forward), "forward_least": min(forward)}
    for k in (3, 5):
        both = [r["gradients"]["ratio"] for r in records if "gradients" in r and r["kernel"] == k]
        if both:
            totals |= {f"gradients_{k}x{k}_mean": order.geometric_mean(both), f"gradients_{k}x{k}_least": min(both)}
    for what in ("forward", "gradients"):
        ratios = [r[what]["numpy_ratio"] for r in records if what in r]
        if ratios:
            totals[f"{what}_numpy_mean"] = order.geometric_mean(ratios)
    return totals


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("forward", "gradients"))
    parser.add_argument("--layers", default="", metavar="REGEX", help="only layers whose name matches, as 'k5'")
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu: the calling thread's own time, on a busy machine")
    parser.add_argument("--json", metavar="FILE", help="write all figures to FILE")
    args = parser.parse_args()
    global clock
    clock = CLOCKS[args.clock]
    if not kernels.built():
        sys.exit(f"the C extension is not built: {kernels.why_not()}")
    torch.set_num_threads(1)
    result = {"machine": machine(), "clock": args.clock, "python_side": python_side(), "layers": []}
    print(json.dumps(result["machine"]))
    print("Python side of a call:", ", ".join(f"{k} {v:.2f}" for k, v in result["python_side"].items()))
    print("median (minimum), ours | PyTorch channels_last | ratio; ratio of the NumPy reference")
    with torch.inference_mode():
        for key, names in layers().items():
            if re.search(args.layers, "C{} H{} k{} s{}".format(*key)):
                result["layers"].append(measure(key, names, args.only))
                print(line(result["layers"][-1]), flush=True)
    result["totals"] = conclude(result["layers"])
    for name, value in result["totals"].items():
        print(f"{name:24s} {value:.2f}")
    if args.json:
        Path(args.json).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
