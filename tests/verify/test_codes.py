"""The list of codes is whole and stable, every code has all its fields, and `explain` tells it."""

import pytest

from refmnas.errors import SpecError
from refmnas.explain import TOPICS, find
from refmnas.verify.codes import CODES
from refmnas.verify.codes import find as code_of
from refmnas.verify.planted import FAULTS

# Codes never vanish and are never renamed: others' scripts read them.
STABLE = [
    "PAD-SAME",
    "PAD-LOWER",
    "PAD-VALUE",
    "PAD",
    "STRIDE-PHASE",
    "DILATION",
    "BN-EPS",
    "BN-STATS",
    "BN-VAR",
    "BN-BETA",
    "BN-FOLD",
    "BIAS-MISSING",
    "SE-WIDTH",
    "SE-GATE",
    "SE-ACT",
    "SE-SQUEEZE",
    "SE-MISSING",
    "ACT-KIND",
    "ACT-MISSING",
    "ACT-EXTRA",
    "ACT-PLACE",
    "KINK",
    "LAYOUT-WEIGHT",
    "LAYOUT-DATA",
    "MULTIPLIER-ORDER",
    "RES-MISSING",
    "RES-EXTRA",
    "RES-PLACE",
    "PRE-SCALE",
    "PRE-CHANNELS",
    "PRE-RESIZE",
    "PREC-FP16",
    "PREC-BF16",
    "PREC-TF32",
    "FTZ",
    "TILE",
    "TAIL",
    "POOL",
    "DROP-ACTIVE",
    "EMA-RAW",
    "CLASS-SHIFT",
    "WEIGHT-SWAP",
    "WEIGHT-STALE",
    "UNKNOWN",
    "QUANT-ROUND",
    "QUANT-SAT",
]


def test_the_list_is_whole():
    assert set(STABLE) <= set(CODES)


@pytest.mark.parametrize("name", CODES)
def test_a_code_has_all_its_fields(name):
    code = CODES[name]
    assert code.name == name
    for text in (code.cause, code.signature, code.mend):
        assert text.endswith("."), text
        assert len(text) > 15, text
    assert code.reserved == name.startswith("QUANT-")
    for other in code.see:
        assert other in TOPICS, f"{name} points at {other}"


@pytest.mark.parametrize("name", CODES)
def test_explain_finds_a_code_in_either_case(name):
    assert find(name) is TOPICS[name]
    assert find(name.lower()).name.lower().startswith(name.lower())  # a topic of that name comes first


def test_an_unknown_code_names_the_known_ones():
    with pytest.raises(SpecError, match="PAD-SAME"):
        code_of("PAD-SOME")


def test_every_planted_fault_has_a_code():
    assert {fault.code for fault in FAULTS} <= set(CODES)
