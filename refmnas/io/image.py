"""Photographs as a network wants them: opened, turned upright, cut, resized, normalised.

The rule is a record with the fields of `refmnas.models.dialect.Preprocess`:

    crop       centre-fraction: cut the middle square of crop_to / crop_from of the
               short side, then resize it to the network's size;
               resize-short-then-crop: resize the short side to
               size * crop_from / crop_to, then cut the middle square
    resize     bicubic-pillow, bilinear-pillow: Pillow's, antialiased, to whole
               numbers of 0..255; bilinear-tf1: see `refmnas.io.resize`
    mean, std  (x - mean) / std, on the 0..255 scale
    channels   rgb or bgr

Transparent pixels are laid over white, as a page shows them.  16-bit greyscale is
scaled to 8 bits.  Of an animation the first picture is taken.  Pillow is needed
for files and for its resize rules alone, and comes with `refmnas[demo]`.

Sources: rounding of the cuts as in tensorflow/tpu's `preprocessing.py`
(`_decode_and_center_crop`) and torchvision's `functional.py` (`_compute_resized_output_size`,
`center_crop`).
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..errors import DtypeError, FormatError, ShapeError, SpecError
from .resize import bilinear_tf1

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
MOST_PIXELS = 89_478_485  # Pillow's own default, also for what a resize would make
CROPS = ("centre-fraction", "resize-short-then-crop")
_RULES = {
    "bicubic-pillow": "bicubic with antialias (Pillow)",
    "bilinear-pillow": "bilinear with antialias (Pillow)",
    "bilinear-tf1": "bilinear without antialias (TensorFlow 1)",
}


class Found(NamedTuple):
    """The image files of a folder, and how many other files were passed over."""

    files: tuple[Path, ...]
    skipped: int


def find(path):
    """`path` itself where it is a file; of a folder the images by their suffix, sorted by name.

    Raises   FormatError where there is nothing.
    """
    path = Path(path)
    if path.is_file():
        return Found((path,), 0)
    try:
        inside = sorted(entry for entry in path.iterdir() if entry.is_file())
    except OSError as error:
        raise FormatError(f"{path}: no image and no folder: {error.strerror}") from error
    files = tuple(entry for entry in inside if entry.suffix.lower() in SUFFIXES)
    if not files:
        raise FormatError(f"{path}: has no image among {len(inside)} files, wanted names in {', '.join(SUFFIXES)}")
    return Found(files, len(inside) - len(files))


def open(path, preprocess, size=None):
    """A file as the network's input: `read`, then `prepare`.

    Shapes   -> (1, size, size, 3); `size` None: the record's own `size`.
    Units    pixels; values as (x - mean) / std of the 0..255 scale.
    Dtypes   float32.
    Raises   FormatError for what is no image, is cut, or has too many pixels;
             SpecError for an unknown rule.
    """
    size = _size(preprocess, size)
    try:
        return prepare(read(path), preprocess, size)
    except ShapeError as error:
        raise FormatError(f"{os.fspath(path)}: {error}") from error


def read(path):
    """A file's picture, upright, as uint8 (H, W, 3)."""
    pillow = _pillow()
    name = os.fspath(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pillow.Image.DecompressionBombWarning)
            with pillow.Image.open(path) as picture:
                return _upright_rgb(pillow, picture)
    except FormatError as error:
        raise FormatError(f"{name}: {error}") from error
    except (pillow.Image.DecompressionBombError, pillow.Image.DecompressionBombWarning) as error:
        raise FormatError(f"{name}: too many pixels: {error}") from error
    except MemoryError:
        raise
    except Exception as error:  # a decoder of Pillow may raise anything on a damaged file
        raise FormatError(f"{name}: cannot be read as an image: {error}") from error


