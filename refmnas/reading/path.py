"""The reading path: from one multiply-add to MBConv, one subject a step."""

from typing import NamedTuple


class Step(NamedTuple):
    """One `refmnas read`."""

    name: str
    why: str


PATH = (
    Step("linear", "one output is one chain of multiply-adds; its gradients are (1) read backwards"),
    Step("pointwise", "the same matrix at every pixel: a 1 x 1 convolution"),
    Step("conv", "a window of pixels instead of one: stride, padding, dilation, groups"),
    Step("depthwise", "a window without mixing channels; the op that has a C kernel"),
    Step("batchnorm", "statistics of a channel, and why its gradient has three terms"),
    Step("activation", "ReLU6, swish, hard-sigmoid, and what happens at their corners"),
    Step("pool", "an image to one number per channel"),
    Step("average_pool", "a mean over every window: who counts the padding"),
    Step("max_pool", "the largest value of every window, and which of two equal ones has the gradient"),
    Step("gate", "one factor per channel, two ways back"),
    Step("squeeze_excite", "pool, two dense layers, gate: the channels weigh each other"),
    Step("separable", "depthwise and pointwise: a convolution in two cheap steps"),
    Step("mbconv", "expand, depthwise, squeeze-and-excite, project, add the input"),
)
