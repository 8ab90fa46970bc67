"""Depthwise-separable convolution: space first, then channels.

    u = act(BN(depthwise k x k, stride S (x)))      (N, P, Q, C)            (1)
    [ u = SE(u) ]
    y = BN(pointwise 1 x 1 (u))                     (N, P, Q, D)            (2)
    y = y + x                                       where has_skip          (3)
    y = act(y)                                      MobileNetV1's           (4)

The order is depthwise, BN, activation, 1 x 1, BN, with no activation at the end (the
linear bottleneck) but MobileNetV1's, which has no sum.  Multiply-adds: P*Q*C*(k*k + D), against P*Q*C*k*k*D of a dense
convolution of the same shape.

Backward reads the lines from below: dx = depthwise'(pointwise'(dy)), plus dy where (3) holds.

Source: SepConv of figure 7 (c) of Tan et al. 2019, MnasNet, arXiv:1807.11626; first
block of Sandler et al. 2018, MobileNetV2, arXiv:1801.04381, table 2 (expansion 1); (4) is
figure 3 of Howard et al. 2017, MobileNets, arXiv:1704.04861.
"""

from __future__ import annotations

from ..errors import SpecError
from ..layers import DropPath, Residual, SqueezeExcite
from .conv_bn_act import depthwise, pointwise
from .conventions import PYTORCH, Conventions


class Bottleneck(Residual):
    """What SepConv and MBConv share: `before`, then depthwise, SE where squeeze > 0, projection, drop-path.

    `drop_path` acts on the branch beside an identity, so only where has_skip.
    """

    def __init__(
        self, before, widths, *, kernel, stride, squeeze, has_skip, drop_path, seed, conventions, is_linear=True
    ):
        (c_in, c_mid, c_out), c = widths, conventions
        if has_skip and (stride != 1 or c_in != c_out):
            wanted = f"not stride {stride} and {c_in} -> {c_out}"
            raise SpecError(f"{type(self).__name__}: an identity needs stride 1 and equal widths, {wanted}")
        children = before | {"depthwise": depthwise(c_mid, kernel, stride, c)}
        if squeeze:
            options = {"activation": c.se_activation, "gate": c.gate, "kink": c.kink, "dtype": c.dtype}
            children["se"] = SqueezeExcite(c_mid, squeeze, **options)
        children["project"] = pointwise(c_mid, c_out, c, activation=not is_linear)
        if has_skip and drop_path:
            children["drop_path"] = DropPath(drop_path, seed=seed)
        super().__init__(children, has_skip=has_skip)


class SepConv(Bottleneck):
    """Equations (1)-(4); children depthwise, se (where squeeze > 0), project, drop_path (where it acts).

    `is_linear` False: with (4), and then without the sum (3).

    >>> SepConv(32, 16, kernel=3).shape((112, 112, 32))
    (112, 112, 16)
    """

    def __init__(
        self, c_in, c_out, *, kernel, stride=1, squeeze=0, has_skip=False, is_linear=True, drop_path=0.0, seed=0,
        conventions: Conventions = PYTORCH,
    ):  # fmt: skip
        if has_skip and not is_linear:
            raise SpecError("SepConv: an identity around an activation at the end, wanted one of the two")
        super().__init__(
            {}, (c_in, c_in, c_out), kernel=kernel, stride=stride, squeeze=squeeze, is_linear=is_linear,
            has_skip=has_skip, drop_path=drop_path, seed=seed, conventions=conventions,
        )  # fmt: skip
