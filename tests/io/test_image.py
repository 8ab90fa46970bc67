"""Photographs: which pixels, turned how, resized by which rule; and what is refused."""

import io as streams
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refmnas.errors import DtypeError, FormatError, ShapeError, SpecError
from refmnas.io import image
from refmnas.io.resize import bilinear_tf1

Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed: pip install '.[demo]'")


@dataclass(frozen=True)
class Rule:
    """The fields that `refmnas.io.image` asks for."""

    crop: str = "centre-fraction"
    crop_from: int = 256
    crop_to: int = 224
    resize: str = "bicubic-pillow"
    mean: tuple = (127.0, 127.0, 127.0)
    std: tuple = (128.0, 128.0, 128.0)
    channels: str = "rgb"
    size: int = 32


PLAIN = Rule(mean=(0.0,) * 3, std=(1.0,) * 3)


def noise(height, width, channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


# -- TensorFlow 1's bilinear rule ------------------------------------------------------


def oracle(x, size):
    """Equations (1) and (2) of `refmnas.io.resize`, one scalar after the other, in float32."""
    f = np.float32
    (height, width, channels), (rows, columns) = x.shape, size
    y = np.zeros((rows, columns, channels), f)
    for p in range(rows):
        for q in range(columns):
            r, s = f(p) * (f(height) / f(rows)), f(q) * (f(width) / f(columns))
            i, j = min(int(np.floor(r)), height - 1), min(int(np.floor(s)), width - 1)
            a, b = r - f(np.floor(r)), s - f(np.floor(s))
            below, after = min(int(np.floor(r)) + 1, height - 1), min(int(np.floor(s)) + 1, width - 1)
            for c in range(channels):
                top = f(x[i, j, c]) + (f(x[i, after, c]) - f(x[i, j, c])) * b
                bottom = f(x[below, j, c]) + (f(x[below, after, c]) - f(x[below, j, c])) * b
                y[p, q, c] = top + (bottom - top) * a
    return y


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32))
def test_bilinear_tf1_is_its_scalar_loop(height, width, rows, columns, seed):
    x = noise(height, width, 2, seed)
    assert np.array_equal(bilinear_tf1(x, (rows, columns)), oracle(x, (rows, columns)))


def test_bilinear_tf1_has_known_values():
    x = np.array([[0, 1], [2, 3]], np.float32)[..., None]
    twice = [[0, 0.5, 1, 1], [1, 1.5, 2, 2], [2, 2.5, 3, 3], [2, 2.5, 3, 3]]
    assert bilinear_tf1(x, (4, 4))[..., 0].tolist() == twice
    ramp = np.arange(8, dtype=np.uint8)[None, :, None]
    # Pixels are skipped, not averaged, and pixel 0 stays pixel 0.
    assert bilinear_tf1(ramp, (1, 4))[0, :, 0].tolist() == [0, 2, 4, 6]
    assert bilinear_tf1(ramp, (1, 3))[0, :, 0] == pytest.approx([0, 8 / 3, 16 / 3], abs=8 * 2**-23)


def test_bilinear_tf1_is_none_of_pillows():
    x = noise(64, 64)
    ours = bilinear_tf1(x, (32, 32))
    theirs = np.asarray(Image.fromarray(x).resize((32, 32), Image.Resampling.BILINEAR))
    assert np.array_equal(ours, x[::2, ::2])
    assert abs(ours - theirs).mean() > 10  # grey levels; on noise the antialias must show


def test_bilinear_tf1_names_what_it_cannot_take():
    with pytest.raises(DtypeError, match="float64"):
        bilinear_tf1(np.zeros((2, 2, 3)), (1, 1))
    for shape, size in (((2, 2), (1, 1)), ((0, 2, 3), (1, 1)), ((2, 2, 3), (0, 1))):
        with pytest.raises(ShapeError, match="wanted"):
            bilinear_tf1(np.zeros(shape, np.uint8), size)


# -- crops -------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(300, 451), (451, 300), (64, 64), (65, 66), (1, 1), (3, 500)])
def test_the_centre_fraction_is_tensorflows(shape):
    height, width = shape
    side = max(1, int(224 / 256 * min(height, width)))
    top, left = (height - side + 1) // 2, (width - side + 1) // 2
    x = noise(*shape)
    want = bilinear_tf1(x[top : top + side, left : left + side], (32, 32))
    got = image.prepare(x, replace(PLAIN, resize="bilinear-tf1"))
    assert got.shape == (1, 32, 32, 3)
    assert got.dtype == np.float32
    assert np.array_equal(got[0], want)


def test_equal_sizes_leave_the_pixels_alone():
    x = noise(256, 256)
    got = image.prepare(x, PLAIN, 224)
    assert np.array_equal(got[0], x[16:240, 16:240])


