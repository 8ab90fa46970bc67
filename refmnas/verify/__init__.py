"""Is another implementation right, and if not, in which layer and why.

    parts      a network or a graph as a list of `Part`, one unfolded operation each
    follow     a part's result and a rigorous bound of its error, from its inputs' results and errors
    segment    one captured tensor, and the parts between it and the captured tensors that determine it
    local      the verdict on every captured tensor
    names      whose module names a capture has, and in which layout its tensors are
    capture    a PyTorch module's tensors, by hooks
    captured   all of it: a capture against a network, as a `Report`

Every layer is fed what the implementation itself fed it, so every layer has a verdict of its own, and a
deviation above the bound is a proof and no matter of taste.
"""
