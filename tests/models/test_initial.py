"""Fresh weights have the moments that their source's rule states."""

import numpy as np
import pytest

from refmnas.errors import SpecError
from refmnas.layers import Chain, Conv, Depthwise, Linear, Pointwise
from refmnas.models import build, initial

# Large enough that a moment is sharp; a layer of each kind.
SHAPES = {"conv": (3, 3, 24, 40), "depthwise": (5, 5, 400), "pointwise": (96, 144), "linear": (160, 100)}
# Variance of a standard normal cut at two deviations: 1 - 2 * 2 phi(2) / (2 Phi(2) - 1), from its density and integral.
CUT = 1 - 4 * 0.05399096651318806 / 0.9544997361036416


def layers():
    return Chain({
        "conv": Conv(24, 40, kernel=3, dtype=np.float64), "depthwise": Depthwise(400, kernel=5, dtype=np.float64),
        "pointwise": Pointwise(96, 144, dtype=np.float64), "linear": Linear(160, 100, dtype=np.float64),
    })  # fmt: skip


# rule -> kind -> (family, standard deviation), each from the text of the source's rule
RULES = {
    "tf": {
        "conv": ("normal", (2 / (9 * 40)) ** 0.5), "depthwise": ("normal", (2 / 25) ** 0.5),
        "pointwise": ("normal", (2 / 144) ** 0.5), "linear": ("uniform", 0.1 / 3**0.5),
    },
    "torchvision": {
        "conv": ("normal", (2 / (9 * 40)) ** 0.5), "depthwise": ("normal", (2 / (25 * 400)) ** 0.5),
        "pointwise": ("normal", (2 / 144) ** 0.5), "linear": ("normal", 0.01),
    },
    "torchvision-mnasnet": {
        "conv": ("normal", (2 / (9 * 40)) ** 0.5), "depthwise": ("normal", (2 / (25 * 400)) ** 0.5),
        "pointwise": ("normal", (2 / 144) ** 0.5), "linear": ("uniform", 0.1),
    },
    "slim": {kind: ("cut", 0.09 * CUT**0.5) for kind in SHAPES},
    "keras": {
        "conv": ("uniform", (2 / (9 * 64)) ** 0.5), "depthwise": ("uniform", (2 / (25 * 401)) ** 0.5),
        "pointwise": ("uniform", (2 / 240) ** 0.5), "linear": ("uniform", (2 / 260) ** 0.5),
    },
    "slim-nasnet": {
        "conv": ("cut", (2.6 * CUT / (9 * 40)) ** 0.5), "depthwise": ("cut", (2.6 * CUT / 25) ** 0.5),
        "pointwise": ("cut", (2.6 * CUT / 144) ** 0.5), "linear": ("cut", (2.6 * CUT / 100) ** 0.5),
    },
    "he": {
        "conv": ("cut", (2 * CUT / (9 * 24)) ** 0.5), "depthwise": ("cut", (2 * CUT / (25 * 400)) ** 0.5),
        "pointwise": ("cut", (2 * CUT / 96) ** 0.5), "linear": ("cut", (2 * CUT / 160) ** 0.5),
    },
    "pytorch": {
        "conv": ("uniform", (1 / (3 * 9 * 24)) ** 0.5), "depthwise": ("uniform", (1 / (3 * 25)) ** 0.5),
        "pointwise": ("uniform", (1 / (3 * 96)) ** 0.5), "linear": ("uniform", (1 / (3 * 160)) ** 0.5),
    },
}  # fmt: skip
RULES["timm"] = RULES["tf"]
RULES["torchvision-efficientnet"] = RULES["torchvision"] | {"linear": RULES["tf"]["linear"]}
RULES["timm-regnet"] = RULES["tf"] | {"linear": RULES["torchvision"]["linear"]}
KURTOSIS = {"normal": 3.0, "uniform": 1.8, "cut": 2.37}  # at most, of the family: the variance of a variance


def test_every_rule_is_tested():
    assert RULES.keys() == initial.RULES.keys()


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("rule", RULES)
def test_mean_and_variance_are_those_of_the_rule(rule, kind):
    """Statistical: five standard errors of each moment, passed by chance but once in 1.7 million."""
    chain = layers()
    initial.fill(chain, rule, 7)
    w = chain.children[kind].params["w"].value
    family, deviation = RULES[rule][kind]
    assert w.shape == SHAPES[kind]
    assert abs(w.mean()) <= 5 * deviation / np.sqrt(w.size)
    assert abs(w.var() / deviation**2 - 1) <= 5 * np.sqrt((KURTOSIS[family] - 1) / w.size)
    if family == "uniform":
        assert np.abs(w).max() <= deviation * 3**0.5
        assert np.abs(w).max() >= deviation * 3**0.5 * 0.99  # 1 of 10,000 draws lies there but by 0.99^10000
    elif family == "cut":
        assert np.abs(w).max() <= 2 * deviation / CUT**0.5
    else:
        assert np.abs(w).max() > 3 * deviation  # a normal one goes beyond: 0.0027 of at least 10,000 draws


@pytest.mark.parametrize(("rule", "fan_out"), [("torchvision", 9 * 96), ("timm-regnet", 9 * 96 / 4)])
def test_pytorch_forgets_the_groups_of_a_convolution_and_timm_does_not(rule, fan_out):
    chain = Chain({"grouped": Conv(96, 96, kernel=3, groups=4, dtype=np.float64)})
    initial.fill(chain, rule, 7)
    w = chain.children["grouped"].params["w"].value
    assert abs(w.var() * fan_out / 2 - 1) <= 5 * np.sqrt(2 / w.size)  # statistical, as above


def test_layers_are_drawn_apart():
    chain = layers()
    initial.fill(chain, "slim", 7)
    a, b = (chain.children[k].params["w"].value.ravel()[:5000] for k in ("conv", "pointwise"))
    assert abs(np.corrcoef(a, b)[0, 1]) <= 5 / np.sqrt(5000)  # statistical, as above


@pytest.mark.parametrize("source", ["tf", "torchvision", "timm"])
def test_shifts_are_0_and_scales_1(source):
    net = build("mnasnet-a1" if source != "torchvision" else "mnasnet-b1", width=0.35, dialect=source)
    for name, a in net.state().items():
        if not name.endswith(".w"):
            assert np.all(a == float(name.endswith((".gamma", ".var")))), name


def test_an_unknown_rule_is_named():
    with pytest.raises(SpecError, match="'xavier', wanted one of tf, timm"):
        initial.fill(layers(), "xavier", 0)
