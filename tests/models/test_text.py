"""Block strings and documents: what is written is read back, what is wrong is named."""

import json
import sys
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from refmnas.errors import FormatError, RefmnasError, SpecError
from refmnas.models import build, plan, text, zoo
from refmnas.models.spec import Stage

sys.path.insert(0, str(Path(__file__).resolve().parent))

import support
from strategies import networks, ratios, widths

ROW = "r3_k5_s22_e3_i24_o40_se0.25"

# tensorflow/tpu mnasnet_models.py, word for word
ORIGINAL = {
    "mnasnet-b1": [
        "r1_k3_s11_e1_i32_o16_noskip", "r3_k3_s22_e3_i16_o24", "r3_k5_s22_e3_i24_o40", "r3_k5_s22_e6_i40_o80",
        "r2_k3_s11_e6_i80_o96", "r4_k5_s22_e6_i96_o192", "r1_k3_s11_e6_i192_o320_noskip",
    ],
    "mnasnet-a1": [
        "r1_k3_s11_e1_i32_o16_noskip", "r2_k3_s22_e6_i16_o24", "r3_k5_s22_e3_i24_o40_se0.25", "r4_k3_s22_e6_i40_o80",
        "r2_k3_s11_e6_i80_o112_se0.25", "r3_k5_s22_e6_i112_o160_se0.25", "r1_k3_s11_e6_i160_o320",
    ],
    "mnasnet-small": [
        "r1_k3_s11_e1_i16_o8", "r1_k3_s22_e3_i8_o16", "r2_k3_s22_e6_i16_o16", "r4_k5_s22_e6_i16_o32_se0.25",
        "r3_k3_s11_e6_i32_o32_se0.25", "r3_k5_s22_e6_i32_o88_se0.25", "r1_k3_s11_e6_i88_o144",
    ],
    "mnasnet-d1": [
        "r1_k3_s11_e9_i32_o24", "r3_k3_s22_e9_i24_o36", "r5_k3_s22_e9_i36_o48", "r4_k5_s22_e9_i48_o96",
        "r5_k7_s11_e3_i96_o96", "r3_k3_s22_e9_i96_o80", "r1_k7_s11_e6_i80_o320_noskip",
    ],
    "mnasnet-d1-320": [
        "r3_k5_s11_e6_i32_o24", "r4_k7_s22_e9_i24_o36", "r5_k5_s22_e9_i36_o48", "r5_k7_s22_e6_i48_o96",
        "r5_k3_s11_e9_i96_o144", "r5_k5_s22_e6_i144_o160", "r1_k7_s11_e9_i160_o320",
    ],
}  # fmt: skip


@given(spec=networks())
def test_a_network_that_is_written_is_read_back(spec):
    assert text.parse(text.format(spec)) == spec
    assert text.from_json(json.loads(text.to_json(spec))) == spec
    support.EXAMPLES["text"] += 1


@given(data=st.data(), c_in=widths, se=ratios)
def test_tokens_are_read_in_any_order(data, c_in, se):
    stage = Stage("mbconv", 3, 5, 2, 3, 40, se=se, skip=data.draw(st.booleans()))
    tokens = data.draw(st.permutations(text.format_block(stage, c_in).split("_")))
    assert text.parse_block("_".join(tokens), c_in) == stage
    support.EXAMPLES["text"] += 1


@given(row=st.text("rkseionp0123456789._- ", max_size=40))
def test_any_other_text_is_a_named_error(row):
    stage = message = None
    try:
        stage = text.parse_block(row, 24)
    except SpecError as error:
        message = str(error)
    if stage is None:
        assert message.startswith("block string: ")
    else:
        assert text.parse_block(text.format_block(stage, 24), 24) == stage
    support.EXAMPLES["text"] += 1


def mutations():
    """One character of a right string taken away, doubled, or changed."""
    position, letter = st.integers(0, len(ROW) - 1), st.sampled_from("rkseio_0123456789.x")
    return st.one_of(
        position.map(lambda i: ROW[:i] + ROW[i + 1 :]),
        st.tuples(position, letter).map(lambda t: ROW[: t[0]] + t[1] + ROW[t[0] :]),
        st.tuples(position, letter).map(lambda t: ROW[: t[0]] + t[1] + ROW[t[0] + 1 :]),
    )


@given(row=mutations())
def test_a_changed_string_is_refused_or_says_what_it_says(row):
    """Nothing is dropped or guessed: what is read is written back as the same set of tokens."""
    try:
        stage = text.parse_block(row, 24)
    except SpecError:
        pass
    else:
        assert _value(text.format_block(stage, 24)) == _value(row)
    support.EXAMPLES["text"] += 1


