"""What switching one field of a dialect changes, measured: the last column of docs/dialects.md.

Weights are drawn (He's spread; batch norm's arrays from 0.5 to 1.5, means and betas with
deviation 0.2), images of a seed, one of 64 x 64 in evaluation and four of 32 x 32 in training,
float64: the figures are the same everywhere, to the two digits that the document has.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest

from refmnas.errors import FormatError
from refmnas.io import image
from refmnas.layers import SqueezeExcite
from refmnas.models import build, cost, zoo
from refmnas.models import dialect as dialects

EVALUATED, TRAINED = (1, 64, 64, 3), (4, 32, 32, 3)


@dataclass(frozen=True)
class Switch:
    """One field of one source's record for one network, before and after."""

    field: str
    network: str
    source: str
    width: float
    before: object
    after: object

    def records(self):
        """The two dialects; the first is the source's own."""
        own = dialects.of(self.source, self.network)
        if self.field.startswith("preprocess."):
            inner = replace(own.preprocess, **{self.field.removeprefix("preprocess."): self.after})
            return own, replace(own, preprocess=inner)
        return own, replace(own, **{self.field: self.after})


def two(value):
    """Two digits, as the document writes them."""
    return f"{value:.2g}" if value >= 1e-4 else f"{value:.1e}"


def net_of(s, record, **options):
    given = {"dropout": None, "drop_path": None} | options
    return build(s.network, width=s.width, dialect=record, dtype=np.float64, **given)


def drawn(net):
    """The network with weights that give every step something to do."""
    rng, state = np.random.default_rng(0), net.state()
    for key, a in state.items():
        if key.endswith((".mean", ".beta", ".b")):
            state[key] = rng.normal(0, 0.2, a.shape)
        elif key.endswith((".var", ".gamma")):
            state[key] = rng.uniform(0.5, 1.5, a.shape)
        elif a.ndim > 1:
            fan_in = a.shape[0] * a.shape[1] if ".depthwise." in key else a.size / a.shape[-1]
            state[key] = rng.standard_normal(a.shape) * np.sqrt(2 / fan_in)
    return net.load(state)


def images(shape=TRAINED):
    return np.random.default_rng(1).standard_normal(shape)


def moved(before, after):
    """The largest change over the largest value."""
    return np.abs(after - before).max() / np.abs(before).max()


# -- proofs: a function of the switch that gives (figure, what it is of) ------------------------------


def logits(s, train=False, **options):
    nets = [drawn(net_of(s, record, **options)) for record in s.records()]
    before, after = (net.forward(images(TRAINED if train else EVALUATED), train) for net in nets)
    return two(moved(before, after)), "of the largest logit"


def training_logits(s):
    figure, of = logits(s, train=True)
    return figure, f"{of}, in training"


def parameters(s):
    spec = zoo.get(s.network, s.width)
    before, after = (cost.totals(cost.of(spec, record)).parameters for record in s.records())
    assert sum(a.size for a in net_of(s, s.records()[0]).parameters().values()) == before
    return f"{after - before:+,}", f"of {before:,} parameters"


def running_mean(s):
    """From a running mean of 0 one step gives the momentum times the batch's mean."""
    nets = [net_of(s, record) for record in s.records()]
    for net in nets:
        net.forward(images(), train=True)
    before, after = (net.state()["stem.bn.mean"] for net in nets)
    (ratio,) = {float(f"{r:.6g}") for r in after / before}
    return two(ratio), "times the step of the running mean"


def running_variance(s):
    """Of the last batch norm, which sees the fewest values: n / (n - 1), seen through the momentum."""
    own, other = s.records()
    nets = [net_of(s, replace(record, bn_momentum=0.5)) for record in (own, other)]
    for net in nets:
        net.forward(images(), train=True)
    before, after = (2 * net.state()["head.bn.var"] - 1 for net in nets)
    (ratio,) = {float(f"{r:.6g}") for r in after / before}
    n = TRAINED[0]  # the last rows and columns are one
    assert ratio in (float(f"{n / (n - 1):.6g}"), float(f"{(n - 1) / n:.6g}"))
    return f"{ratio:.3g}", f"times the running variance over {n} values"


