"""Fresh weights as each public source draws them.

Every weight has a fan-in (terms in a sum that it belongs to) and a fan-out (sums that
it enters; of a grouped convolution those of its group), counted by the source's own
rule; biases and beta are 0, gamma 1, running mean 0 and running variance 1 everywhere.
(torchvision's RegNet leaves SE's biases as
PyTorch draws any layer's; here they are 0 as well.)

    tf                normal, variance 2 / fan-out, a depthwise weight's fan-out is
                      Kh*Kw; dense uniform within 1 / sqrt(D).  Also timm's rule.
    torchvision       normal, variance 2 / fan-out, a depthwise weight's fan-out is
                      C*Kh*Kw (sqrt(C) too narrow: PyTorch forgets the groups, of any grouped one); dense
                      normal, deviation 0.01
    torchvision-mnasnet   the same; dense uniform within sqrt(3 / D)
    torchvision-efficientnet   the same; dense uniform within 1 / sqrt(D)
    timm-regnet       convolutions as tf; dense normal, deviation 0.01
    slim              normal of deviation 0.09 cut at two deviations, everywhere
    slim-nasnet       normal of variance 2.6 / fan-out cut at two deviations (1.3 makes good what the cut takes)
    he                normal of variance 2 / fan-in cut at two deviations, a depthwise weight's fan-in is C*Kh*Kw
    pytorch           uniform within 1 / sqrt(fan-in), PyTorch's own for any layer (its bias here 0 as well)
    keras             uniform within sqrt(6 / (fan-in + fan-out)) (Glorot), where a
                      depthwise weight has fan-in C*Kh*Kw and fan-out Kh*Kw

Sources: tensorflow/tpu mnasnet_model.py conv_kernel_initializer and
dense_kernel_initializer; timm _efficientnet_builder.py _init_weight_goog; torchvision
mnasnet.py and mobilenetv2.py; tensorflow/models slim mobilenet.py training_scope;
Keras' defaults for Conv2D, DepthwiseConv2D and Dense; slim's nasnet.py and TF contrib's
variance_scaling_initializer; he_normal of Keras as melodyguan/enas asks for it; PyTorch's
_ConvNd.reset_parameters.
"""

from __future__ import annotations

import numpy as np

from ..errors import SpecError
from ..layout import CONV, DEPTHWISE, LINEAR, POINTWISE

ONES = ("gamma", "var")  # the last word of a name; all other plain arrays start at 0


def fans(kind, shape, groups=1):
    """(fan-in, fan-out) of one filter: groups are respected, so a depthwise filter has Kh*Kw of both.

    >>> fans("conv", (3, 3, 8, 16)), fans("depthwise", (3, 3, 8)), fans("linear", (8, 10))
    ((72, 144), (9, 9), (8, 10))
    """
    if kind == DEPTHWISE:
        return shape[0] * shape[1], shape[0] * shape[1]
    taps = shape[0] * shape[1] if kind == CONV else 1
    return taps * shape[-2], taps * shape[-1] // groups


def _normal(rng, shape, deviation):
    return rng.standard_normal(shape) * deviation


def _uniform(rng, shape, limit):
    return rng.uniform(-limit, limit, shape)


def _cut_normal(rng, shape, deviation):
    """Normal, drawn again where it lies beyond two deviations."""
    z = rng.standard_normal(shape)
    while np.any(beyond := np.abs(z) > 2):
        z[beyond] = rng.standard_normal(int(beyond.sum()))
    return z * deviation


def _tf(rng, kind, shape, groups):
    fan_out = fans(kind, shape, groups)[1]
    return _uniform(rng, shape, fan_out**-0.5) if kind == LINEAR else _normal(rng, shape, (2 / fan_out) ** 0.5)


def _torchvision_conv(rng, kind, shape):
    """Without the groups: fans counts those of a depthwise filter alone."""
    fan_out = fans(kind, shape)[1] * (shape[-1] if kind == DEPTHWISE else 1)
    return _normal(rng, shape, (2 / fan_out) ** 0.5)


def _torchvision(rng, kind, shape, groups):
    return _normal(rng, shape, 0.01) if kind == LINEAR else _torchvision_conv(rng, kind, shape)


def _torchvision_mnasnet(rng, kind, shape, groups):
    return _uniform(rng, shape, (3 / shape[1]) ** 0.5) if kind == LINEAR else _torchvision_conv(rng, kind, shape)


def _torchvision_efficientnet(rng, kind, shape, groups):
    return _uniform(rng, shape, shape[1] ** -0.5) if kind == LINEAR else _torchvision_conv(rng, kind, shape)


def _timm_regnet(rng, kind, shape, groups):
    return _normal(rng, shape, 0.01) if kind == LINEAR else _tf(rng, kind, shape, groups)


def _slim(rng, kind, shape, groups):
    return _cut_normal(rng, shape, 0.09)


def _keras(rng, kind, shape, groups):
    fan_in, fan_out = fans(kind, shape)
    if kind == DEPTHWISE:
        fan_in *= shape[-1]
    return _uniform(rng, shape, (6 / (fan_in + fan_out)) ** 0.5)


def _slim_nasnet(rng, kind, shape, groups):
    return _cut_normal(rng, shape, (2.6 / fans(kind, shape)[1]) ** 0.5)


def _he(rng, kind, shape, groups):
    fan_in = fans(kind, shape)[0] * (shape[-1] if kind == DEPTHWISE else 1)
    return _cut_normal(rng, shape, (2 / fan_in) ** 0.5)


def _pytorch(rng, kind, shape, groups):
    return _uniform(rng, shape, fans(kind, shape)[0] ** -0.5)


RULES = {
    "tf": _tf,
    "timm": _tf,
    "torchvision": _torchvision,
    "torchvision-mnasnet": _torchvision_mnasnet,
    "torchvision-efficientnet": _torchvision_efficientnet,
    "timm-regnet": _timm_regnet,
    "slim": _slim,
    "keras": _keras,
    "slim-nasnet": _slim_nasnet,
    "he": _he,
    "pytorch": _pytorch,
}


def fill(layer, rule, seed):
    """Give every array of `layer` its first value, drawn from `seed` in the order of the names."""
    if rule not in RULES:
        raise SpecError(f"initialisation: {rule!r}, wanted one of {', '.join(RULES)}")
    rng = np.random.default_rng(seed)
    for name, param in layer.named_params():
        if param.kind in (CONV, DEPTHWISE, POINTWISE, LINEAR):
            param.value[...] = RULES[rule](rng, param.kind, param.value.shape, param.groups)
        else:
            param.value[...] = float(name.rpartition(".")[2] in ONES)
