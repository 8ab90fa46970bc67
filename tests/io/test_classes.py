"""The thousand names, and that their licence ships with them."""

from importlib import resources

import pytest

from refmnas.io import classes


def test_a_thousand_names_in_the_known_order():
    names = classes.names()
    assert len(names) == len(set(names)) == 1000
    known = {0: "tench", 285: "Egyptian cat", 657: "missile", 665: "moped", 670: "motor scooter", 967: "espresso",
             999: "toilet tissue"}  # fmt: skip
    assert {index: names[index] for index in known} == known
    assert all(name == name.strip() and name.isascii() and name for name in names)


def test_source_and_licence_ship_with_the_names():
    folder = resources.files("refmnas").joinpath("data")
    head = folder.joinpath("imagenet_classes.txt").read_text(encoding="utf-8").splitlines()[:2]
    assert "torchvision" in head[1]
    assert "BSD-3-Clause" in head[1]
    assert "Redistribution and use" in folder.joinpath("LICENSE.torchvision").read_text(encoding="utf-8")


@pytest.mark.parity
def test_the_names_are_torchvisions():
    meta = pytest.importorskip("torchvision.models._meta", reason="torchvision is not installed")
    assert list(classes.names()) == meta._IMAGENET_CATEGORIES
