"""What the docstrings say is there, runs, and is the same in all texts of an op."""

import doctest
import importlib
import pkgutil
import re

import numpy as np
import pytest

import refmnas
from refmnas import kernels
from refmnas.backend import TABLE
from refmnas.cases import OPS, prove
from refmnas.errors import KernelError, SpecError

SECTIONS = ("Shapes", "Units", "Dtypes", "Raises", "Error")
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(refmnas.__path__, "refmnas.")
    if module.name not in ("refmnas._cffi", "refmnas.__main__")
)
EQUATION = re.compile(r"\((\d+)\)\s*$")  # at the end of its line


@pytest.mark.parametrize("function", sorted(TABLE))
def test_every_public_op_says_what_a_caller_must_know(function):
    text = prove.op(function).__doc__
    sections = [line.split()[0] for line in text.splitlines() if line[4:5].strip() and line.split()[0] in SECTIONS]
    assert sections == list(SECTIONS)
    for line in text.splitlines():
        if line.split()[:1] and line.split()[0] in SECTIONS:
            assert len(line.split()) > 1, f"{function}: an empty section {line}"
    assert ">>>" in text, f"{function} shows no example"


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    if name.startswith("refmnas.kernels.") and not kernels.built():
        pytest.skip(f"no C: {kernels.why_not()}")
    module = importlib.import_module(name)
    failed, _ = doctest.testmod(module, extraglobs={"np": np})
    assert failed == 0


def test_examples_are_found_on_dispatched_ops():
    """A decorator can hide a function from doctest; then nothing would be tested."""
    for function in TABLE:
        op = prove.op(function)
        assert op.__module__ == f"refmnas.ops.{function.partition('.')[0]}"
        assert doctest.DocTestFinder().find(op, globs={})[0].examples


def equations(text):
    """number -> the equation's own line, spaces aside, of every numbered line of a text."""
    found = {}
    for line in text.splitlines():
        match = EQUATION.search(line)
        if match:
            number = int(match[1])
            assert number not in found, f"equation ({number}) stands twice"
            found[number] = " ".join(line[: match.start()].split())
    return found


@pytest.mark.parametrize("op", OPS)
def test_oracle_and_reference_state_the_same_equations(op):
    reference = equations(importlib.import_module(f"refmnas.ops.{op}").__doc__)
    oracle = equations(importlib.import_module(f"refmnas.oracle.{op}").__doc__)
    assert reference == oracle
    assert sorted(reference) == list(range(1, len(reference) + 1))


@pytest.mark.parametrize("function", sorted(TABLE))
def test_functions_name_equations_that_exist(function):
    op = function.partition(".")[0]
    numbers = set(equations(importlib.import_module(f"refmnas.ops.{op}").__doc__))
    for text in (prove.op(function).__doc__, prove.oracle(function).__doc__):
        named = {int(n) for n in re.findall(r"\((\d+)\)", text.split("Shapes")[0])}
        assert named, f"{function} names no equation"
        assert named <= numbers


@pytest.mark.parametrize("op", OPS)
def test_kernels_state_the_same_equations(op):
    try:
        text = kernels.source(f"f32_{op}.inc.h")
    except SpecError:
        return  # no kernel was written for this op: the C column of `explain` says so
    except KernelError as error:
        pytest.skip(str(error))
    head = "\n".join(line.lstrip(" *") for line in text.split("*/")[0].splitlines())
    reference = equations(importlib.import_module(f"refmnas.ops.{op}").__doc__)
    assert equations(head) == reference