def prepare(picture, preprocess, size=None):
    """A picture as the network's input.

    Shapes   picture (H, W, 3) -> (1, size, size, 3); `size` None: the record's own.
    Units    values 0..255 -> (x - mean) / std.
    Dtypes   uint8 -> float32.
    Raises   ShapeError for another shape, an empty picture, or one so long that the
             resize would make too many pixels; DtypeError; SpecError.
    """
    size = _size(preprocess, size)
    if picture.dtype != np.uint8:
        raise DtypeError(f"image: the picture is {picture.dtype}, wanted uint8")
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.size == 0:
        raise ShapeError(f"image: the picture has shape {picture.shape}, wanted (H, W, 3), not empty")
    height, width = picture.shape[:2]
    if preprocess.crop == "centre-fraction":
        side = max(1, min(height, width) * preprocess.crop_to // preprocess.crop_from)
        top, left = (height - side + 1) // 2, (width - side + 1) // 2
        square = _resize(picture[top : top + side, left : left + side], (size, size), preprocess.resize)
    else:
        short = size * preprocess.crop_from // preprocess.crop_to
        wanted = tuple(short * extent // min(height, width) for extent in (height, width))
        if wanted[0] * wanted[1] > MOST_PIXELS:
            raise ShapeError(f"image: {width} x {height} would be resized to {wanted[1]} x {wanted[0]} pixels, "
                             f"wanted at most {MOST_PIXELS}")  # fmt: skip
        top, left = (round((extent - size) / 2) for extent in wanted)
        square = _resize(picture, wanted, preprocess.resize)[top : top + size, left : left + size]
    x = square if preprocess.channels == "rgb" else square[..., ::-1]
    x = (x.astype(np.float32) - np.float32(preprocess.mean)) / np.float32(preprocess.std)
    return x[None]


def describe(preprocess, size=None):
    """The rule in one line, as output names it.

    It says which pixels are taken, how they are resized, and how they are scaled.
    """
    size = _size(preprocess, size)
    whole = preprocess.crop_to == preprocess.crop_from
    part = "square" if whole else f"{preprocess.crop_to}/{preprocess.crop_from} of the short side"
    if preprocess.crop == "centre-fraction":
        cut = f"centre {part}, {_RULES[preprocess.resize]} to {size} x {size}"
    else:
        short = size * preprocess.crop_from // preprocess.crop_to
        cut = f"short side to {short}, {_RULES[preprocess.resize]}, centre {size} x {size}"
    mean, std = (", ".join(f"{value:g}" for value in values) for values in (preprocess.mean, preprocess.std))
    return f"{cut}, (x - [{mean}]) / [{std}], {preprocess.channels}"


def _size(preprocess, size):
    """The network's size; SpecError for a record whose rules are unknown."""
    size = getattr(preprocess, "size", None) if size is None else size
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise SpecError(f"image: size is {size!r}, wanted a whole number of at least 1")
    known = {"crop": CROPS, "resize": tuple(_RULES), "channels": ("rgb", "bgr")}
    for field, values in known.items():
        if getattr(preprocess, field) not in values:
            raise SpecError(f"image: {field} is {getattr(preprocess, field)!r}, wanted one of {', '.join(values)}")
    if not 0 < preprocess.crop_to <= preprocess.crop_from:
        raise SpecError(f"image: the crop is {preprocess.crop_to}/{preprocess.crop_from}, wanted a part of 1")
    return size


def _resize(picture, size, rule):
    """`picture` at `size` = (rows, columns), by the rule of that name."""
    if rule == "bilinear-tf1":
        return bilinear_tf1(picture, size)
    pillow = _pillow()
    kernel = pillow.Image.Resampling.BICUBIC if rule == "bicubic-pillow" else pillow.Image.Resampling.BILINEAR
    return np.asarray(pillow.Image.fromarray(np.ascontiguousarray(picture)).resize(size[::-1], kernel))


def _pillow():
    """Pillow, or an error that says how to get it."""
    try:
        import PIL.Image
        import PIL.ImageOps
    except ImportError as error:
        raise SpecError("image: Pillow is missing: pip install 'refmnas[demo]'") from error
    return PIL


def _upright_rgb(pillow, picture):
    """An opened picture, turned as its EXIF entry says, as uint8 (H, W, 3)."""
    picture = pillow.ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I;16"):
        grey = np.asarray(picture).astype(np.uint32)
        return np.repeat(((grey * 255 + 32767) // 65535).astype(np.uint8)[..., None], 3, axis=2)
    if picture.mode in ("I", "F"):
        raise FormatError(f"greyscale of mode {picture.mode} has no fixed white, wanted 8 or 16 bits")
    if "A" in picture.getbands() or "a" in picture.getbands() or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white = pillow.Image.new("RGBA", picture.size, (255, 255, 255, 255))
        picture = pillow.Image.alpha_composite(white, picture)
    return np.asarray(picture.convert("RGB"))
