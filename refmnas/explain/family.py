"""Topics of MobileNetV3's head, FBNet's blocks and RegNet's groups."""

from __future__ import annotations

from .topic import Topic, by_source


def _head():
    from ..models import cost, dialect, plan, zoo

    for width in (1.0, 0.75, 1.25):
        spec = zoo.get("mobilenet-v3-large", width)
        for source in ("slim", "torchvision", "timm", "keras"):
            record = dialect.of(source, spec.name)
            count = cost.totals(cost.of(spec, record)).parameters
            channels = f"{plan.head_channels(spec, record)} > {plan.hidden_channels(spec, record)}"
            yield f"{spec.name} x {width:<4g} {source:11} head {channels:12} {count:,} parameters"
    for field in ("head_rule", "hidden_scales", "hidden_bias"):
        yield from by_source(field, "mobilenet-v3-large")


def _expand_one():
    from ..models import cost, dialect, zoo

    spec = zoo.get("fbnet-c")
    for source in spec.sources:
        parameters, macs, _ = cost.totals(cost.of(spec, dialect.of(source, spec.name)))
        yield f"{spec.name} {source:9} {parameters:,} parameters, {macs / 1e6:.1f} M multiply-adds"
    yield from by_source("expand_one", "fbnet-c")
    yield from by_source("conv_bias", "fbnet-c")


def _groups():
    from ..models import dialect, plan, zoo

    for name in ("regnetx-400mf", "regnety-800mf", "regnety-8gf"):
        spec = zoo.get(name)
        for source in ("pycls", "torchvision", "timm"):
            blocks = plan.blocks(spec, dialect.of(source, name))
            widths = dict.fromkeys(b.c_out for b in blocks)
            yield f"{name} {source:11} groups of {spec.stages[0].group}: widths {' '.join(map(str, widths))}"
    yield from by_source("group_rounding", "regnetx-400mf")


TOPICS = (
    Topic(
        "head",
        "MobileNetV3's head: a dense layer between the mean and the classes, and what the width does to it",
        """\
MobileNetV3 takes the mean before its last wide layer: 1 x 1 to 960, mean, dense to 1280
with a bias and no batch norm, hard-swish, classes.  torchvision multiplies the 1280 by
the width, too; timm never; Keras above 1 alone; slim by an option, and its published
0.75 has all 1280.  torchvision and Keras have six times the last block's channels where
the others scale 960.  timm's mobilenetv3_rw has no bias there.  torchvision keeps the
layer as a matrix, the others as a 1 x 1 convolution.""",
        _head,
        aliases=("head-rule", "hidden-scales", "hidden-bias", "hidden-kind"),
        signature="at width 1 nothing; at another the shapes of the last two layers",
        see=("widths", "gate"),
    ),
    Topic(
        "expand-one",
        "an inverted residual that expands by 1: with a 1 x 1 convolution of its own, or without",
        """\
FBNet-C has three blocks of expansion 1.  The official builder leaves out a 1 x 1
convolution that would keep the width; timm's `ir` block always has it, with its batch
norm and ReLU.  So timm's fbnetc_100 is another network, and its weights fit it alone.
The official blocks have a bias before batch norm as well.""",
        _expand_one,
        aliases=("conv-bias", "fbnet"),
        signature="weights are missing or left over in the first blocks",
    ),
    Topic(
        "groups",
        "RegNet's widths, brought to multiples of the group: two rules, two networks",
        """\
RegNet's line of widths is rounded to steps and to multiples of 8, and then to multiples
of the group.  pycls and timm take the nearest one; torchvision takes the rule of
MobileNet, which adds a group where more than a tenth would be lost.  Three published
networks come out wider; timm calls those `_tv`.  pycls' weights were trained on BGR
images; timm's copies of them have the stem's channels turned.""",
        _groups,
        aliases=("group-rounding", "regnet"),
        signature="shapes differ from some stage on",
        see=("widths", "preprocessing"),
    ),
)
