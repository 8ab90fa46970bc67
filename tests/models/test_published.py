"""Published accuracies: each with its source, none twice, and those of the installed torchvision as it states them."""

import pytest

from refmnas.models import dialect, published, zoo


def test_every_figure_is_of_a_network_a_dialect_and_a_place():
    for f in published.FIGURES:
        assert f.network in zoo.SPECS, f
        assert f.dialect in dialect.SOURCES
        assert f.dialect in zoo.get(f.network).sources, f
        assert 40 < f.top1 < 90
        assert f.top5 is None or f.top1 < f.top5 < 100
        assert f.source in published._PLACES.values()
        assert f.weights


def test_no_weights_stand_twice():
    keys = [(f.network, f.width, f.dialect, f.size, f.weights) for f in published.FIGURES]
    assert len(keys) == len(set(keys))


def test_a_wider_network_and_a_larger_image_are_more_accurate_in_one_table():
    """Within one source's table of one network both orders hold: a misprint would break one of them."""
    for name, source in (("mnasnet-a1", "tf"), ("mobilenet-v1", "slim"), ("mobilenet-v2", "slim")):
        found = {(f.width, f.size): f for f in published.figures_of(name) if f.dialect == source}
        for (width, size), f in found.items():
            for (other_width, other_size), other in found.items():
                if (other_width > width and other_size >= size) or (other_width >= width and other_size > size):
                    assert other.top1 > f.top1, (f, other)
                    assert other.top5 > f.top5, (f, other)


def test_the_figure_of_the_dialect_comes_first_then_that_of_the_size():
    assert published.choose("mnasnet-a1", "tf", 160).top1 == 72.0
    assert published.choose("mnasnet-a1", "timm", 160).weights == "semnasnet_100.rmsp_in1k"
    assert published.choose("mobilenet-v2", "torchvision", 224).weights == "MobileNet_V2_Weights.IMAGENET1K_V1"
    assert published.choose("mnasnet-b1", "tf", 224).dialect == "timm"
    assert published.choose("mnasnet-b1", "torchvision", 224, 0.5).top1 == 67.734
    assert published.choose("mnasnet-d1", "tf", 224) is None
    assert published.choose("mnasnet-b1", "tf", 224, 0.35) is None


@pytest.mark.parity
def test_the_figures_of_torchvision_are_those_of_its_weights():
    models = pytest.importorskip("torchvision", reason="needs the extra parity").models
    found = [f for f in published.FIGURES if f.dialect == "torchvision"]
    assert len(found) == 32
    for f in found:
        name, _, version = f.weights.partition("_Weights.")
        weights = getattr(models, f"{name}_Weights")[version]
        metrics = weights.meta["_metrics"]["ImageNet-1K"]
        assert (metrics["acc@1"], metrics["acc@5"]) == (f.top1, f.top5), f
        assert weights.transforms().crop_size == [f.size], f
