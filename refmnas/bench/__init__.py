"""Whole networks against other runtimes: equal first, then timed in turns.

order      medians and their intervals, by order alone
clock      alternating blocks, pauses, noisy cells again
machine    processor, caches, versions; who else was at work
ceilings   the peak of this minute: multiply-adds, bytes
roofline   what a network's or a step's time is bounded by
entrants   our plan and the peers, each with one network in it
turns      several networks against one another
contest    one cell: errors, then times, then who is ranked
run        one process per network and thread count; Ctrl-C leaves partial results
layers     every step of our plan beside its bound and ONNX Runtime's profile
ops        single ops against PyTorch
history    results of several machines and versions side by side
"""
