"""Topics of images and labels: mean and std, resize kernels, class numbers."""

import numpy as np

from .topic import Topic, by_source, row

NETWORKS = ("mnasnet-b1", "mobilenet-v2", "efficientnet-lite0")


def _preprocessing():
    from ..io import image
    from ..models import dialect, zoo

    for network in NETWORKS:
        yield network
        for source in zoo.get(network).sources:
            record = dialect.of(source, network)
            mark = " (unverified)" if "preprocess" in record.unverified else ""
            cut, scale = image.describe(record.preprocess, zoo.get(network).size).rsplit(", (x", 1)
            yield f"  {source + mark:22} {cut}"
            yield f"  {'':22} (x{scale}"


def _resize():
    from ..io import resize

    yield "one row of a black-to-white edge, 16 pixels made 5:"
    edge = np.zeros((16, 16, 3), np.uint8)
    edge[:, 7:] = 255
    yield row("  bilinear-tf1", resize.bilinear_tf1(edge, (5, 5))[0, :, 0])
    try:
        from PIL import Image
    except ImportError:
        yield "  (Pillow's two come with: pip install 'refmnas[demo]')"
        return
    for name in ("bilinear", "bicubic"):
        made = Image.fromarray(edge).resize((5, 5), Image.Resampling[name.upper()])
        yield row(f"  {name}-pillow", np.asarray(made)[0, :, 0])


def _class_offset():
    yield from by_source("class_offset", *NETWORKS)


TOPICS = (
    Topic(
        "preprocessing",
        "crop, mean and standard deviation: what the first layer is really given",
        """\
Each set of weights wants the numbers that it was trained on: (x - mean) / std per
channel on the 0..255 scale, (x - 127) / 128 for EfficientNet-Lite, RGB in that
order.  Wrong ones give a network that works a little worse, not one that fails.
Known traps: std taken for a variance, BGR, scaling to 0..1 twice.  The crop is the
centre 224 / 256 of the short side (size / (size + 32)), then one resize.""",
        _preprocessing,
        aliases=("preprocess", "mean", "std", "crop"),
        signature="the stem's output already differs, by one affine map per input channel",
        threads="gen-efficientnet-pytorch#33, #54; keras-efficientnets#21; tensorflow#49930; hub#821",
        see=("resize", "class-offset"),
    ),
    Topic(
        "resize",
        "resize kernels: bilinear and bicubic are families, not functions",
        """\
Pillow widens its kernel when it makes an image smaller (antialias); TensorFlow 1's
bilinear does not, and starts its grid at the corner of the first pixel instead of
its centre.  The network is then given another picture.  The rule is a field of the
dialect, and classify names the one that ran.""",
        _resize,
        aliases=("bilinear", "bicubic", "antialias", "interpolation"),
        signature="small differences at edges of the picture, before any layer has run",
        threads="vision#2950; doctr#402; transformers#42860; tensorflow#6720, #18112",
        see=("preprocessing",),
    ),
    Topic(
        "class-offset",
        "1000 classes or 1001: where the background class stands",
        """\
Slim's checkpoints have 1001 classes and class 0 is "background", so that every
label is one more than in the list of 1000.  A reader drops row 0 of the last layer
or counts the labels from 1.""",
        _class_offset,
        aliases=("classes", "labels", "1001"),
        signature="every answer is the neighbour in the list of classes",
        threads="tpu#521, #507, #594; tensorflow#7370; hub#574",
        see=("preprocessing",),
    ),
)
