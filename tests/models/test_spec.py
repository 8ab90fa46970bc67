"""A table checks itself: what cannot be is named before anything is built."""

from dataclasses import FrozenInstanceError, replace

import pytest

from refmnas.errors import SpecError
from refmnas.models import zoo
from refmnas.models.spec import Head, Stage, Stem

ROW = Stage("mbconv", 3, 5, 2, 3, 40)
SPEC = zoo.get("mnasnet-a1")


@pytest.mark.parametrize(("record", "field", "values"), [
    (Stem(3, 2, 32), "kernel", [0, 2, -1, 3.0, "3", None, True]),
    (Stem(3, 2, 32), "stride", [0, 3, 1.0, True]),
    (Stem(3, 2, 32), "channels", [0, -8, 10**6, 8.0]),
    (Stem(3, 2, 32), "scales", [1, None]),
    (ROW, "block", ["conv", "", None]),
    (ROW, "repeats", [0, 1001, 1.0, True]),
    (ROW, "kernel", [4, 0]),
    (ROW, "stride", [0, 3]),
    (ROW, "expand", [0, -1, 0.5, float("nan"), 10**6, "2"]),
    (ROW, "channels", [0, 10**6]),
    (ROW, "se", [-0.1, 1.1, float("nan"), "0.25", True]),
    (ROW, "skip", [0, None]),
    (ROW, "act", ["gelu", None]),
    (ROW, "joins", [0, None]),
    (ROW, "group", [8, None]),
    (Stage("bottleneck", 1, 3, 2, 1, 32, group=8), "group", [0, -8, 1.0]),
    (Stage("bottleneck", 1, 3, 2, 1, 32, group=8), "skip", [False]),
    (Stage("bottleneck", 1, 3, 2, 1, 32, group=8), "expand", [2]),
    (Stage("separable", 1, 3, 2, 1, 32, skip=False), "skip", [True]),
    (ROW, "declared_in", [0, 16]),  # 16: beside an expansion the declared width would decide more than the residual
    (Head(1280), "channels", [-1, 10**6, False, 8.0]),
    (Head(1280), "hidden", [-1, 10**6, False, 8.0]),
    (Head(1280), "classes", [0, 10**6]),
    (Head(1280), "dropout", [-0.1, 1, 1.0, float("inf"), None]),
    (Head(1280), "scales", ["below-one", None]),
    (SPEC, "name", ["", None]),
    (SPEC, "stages", [()]),
    (SPEC, "size", [0, 1.5, True]),
    (SPEC, "activation", ["gelu", None]),
    (SPEC, "drop_path", [-1, 1]),
    (SPEC, "depth", [0, -1, 101, float("nan")]),
    (SPEC, "width", [0, -1, 101, float("inf")]),
])  # fmt: skip
def test_a_value_that_cannot_be_is_named(record, field, values):
    for value in values:
        with pytest.raises(SpecError, match="wanted|no stage"):
            replace(record, **{field: value})


def test_a_sep_block_has_no_expansion():
    with pytest.raises(SpecError, match="expand 3 in a sep block, wanted 1"):
        Stage("sep", 1, 3, 1, 3, 16)


def test_the_first_row_joins_nothing():
    with pytest.raises(SpecError, match="joins in the first row"):
        replace(SPEC, stages=(replace(SPEC.stages[0], joins=True),))


def test_a_declared_input_stands_in_the_first_row_alone_and_differs_from_the_stem():
    odd = Stage("sep", 1, 3, 1, 1, 8, declared_in=16)
    with pytest.raises(SpecError, match="in the first only"):
        replace(SPEC, stages=(*SPEC.stages, odd))
    with pytest.raises(SpecError, match="the stem's own width"):
        replace(SPEC, stem=Stem(3, 2, 16), stages=(odd,))


def test_tables_are_frozen_and_can_be_keys():
    with pytest.raises(FrozenInstanceError):
        SPEC.width = 2
    assert {SPEC: 1}[zoo.get("mnasnet-a1")] == 1
