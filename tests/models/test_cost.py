"""Costs are those of the arrays, and of the images that really flow."""

import math
import sys
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given
from networks import few_first

from refmnas.errors import SpecError
from refmnas.models import cost, dialect, naming, zoo

sys.path.insert(0, str(Path(__file__).resolve().parent))

import support
from strategies import networks

sources = st.sampled_from(dialect.SOURCES)


def rows_of(spec, source, size=None):
    return cost.of(spec, dialect.of(source, spec.name), size)


@given(spec=networks(), source=sources)
def test_parameters_are_the_sizes_of_the_trainable_arrays(spec, source):
    arrays = naming.inventory.of(spec, dialect.of(source, spec.name))
    trainable = {k: a for k, a in arrays.items() if not k.endswith((".mean", ".var"))}
    rows = rows_of(spec, source)
    assert cost.totals(rows).parameters == sum(math.prod(a.shape) for a in trainable.values())
    for row in rows:
        module = row.name.removesuffix(".conv")
        own = [math.prod(a.shape) for k, a in trainable.items() if k.startswith(f"{module}.") and "dense" not in k]
        if ".se." in row.name or row.name.startswith("stages"):
            assert row.parameters == sum(own), row.name
    support.EXAMPLES["cost"] += 1


@given(spec=networks(), source=sources, rows=st.integers(1, 300), columns=st.integers(1, 300))
def test_turning_the_image_turns_every_shape_and_changes_no_cost(spec, source, rows, columns):
    one, other = rows_of(spec, source, (rows, columns)), rows_of(spec, source, (columns, rows))
    for a, b in zip(one, other, strict=True):
        assert (a.parameters, a.macs, a.activation_bytes) == (b.parameters, b.macs, b.activation_bytes)
        assert b.shape == (a.shape if len(a.shape) == 1 else (a.shape[1], a.shape[0], a.shape[2]))
    support.EXAMPLES["cost"] += 1


@pytest.mark.parametrize("name", few_first(zoo.names()))
def test_the_layers_of_a_network_have_the_shapes_of_the_rows(name):
    from refmnas.models import build

    net = build(name, width=0.35, size=65)
    steps = {s.name: s for s in net.layers}
    for row in net.cost():
        own = [s for key, s in steps.items() if key == row.name or key.startswith(f"{row.name}.")]
        assert own, row.name
        assert row.shape in {tuple(s.shape) for s in own}, row.name
        assert row.activation_bytes == 4 * math.prod(row.shape)


def test_bytes_follow_the_size_of_a_number_and_the_largest_is_told():
    spec, d = zoo.get("mnasnet-b1"), dialect.of("tf", "mnasnet-b1")
    single, double = cost.of(spec, d), cost.of(spec, d, itemsize=8)
    assert [2 * r.activation_bytes for r in single] == [r.activation_bytes for r in double]
    # 56 x 56 x 72 is less than 112 x 112 x 48, the first expansion
    assert cost.totals(single).activation_bytes == 112 * 112 * 48 * 4


@pytest.mark.parametrize("size", [0, -3, 2.5, "224", (1, 2, 3), (0, 5), True])
def test_a_size_that_cannot_be_is_named(size):
    with pytest.raises(SpecError, match="size is"):
        rows_of(zoo.get("mnasnet-a1"), "tf", size)


@pytest.mark.parity
@pytest.mark.parametrize("size", [224, 97])
@pytest.mark.parametrize(("peer", "name", "width", "source"), [
    ("torchvision.mnasnet0_5", "mnasnet-b1", 0.5, "torchvision"),
    ("torchvision.mobilenet_v2", "mobilenet-v2", 1.0, "torchvision"),
    ("timm.semnasnet_075", "mnasnet-a1", 0.75, "timm"), ("timm.mnasnet_small", "mnasnet-small", 1.0, "timm"),
    ("timm.tf_efficientnet_lite1", "efficientnet-lite1", 1.0, "timm-tf"),
])  # fmt: skip
def test_multiply_adds_are_those_of_the_tensors_that_flow_in_pytorch(peer, name, width, source, size):
    """Every convolution's outputs times the weights of one output, counted by hooks in a real forward."""
    torch = pytest.importorskip("torch", reason="needs the extra parity")
    family, _, builder = peer.partition(".")
    module = pytest.importorskip(family, reason="needs the extra parity")
    create = module.models if family == "torchvision" else module
    model = getattr(create, builder)() if family == "torchvision" else create.create_model(builder)
    seen = []
    for m in model.modules():
        if isinstance(m, torch.nn.Conv2d | torch.nn.Linear):
            m.register_forward_hook(lambda m, _, y: seen.append(y.numel() * m.weight[0].numel()))
    with torch.no_grad():
        model.eval()(torch.zeros(1, 3, size, size))
    assert seen == [row.macs for row in rows_of(zoo.get(name, width), source, size)]
