"""How each source cuts and scales a photograph."""

from __future__ import annotations

from .record import Preprocess

IMAGENET = ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))  # 255 * (.485, .456, .406), 255 * (.229, .224, .225)
BGR = tuple(statistic[::-1] for statistic in IMAGENET)
HALF = ((127.5,) * 3, (127.5,) * 3)
LITE = ((127.0,) * 3, (128.0,) * 3)
CIFAR = ((125.3, 123.0, 113.9), (63.0, 62.1, 66.7))

# Where the evaluation's size is not 224.
TF_SIZES = {
    "mnasnet-d1-320": 320, "efficientnet-lite1": 240, "efficientnet-lite2": 260,
    "efficientnet-lite3": 280, "efficientnet-lite4": 300,
    "efficientnet-b1": 240, "efficientnet-b2": 260, "efficientnet-b3": 300, "efficientnet-b4": 380,
    "efficientnet-b5": 456, "efficientnet-b6": 528, "efficientnet-b7": 600, "efficientnet-b8": 672,
    "efficientnet-l2": 800, "nasnet-a-large": 331, "nasnet-a-cifar": 32, "enas-micro": 32,
}  # fmt: skip
TIMM_TF_SIZES = TF_SIZES | {"efficientnet-lite3": 300, "efficientnet-lite4": 380, "efficientnet-l2": 475}
TIMM_SIZES = TIMM_TF_SIZES | {
    "efficientnet-b2": 256, "efficientnet-b3": 288, "efficientnet-b4": 320, "efficientnet-b5": 448, "efficientnet-l2": 800,
}  # fmt: skip
_LITE_FRACTIONS = {
    "efficientnet-lite1": 0.882, "efficientnet-lite2": 0.890, "efficientnet-lite3": 0.904, "efficientnet-lite4": 0.922,
}  # fmt: skip
_LARGE_FRACTIONS = {"efficientnet-b6": 0.942, "efficientnet-b7": 0.949, "efficientnet-b8": 0.954}
TIMM_TF_FRACTIONS = _LITE_FRACTIONS | _LARGE_FRACTIONS | {
    "efficientnet-lite4": 0.920, "efficientnet-b1": 0.882, "efficientnet-b2": 0.890, "efficientnet-b3": 0.904,
    "efficientnet-b4": 0.922, "efficientnet-b5": 0.934, "efficientnet-l2": 0.936,
}  # fmt: skip
_TORCH_RECIPE = dict.fromkeys(
    ("regnetx-800mf", "regnetx-1.6gf", "regnetx-3.2gf", "regnetx-8gf", "regnetx-16gf", "regnetx-32gf",
     "regnety-400mf", "regnety-1.6gf", "regnety-32gf"), 0.965,
)  # fmt: skip
_RA3 = dict.fromkeys([f"regnety-{size}" for size in ("3.2gf", "4gf", "6.4gf", "8gf", "12gf", "16gf")], 0.95)
TIMM_FRACTIONS = _LITE_FRACTIONS | _LARGE_FRACTIONS | _TORCH_RECIPE | _RA3 | {
    "efficientnet-b1": 0.9, "efficientnet-b5": 1.0, "efficientnet-l2": 0.961, "nasnet-a-large": 0.911,
}  # fmt: skip
# torchvision's EfficientNets: size -> the short side before the cut, and the size where it is another than tf's.
_TORCH_SHORT = {"b0": 256, "b1": 256, "b2": 288, "b3": 320, "b4": 384, "b5": 456, "b6": 528, "b7": 600}
_TORCH_SIZES = {"efficientnet-b2": 288}


def tf(name, resize, scale):
    """size / (size + 32) of the short side: CROP_PADDING of the preprocessing files."""
    size = TF_SIZES.get(name, 224)
    return Preprocess("centre-fraction", size + 32, size, resize, *scale)


def slim(name=""):
    """The central 87.5 %, [-1, 1]."""
    size = TF_SIZES.get(name, 224) if name == "nasnet-a-large" else 224
    return Preprocess("centre-fraction", size * 8 // 7, size, "bilinear-tf1", *HALF)


def whole(name, scale):
    """The image as it is: small ones, CIFAR's."""
    return Preprocess("centre-fraction", TF_SIZES[name], TF_SIZES[name], "bilinear-tf1", *scale)


def pretrainedmodels(name):
    """The short side to floor(size / 0.875)."""
    size = TF_SIZES.get(name, 224)
    return Preprocess("resize-short-then-crop", int(size / 0.875), size, "bilinear-pillow", *HALF)


def torchvision(name):
    """resize_size 256 for crop_size 224, in the same proportion for other sizes; EfficientNets have their own."""
    size = _TORCH_SIZES.get(name, TF_SIZES.get(name, 224))
    short = _TORCH_SHORT.get(name.removeprefix("efficientnet-"))
    if short:
        return Preprocess("resize-short-then-crop", short, size, "bicubic-pillow", *IMAGENET)
    return Preprocess("resize-short-then-crop", size * 256 // 224, size, "bilinear-pillow", *IMAGENET)


def timm(name, resize="bicubic-pillow", scale=IMAGENET):
    """The short side to floor(size / crop_pct), as create_transform has it."""
    size = TIMM_SIZES.get(name, 224)
    return Preprocess("resize-short-then-crop", int(size / TIMM_FRACTIONS.get(name, 0.875)), size, resize, *scale)


def timm_tf(name, resize, scale):
    size = TIMM_TF_SIZES.get(name, 224)
    return Preprocess("resize-short-then-crop", int(size / TIMM_TF_FRACTIONS.get(name, 0.875)), size, resize, *scale)


def pycls():
    """Blue comes first: the published weights read images as OpenCV gives them."""
    return Preprocess("resize-short-then-crop", 256, 224, "bilinear-pillow", *BGR, channels="bgr")
