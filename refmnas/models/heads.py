"""What follows the last feature map, and what may be merged into it: shared by all kinds of tables.

    head     [1 x 1, BN, act,] pool, [dense, act,] dropout, dense
    pool     gap      the mean over all pixels
             gap-se   the same, each mean scaled by squeeze and excitation
             spp      the largest value in each bin of a pyramid: n x n bins for every n of `levels`
    merge    earlier results brought to the last one's extents, put together, 1 x 1, BN, added to it

gap-se, spp and merge are those of an introductory article, and not in the networks' papers.
"""

from __future__ import annotations

from ..blocks.branch_merge import branch_merge
from ..blocks.conv_bn_act import ConvBNAct
from ..layers import Activation, Dropout, GlobalPool, Layer, Linear, Pointwise, PyramidPool, SqueezeExcite

SQUEEZE = 4  # gap-se: one of four channels is left between the two matrices


def squeezed(head, channels):
    """Channels between the two matrices of gap-se, 0 for another pool."""
    return max(1, channels // SQUEEZE) if head.pool == "gap-se" else 0


def pooled(head, channels):
    """How many numbers the pool gives."""
    return channels * sum(n * n for n in head.levels) if head.pool == "spp" else channels


def parts(head, c_in, channels, hidden, dialect, c):
    """The children of a head behind `c_in` channels; `channels` and `hidden` are the true ones, 0: none."""
    found: dict[str, Layer] = {}
    if channels:
        found |= ConvBNAct(Pointwise(c_in, channels, bias=c.conv_bias, dtype=c.dtype), c).children
    width = channels or c_in
    if head.pool == "gap-se":
        options = {"activation": c.se_activation, "gate": c.gate, "kink": c.kink, "dtype": c.dtype}
        found["se"] = SqueezeExcite(width, squeezed(head, width), **options)
    found["pool"] = PyramidPool(head.levels) if head.pool == "spp" else GlobalPool()
    width = pooled(head, width)
    if hidden:
        options = {"kind_of_w": dialect.hidden_kind, "bias": dialect.hidden_bias, "dtype": c.dtype}
        found["hidden"] = Linear(width, hidden, **options)
        found["hidden_act"] = Activation(c.activation, kink=c.kink)
    found["drop"] = Dropout(head.dropout)
    found["dense"] = Linear(hidden or width, head.classes, bias=head.bias, dtype=c.dtype)
    return found


def merged(nodes, sizes, names, numbers, c):
    """The name of the last result: `names`[-1], or where there are `numbers` the node "merge", added to `nodes`."""
    if not numbers:
        return names[-1]
    sources = [names[k] for k in numbers] + [names[-1]]
    layer = branch_merge([sizes[name] for name in sources], c)
    nodes["merge"] = (layer, *sources)
    sizes["merge"] = tuple(sizes[names[-1]])
    return "merge"
