"""Deviation of refmnas from torchvision and timm, network by network, in float64.

    python benchmarks/parity.py [--json] [--only REGEX] [--size N ...]

Every network gets random weights and batch-norm statistics, an odd and an even image
size, and is run in evaluation and in training mode on both sides: logits, the gradient
of every parameter and of the input, and the running statistics after one step.

A deviation is the largest error in a tensor over the tensor's largest entry; for
gradients over that or 1e-4 of the network's largest gradient, whichever is larger.
Needs the extra `parity`.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections import OrderedDict
from dataclasses import asdict, dataclass
from functools import lru_cache

import numpy as np

import refmnas
from refmnas import models
from refmnas.models import naming

BAR = 1e-10  # about 450,000 units of float64 rounding: 120 layers of sums of up to 3840 terms, forward and back
SMALL = 1e-4  # of the network's largest gradient
SIZES = (64, 65)
BATCH = 3


@dataclass(frozen=True)
class Peer:
    """A published network and what it is called here."""

    source: str  # torchvision or timm: whose names the weights have
    name: str
    ours: str
    width: float = 1.0
    dialect: str | None = None  # None: as the source


PEERS = (
    Peer("torchvision", "mnasnet0_5", "mnasnet-b1", 0.5),
    Peer("torchvision", "mnasnet1_0", "mnasnet-b1"),
    Peer("torchvision", "mobilenet_v2", "mobilenet-v2"),
    Peer("timm", "semnasnet_100", "mnasnet-a1"),
    Peer("timm", "semnasnet_075", "mnasnet-a1", 0.75),
    Peer("timm", "mnasnet_small", "mnasnet-small"),
    Peer("timm", "mnasnet_140", "mnasnet-b1", 1.4),
    Peer("timm", "mobilenetv2_100", "mobilenet-v2"),
    Peer("timm", "efficientnet_lite0", "efficientnet-lite0"),
    Peer("timm", "tf_efficientnet_lite0", "efficientnet-lite0", dialect="timm-tf"),
    Peer("torchvision", "mobilenet_v3_large", "mobilenet-v3-large"),
    Peer("torchvision", "mobilenet_v3_small", "mobilenet-v3-small"),
    Peer("torchvision", "efficientnet_b0", "efficientnet-b0"),
    Peer("torchvision", "efficientnet_b5", "efficientnet-b5"),
    Peer("torchvision", "regnet_x_400mf", "regnetx-400mf"),
    Peer("torchvision", "regnet_y_800mf", "regnety-800mf"),
    Peer("timm", "mobilenetv3_large_100", "mobilenet-v3-large"),
    Peer("timm", "mobilenetv3_rw", "mobilenet-v3-large", dialect="timm-rw"),
    Peer("timm", "tf_mobilenetv3_small_minimal_100", "mobilenet-v3-small-minimalistic", dialect="timm-tf"),
    Peer("timm", "mobilenetv1_100", "mobilenet-v1"),
    Peer("timm", "fbnetc_100", "fbnet-c"),
    Peer("timm", "tf_efficientnet_b0", "efficientnet-b0", dialect="timm-tf"),
    Peer("timm", "tf_efficientnet_lite2", "efficientnet-lite2", dialect="timm-tf"),
    Peer("timm", "regnetx_004", "regnetx-400mf"),
    Peer("timm", "regnety_008", "regnety-800mf"),
)


@dataclass(frozen=True)
class Row:
    """The largest deviation of each kind, and the tensor that has it."""

    peer: str
    size: int
    mode: str
    logits: float
    gradients: float
    worst_gradient: str
    count_gradients: int
    input_gradient: float
    statistics: float
    seconds: float

    @property
    def largest(self):
        """The figure to hold against BAR."""
        return max(self.logits, self.gradients, self.input_gradient, self.statistics)


def torch_network(peer, seed=0):
    """The published network in float64, without dropout, its arrays drawn from `seed`."""
    import torch

    torch.set_num_threads(1)  # images are small: threads that wait for each other cost more than they save
    if peer.source == "torchvision":
        import torchvision

        rates = {} if "regnet" in peer.name else {"dropout": 0.0}
        rates |= {"stochastic_depth_prob": 0.0} if "efficientnet" in peer.name else {}
        network = getattr(torchvision.models, peer.name)(**rates)
    else:
        import timm

        network = timm.create_model(peer.name, drop_rate=0.0, drop_path_rate=0.0)
    network = network.double()
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if tensor.is_floating_point():
                tensor.copy_(torch.from_numpy(drawn(name, tuple(tensor.shape), rng)))
    return network


def drawn(name, shape, rng):
    """Values that keep activations of order 1: He's spread for weights, both signs, no statistic trivial."""
    if name.endswith("running_var"):
        return rng.uniform(0.5, 2.0, shape)
    if len(shape) > 1:
        return rng.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))
    if name.endswith("weight"):  # of batch norm
        return rng.uniform(0.5, 1.5, shape)
    return 0.3 * rng.standard_normal(shape)


