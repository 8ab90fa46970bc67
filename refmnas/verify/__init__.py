"""Is another implementation right, and if not, in which layer and why.

    capture(module, x)          a PyTorch module's tensors, by hooks
    captured(tensors, model)    the report on tensors of another implementation, layer by layer
    capture_gradients(module, x, loss=...)    the same with every gradient of a backward pass
    gradients(tensors, model)   the report on gradients, of parameters and of activations
    op(function, fn)            your own kernel over our cases: the first failure shrunk to its smallest case

Every layer is fed what the implementation itself fed it, so every layer has a verdict of its own, and a
deviation above the bound is a proof and no matter of taste.  From the inside out:

    part, parts        a network or a graph as a list of operations, unfolded
    adjoint            the gradients as parts, and their running errors
    claim, follow      an operation's result and a rigorous bound of its error, from those of its inputs
    segment, segments  one captured tensor, and the parts between it and the captured tensors that determine it
    local              the verdict on each; `statistics` for long sums, `measure` for what is told beside it
    modules, names     whose names a capture has, and in which layout its tensors are
    report             all of it as text and as JSON
"""

from .callables import op
from .compared import captured
from .gradient_hooks import capture_gradients
from .gradients import gradients
from .hooks import capture

__all__ = ["capture", "capture_gradients", "captured", "gradients", "op"]
