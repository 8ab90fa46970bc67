"""Mechanical mutants of the texts: see benchmarks/mutants.py."""
