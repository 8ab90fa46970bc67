"""Kits: the same bytes, within their bounds, and every bad file and answer named."""

import hashlib
import json
import os
import time

import numpy as np
import pytest
from kit_answers import answer, answered, rows

from refmnas import io
from refmnas.cases import CLAIMS
from refmnas.errors import FormatError, SpecError
from refmnas.verify import kit
from refmnas.verify.kit import rounded


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kits") / "kit"
    kit.make(folder, ops=("depthwise", "softmax.forward", "batchnorm.forward"), cases=6)
    return folder


def tree(folder):
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}  # fmt: skip


def test_a_kit_is_the_same_bytes_again(small, tmp_path):
    kit.make(tmp_path / "again", ops=("depthwise", "softmax.forward", "batchnorm.forward"), cases=6)
    assert tree(tmp_path / "again") == tree(small)
    assert os.listdir(tmp_path) == ["again"]


# Of all ops' cases, made here; a machine that makes other bytes is found by this.
BYTES = {
    "safetensors": "dcc5cf0d0e8291aa11b9b8d87ad601fc76a3dc75504124cf287b8c4d46c533cc",
    "npz": "8f6c3b61569e9ee5f1a77fb7a43b6c16c946b97728b409d0212a618d8f96691f",
}


@pytest.mark.parametrize("form", BYTES)
def test_a_kit_has_the_bytes_of_every_machine(form, tmp_path):
    kit.make(tmp_path / "kit", cases=4, form=form)
    found = {name: digest for name, digest in tree(tmp_path / "kit").items() if name != "manifest.json"}
    assert hashlib.sha256(json.dumps(found).encode()).hexdigest() == BYTES[form]


@pytest.mark.slow
def test_a_kit_of_all_ops_is_small_and_fast(tmp_path):
    start = time.monotonic()
    kit.make(tmp_path / "kit")
    made = time.monotonic()
    answer(tmp_path / "kit", tmp_path / "answers")
    begin = time.monotonic()
    found = kit.check(tmp_path / "kit", tmp_path / "answers")
    assert found.verdict == "within-rounding"
    assert {row["function"] for row in found.to_dict()["functions"]} == {c.function for cs in CLAIMS.values() for c in cs}
    assert made - start <= 60
    assert time.monotonic() - begin <= 30
    assert sum(path.stat().st_size for path in (tmp_path / "kit").rglob("*") if path.is_file()) <= 20e6


def test_right_answers_pass(small, tmp_path):
    found = kit.check(small, answer(small, tmp_path / "answers"))
    assert (found.verdict, found.exit_code, found.faults, found.missing) == ("within-rounding", 0, [], [])
    assert all(0 <= margin <= 1 for margins in found.margins.values() for margin in margins)
    io.save(tmp_path / "all.npz", {f"{row['name']}/{key}": a for row in rows(small) for key, a in answered(small, row).items()})
    assert kit.check(small, tmp_path / "all.npz").verdict == "within-rounding"


@pytest.mark.parametrize("layout", ["NCHW"])
def test_nchw_kits_have_nchw_arrays(layout, tmp_path):
    kit.make(tmp_path / "kit", ops=("conv", "pointwise", "linear"), cases=3, layout=layout, form="npz")
    found = kit.check(tmp_path / "kit", answer(tmp_path / "kit", tmp_path / "answers"))
    assert found.verdict == "within-rounding"
    assert set(found.margins) == {f"{op}.{way}" for op in ("conv", "pointwise") for way in ("forward", "backward")}


def test_a_network_is_a_chain_of_steps(tmp_path):
    record = kit.make(tmp_path / "kit", nets=("mobilenet-v3-small",), size=8, width=0.25)
    functions = {row["function"] for row in record["cases"]}
    assert functions >= {"conv.forward", "depthwise.forward", "pointwise.forward", "gate.forward", "activation.forward"}
    assert kit.check(tmp_path / "kit", answer(tmp_path / "kit", tmp_path / "answers")).verdict == "within-rounding"


def spoiled(name, **change):
    return lambda row, found: (found | change) if row["name"] == name else found


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (lambda y: y + np.float32(0.5), "WRONG-VALUES", "elements wrong"),
        (lambda y: np.where(np.arange(y.size).reshape(y.shape) == 1, np.float32(np.nan), y), "NOT-FINITE", "is nan, wanted"),
        (lambda y: y.astype(np.float64), "WRONG-DTYPE", "is float64, wanted float32"),
        (lambda y: y[..., None], "WRONG-SHAPE", "wanted"),
    ],
)
def test_a_wrong_answer_is_a_named_fault(small, tmp_path, change, code, words):
    name = "softmax.forward-001"
    right = next(answered(small, row) for row in rows(small) if row["name"] == name)
    found = kit.check(small, answer(small, tmp_path / "answers", spoiled(name, y=change(right["y"]))))
    assert (found.verdict, found.exit_code) == ("fault", 1)
    (fault,) = found.faults
    assert (fault["case"], fault["code"]) == (name, code)
    assert words in fault["words"]


