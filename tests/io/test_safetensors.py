"""Every rule of the format, broken alone."""

import json

import pytest

from refmnas import io
from refmnas.errors import FormatError

GOOD = '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[3],"data_offsets":[8,11]}}'
BODY = bytes(11)


def written(path, header, body=BODY, length=None):
    raw = header if isinstance(header, bytes) else header.encode("utf-8")
    path.write_bytes((len(raw) if length is None else length).to_bytes(8, "little") + raw + body)
    return path


def test_the_whole_file_is_read(tmp_path):
    loaded = io.load(written(tmp_path / "w", GOOD + "   "))
    assert loaded.format == "safetensors"
    assert {name: (array.shape, array.dtype.str) for name, array in loaded.items()} == {
        "a": ((2,), "<f4"), "b": ((3,), "|u1")}  # fmt: skip


def test_fields_and_entries_may_stand_in_any_order(tmp_path):
    text = ('{"b": {"data_offsets": [8, 11], "shape": [3], "dtype": "U8"},\n\t"__metadata__": {"k": "v\\u00e9"}, '
            '"a": {"shape": [2, 1], "dtype": "F32", "data_offsets": [0, 8]}}')  # fmt: skip
    loaded = io.load(written(tmp_path / "w", text))
    assert list(loaded) == ["b", "a"]
    assert loaded.metadata == {"k": "vé"}


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("[0,8]", "[1,9]", "wanted 0: no holes"),
        ("[8,11]", "[9,12]", "wanted 8: no holes"),
        ("[8,11]", "[7,10]", "wanted 8: no holes"),
        ("[0,8]", "[8,0]", "no holes"),
        ("[8,11]", "[8,10]", "has 2 bytes, wanted 3"),
        ('"shape":[2]', '"shape":[4294967296,4294967296]', "a shape that no array can have"),
        ('"shape":[2]', '"shape":[9223372036854775807,2]', "a shape that no array can have"),
        ('"shape":[2]', '"shape":[0,9223372036854775807,9223372036854775807]', "a shape that no array can have"),
        ('"shape":[2]', '"shape":[' + ",".join("1" * 65) + "]", "at most 64"),
        ('"shape":[2]', '"shape":[-2]', "whole numbers"),
        ('"shape":[2]', '"shape":[2.0]', "wanted ','"),
        ('"shape":[2]', '"shape":[99999999999999999999]', "at most 19 digits"),
        ('"shape":[2]', '"shape":[[2]]', "whole numbers"),
        ('"shape":[2]', '"shape":2', "wanted '\\['"),
        ("F32", "F8_E4M3", "wanted one of BOOL"),
        ('"dtype":"F32"', '"dtype":3', "double quotes"),
        ('"dtype":"F32",', "", "wanted dtype, shape"),
        ('"dtype":"F32"', '"dtype":"F32","dtype":"F32"', "again or unknown"),
        ('"dtype":"F32"', '"x":1,"dtype":"F32"', "again or unknown"),
        ('"b"', '"a"', "'a' occurs twice"),
        ('"b"', '"\\u0061"', "'a' occurs twice"),
        ('"b"', '"\\ud800"', "surrogate"),
        ('"b"', '"b\n"', "no valid JSON string"),
        ("}}", "}", "in the header"),
        ("}}", "}}{}", "more follows"),
        ("}}", '},"c":' + "[" * 100_000 + "}", "wanted '{'"),
        ('{"a"', '{"__metadata__":{"k":1},"a"', "double quotes"),
        ('{"a"', '{"__metadata__":{"k":"1","k":"2"},"a"', "'k' twice"),
        ('{"a"', '{"__metadata__":{},"__metadata__":{},"a"', "occurs twice"),
        ('"b"', '"' + "b" * 5000 + '"', "5000 characters, wanted at most 4096"),
    ],
)
def test_a_broken_rule_is_named(tmp_path, old, new, text):
    assert old in GOOD
    with pytest.raises(FormatError, match=text) as caught:
        io.load(written(tmp_path / "w.safetensors", GOOD.replace(old, new, 1)))
    assert "w.safetensors" in str(caught.value)


@pytest.mark.parametrize("length", [0, 1, len(GOOD) - 1, len(GOOD) + 1, 2**20, 2**20 + 1, 2**31, 2**63, 2**64 - 1])
def test_the_headers_length_is_checked(tmp_path, length):
    with pytest.raises(FormatError):
        io.load(written(tmp_path / "w", GOOD, length=length))


@pytest.mark.parametrize("body", [BODY[:-1], BODY + b"\0", b""])
def test_the_file_ends_with_the_last_array(tmp_path, body):
    with pytest.raises(FormatError, match="wants bytes|header and tensors end at"):
        io.load(written(tmp_path / "w", GOOD, body))


def test_the_header_is_utf8(tmp_path):
    with pytest.raises(FormatError, match="no valid UTF-8"):
        io.load(written(tmp_path / "w", GOOD.encode().replace(b'"a"', b'"\xff"')))


def test_a_boolean_is_0_or_1(tmp_path):
    with pytest.raises(FormatError, match="a boolean is 2"):
        io.load(written(tmp_path / "w", '{"a":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}}', b"\1\2"))


def test_every_cut_is_refused(tmp_path):
    whole = written(tmp_path / "w", GOOD).read_bytes()
    for end in range(len(whole)):
        (tmp_path / "cut").write_bytes(whole[:end])
        with pytest.raises(FormatError):
            io.load(tmp_path / "cut")


def test_the_caps_are_named_and_can_be_raised(tmp_path):
    entries = {f"t{k}": {"dtype": "F32", "shape": [1], "data_offsets": [4 * k, 4 * k + 4]} for k in range(30)}
    path = written(tmp_path / "w", json.dumps(entries), bytes(120))
    for options, text in (
        ({"max_header": 100}, "raise max_header="),
        ({"max_tensors": 29}, "raise max_tensors="),
        ({"max_bytes": 119}, "raise max_bytes="),
    ):
        with pytest.raises(FormatError, match=text):
            io.load(path, **options)
    assert len(io.load(path, max_header=len(json.dumps(entries)), max_tensors=30, max_bytes=120)) == 30