@pytest.mark.parametrize("shape", [(300, 451), (451, 301), (257, 255), (100, 90)])
@pytest.mark.parametrize("resize", ["bilinear-pillow", "bicubic-pillow"])
def test_resize_short_then_crop_is_pillows(shape, resize):
    x = noise(*shape)
    height, width = (int(256 * extent / min(shape)) for extent in shape)
    kernel = Image.Resampling.BILINEAR if resize == "bilinear-pillow" else Image.Resampling.BICUBIC
    whole = np.asarray(Image.fromarray(x).resize((width, height), kernel))
    top, left = round((height - 224) / 2), round((width - 224) / 2)
    got = image.prepare(x, replace(PLAIN, crop="resize-short-then-crop", resize=resize), 224)
    assert np.array_equal(got[0], whole[top : top + 224, left : left + 224])


@pytest.mark.parity
@pytest.mark.parametrize("shape", [(300, 451), (451, 301), (257, 255), (100, 90), (333, 500)])
def test_resize_short_then_crop_is_torchvisions(shape):
    transforms = pytest.importorskip("torchvision.transforms", reason="torchvision is not installed")
    x = noise(*shape)
    pipeline = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224)])
    want = np.asarray(pipeline(Image.fromarray(x)))
    got = image.prepare(x, replace(PLAIN, crop="resize-short-then-crop", resize="bilinear-pillow"), 224)
    assert np.array_equal(got[0], want)


def test_values_are_scaled_and_channels_ordered():
    x = np.broadcast_to(np.array([10, 20, 30], np.uint8), (8, 8, 3))
    rule = Rule(mean=(1.0, 2.0, 3.0), std=(9.0, 6.0, 3.0), size=4)
    assert image.prepare(x, rule)[0, 0, 0].tolist() == [1.0, 3.0, 9.0]
    rule = replace(rule, channels="bgr", mean=(0.0,) * 3, std=(1.0,) * 3)
    assert image.prepare(x, rule)[0, 0, 0].tolist() == [30.0, 20.0, 10.0]


def test_the_rule_is_described():
    assert image.describe(Rule(), 224) == (
        "centre 224/256 of the short side, bicubic with antialias (Pillow) to 224 x 224, "
        "(x - [127, 127, 127]) / [128, 128, 128], rgb"
    )
    text = image.describe(Rule(crop="resize-short-then-crop", resize="bilinear-tf1"), 224)
    assert text.startswith("short side to 256, bilinear without antialias (TensorFlow 1), centre 224 x 224")


# -- files ---------------------------------------------------------------------------------


def saved(path, picture, **options):
    picture.save(path, **options)
    return path


def test_a_photograph_is_turned_upright(tmp_path):
    x = np.zeros((20, 30, 3), np.uint8)
    x[:10, :15, 0] = 255  # red in the upper left corner
    exif = Image.Exif()
    exif[0x0112] = 6  # was taken with the camera turned: rotate by 90 degrees to the right
    upright = image.read(saved(tmp_path / "a.png", Image.fromarray(x), exif=exif))
    assert np.array_equal(upright, np.rot90(x, -1))


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1", "CMYK", "YCbCr"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    suffix = "jpg" if mode in ("CMYK", "YCbCr") else "png"
    picture = Image.fromarray(np.full((8, 8, 3), 255, np.uint8)).convert(mode)
    got = image.read(saved(tmp_path / f"a.{suffix}", picture))
    assert got.shape == (8, 8, 3)
    assert got.dtype == np.uint8
    assert np.all(got >= 250)


def test_transparent_pixels_lie_over_white(tmp_path):
    x = np.zeros((4, 4, 4), np.uint8)  # black, and
    x[2:, :, 3] = 255  # opaque in the lower half alone
    for mode in ("RGBA", "LA"):
        got = image.read(saved(tmp_path / f"{mode}.png", Image.fromarray(x).convert(mode)))
        assert np.all(got[:2] == 255)
        assert np.all(got[2:] == 0)
    palette = Image.fromarray(np.array([[0, 1]], np.uint8)).convert("P")
    got = image.read(saved(tmp_path / "p.png", palette, transparency=0))
    assert got[0, 0].tolist() == [255, 255, 255]
    assert got[0, 1].tolist() == [1, 1, 1]


def test_16_bits_become_8(tmp_path):
    grey = np.array([[0, 257, 32896, 65535]], np.uint16)
    got = image.read(saved(tmp_path / "a.png", Image.fromarray(grey)))
    assert got[0, :, 0].tolist() == [0, 1, 128, 255]


