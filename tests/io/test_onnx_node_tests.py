"""The onnx package's own tests of single operators: those of the operators that are read pass, or are refused by name."""

import re
from collections import Counter

import numpy as np
import pytest

from refmnas.errors import FormatError
from refmnas.io.onnx import load
from refmnas.io.onnx.operators import TABLE

pytestmark = pytest.mark.parity

LEAST = 150  # of the promise
REFUSALS = {  # what a refusal may say: a type that NumPy lacks, an opset beyond ours, a value that is no tensor
    "opset": r"opsets \[\d+\] of ai.onnx, wanted one of 7 to 25",
    "element type": r"element type (BFLOAT16|FLOAT8|FLOAT4|U?INT[24]|STRING)",
    "no tensor": "is no tensor of a known type",
}


def cases():
    loader = pytest.importorskip("onnx.backend.test.loader", reason="needs the extra parity: onnx is not installed")
    for case in loader.load_model_tests(kind="node"):
        if case.model is not None and {node.op_type for node in case.model.graph.node} <= set(TABLE):
            yield case


def arrays(values):
    helper = pytest.importorskip("onnx.numpy_helper")
    return [helper.to_array(v) if hasattr(v, "SerializeToString") else np.asarray(v) for v in values]


def is_right(got, want, case):
    """Types and shapes equal, values within the case's own tolerance."""
    if got.dtype != want.dtype or got.shape != want.shape:
        return False
    if got.dtype.kind != "f":
        return np.array_equal(got, want)
    return np.allclose(got.astype("f8"), want.astype("f8"), rtol=case.rtol, atol=case.atol, equal_nan=True)


@pytest.mark.filterwarnings("ignore")
def test_none_is_wrong_and_what_is_refused_is_named(tmp_path, capsys):
    counts, wrong, path = Counter(), [], tmp_path / "case.onnx"
    for case in cases():
        path.write_bytes(case.model.SerializeToString())
        try:
            graph = load(path)
        except FormatError as error:
            reason = next((key for key, pattern in REFUSALS.items() if re.search(pattern, str(error))), None)
            wrong += [] if reason else [f"{case.name}: {error}"]
            counts[f"refused: {reason}"] += 1
            continue
        names = [value.name for value in case.model.graph.input]
        for inputs, outputs in case.data_sets:
            got = graph.run(dict(zip(names, arrays(inputs), strict=True)))
            pairs = zip(got.values(), arrays(outputs), strict=True)
            wrong += [case.name] if not all(is_right(g, w, case) for g, w in pairs) else []
        counts["passed"] += 1
    with capsys.disabled():
        print(f"\nonnx node tests: {dict(counts)}, {len(wrong)} wrong")
    assert wrong == []
    assert counts["passed"] >= LEAST
