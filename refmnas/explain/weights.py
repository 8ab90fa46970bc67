"""Topics of weights: initialisation, names, layouts, torchvision's two versions."""

import math

import numpy as np

from .topic import Topic, by_source


def _initialisation():
    k, channels, classes = 3, 96, 1000
    yield f"depthwise {k} x {k} over {channels} channels, std of the initial weights:"
    yield f"  fan_out = k k      (TF, timm)     {math.sqrt(2 / (k * k)):.4f}"
    yield f"  fan_out = C k k    (torchvision)  {math.sqrt(2 / (channels * k * k)):.4f}"
    yield f"dense layer to {classes} classes, half width of the uniform distribution:"
    yield f"  1 / sqrt(out)      (TF)           {1 / math.sqrt(classes):.4f}"
    yield f"  sqrt(3 / out)      (torchvision)  {math.sqrt(3 / classes):.4f}"
    yield from by_source("init", "mnasnet-b1", "mobilenet-v2", "efficientnet-lite0")


def _names():
    from ..models import dialect, naming, zoo

    spec = zoo.get("mnasnet-b1")
    convention = dialect.of("tf", spec.name)
    for source in ("refmnas", "torchvision", "timm", "tf"):
        keys = list(naming.table(spec, convention, source))
        yield f"{source:12} {len(keys)} arrays: {keys[0]} ..."
        yield f"{'':12} {keys[-1]}"


def _versions():
    from ..models import dialect, plan, zoo

    convention = dialect.of("torchvision", "mnasnet-b1")
    for width in (0.5, 0.75, 1.0, 1.3):
        spec = zoo.scaled(zoo.get("mnasnet-b1"), width)
        stem = plan.stem_channels(spec, convention)
        yield f"width {width:<5g} layers.0.weight has {stem} output channels in version 2, 32 in version 1"


def _layouts():
    from .. import layout

    shapes = {
        layout.IMAGE: (1, 224, 224, 3),
        layout.CONV: (3, 3, 3, 32),
        layout.DEPTHWISE: (5, 5, 72),
        layout.POINTWISE: (72, 40),
        layout.LINEAR: (1280, 1000),
    }
    for kind, shape in shapes.items():
        there = layout.from_nhwc(kind, np.empty(shape, np.float32)).shape
        yield f"{kind:10} here {shape!s:18} NCHW frameworks {there}"


TOPICS = (
    Topic(
        "initialisation",
        "initial weights: the fan-out of a depthwise kernel, the dense layer",
        """\
TF and timm draw convolutions from a normal distribution of std sqrt(2 / fan_out).
For a depthwise kernel fan_out is k k, since each filter feeds one channel.  PyTorch's
helper counts C k k, so that torchvision's MnasNet starts with depthwise weights that
are sqrt(C) too small, and its dense layer is sqrt(3) wider than TF's.""",
        _initialisation,
        aliases=("init", "fan-out"),
        signature="training starts worse; nothing differs once weights are loaded",
        threads="timm#84; pytorch#23854, #24315; keras#11773; mlx#4536",
    ),
    Topic(
        "names",
        "the names of a network's weights in torchvision, timm, TensorFlow and here",
        """\
One network, several sets of keys; convert turns names and layouts, and classify
recognises them by the keys.  TF checkpoints hold each weight three times: plain,
under /ExponentialMovingAverage (the ones to evaluate with), and as /RMSProp slots.
The TF names of MnasNet come from third-party readers, not from a checkpoint file
that was opened: they are marked unverified.  num_batches_tracked may be absent,
and is given back where it was present.""",
        _names,
        aliases=("keys", "state-dict", "tf-names", "ema"),
        threads="qubvel#19 (79.7 -> 82.6 by the averages); tpu#818; automl#168, #632",
        see=("torchvision-versions", "layouts"),
    ),
    Topic(
        "torchvision-versions",
        "torchvision's MnasNet of version 1: an unscaled stem under the same names",
        """\
torchvision's first MnasNet did not scale the stem (32) and the first block (16) with
the width; version 2 does.  The number stands in the state dictionary's metadata, which
a plain mapping has lost: then the shape of layers.0.weight decides.  At width 1.0 the
two are the same network.""",
        _versions,
        aliases=("version", "torchvision-version"),
        signature="shapes of the first layers do not fit, at widths other than 1.0 only",
        threads="pytorch#31471; vision#829, #1163; tensorrtx#1152",
        see=("widths", "names"),
    ),
    Topic(
        "layouts",
        "axis orders: NHWC here, NCHW there, and depthwise weights in both",
        """\
Everything here is NHWC, as in the original: a 1x1 convolution is a plain matrix
product, and batch norm and SE broadcast without a reshape.  Other frameworks' arrays
are turned at the border only: by load, convert and the layout="NCHW" of the ops.""",
        _layouts,
        aliases=("layout", "nhwc", "nchw", "axes"),
        signature="equal after a permutation of the weights' axes",
        threads="executorch#17423, #18455; TVM#9336; nobuco#2; transformers#18597",
    ),
)
