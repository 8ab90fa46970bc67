"""torch's files against torch itself."""

import numpy as np
import pytest

from refmnas import io
from refmnas.errors import FormatError

pytestmark = pytest.mark.parity
torch = pytest.importorskip("torch", reason="torch is not installed: pip install '.[parity]'")


def assert_same(loaded, state):
    assert list(loaded) == list(state)
    for name, tensor in state.items():
        tensor = tensor.detach()
        want = (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
        assert loaded[name].shape == want.shape
        assert loaded[name].dtype == want.dtype
        assert np.array_equal(loaded[name], want), name


def saved(path, thing, form, protocol=2):
    torch.save(thing, path, _use_new_zipfile_serialization=form == "zip", pickle_protocol=protocol)
    return path


FORMS = pytest.mark.parametrize("form", ["zip", "legacy"])


@FORMS
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_tensors_of_every_kind(tmp_path, form, protocol):
    base = torch.arange(120.0)
    state = {
        "turned": base.view(10, 12).t(), "strided": base[3:50:2], "scalar": torch.tensor(5), "empty": torch.empty(0, 3),
        "bfloat16": torch.randn(3).bfloat16(), "bool": torch.tensor([True, False]), "half": torch.randn(2, 3).half(),
        "parameter": torch.nn.Parameter(torch.randn(3, 3)), "uint16": torch.arange(4).to(torch.uint16),
        "channels_last": torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
        "int8": torch.arange(3, dtype=torch.int8), "double": torch.randn(2).double(),
    }  # fmt: skip
    loaded = io.load(saved(tmp_path / "w", state, form, protocol))
    assert_same(loaded, state)
    assert np.shares_memory(loaded["turned"], loaded["strided"])


@FORMS
def test_state_dictionaries_and_checkpoints_of_networks(tmp_path, form):
    models = pytest.importorskip("torchvision.models", reason="torchvision is not installed")
    model = models.mnasnet0_5()
    loaded = io.load(saved(tmp_path / "w", model.state_dict(), form))
    assert_same(loaded, model.state_dict())
    assert loaded.metadata[""] == {"version": 2}  # torchvision's MNASNet._version
    optimizer = torch.optim.Adam(model.parameters())
    sum(p.sum() for p in model.parameters()).backward()
    optimizer.step()
    checkpoint = {"epoch": 3, "model": model.state_dict(), "optimizer": optimizer.state_dict(),
                  "device": torch.device("cpu"), "size": torch.Size([1, 2])}  # fmt: skip
    loaded = io.load(saved(tmp_path / "w", checkpoint, form))
    assert_same(loaded, model.state_dict())
    assert sorted(loaded.skipped) == ["device", "epoch", "optimizer", "size"]


@FORMS
def test_what_is_no_state_dictionary_is_refused(tmp_path, form):
    for thing, text in (
        (torch.nn.Linear(2, 2), "model.state_dict"),
        (torch.zeros(3), "wanted a state dictionary"),
        ({"x": torch.zeros(3, dtype=torch.complex64)}, "ComplexFloatStorage|complex64"),
        ({"x": torch.zeros(3).to_sparse()}, "_rebuild_sparse_tensor"),
        ({"x": torch.zeros(1).expand(5)}, "no element twice"),
    ):
        with pytest.raises(FormatError, match=text):
            io.load(saved(tmp_path / "w", thing, form))


def test_torchscript_is_named(tmp_path):
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), tmp_path / "w")
    with pytest.raises(FormatError, match="TorchScript"):
        io.load(tmp_path / "w")


@pytest.mark.parametrize("mmap", [False, True])
def test_torch_reads_what_we_write(tmp_path, mmap):
    state = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)).state_dict()
    state["flag"], state["empty"] = torch.tensor([True]), torch.empty(0, 2)
    metadata = {name: dict(entries) for name, entries in state._metadata.items()}
    io.save(tmp_path / "w.pth", {name: tensor.numpy() for name, tensor in state.items()}, metadata=metadata)
    back = torch.load(tmp_path / "w.pth", weights_only=True, mmap=mmap)
    assert list(back) == list(state)
    assert all(torch.equal(back[name], state[name]) and back[name].dtype == state[name].dtype for name in state)
    assert back._metadata == metadata
