"""A whole small bench with every runtime that is installed: all are right; nothing is said about speed."""

import pytest

from refmnas import kernels, peers
from refmnas.bench import run

pytestmark = pytest.mark.parity


@pytest.mark.skipif(not kernels.built(), reason="the C extension is not built")
@pytest.mark.parametrize(("model", "source"), [("mnasnet-b1", "torchvision"), ("mnasnet-small", "timm")])
def test_every_runtime_is_right_in_its_published_conventions(model, source):
    names = [name for name, found in peers.available().items() if found]
    if not names:
        pytest.skip("no runtime is installed")
    job = {"kind": "cells", "model": model, "source": source, "size": 65, "batches": [1, 2], "threads": 2}
    result = run.bench([job | {"peers": names, "seconds": 1e-3}])
    assert not result["failed"]
    assert [cell["batch"] for cell in result["cells"]] == [1, 2]
    for cell in result["cells"]:
        assert [row["name"] for row in cell["competitors"]] == ["refmnas", *names]
        assert not [row for row in cell["competitors"] if row.get("absent") or row["is_wrong"]]
        assert cell["criterion"]["is_met"]


@pytest.mark.skipif(not kernels.built() or not peers.available()["ort"], reason="needs C and onnxruntime")
def test_a_profile_meets_ort_step_by_step():
    job = {"kind": "layers", "model": "mnasnet-a1", "source": "timm", "size": 65, "batches": [1], "threads": 1}
    result = run.bench([job])
    assert not result["failed"]
    (record,) = result["layers"]
    assert record["peer"]["error"] < 1e-4
    assert sum(row["peer_us"] is not None for row in record["steps"]) > len(record["steps"]) / 2
