"""MBConv, the mobile inverted bottleneck: wide inside, narrow at both ends.

    u = act(BN(pointwise 1 x 1 (x)))                (N, H, W, M), M = E*C   (1)
    v = act(BN(depthwise k x k, stride S (u)))      (N, P, Q, M)            (2)
    v = SE(v)                                       with SE only            (3)
    z = BN(pointwise 1 x 1 (v))                     (N, P, Q, D)            (4)
    y = z                                           without a skip
    y = x + z                                       with the identity       (5)
    y = x + mask * z / (1 - rate)                   in training with drop-path

The order is expand, BN, activation; depthwise, BN, activation; SE; project, BN, with no
activation after the projection nor after the sum.  Line (1) is absent where the
expansion is 1 (M = C).  The identity needs S = 1 and D = C.

Backward, from below:

    dz = dy (times mask / (1 - rate)),  dv = (4)'(dz),  dv = (3)'(dv): two paths,
    du = (2)'(dv),  dx = (1)'(du), plus dy where (5) holds                  (6)

Source: figure 7 (d), (e) of Tan et al. 2019, MnasNet, arXiv:1807.11626 (MBConv3 with SE,
MBConv6); figure 3 (d) of Sandler et al. 2018, MobileNetV2, arXiv:1801.04381; drop-path
is Huang et al. 2016, arXiv:1603.09382, as EfficientNet uses it.
"""

from __future__ import annotations

from .conv_bn_act import pointwise
from .conventions import PYTORCH, Conventions
from .separable import Bottleneck


class MBConv(Bottleneck):
    """Equations (1)-(6).  `mid` is M; with `mid` None line (1) is absent.

    Children expand (unless absent), depthwise, se (where squeeze > 0), project and
    drop_path (where it acts: with a skip and a rate above 0).

    >>> MBConv(24, 40, mid=72, kernel=5, stride=2, squeeze=6).shape((56, 56, 24))
    (28, 28, 40)
    """

    def __init__(
        self, c_in, c_out, *, mid, kernel, stride=1, squeeze=0, has_skip=False, drop_path=0.0, seed=0,
        conventions: Conventions = PYTORCH,
    ):  # fmt: skip
        before = {} if mid is None else {"expand": pointwise(c_in, mid, conventions)}
        super().__init__(
            before, (c_in, mid or c_in, c_out), kernel=kernel, stride=stride, squeeze=squeeze,
            has_skip=has_skip, drop_path=drop_path, seed=seed, conventions=conventions,
        )  # fmt: skip