def _value(row):
    """Tokens as a set, ratios as numbers; no squeeze and a ratio of 0 differ."""
    return {("se", float(t[2:])) if t.startswith("se") else t for t in row.split("_")}


@pytest.mark.parametrize("name", ORIGINAL)
def test_the_tables_are_the_originals_strings(name):
    assert text.format(zoo.get(name))["blocks"] == ORIGINAL[name]


@pytest.mark.parametrize("name", zoo.names())
def test_every_network_of_the_zoo_comes_back(name):
    assert text.parse(text.format(zoo.get(name))) == zoo.get(name)


@pytest.mark.parametrize(("row", "words"), [
    ("r3_k5_s22_e3_i24_o40_se0.25_q4", ["unknown token 'q4'", "wanted one of r, k, s"]),
    ("r3_k5_s22_e3_i24_o40_noskp", ["unknown token 'noskp'", "did you mean noskip?"]),
    ("r3_k5_s22_e3_i24_o40_r3", ["token 'r3' comes a second time"]),
    ("r3_k5_s22_e3_i24_o40_noskip_noskip", ["token 'noskip' comes a second time"]),
    ("r3_k5_s22_i24_o40", ["has no token e (expansion)"]),
    ("r3", ["has no token k (kernel), s (stride, two digits), e (expansion), i (input channels), o (output channels)"]),
    ("r3_k5_s2_e3_i24_o40", ["token 's2'", "two digits of 1 or 2, as s22"]),
    ("r3_k5_s12_e3_i24_o40", ["token s12 has strides 1 and 2", "wanted equal ones"]),
    ("r3_k5_s33_e3_i24_o40", ["token 's33'"]),
    ("r0_k5_s22_e3_i24_o40", ["token 'r0'", "repeats"]),
    ("r3_k4_s22_e3_i24_o40", ["kernel 4, wanted an odd number"]),
    ("r3_k_s22_e3_i24_o40", ["token 'k'", "kernel"]),
    ("r3_k5.5_s22_e3_i24_o40", ["token 'k5.5'"]),
    ("r03_k5_s22_e3_i24_o40", ["token 'r03'", "not 0 in front"]),
    ("r3_k5_s22_e3_i24_o4000000", ["token 'o4000000'", "1 to 6 digits"]),
    ("r9999_k5_s22_e3_i24_o40", ["repeats 9999, wanted 1 to 1000"]),
    ("r3_k5_s22_e3_i24_o40_se0", ["token 'se0'", "a ratio above 0"]),
    ("r3_k5_s22_e3_i24_o40_se1.5", ["token 'se1.5'"]),
    ("r3_k5_s22_e3_i24_o40_se", ["token 'se'"]),
    ("r3_k5_s22_e3_i24_o40_", ["unknown token ''"]),
    ("R3_k5_s22_e3_i24_o40", ["unknown token 'R3'"]),
    ("r٣_k5_s22_e3_i24_o40", ["token 'r٣'"]),
    ("r3_k5_s22_e3_i16_o40", ["token i16 does not fit the row before, which gives 24; wanted i24"]),
    (7, ["7, wanted a text like"]),
])  # fmt: skip
def test_a_wrong_row_names_the_token_and_what_was_wanted(row, words):
    with pytest.raises(SpecError) as raised:
        text.parse_block(row, 24, "row 2 of 7")
    assert str(raised.value).startswith("row 2 of 7: ")
    for word in words:
        assert word in str(raised.value)


def test_only_the_first_row_may_declare_another_input():
    assert text.parse_block("r1_k3_s11_e1_i16_o8", 8, is_first=True).declared_in == 16
    with pytest.raises(SpecError, match="declared_in beside expand or se"):
        text.parse_block("r1_k3_s11_e3_i16_o8", 8, is_first=True)


@pytest.mark.parametrize(("row", "stage"), [
    ("ir_r1_k3_s11_e1_i8_o8", Stage("mbconv", 1, 3, 1, 1, 8)),
    ("r1_k3_s11_e1_i8_o8", Stage("sep", 1, 3, 1, 1, 8)),
    ("dsa_r2_k3_s22_e1_i8_o16", Stage("separable", 2, 3, 2, 1, 16, skip=False)),
    ("res_r2_k3_s22_e1_i8_o16_g8_se0.25", Stage("bottleneck", 2, 3, 2, 1, 16, se=0.25, group=8)),
    ("r1_k5_s11_e2.5_i8_o16_nhs", Stage("mbconv", 1, 5, 1, 2.5, 16, act="hard_swish")),
])  # fmt: skip
def test_what_the_original_has_no_word_for_has_timms_or_our_own(row, stage):
    assert text.parse_block(row, 8) == stage
    assert text.format_block(stage, 8) == row


