"""RegNet's residual bottleneck: a grouped convolution between two 1 x 1 ones, and a shortcut.

    u = act(BN(pointwise 1 x 1 (x)))                (N, H, W, D)            (1)
    v = act(BN(conv k x k in G groups, stride S (u)))    (N, P, Q, D)       (2)
    [ v = SE(v) ]                                   RegNetY                 (3)
    z = BN(pointwise 1 x 1 (v))                     (N, P, Q, D)            (4)
    s = x, or BN(pointwise 1 x 1, stride S (x)) where the shape changes     (5)
    y = act(z + s)                                                          (6)

Other than in MBConv nothing is wider inside, and the activation comes after the sum.

Backward: dt = act'(dy);  dx = (1)'(2)'(3)'(4)'(dt) + (5)'(dt)              (7)

Source: figure 4 (a), (b) of Radosavovic et al. 2020, arXiv:2003.13678, bottleneck ratio 1;
SE's width is a ratio of the block's input, pycls models/blocks.py.
"""

from __future__ import annotations

from ..errors import SpecError
from ..layers import Activation, Chain, DropPath, SqueezeExcite, Sum
from .conv_bn_act import grouped, pointwise
from .conventions import PYTORCH, Conventions


class ResBottleneck(Sum):
    """Equations (1)-(7); children expand, grouped, se, project, drop_path, shortcut (where the shape changes), act.

    >>> ResBottleneck(32, 64, groups=4, stride=2).shape((112, 112, 32))
    (56, 56, 64)
    """

    def __init__(
        self, c_in, c_out, *, groups, kernel=3, stride=1, squeeze=0, has_skip=False, drop_path=0.0, seed=0,
        conventions: Conventions = PYTORCH,
    ):  # fmt: skip
        c = conventions
        if has_skip and (stride != 1 or c_in != c_out):
            wanted = f"not stride {stride} and {c_in} -> {c_out}"
            raise SpecError(f"ResBottleneck: an identity needs stride 1 and equal widths, {wanted}")
        branch = {"expand": pointwise(c_in, c_out, c), "grouped": grouped(c_out, groups, kernel, stride, c)}
        if squeeze:
            options = {"activation": c.se_activation, "gate": c.gate, "kink": c.kink, "dtype": c.dtype}
            branch["se"] = SqueezeExcite(c_out, squeeze, **options)
        branch["project"] = pointwise(c_out, c_out, c, activation=False)
        if drop_path:
            branch["drop_path"] = DropPath(drop_path, seed=seed)
        shortcut = None if has_skip else pointwise(c_in, c_out, c, stride=stride, activation=False)
        super().__init__(Chain(branch), shortcut, Activation(c.activation, kink=c.kink))
