"""Layers: an op, its parameters, and what its backward remembers."""
