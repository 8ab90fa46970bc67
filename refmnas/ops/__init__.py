"""The public contract of every op, and its NumPy reference, forward and backward."""
