"""The definition of every op: scalar loops in float64, and nothing clever.

A rule of review: a file here holds loops over scalars and imports numpy only.
Whoever wants speed changes another text.
"""
