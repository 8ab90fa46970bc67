"""Topics of convolutions and blocks: padding, squeeze-and-excitation, widths, residuals."""

from dataclasses import replace

import numpy as np

from .topic import Topic, by_source, row


def _padding():
    from ..geometry import extent, same_pad, symmetric_pad
    from ..ops import depthwise

    for size in (224, 225):
        for k in (3, 5, 7):
            same, both = same_pad(size, k, 2), symmetric_pad(k)
            yield (
                f"size {size}, kernel {k}, stride 2: SAME {same} -> {extent(size, k, 2, *same)} outputs, "
                f"symmetric {both} -> {extent(size, k, 2, *both)}"
            )
    ramp = np.arange(8.0).reshape(1, 1, 8, 1)
    middle = np.array([0.0, 1.0, 0.0]).reshape(1, 3, 1)
    yield "the pixels that the kernel's middle tap sees in a row 0..7, stride 2:"
    for label, pad in (("SAME", same_pad(8, 3, 2)), ("symmetric", symmetric_pad(3))):
        yield row("  " + label, depthwise.forward(ramp, middle, stride=2, pad=(0, 0, *pad)).ravel())
    yield from by_source("padding", "mnasnet-a1", "mobilenet-v2", "efficientnet-lite0")


def _se():
    from ..models import dialect, plan, zoo

    spec = zoo.get("mnasnet-a1")
    tf, timm = dialect.of("tf", spec.name), dialect.of("timm", spec.name)
    expanded = replace(tf, se_base="expanded", se_rounding="divisible")
    yield "squeezed / expanded channels of the MnasNet A1 blocks that have SE:"
    for label, convention in (("tf", tf), ("timm", timm), ("if of the expanded width", expanded)):
        blocks = [b for b in plan.blocks(spec, convention) if b.squeeze]
        yield f"  {label:25}" + " ".join(f"{b.squeeze}/{b.mid}" for b in blocks)
    yield from by_source("se_base", "mnasnet-a1")
    yield from by_source("se_rounding", "mnasnet-a1")


def _gate():
    from ..ops import activation

    x = np.array([-3.0, -1.0, 0.0, 1.0, 2.0, 3.0])
    yield row("x", x)
    for kind in ("sigmoid", "hard_sigmoid", "hard_sigmoid_slim", "hard_sigmoid_keras"):
        yield row(kind, activation.forward(x, kind=kind))
    yield from by_source("gate", "mnasnet-a1", "mobilenet-v3-large")


def _widths():
    from ..models import dialect, plan, zoo

    for name, width in (("mnasnet-a1", 1.0), ("mnasnet-a1", 0.5), ("mnasnet-a1", 1.4)):
        spec = zoo.scaled(zoo.get(name), width)
        convention = dialect.of("tf", name)
        blocks = plan.blocks(spec, convention)
        outs = {b.stage: b.c_out for b in blocks}
        stem = plan.stem_channels(spec, convention)
        yield f"{name} x {width:<4g} stem {stem}, stages {' '.join(map(str, outs.values()))}"
    yield from by_source("width_rule", "mnasnet-a1", "mobilenet-v2")
    yield from by_source("mid_rounding", "mnasnet-a1", "mobilenet-v2")
    for field in ("mid_base", "stem_fixed_below"):
        yield from by_source(field, "mobilenet-v3-large")


def _small_skip():
    from ..models import dialect, plan, zoo

    spec = zoo.get("mnasnet-small")
    for source in ("tf", "timm"):
        first = plan.blocks(spec, dialect.of(source, spec.name))[0]
        yield f"{source:6} block 0: {first.c_in} -> {first.c_out} channels, residual: {first.has_skip}"


def _drop_path():
    from ..models import dialect, plan, zoo

    spec = zoo.get("efficientnet-lite0")
    blocks = plan.blocks(spec, dialect.of("tf", spec.name))
    yield f"{spec.name}: {len(blocks)} blocks, rate {spec.drop_path}"
    for number in (0, 1, len(blocks) - 1):
        yield f"  block {number:<3d} {blocks[number].drop_path:.4f}"
    yield f"dropout of the table: {spec.head.dropout}; None below: the table's"
    yield from by_source("dropout", "mobilenet-v2", "efficientnet-lite0")