def test_missing_and_unknown_answers_are_named(small, tmp_path):
    def drop(row, found):
        if row["name"] == "softmax.forward-002":
            return None
        return {k: a for k, a in found.items() if k != "dw"}

    folder = answer(small, tmp_path / "answers", drop)
    io.save(folder / "softmax.forward-999.npz", {"y": np.zeros(1, np.float32)})
    found = kit.check(small, folder)
    assert (found.verdict, found.exit_code) == ("inconclusive", 3)
    assert set(found.missing) == {"softmax.forward-002/y"} | {f"depthwise.backward-{k:03d}/dw" for k in range(6)}
    assert found.unknown == ["softmax.forward-999"]
    empty = tmp_path / "empty"
    empty.mkdir()
    assert kit.check(small, empty).verdict == "inconclusive"
    with pytest.raises(FormatError, match="is missing, wanted a folder of answers"):
        kit.check(small, tmp_path / "no-such")


def test_a_changed_kit_is_named(tmp_path):
    folder = tmp_path / "kit"
    kit.make(folder, ops=("pool",), cases=2)
    answers = answer(folder, tmp_path / "answers")
    path = folder / "cases" / "pool.forward-001.want.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(FormatError, match=r"pool.forward-001.want.safetensors is not the file that was made"):
        kit.check(folder, answers)
    path.unlink()
    with pytest.raises(FormatError, match=r"pool.forward-001.want.safetensors is missing"):
        kit.check(folder, answers)
    manifest = json.loads((folder / "manifest.json").read_text())
    for change, words in (
        ({"format": "other"}, "no manifest of refmnas-kit-1"),
        ({"cases": 7}, "has int as 'cases', wanted list"),
        ({"cases": [3]}, "case 0 is int"),
        ({"cases": [{"name": "a"}]}, "case 0 has nothing as 'function'"),
        ({"cases": [manifest["cases"][0] | {"in": {"file": "../../passwd", "sha256": ""}}]}, "wanted a file inside the kit"),
    ):
        (folder / "manifest.json").write_text(json.dumps(manifest | change))
        with pytest.raises(FormatError, match=words):
            kit.check(folder, answers)
    (folder / "manifest.json").write_text("{")
    with pytest.raises(FormatError, match="is no JSON"):
        kit.check(folder, answers)
    with pytest.raises(FormatError, match="cannot be opened"):
        kit.check(tmp_path, answers)


@pytest.mark.parametrize(
    ("error", "words", "change"),
    [
        (SpecError, "no op 'convolution'", {"ops": ("convolution",)}),
        (SpecError, "cases is 0", {"cases": 0}),
        (SpecError, "layout is 'CHW'", {"layout": "CHW"}),
        (SpecError, "format is 'hdf5'", {"form": "hdf5"}),
        (SpecError, "networks in layout NCHW", {"nets": ("mnasnet-small",), "layout": "NCHW"}),
        (SpecError, "mnasnet-huge", {"nets": ("mnasnet-huge",)}),
    ],
)
def test_what_cannot_be_made_is_refused_and_nothing_is_left(tmp_path, error, words, change):
    with pytest.raises(error, match=words):
        kit.make(tmp_path / "kit", **change)
    assert os.listdir(tmp_path) == []


def test_a_folder_that_is_not_empty_stays_as_it_is(tmp_path):
    (tmp_path / "mine").write_text("mine")
    for place in (tmp_path, tmp_path / "mine"):
        with pytest.raises(FormatError, match="not an empty folder"):
            kit.make(place)
    with pytest.raises(FormatError, match="is no folder"):
        kit.make(tmp_path / "no" / "such")
    assert os.listdir(tmp_path) == ["mine"]


@pytest.mark.parametrize("v", [0.0, 1.0, -1.0, 0.5, 1e-300, -745.1, -8192.0, 3.7, 0.1])
def test_exp_is_within_half_a_unit_of_sixty_digits(v):
    from decimal import Context, Decimal

    got, exact = rounded._Math.exp(v), Decimal(v).exp(Context(prec=60, Emin=-99999))
    near = [np.nextafter(got, -np.inf), np.nextafter(got, np.inf)]
    assert all(abs(Decimal(got) - exact) <= abs(Decimal(float(other)) - exact) for other in near)
