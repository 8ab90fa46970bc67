"""Topics of batch norm and of gradients at kinks."""

import numpy as np

from .topic import Topic, by_source


def _eps():
    from ..ops import batchnorm

    one, zero = np.ones(1), np.zeros(1)
    yield "what 1.0 becomes (mean 0, gamma 1, beta 0):"
    for variance in (1.0, 1e-2, 1e-4):
        x, var = np.ones((1, 1, 1, 1)), np.array([variance])
        ys = [batchnorm.forward_eval(x, one, zero, zero, var, eps=eps).item() for eps in (1e-3, 1e-5)]
        yield f"  running variance {variance:<7g} eps 1e-3: {ys[0]:9.5f}   eps 1e-5: {ys[1]:9.5f}"
    yield from by_source("bn_eps", "mnasnet-a1", "mnasnet-b1", "mobilenet-v2", "efficientnet-lite0")


def _running(momentum, unbiased, x):
    from ..ops import batchnorm

    one, zero = np.ones(1), np.zeros(1)
    batch = batchnorm.forward(x, one, zero, eps=1e-3)
    return batchnorm.running(
        zero, one, batch.mean, batch.var, count=x.size, momentum=momentum, unbiased=unbiased
    )


def _momentum():
    x = np.array([1.0, 2.0, 3.0, 6.0]).reshape(4, 1, 1, 1)
    yield "running mean 0 after one batch of mean 3:"
    for weight in (0.01, 0.1, 0.99):
        yield f"  weight {weight:<5g} of the new statistic -> {_running(weight, False, x).mean.item():.6g}"
    yield from by_source("bn_momentum", "mnasnet-b1", "mobilenet-v2", "efficientnet-lite0")


def _variance():
    x = np.array([1.0, 2.0, 3.0, 6.0]).reshape(4, 1, 1, 1)
    yield "running variance after one batch 1, 2, 3, 6, weight of the new statistic 1:"
    for unbiased in (False, True):
        rule = "unbiased, / (count - 1)" if unbiased else "biased, / count"
        yield f"  {rule:24} {_running(1.0, unbiased, x).var.item():.6g}"
    yield from by_source("bn_unbiased", "mnasnet-b1", "mobilenet-v2", "efficientnet-lite0")


def _kinks():
    from ..ops import activation

    corners = {
        "relu": (0.0,), "relu6": (0.0, 6.0), "hard_swish": (-3.0, 3.0),
        "hard_sigmoid": (-3.0, 3.0), "hard_sigmoid_keras": (-2.5, 2.5),
    }  # fmt: skip
    for kind, at in corners.items():
        x, told = np.array(at), []
        for kink in activation.KINKS:
            slopes = activation.backward(np.ones_like(x), x, kind=kind, kink=kink).x
            told.append(f"{kink} " + ", ".join(f"{s:g} at {a:g}" for s, a in zip(slopes, at, strict=True)))
        yield f"{kind:19} slope " + "; ".join(told)
    yield from by_source("kink", "mnasnet-b1", "mobilenet-v2")


TOPICS = (
    Topic(
        "bn-eps",
        "batch norm's eps: 1e-3 in TensorFlow, 1e-5 in PyTorch",
        """\
Batch norm divides by sqrt(var + eps).  TensorFlow's MnasNet and EfficientNet use
1e-3, PyTorch's default is 1e-5.  A channel of variance v is wrong by the factor
sqrt((v + e1) / (v + e2)): nothing where v is near 1, a factor of 3 where v is
1e-4.  On EfficientNet-Lite0 and one photograph the wrong eps left the five first
classes the same set, while 47 of 49 layers were outside their error bound.""",
        _eps,
        aliases=("eps", "epsilon"),
        signature="one factor per channel, largest where the running variance is tiny",
        threads="mindcv#230, #231; keras-yolo3#451; ncnn#218",
        see=("bn-momentum", "bounds"),
    ),
    Topic(
        "bn-momentum",
        "batch norm's momentum: the weight of the new statistic, or of the old one",
        """\
TensorFlow's momentum 0.99 is the weight of the *old* running statistic, PyTorch's
0.1 that of the *new* one.  Here it is always the weight of the new one:
    new = (1 - momentum) * running + momentum * batch.
So TF's 0.99 is 0.01, and torchvision's MnasNet has 1 - 0.9997 = 3e-4.""",
        _momentum,
        aliases=("momentum",),
        signature="evaluation agrees at first; running statistics part after the first training step",
        threads="pytorch/examples#289; ludwig#2100; EfficientNet-PyTorch#3; keras#16726",
        see=("bn-variance",),
    ),
    Topic(
        "bn-variance",
        "running variance: of the batch (biased) or of the population (unbiased)",
        """\
In training every framework normalises by the biased variance, sum of squares /
count.  What is added to the *running* variance differs: PyTorch and TensorFlow's fused
kernel store the unbiased one, / (count - 1), Keras' unfused layer the biased one.
count is N * H * W: on a 7 x 7 map and a batch of 1 the two differ by the factor 49/48,
at 112 x 112 by less than 1e-4.""",
        _variance,
        aliases=("bn-unbiased", "variance"),
        signature="running variances differ by count / (count - 1), most in the last stages",
        threads="pytorch#1410, #60528, #77427, #106366; keras#9028; tinygrad#807",
        see=("bn-momentum",),
    ),
    Topic(
        "kinks",
        "the gradient of ReLU, ReLU6, hard-swish and hard-sigmoid at their corners",
        """\
At a corner the gradient is a choice.  Measured on torch 2.14: 0 for ReLU at 0, for
ReLU6 at 0 and 6, for hard-sigmoid at -3 and 3; for hard-swish 0 at -3 and 1 at 3.
Older PyTorch gave -0.5 and 1.5 for hard-swish in its scalar tail and 1 at 3 in its
vector body, so that a result depended on an element's place in memory.  The rule
"tf" follows TensorFlow's code and differs in one place: where Keras' hard-sigmoid is
clipped, the gradient passes at equality.  Corners are hit exactly in practice: by
quantised values, by zeros out of a ReLU before.""",
        _kinks,
        aliases=("kink", "subgradient"),
        signature="gradients differ only where the pre-activation is exactly at a corner",
        threads="pytorch#136345, #147801, #143899, #148049; attorch#16; tt-metal#55291",
        see=("gate",),
    ),
)