def test_floating_grey_is_refused(tmp_path):
    with pytest.raises(FormatError, match=r"a.tiff: greyscale of mode F"):
        image.read(saved(tmp_path / "a.tiff", Image.fromarray(np.zeros((4, 4), np.float32))))


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("form", ["png", "jpeg", "gif", "bmp", "webp", "tiff"])
def test_every_cut_of_a_file_is_named(tmp_path, form):
    out = streams.BytesIO()
    Image.fromarray(noise(40, 40)).save(out, form)
    data = out.getvalue()
    for end in (0, 1, 10, len(data) // 4, len(data) // 2):
        (tmp_path / f"cut.{form}").write_bytes(data[:end])
        with pytest.raises(FormatError, match=f"cut.{form}: cannot be read"):
            image.read(tmp_path / f"cut.{form}")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_damaged_files_raise_nothing_else(tmp_path):
    rng = np.random.default_rng(0)
    for form in ("png", "jpeg", "gif", "bmp", "webp", "tiff"):
        out = streams.BytesIO()
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.fromarray(noise(16, 16)).save(out, form, **({} if form in ("gif", "bmp") else {"exif": exif}))
        for _ in range(60):
            data = bytearray(out.getvalue())
            for at in rng.integers(0, len(data), 3):
                data[at] = rng.integers(0, 256)
            (tmp_path / "w").write_bytes(data)
            try:
                shape, text = image.read(tmp_path / "w").shape, ""
            except FormatError as error:
                shape, text = (0, 0, 3), str(error)
            assert shape[2] == 3
            assert not text or str(tmp_path / "w") in text


def test_a_bomb_is_refused(tmp_path, monkeypatch):
    path = saved(tmp_path / "a.png", Image.fromarray(noise(40, 40)))
    for most in (1599, 500):  # Pillow warns up to twice its limit, and raises beyond
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", most)
        with pytest.raises(FormatError, match="a.png: too many pixels"):
            image.read(path)


def test_a_very_long_picture_is_refused(tmp_path):
    path = saved(tmp_path / "a.png", Image.fromarray(noise(1, 2000)))
    rule = Rule(crop="resize-short-then-crop", size=224)
    with pytest.raises(FormatError, match=r"a.png: image: 2000 x 1 would be resized to 512000 x 256"):
        image.open(path, rule)
    assert image.open(path, Rule()).shape == (1, 32, 32, 3)


def test_without_pillow_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    monkeypatch.setitem(__import__("sys").modules, "PIL.Image", None)
    with pytest.raises(SpecError, match=r"pip install 'refmnas\[demo\]'"):
        image.read(tmp_path / "a.png")
    assert image.prepare(noise(9, 9), Rule(resize="bilinear-tf1")).shape == (1, 32, 32, 3)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"crop": "none"}, "crop is 'none'"),
        ({"resize": "bilinear"}, "resize is 'bilinear'"),
        ({"channels": "gbr"}, "channels is 'gbr'"),
        ({"size": 0}, "size is 0"),
        ({"size": None}, "size is None"),
        ({"crop_to": 257}, "a part of 1"),
    ],
)
def test_an_unknown_rule_is_refused(change, text):
    with pytest.raises(SpecError, match=text):
        image.prepare(noise(8, 8), replace(Rule(), **change))


def test_another_array_is_refused():
    with pytest.raises(DtypeError, match="float32, wanted uint8"):
        image.prepare(np.zeros((8, 8, 3), np.float32), Rule())
    for shape in ((8, 8), (8, 8, 4), (0, 8, 3)):
        with pytest.raises(ShapeError, match="wanted"):
            image.prepare(np.zeros(shape, np.uint8), Rule())


def test_a_folder_gives_its_images_in_order(tmp_path):
    for name in ("b.PNG", "a.jpg", "notes.txt", "c.webp", "w.npz"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    found = image.find(tmp_path)
    assert [path.name for path in found.files] == ["a.jpg", "b.PNG", "c.webp"]
    assert found.skipped == 2
    assert image.find(tmp_path / "notes.txt") == ((tmp_path / "notes.txt",), 0)
    with pytest.raises(FormatError, match="no image among 0 files"):
        image.find(tmp_path / "folder.png")
    with pytest.raises(FormatError, match="no image and no folder"):
        image.find(tmp_path / "none")


def test_a_real_photograph_is_read():
    data = pytest.importorskip("skimage.data", reason="scikit-image is not installed: pip install '.[demo]'")
    want = data.chelsea()
    path = __import__("pathlib").Path(data.__file__).parent / "chelsea.png"
    assert np.array_equal(image.read(path), want)
    x = image.open(path, Rule(), 224)
    assert x.shape == (1, 224, 224, 3)
    assert -1 <= x.min() < x.max() <= 1