def document(**changes):
    own = {
        "name": "mine",
        "stem": {"kernel": 3, "stride": 2, "channels": 16},
        "blocks": ["r1_k3_s11_e1_i16_o8_noskip", "r2_k5_s22_e6_i8_o24_se0.25"],
        "head": {"channels": 64, "classes": 10},
    }
    return {key: value for key, value in (own | changes).items() if value is not None}


def test_an_own_network_reads_with_the_defaults_of_the_table():
    spec = text.parse(document())
    assert (spec.size, spec.activation, spec.head.dropout, len(spec.stages)) == (224, "relu", 0.2, 2)


@pytest.mark.parametrize(("changes", "words"), [
    ({"head": None}, ["no key 'head'"]),
    ({"blcks": []}, ["unknown key 'blcks'", "did you mean blocks?"]),
    ({"blocks": []}, ["blocks is [], wanted a list of 1 to 1000"]),
    ({"blocks": "r1_k3_s11_e1_i16_o8"}, ["wanted a list"]),
    ({"blocks": ["r1_k3_s11_e1_i16_o8", "r1_k3_s22_e3_i16_o24"]}, ["row 2 of 2: token i16 does not fit", "wanted i8"]),
    ({"stem": {"kernel": 2, "stride": 2, "channels": 16}}, ["stem: kernel 2, wanted an odd number"]),
    ({"stem": {"kernel": 3, "stride": True, "channels": 16}}, ["stem: stride True"]),
    ({"stem": {"kernel": 3, "stride": 2}}, ["stem: no key 'channels'"]),
    ({"stem": [3, 2, 16]}, ["stem: [3, 2, 16], wanted an object"]),
    ({"head": {"channels": 64, "classes": 0}}, ["head: classes 0"]),
    ({"head": {"channels": 64, "dropout": 1}}, ["head: dropout 1"]),
    ({"head": {"channels": 64, "scales": "often"}}, ["head: scales 'often'"]),
    ({"activation": "gelu"}, ["activation 'gelu', wanted one of relu"]),
    ({"size": 0}, ["size 0"]), ({"size": "224"}, ["size '224'"]),
    ({"width": -1}, ["width -1"]), ({"width": 1e9}, ["width 1000000000.0", "at most 100"]),
    ({"depth": 0}, ["depth 0"]), ({"drop_path": 1.5}, ["drop_path 1.5"]),
    ({"name": ""}, ["an empty name"]), ({"source": 3}, ["source is 3"]), ({"sources": "tf"}, ["sources is 'tf'"]),
    ({"unscaled": [2]}, ["unscaled is [2]", "row numbers from 0 to 1"]), ({"undeepened": [True]}, ["undeepened is [True]"]),
])  # fmt: skip
def test_a_wrong_document_names_the_key_and_what_was_wanted(changes, words):
    with pytest.raises(SpecError) as raised:
        text.parse(document(**changes))
    for word in words:
        assert word in str(raised.value)


@pytest.mark.parametrize("other", [None, [], "r1", 3])
def test_a_document_that_is_no_object_is_named(other):
    with pytest.raises(SpecError, match="wanted an object"):
        text.parse(other)


def test_a_file_is_read_and_its_faults_name_it(tmp_path):
    path = tmp_path / "net.json"
    path.write_text(text.to_json(zoo.get("mnasnet-a1")))
    assert text.from_json(path) == zoo.get("mnasnet-a1")
    for content, error, words in (
        ('{"name": 1', FormatError, "no JSON text"),
        ('{"name": "a", "name": "b"}', FormatError, "key 'name' comes twice"),
        ('{"width": NaN}', FormatError, "NaN is no number"),
        ("[" * 100_000, FormatError, "no JSON text"),
        (json.dumps(document(size=0)), SpecError, "size 0"),
        ('{"a": 1}'.ljust(text.MOST_BYTES + 1), FormatError, "more than"),
    ):
        path.write_text(content)
        with pytest.raises(RefmnasError, match=words) as raised:
            text.from_json(path)
        assert type(raised.value) is error
        assert str(raised.value).startswith(str(path))
    with pytest.raises(FormatError, match=r"gone\.json: cannot be read"):
        text.from_json(tmp_path / "gone.json")
    path.write_bytes(b"\xff\xfe{}")
    with pytest.raises(FormatError, match="no JSON text"):
        text.from_json(path)


def test_an_own_network_builds_and_runs_from_its_file(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(document(size=32)))
    net = build(path, width=2)
    assert net.forward(np.zeros((1, 32, 32, 3), np.float32)).shape == (1, 10)
    assert [b.c_out for b in plan.blocks(net.spec, net.dialect)] == [16, 48, 48]
    assert build(str(path), classes=3).spec.head.classes == 3
    assert build(document()).spec == text.parse(document())
