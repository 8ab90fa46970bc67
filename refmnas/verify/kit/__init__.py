"""Conformance kits: cases, weights, expected values and bounds as plain files, for any language.

    make(folder, ...)       write a kit: manifest.json and two files of arrays per case
    check(folder, answers)  judge what an implementation answered
    command(line, ...)      a program as a kernel for `refmnas.verify.op`

A kit is the same to the byte wherever it is made: values come from the raw integers of PCG64,
answers from the oracle in Python's own float64 arithmetic with exp and log correctly rounded,
bounds are rounded up to 11 bits, and files have no dates.  `examples/README.md` tells the format.
"""

from .check import Checked, check
from .command import command
from .make import make

__all__ = ["Checked", "check", "command", "make"]
