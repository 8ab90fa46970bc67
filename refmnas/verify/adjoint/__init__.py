"""The gradients of a network as parts, and their running errors: the backward twin of `parts` and `follow`.

    of(parts, batch, training)   forward parts as they ran, and the parts of all gradients
    follow(part, inputs, claim)  a gradient and a rigorous bound of its error, from those of what it is made of

A gradient is named as what it is of, with MARK behind it: `stem.conv.grad` is of a result, `stem.conv.w.grad` of a
parameter.  So a captured gradient is one more captured tensor, and `segment` and `local` judge it as any other.
"""

from .follow import OPS, follow
from .graph import MARK, of

__all__ = ["MARK", "OPS", "follow", "of"]
