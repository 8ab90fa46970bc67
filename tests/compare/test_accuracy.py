"""Accuracy on labelled images: counted as the logits say, by engine and forward alike, and never over fewer images."""

import numpy as np
import pytest

from refmnas import kernels
from refmnas.compare import accuracy
from refmnas.compare.labels import Labelled
from refmnas.errors import DataError, FormatError
from refmnas.io import image
from refmnas.models import build

pillow = pytest.importorskip("PIL.Image", reason="needs the extra demo")


@pytest.fixture(scope="module")
def net():
    return build("mnasnet-small", width=0.5, size=32, classes=7, dialect="timm", seed=1)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for k in range(5):
        pillow.fromarray(rng.integers(0, 256, (40, 50, 3), np.uint8)).save(folder / f"{k}.png")
    return [folder / f"{k}.png" for k in range(5)]


def ranking(net, path):
    return list(np.argsort(-net.forward(image.open(path, net.dialect.preprocess, net.size))[0], kind="stable"))


def test_the_first_and_the_first_five_are_counted(net, pictures):
    ranked = [ranking(net, path) for path in pictures]
    places = (0, 0, 1, 4, 5)  # where each image's class shall stand
    found = [Labelled(path, int(r[place])) for path, r, place in zip(pictures, ranked, places, strict=True)]
    told = []
    assert accuracy.measured(net, found, told.append) == (40.0, 80.0, 5)
    assert told == [1, 2, 3, 4, 5]


def test_without_the_engine_the_forward_gives_the_same(net, pictures, monkeypatch):
    found = [Labelled(path, int(ranking(net, path)[k % 3])) for k, path in enumerate(pictures)]
    want = accuracy.measured(net, found)
    monkeypatch.setattr(kernels, "built", lambda: False)
    assert accuracy.measured(net, found) == want


def test_five_classes_have_no_first_five(pictures):
    few = build("mnasnet-small", width=0.5, size=32, classes=5, dialect="timm")
    assert accuracy.measured(few, [Labelled(pictures[0], 0)]).top5 is None


def test_a_broken_image_ends_it(net, pictures, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    with pytest.raises(FormatError, match=r"broken\.png"):
        accuracy.measured(net, [Labelled(pictures[0], 0), Labelled(broken, 0)])
    with pytest.raises(FormatError, match="has 7, wanted 0 to 6"):
        accuracy.measured(net, [Labelled(pictures[0], 7)])


def test_logits_that_are_not_finite_are_refused(pictures):
    wrong = build("mnasnet-small", width=0.5, size=32, classes=7, dialect="timm")
    wrong.parameters()["head.dense.b"][3] = np.float32(3e38)
    wrong.parameters()["head.dense.w"][:, 3] = np.float32(3e38)
    with pytest.raises(DataError, match="logits that are not finite"):
        accuracy.measured(wrong, [Labelled(pictures[0], 0)])