def gradient_at_the_kink(s):
    """Of a gate whose input is exactly at its end: SE with weights 0 and a bias of 2.5."""
    found = []
    for record in s.records():
        se = SqueezeExcite(8, 4, gate="hard_sigmoid_keras", kink=record.kink, dtype=np.float64)
        last = list(se.named_params())[-1][1]
        last.value[...] = 2.5
        y = se.forward(np.ones((1, 2, 2, 8)))
        se.backward(np.ones_like(y))
        found.append(last.grad.max() / 4)  # of the four pixels that each gate multiplies
    before, after = found
    return f"{before:g} or {after:g}", "times dy at x = 2.5 of Keras' old hard sigmoid"


def first_weights(name):
    """The proof of how wide an array is drawn: two draws of one seed, so of laws that are alike the ratio is exact."""

    def proof(s):
        before, after = (net_of(s, record).state()[name].std() for record in s.records())
        return two(after / before), f"times the deviation of {name}"

    return proof


def classes(s):
    """A file of 1001 classes: read with class 0 left out, or refused."""
    own, other = s.records()
    few = {"classes": 10, "width": s.width}
    net = build(s.network, dialect=own, **few)
    state = net.state("slim")
    for key in [k for k, a in state.items() if a.shape[-1:] == (10,)]:
        state[key] = np.concatenate([np.zeros_like(state[key][..., :1]), state[key]], axis=-1)
    again = build(s.network, dialect=own, **few).load(state, "slim")
    assert np.array_equal(again.state()["head.dense.w"], net.state()["head.dense.w"])
    with pytest.raises(FormatError, match="11 classes"):
        build(s.network, dialect=other, **few).load(state, "slim")
    return "1", "place in the classes"


@cache
def picture():
    """A photograph's stand-in: slow waves, an edge and some noise, 300 x 400."""
    rows, columns = np.mgrid[:300, :400]
    waves = np.stack([np.sin(rows / a) + np.cos(columns / b) for a, b in ((17, 29), (11, 23), (31, 13))], axis=-1)
    noise = np.random.default_rng(2).normal(0, 0.3, (300, 400, 3))
    edge = np.where((columns > 210)[..., None], 0.7, -0.7)
    return np.clip(127.5 + 45 * (waves + noise + edge), 0, 255).astype(np.uint8)


def pixels(s):
    """How far the network's input moves on the average, in its own units."""
    if any("pillow" in record.preprocess.resize for record in s.records()):
        pytest.importorskip("PIL.Image", reason="needs the extra demo")
    before, after = (image.prepare(picture(), record.preprocess, 224) for record in s.records())
    return two(np.abs(after - before).mean() / np.abs(before).mean()), "of the input, on the average"


PROOFS = {
    "even_cells": logits, "strided_pool_counts": logits,
    "padding": logits, "bn_eps": logits, "gate": logits, "se_activation": logits, "first_skip": logits,
    "conv_bias": parameters, "expand_one": parameters, "mid_base": parameters, "mid_rounding": parameters,
    "se_base": parameters, "se_rounding": parameters, "width_rule": parameters, "stem_fixed_below": parameters,
    "group_rounding": parameters, "head_rule": parameters, "hidden_scales": parameters, "hidden_bias": parameters,
    "bn_momentum": running_mean, "bn_unbiased": running_variance, "dropout": training_logits, "drop_path": training_logits,
    "kink": gradient_at_the_kink, "init": first_weights("stages.6.0.depthwise.conv.w"),
    "hidden_kind": first_weights("head.hidden.w"), "class_offset": classes,
    **{f"preprocess.{f}": pixels for f in ("crop", "crop_from", "crop_to", "resize", "mean", "std", "channels")},
}  # fmt: skip
