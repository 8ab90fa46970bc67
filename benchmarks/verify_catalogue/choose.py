"""Finding modules to plant in: by kind, in the order of computation, torchvision's and timm's alike.

`at` is "all", a number from 0, or a negative one from the end.
"""

from __future__ import annotations

from torch import nn

ACTS = (nn.ReLU, nn.ReLU6, nn.Hardswish, nn.SiLU, nn.Hardsigmoid, nn.Sigmoid)


def modules(made, wanted, at="all"):
    """The modules for which wanted(name, module) holds."""
    found = [m for name, m in made.named_modules() if wanted(name, m)]
    assert found, "nothing to plant in"
    return found if at == "all" else [found[at]]


def convs(made, at="all", *, strided=None, depthwise=None, kernel=None, bias=None):
    def wanted(_, m):
        return (
            isinstance(m, nn.Conv2d)
            and (strided is None or (m.stride[0] > 1) == strided)
            and (depthwise is None or (m.groups > 1) == depthwise)
            and (kernel is None or (m.kernel_size[0] >= kernel))
            and (bias is None or (m.bias is not None) == bias)
        )

    return modules(made, wanted, at)


def pointwise(made, at="all"):
    return modules(made, lambda name, m: isinstance(m, nn.Conv2d) and m.kernel_size == (1, 1) and not _squeezes(name), at)


def norms(made, at="all"):
    return modules(made, lambda _, m: isinstance(m, nn.BatchNorm2d), at)


def linears(made, at="all"):
    return modules(made, lambda _, m: isinstance(m, nn.Linear), at)


def acts(made, at="all"):
    """Activations outside the squeeze path."""
    return modules(made, lambda name, m: isinstance(m, ACTS) and not _squeezes(name), at)


def squeezes(made, at="all"):
    return modules(made, lambda _, m: type(m).__name__ in ("SqueezeExcitation", "SqueezeExcite"), at)


def blocks(made, at="all", *, skip):
    """Inverted residuals with (skip=True) or without a sum."""
    return modules(made, lambda _, m: _skip(m) is skip, at)


def se_part(se, part):
    """avgpool, fc1, activation, fc2 or gate of a squeeze module, whatever its source calls it."""
    names = {"fc1": "conv_reduce", "fc2": "conv_expand", "activation": "act1", "scale_activation": "gate"}
    return getattr(se, part) if hasattr(se, part) else getattr(se, names[part])


def _skip(m):
    """Whether a module is a block with a sum; None: no block."""
    for key in ("use_res_connect", "apply_residual", "has_skip"):
        if hasattr(m, key):
            return bool(getattr(m, key))
    return None


def _squeezes(name):
    return any(part in name for part in (".fc1", ".fc2", ".se.", ".activation", "scale_activation", "avgpool"))