def state_of(network):
    """A torch network's state dictionary as NumPy arrays of their own."""
    return {name: tensor.detach().numpy().copy() for name, tensor in network.state_dict().items()}


def our_network(peer, mapping):
    """The same network here, filled with the torch side's state through names="auto"."""
    options = {"width": peer.width, "dialect": peer.dialect or peer.source, "dtype": np.float64}
    net = models.build(peer.ours, dropout=0.0, drop_path=0.0, **options)
    net.load(mapping, names="auto")
    return net


@lru_cache(maxsize=1)
def _built(peer, seed):
    network = torch_network(peer, seed)
    state = state_of(network)
    return network, our_network(peer, state), state


def both(peer, seed=0):
    """(torch's network, ours), both with the arrays that `seed` draws; built once per peer, filled anew each time."""
    network, net, state = _built(peer, seed)
    net.load(state, names="auto")
    network.load_state_dict(torch_state(net, peer))
    return network, net


def torch_state(net, peer):
    """Our network's state as the source's own `load_state_dict` takes it, strictly."""
    import torch

    state = OrderedDict((name, torch.from_numpy(a)) for name, a in net.state(names=peer.source).items())
    metadata = naming.metadata(net.spec, peer.source)
    if metadata:
        state._metadata = metadata
    return state


def compare(peer, size, mode, seed=0):
    """One Row: both sides from the same weights, image and output gradient."""
    start, train = time.perf_counter(), mode == "train"
    network, net = both(peer, seed)
    rng = np.random.default_rng(seed + 1)
    x, dy = rng.standard_normal((BATCH, size, size, 3)), rng.standard_normal((BATCH, 1000))
    want = torch_step(network, x, dy, train)
    got = net.forward(x, train), net.backward(dy), net.gradients(names=peer.source), net.state(names=peer.source)
    gradients = relative_gradients(got[2], want[2])
    worst = max(gradients, key=gradients.get)
    moving = [name for name in want[3] if "running_" in name]
    return Row(
        peer=f"{peer.source} {peer.name}",
        size=size,
        mode=mode,
        logits=relative(got[0], want[0]),
        gradients=gradients[worst],
        worst_gradient=worst,
        count_gradients=len(gradients),
        input_gradient=relative(got[1], want[1]),
        statistics=max(relative(got[3][name], want[3][name]) for name in moving),
        seconds=time.perf_counter() - start,
    )


def torch_step(network, x, dy, train):
    """(logits, input gradient NHWC, gradients by name, state) of one forward and backward."""
    import torch

    network.train(train)
    network.zero_grad()
    image = torch.from_numpy(x.transpose(0, 3, 1, 2).copy()).requires_grad_()
    logits = network(image)
    (logits * torch.from_numpy(dy)).sum().backward()
    gradients = {name: p.grad.numpy() for name, p in network.named_parameters()}
    return logits.detach().numpy(), image.grad.numpy().transpose(0, 2, 3, 1), gradients, state_of(network)


def relative(got, want, floor=0.0):
    """Largest error over the largest entry of `want`, or over `floor` where that is larger."""
    if got.shape != want.shape or not np.all(np.isfinite(got)):
        return np.inf
    return float(np.max(np.abs(got - want)) / max(np.max(np.abs(want)), floor))


def relative_gradients(got, want):
    """The deviation of each gradient by name; both sides must have exactly the same names."""
    if got.keys() != want.keys():
        raise SystemExit(f"names differ: {sorted(got.keys() ^ want.keys())[:8]}")
    floor = SMALL * max(float(np.max(np.abs(g))) for g in want.values())
    return {name: relative(got[name], want[name], floor) for name in want}


def table(rows):
    """The rows as text."""
    lines = [f"{'network':34} {'size':>4} {'mode':5}   logits gradients    input  running  worst gradient"]
    for r in rows:
        figures = f"{r.logits:8.1e} {r.gradients:9.1e} {r.input_gradient:8.1e} {r.statistics:8.1e}"
        lines.append(f"{r.peer:34} {r.size:4} {r.mode:5} {figures}  {r.worst_gradient} (of {r.count_gradients})")
    return "\n".join(lines)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    parser.add_argument("--only", default="", metavar="REGEX", help="networks whose 'source name' matches")
    parser.add_argument("--size", type=int, nargs="+", default=list(SIZES), help=f"image sizes (default {SIZES})")
    args = parser.parse_args(argv)
    rows = []
    for peer in PEERS:
        for size, mode in ((s, m) for s in args.size for m in ("eval", "train")):
            if re.search(args.only, f"{peer.source} {peer.name}"):
                print(f"{peer.name} {size} {mode}", file=sys.stderr)
                rows.append(compare(peer, size, mode))
    largest = max((r.largest for r in rows), default=0.0)
    if args.json:
        told = {"version": refmnas.__version__, "bar": BAR, "largest": largest, "rows": [asdict(r) for r in rows]}
        print(json.dumps(told))
    else:
        print(table(rows))
        print(f"largest deviation {largest:.1e}, allowed {BAR:.0e}")
    return 0 if rows and largest <= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
