"""Topics of networks of searched cells, and of the pieces that no paper has."""

from __future__ import annotations

import numpy as np

from .topic import Topic, by_source, row

NETWORKS = ("nasnet-a-mobile", "nasnet-a-large", "nasnet-a-cifar", "enas-micro")


def _cells():
    from ..layers import AveragePool
    from ..layers.conv import four_sides
    from ..models import cost, dialect, zoo

    for name in NETWORKS:
        spec = zoo.get(name)
        parameters, macs, _ = cost.totals(cost.of(spec, dialect.of(spec.sources[0], name)))
        yield f"{name:19} {parameters:>10,} parameters, {macs / 1e6:>9,.2f} M multiply-adds at {spec.size} x {spec.size}"
    for size in (56, 83):
        pads = ", ".join(f"{rule} {four_sides(rule, (size, size), 5, 2)[:2]}" for rule in ("same", "symmetric", "even"))
        yield f"rows of zeros above and below {size} rows, kernel 5, stride 2: {pads}"
    ones = np.ones((1, 5, 5, 1))
    for label, counts in (("zeros left out", False), ("zeros counted", True)):
        y = AveragePool(3, stride=2, padding="same", count_pad=counts).forward(ones)
        yield row(f"avg3 of ones, {label}", y[0, 0, :, 0])
    yield from by_source("even_cells", *NETWORKS[:2], show=lambda cells: " ".join(cells) or "none")
    yield from by_source("strided_pool_counts", NETWORKS[1])


def _merge():
    from ..geometry import bins
    from ..models import build, cost

    for options in ({}, {"head": "gap-se"}, {"head": "spp"}, {"merge": (1, 3)}):
        net = build("mnasnet-small", **options)
        parameters, macs, _ = cost.totals(net.cost())
        label = " ".join(f"{key}={value}" for key, value in options.items()) or "as published"
        yield f"mnasnet-small, {label:15} {parameters:>10,} parameters, {macs / 1e6:6.2f} M multiply-adds"
    for n in (2, 4):
        yield f"the rows of 7 in {n} bins: " + ", ".join(f"{a}-{b - 1}" for a, b in bins(7, n))


TOPICS = (
    Topic(
        "cells",
        "NASNet-A's and ENAS's cells: what the figures leave open, and where the publishers differ",
        """\
A cell reads the two results before it: one through a 1 x 1 convolution, the other as it
is, or through a 1 x 1 where its channels differ, or through the factorised reduction
where its rows do (every second pixel, and every second of the image moved by one).
After a reduction NASNet-A mobile reads the reduction's input; the large one what came
before that.

slim pads as TensorFlow does.  The package pretrainedmodels pads symmetrically, and in
some cells moves the image by a pixel, so that at the published sizes (224, 331) it is
the same; at others it is not.  timm has the large network alone, pads as TensorFlow,
and its average pools of stride 2 count the zeros that were padded as pixels, which
TensorFlow's do not: its logits differ at every size.""",
        _cells,
        aliases=("even-cells", "strided-pool-counts", "nasnet", "enas"),
        signature="logits near, but off by more than rounding; at sizes other than the published one by more",
        see=("padding", "drop-path"),
    ),
    Topic(
        "merge",
        "branch merge, pyramid and gated head: options of any network that are in no paper",
        """\
An introductory article on MnasNet speaks of branches of different depths that are
brought to one size, put together and reduced by a 1 x 1 convolution around a residual,
of spatial pyramid pooling, and of the global mean with squeeze and excitation.  None
of it is in the papers of the networks here.  `merge` names the stages whose results
are resized to the last one's (bilinear), put together with it, mixed by 1 x 1 and batch
norm, and added to it; `head` spp takes the largest value of n x n bins for n = 1, 2, 4
in the place of the mean (He et al. 2014), gap-se scales the means by a gate.""",
        _merge,
        aliases=("spp", "gap-se", "branch-merge"),
        see=("head",),
    ),
)