TOPICS = (
    Topic(
        "padding",
        "SAME against symmetric padding: another sampling grid at stride 2",
        """\
TensorFlow's SAME pads as little as gives ceil(size / stride) outputs, the odd
pixel below and to the right.  PyTorch's usual padding is k // 2 on every side,
whatever the size.  At stride 1 the two are equal.  At stride 2 and an even size
they are not: the output sizes agree, but every window stands one pixel further
(k = 3: pads (0, 1) against (1, 1)), so all values of the map differ, not the
border alone.  At 224 pixels every stride-2 layer of MnasNet sees an even size
(224, 112, 56, 28, 14): all five differ.  At odd sizes both are the same.""",
        _padding,
        aliases=("same", "symmetric"),
        signature="only the stride-2 layers differ, over the whole map; the first class is often still right",
        threads="pytorch#67551, #3867, #45667; tensornets#25; MMdnn#660; onnx2pytorch#58",
        see=("resize",),
    ),
    Topic(
        "se-base",
        "squeeze-and-excitation: whose width the ratio multiplies, and how it is rounded",
        """\
SE squeezes the channels of the expanded map to R and back.  In MnasNet and
EfficientNet R is the ratio times the channels of the block's *input*, in TF's
code max(1, int(in * ratio)), truncated.  MobileNetV3 takes the ratio of the
*expanded* width, rounded to a multiple of 8.  timm computes round(mid * se / e),
which equals TF's number for every width that is a multiple of 8.  Both of its
1x1 convolutions have a bias; the activation between them is ReLU in MnasNet.""",
        _se,
        aliases=("se", "se-rounding", "se-activation", "squeeze"),
        signature="the shapes of the SE weights differ, or the first wrong tensor is the gate",
        threads="tpu#616 (intentional); xiaolai mobilenetv3#12, #15, #33; keras-cv#1756",
        see=("gate", "widths"),
    ),
    Topic(
        "gate",
        "sigmoid and three hard-sigmoids that are not the same function",
        """\
The gate that SE ends with is a sigmoid in MnasNet and EfficientNet.  Where it is
"hard", as in MobileNetV3, three slopes are in use: division by 6 (PyTorch: min(max(x + 3, 0), 6) / 6),
slim's product with 0.16667, which is not 1/6 and gives more than 1 above x = 3,
and Keras' older clip(0.2 x + 0.5).  PyTorch's gradient of the first is 1/6 rounded to
float32, in float64 too: "hard_sigmoid_torch" is the same function with that gradient.""",
        _gate,
        aliases=("hard-sigmoid", "sigmoid"),
        signature="the gate is the first tensor that differs: one factor per image and channel",
        threads="XNNPACK#901; tinygrad#7433; onnxruntime#8552",
        see=("se-base", "kinks"),
    ),
    Topic(
        "widths",
        "the width multiplier: which channels are scaled, and the rounding to multiples of 8",
        """\
A multiplier m turns c channels into max(8, int(c m + 4) // 8 * 8), plus 8 where
that is less than 0.9 c m.  TF's MnasNet leaves widths alone at m = 1 (d1's 36 stays
36: "except-one"); Keras cuts c m to a whole number first ("truncate-first").  MnasNet
scales the stem and all blocks, never the 1280 channels of the head; MobileNetV2
scales the head only above 1; EfficientNet-Lite scales neither stem nor head.
The expanded width is in * e: exact in TF, made a multiple of 8 in timm.  MobileNetV1
of slim cuts c m and rounds nothing ("truncate").  torchvision's MobileNetV3 multiplies
the table's own expanded width, the others the block's true input; timm leaves its stem
alone below 0.75.""",
        _widths,
        aliases=("width", "width-rule", "mid-base", "mid-rounding", "stem-fixed-below", "rounding"),
        threads="pytorch#31471; vision#829, #1163",
        see=("torchvision-versions",),
    ),
    Topic(
        "small-skip",
        "mnasnet-small's first block: a residual in timm, none in TensorFlow",
        """\
The block string of mnasnet-small's first block declares 16 input channels, though
the stem gives 8.  TensorFlow's residual test compares the declared 16 with the
output's 8 and adds nothing; timm infers 8 = 8 and adds the input.  The weights of
one run in the other without a complaint, and with other results.  (timm's
mobilenetv3_rw, too, leaves out the first block's residual, at equal widths.)""",
        _small_skip,
        aliases=("residual", "skip", "first-skip"),
        signature="block 0 differs by exactly its input; all weights load",
    ),
    Topic(
        "drop-path",
        "dropout and stochastic depth: rates, the schedule over blocks, the scaling of what is kept",
        """\
In training a block with a residual loses its branch for a whole sample with a
probability that grows over the network: rate * i / n for block i of n.  A branch
that is kept is divided by the probability of keeping it, so that evaluation needs
no factor.  MnasNet has none.  Dropout, before the dense layer, is scaled the same way;
its rate is the table's unless the source trains with another one.""",
        _drop_path,
        aliases=("drop-connect", "stochastic-depth", "dropout"),
        threads="tpu#381; efficientnet (qubvel)#130, #135; keras-applications#200; tensorflow#45916",
        see=("widths",),
    ),
)
