"""A network as a flat plan of fused steps, run by one C call.

plan = compile(net)          folds, packs, places: once
y = plan(x)                  runs

agreement  whether nodes are one network
merge      activations that stand alone into what they read
lanes      where channels lie: concatenations without a copy
blocks     which nodes are a block that fused steps take
program    from folded nodes to steps: which ones are fused, and how
single     nodes that no block takes in
steps      what a step is
stages     which steps the threads do side by side
fill       its rows before a windowed convolution
grouped    grouped convolutions: parts, pieces, chunks
pack       weights as the kernels read them
memory     where every buffer lies
run        the Plan that a user holds
"""

from .run import Plan, compile

__all__ = ["Plan", "compile"]
