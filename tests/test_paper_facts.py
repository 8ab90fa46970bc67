"""Published counts: parameters exact, multiply-adds to the digits given, and every block's own numbers."""

import pytest

from refmnas.models import cost, dialect, naming, plan, zoo

# width: parameters, millions of multiply-adds at 224 as given
A1 = {0.35: (1_747_018, "61.68"), 0.5: (2_082_006, "103.16"), 0.75: (2_912_278, "223.45"), 1.0: (3_887_038, "311.58"),
      1.3: (5_468_486, "525.98"), 1.4: (6_105_992, "586.32")}  # fmt: skip
B1 = {0.35: (1_788_232, "58.88"), 0.5: (2_218_512, "104.46"), 0.75: (3_170_208, "215.49"), 1.0: (4_383_312, "314.42"),
      1.3: (6_282_256, "526.36"), 1.4: (7_115_728, "588.80")}  # fmt: skip
V2 = {0.35: (1_677_128, "59.3"), 0.5: (1_968_680, "97.1"), 0.75: (2_636_424, "209.1"), 1.0: (3_504_872, "300.77"),
      1.3: (5_386_792, "509.4"), 1.4: (6_108_776, "582.2")}  # fmt: skip
OTHERS = (
    ("mnasnet-small", 224, 2_030_264, "68.34"), ("mnasnet-d1", 224, 3_638_404, "967.7"),
    ("mnasnet-d1-320", 320, 6_932_240, "3687.9"), ("mnasnet-d1-320", 224, 6_932_240, "1807.7"),
    ("efficientnet-lite0", 224, 4_652_008, "385.2"), ("efficientnet-lite1", 240, 5_416_680, "600.2"),
    ("efficientnet-lite2", 260, 6_092_072, "859.7"), ("efficientnet-lite3", 280, 8_197_096, "1383"),
    ("efficientnet-lite4", 300, 13_006_568, "2553"), ("efficientnet-lite4", 380, 13_006_568, "3944"),
    ("mobilenet-v3-small", 224, 2_542_856, "56.51"),
    ("mobilenet-v3-large-minimalistic", 224, 3_924_288, "209"), ("mobilenet-v3-small-minimalistic", 224, 2_044_736, "52.3"),
    ("efficientnet-b0", 224, 5_288_548, "385.8"), ("efficientnet-b1", 240, 7_794_184, "686.8"),
    ("efficientnet-b2", 260, 9_109_994, "993.6"), ("efficientnet-b3", 300, 12_233_232, "1827"),
    ("efficientnet-b4", 380, 19_341_616, "4394"), ("efficientnet-b5", 456, 30_389_784, "10266"),
    ("efficientnet-b6", 528, 43_040_704, "19068"), ("efficientnet-b7", 600, 66_347_960, "37746"),
    ("efficientnet-b8", 672, 87_413_142, "62597"), ("efficientnet-l2", 800, 480_309_308, "475704"),
)  # fmt: skip
# Slim's widths are cut, not rounded.
V1 = {1.0: (4_231_976, "568.74"), 0.75: (2_585_560, "325.4"), 0.5: (1_331_592, "149.5"), 0.25: (470_072, "41.0")}

# (network, source): stage widths, repeats, parameters, millions of multiply-adds at 224
REGNETS = {
    ("regnetx-200mf", "pycls"): ([24, 56, 152, 368], [1, 1, 4, 7], 2_684_792, "199.0"),
    ("regnetx-400mf", "pycls"): ([32, 64, 160, 384], [1, 2, 7, 12], 5_157_512, "397.7"),
    ("regnetx-400mf", "torchvision"): ([32, 64, 160, 400], [1, 2, 7, 12], 5_495_976, "413.8"),
    ("regnetx-600mf", "pycls"): ([48, 96, 240, 528], [1, 3, 5, 7], 6_196_040, "600.9"),
    ("regnetx-800mf", "pycls"): ([64, 128, 288, 672], [1, 3, 7, 5], 7_259_656, "799.7"),
    ("regnetx-1.6gf", "pycls"): ([72, 168, 408, 912], [2, 4, 10, 2], 9_190_136, "1602.8"),
    ("regnetx-3.2gf", "pycls"): ([96, 192, 432, 1008], [2, 6, 15, 2], 15_296_552, "3176.6"),
    ("regnety-200mf", "pycls"): ([24, 56, 152, 368], [1, 1, 4, 7], 3_162_996, "199.5"),
    ("regnety-400mf", "pycls"): ([48, 104, 208, 440], [1, 3, 6, 6], 4_344_144, "401.8"),
    ("regnety-600mf", "pycls"): ([48, 112, 256, 608], [1, 3, 7, 4], 6_055_160, "601.2"),
    ("regnety-800mf", "pycls"): ([64, 128, 320, 768], [1, 3, 8, 2], 6_263_168, "797.2"),
    ("regnety-800mf", "torchvision"): ([64, 144, 320, 784], [1, 3, 8, 2], 6_432_512, "833.9"),
    ("regnety-1.6gf", "pycls"): ([48, 120, 336, 888], [2, 6, 17, 2], 11_202_430, "1612.1"),
    ("regnety-3.2gf", "pycls"): ([72, 216, 576, 1512], [2, 5, 13, 1], 19_436_338, "3176.5"),
}
# Published with torchvision's weights (num_params of their records)
LARGE_REGNETS = {
    "regnetx-8gf": 39_572_648, "regnetx-16gf": 54_278_536, "regnetx-32gf": 107_811_560,
    "regnety-8gf": 39_381_472, "regnety-16gf": 83_590_140, "regnety-32gf": 145_046_770,
}  # fmt: skip

FACTS = [
    *[(name, width, 224, *fact) for name, rows in (("mnasnet-a1", A1), ("mnasnet-b1", B1), ("mobilenet-v2", V2))
      for width, fact in rows.items()],
    *[(name, 1.0, size, parameters, macs) for name, size, parameters, macs in OTHERS],
]  # fmt: skip

# torchvision's first version, whose stem and first block are unscaled.
VERSION_1 = {0.5: (2_220_824, "125.6"), 0.75: (3_170_656, "220.7"), 1.3: (6_279_432, "502.0")}

# stem, then stages
CHANNELS = [
    ("mnasnet-a1", 0.35, [16, 8, 8, 16, 32, 40, 56, 112]), ("mnasnet-a1", 0.5, [16, 8, 16, 24, 40, 56, 80, 160]),
    ("mnasnet-a1", 0.75, [24, 16, 24, 32, 64, 88, 120, 240]), ("mnasnet-a1", 1.0, [32, 16, 24, 40, 80, 112, 160, 320]),
    ("mnasnet-a1", 1.3, [40, 24, 32, 56, 104, 144, 208, 416]),
    ("mnasnet-a1", 1.4, [48, 24, 32, 56, 112, 160, 224, 448]),
    ("mnasnet-b1", 0.35, [16, 8, 8, 16, 32, 32, 64, 112]), ("mnasnet-b1", 0.5, [16, 8, 16, 24, 40, 48, 96, 160]),
    ("mnasnet-b1", 0.75, [24, 16, 24, 32, 64, 72, 144, 240]), ("mnasnet-b1", 1.0, [32, 16, 24, 40, 80, 96, 192, 320]),
    ("mnasnet-b1", 1.3, [40, 24, 32, 56, 104, 128, 248, 416]),
    ("mnasnet-b1", 1.4, [48, 24, 32, 56, 112, 136, 272, 448]),
    ("mnasnet-d1", 1.0, [32, 24, 36, 48, 96, 96, 80, 320]),
]  # fmt: skip

# block numbers, in, mid, squeezed, out, kernel, stride, output size, parameters, millions of multiply-adds
A1_BLOCKS = [
    ([0], 32, 32, 0, 16, 3, 1, 112, 896, "10.04"), ([1], 16, 96, 0, 24, 3, 2, 56, 5_136, "29.20"),
    ([2], 24, 144, 0, 24, 3, 1, 56, 8_832, "25.74"), ([3], 24, 72, 6, 40, 5, 2, 28, 7_718, "9.09"),
    ([4, 5], 40, 120, 10, 40, 5, 1, 28, 15_690, "9.88"), ([6], 40, 240, 0, 80, 3, 2, 14, 32_080, "11.71"),
    ([7, 8, 9], 80, 480, 0, 80, 3, 1, 14, 83_200, "15.90"), ([10], 80, 480, 20, 112, 3, 1, 14, 118_324, "18.93"),
    ([11], 112, 672, 28, 112, 3, 1, 14, 197_820, "30.73"), ([12], 112, 672, 28, 160, 5, 2, 7, 240_924, "20.88"),
    ([13, 14], 160, 960, 40, 160, 5, 1, 7, 413_160, "16.31"), ([15], 160, 960, 0, 320, 3, 1, 7, 473_920, "23.00"),
]  # fmt: skip
B1_BLOCKS = [
    ([0], 32, 32, 0, 16, 3, 1, 112, 896, "10.04"), ([1], 16, 48, 0, 24, 3, 2, 56, 2_592, "14.60"),
    ([2, 3], 24, 72, 0, 24, 3, 1, 56, 4_440, "12.87"), ([4], 24, 72, 0, 40, 5, 2, 28, 6_776, "9.09"),
    ([5, 6], 40, 120, 0, 40, 5, 1, 28, 13_160, "9.88"), ([7], 40, 240, 0, 80, 5, 2, 14, 35_920, "12.47"),
    ([8, 9], 80, 480, 0, 80, 5, 1, 14, 90_880, "17.40"), ([10], 80, 480, 0, 96, 3, 1, 14, 90_912, "17.40"),
    ([11], 96, 576, 0, 96, 3, 1, 14, 118_272, "22.69"), ([12], 96, 576, 0, 192, 5, 2, 7, 182_976, "16.96"),
    ([13, 14, 15], 192, 1152, 0, 192, 5, 1, 7, 476_160, "23.09"),
    ([16], 192, 1152, 0, 320, 3, 1, 7, 605_440, "29.41"),
]  # fmt: skip
# in, mid, out, kernel, stride, output size
SMALL_BLOCKS = [
    (8, 8, 8, 3, 1, 112), (8, 24, 16, 3, 2, 56), (16, 96, 16, 3, 2, 28), (16, 96, 16, 3, 1, 28), (16, 96, 32, 5, 2, 14),
    *[(32, 192, 32, 5, 1, 14)] * 3, *[(32, 192, 32, 3, 1, 14)] * 3, (32, 192, 88, 5, 2, 7), *[(88, 528, 88, 5, 1, 7)] * 2,
    (88, 528, 144, 3, 1, 7),
]  # fmt: skip


def conventions(name):
    return dialect.of(zoo.get(name).sources[0], name)


def rows_of(name):
    return cost.of(zoo.get(name), conventions(name))


def millions(macs, given):
    """With as many digits as the given text has."""
    return f"{macs / 1e6:.{len(given.partition('.')[2])}f}"


@pytest.mark.parametrize(("name", "width", "size", "parameters", "macs"), FACTS)
def test_counts_are_the_published_ones(name, width, size, parameters, macs):
    for source in zoo.get(name).sources:
        got = cost.totals(cost.of(zoo.get(name, width), dialect.of(source, name), size))
        assert (got.parameters, millions(got.macs, macs)) == (parameters, macs), source


@pytest.mark.parametrize(("width", "parameters", "macs"), [(w, *fact) for w, fact in V1.items()])
def test_counts_of_mobilenet_v1_are_the_published_ones(width, parameters, macs):
    """By slim's rule; timm rounds widths to multiples of 8, which changes none of these."""
    for source in ("slim", "timm"):
        got = cost.totals(cost.of(zoo.get("mobilenet-v1", width), dialect.of(source, "mobilenet-v1")))
        assert (got.parameters, millions(got.macs, macs)) == (parameters, macs)


@pytest.mark.parametrize(("source", "parameters"), [
    ("slim", 5_483_032), ("torchvision", 5_483_032), ("timm", 5_483_032), ("timm-tf", 5_483_032), ("keras", 5_483_032),
    # less a bias of 1280, and SE of 18, 30, 30, 120, 168, 168, 240, 240 channels for 24, 32, 32, 120, 168, 168, 240, 240
    ("timm-rw", 5_483_032 - 1280 - 6 * (2 * 72 + 1) - 2 * 2 * (2 * 120 + 1)),
])  # fmt: skip
def test_counts_of_mobilenet_v3_large_are_the_published_ones(source, parameters):
    got = cost.totals(cost.of(zoo.get("mobilenet-v3-large"), dialect.of(source, "mobilenet-v3-large")))
    assert (got.parameters, millions(got.macs, "0.0")) == (parameters, "216.6")


def test_mobilenet_v3_at_three_quarters_differs_by_source():
    """The width of the layer before the last: the README's 4.0 M and 155 M are timm's 3.99 M; torchvision scales it."""
    counts = {}
    for source in ("slim", "torchvision", "timm", "keras"):
        got = cost.totals(cost.of(zoo.get("mobilenet-v3-large", 0.75), dialect.of(source, "mobilenet-v3-large")))
        counts[source] = (f"{got.parameters / 1e6:.2f}", millions(got.macs, "0.0"))
    assert counts["slim"] == counts["timm"] == counts["keras"]
    assert counts["slim"][0] == "3.99"
    assert counts["torchvision"][0] != "3.99"


@pytest.mark.parametrize(("source", "parameters", "macs"), [
    ("timm", 5_572_200, "385.0"),
    # three 1x1 convolutions and their batch norms less, a bias for every convolution before batch norm more
    ("official", 5_570_664 + 22_120, "378.1"),
])  # fmt: skip
def test_counts_of_fbnet_are_the_published_ones(source, parameters, macs):
    got = cost.totals(cost.of(zoo.get("fbnet-c"), dialect.of(source, "fbnet-c")))
    assert (got.parameters, millions(got.macs, macs)) == (parameters, macs)


@pytest.mark.parametrize(("name", "source"), REGNETS)
def test_regnets_have_the_published_widths_and_counts(name, source):
    widths, repeats, parameters, macs = REGNETS[name, source]
    record = dialect.of(source, name)
    blocks = plan.blocks(zoo.get(name), record)
    stages = [b.stage for b in blocks]
    assert list(dict.fromkeys(b.c_out for b in blocks)) == widths
    assert [stages.count(n) for n in range(4)] == repeats
    got = cost.totals(cost.of(zoo.get(name), record))
    assert (got.parameters, millions(got.macs, macs)) == (parameters, macs)


@pytest.mark.parametrize("name", LARGE_REGNETS)
def test_large_regnets_have_the_published_parameters(name):
    assert cost.totals(cost.of(zoo.get(name), dialect.of("torchvision", name))).parameters == LARGE_REGNETS[name]


@pytest.mark.parametrize(("name", "repeats"), [
    ("efficientnet-b1", [2, 3, 3, 4, 4, 5, 2]), ("efficientnet-b7", [4, 7, 7, 10, 10, 13, 4]),
])  # fmt: skip
def test_efficientnet_deepens_every_stage(name, repeats):
    stages = [b.stage for b in plan.blocks(zoo.get(name), conventions(name))]
    assert [stages.count(n) for n in range(7)] == repeats


@pytest.mark.parametrize(("width", "parameters", "macs"), [(w, *fact) for w, fact in VERSION_1.items()])
def test_counts_of_torchvisions_first_version_are_the_published_ones(width, parameters, macs):
    spec = naming.version_1(zoo.get("mnasnet-b1", width))
    got = cost.totals(cost.of(spec, dialect.of("torchvision", "mnasnet-b1")))
    assert (got.parameters, millions(got.macs, macs)) == (parameters, macs)


@pytest.mark.parametrize(("name", "width", "channels"), CHANNELS)
def test_channels_are_rounded_as_published(name, width, channels):
    spec = zoo.get(name, width)
    by_stage = {b.stage: b.c_out for b in plan.blocks(spec, conventions(name))}
    assert [plan.stem_channels(spec, conventions(name)), *by_stage.values()] == channels


@pytest.mark.parametrize(("name", "facts"), [("mnasnet-a1", A1_BLOCKS), ("mnasnet-b1", B1_BLOCKS)])
def test_every_block_has_the_published_numbers(name, facts):
    blocks, rows = plan.blocks(zoo.get(name), conventions(name)), rows_of(name)
    assert [n for numbers, *_ in facts for n in numbers] == list(range(len(blocks)))
    for numbers, *shape, parameters, macs in facts:
        for b in (blocks[n] for n in numbers):
            own = [r for r in rows if r.name.startswith(f"{b.prefix}.")]
            assert [b.c_in, b.mid, b.squeeze, b.c_out, b.kernel, b.stride, *set(b.size_out)] == shape
            assert sum(r.parameters for r in own) == parameters
            assert millions(sum(r.macs for r in own), macs) == macs


def test_every_block_of_small_has_the_published_shape():
    blocks = plan.blocks(zoo.get("mnasnet-small"), conventions("mnasnet-small"))
    assert [(b.c_in, b.mid, b.c_out, b.kernel, b.stride, *set(b.size_out)) for b in blocks] == SMALL_BLOCKS


@pytest.mark.parametrize(("name", "depthwise"), [("mnasnet-a1", "25.1"), ("mnasnet-b1", "28.3")])
def test_stem_head_and_the_share_of_depthwise_are_the_published_ones(name, depthwise):
    rows = {r.name: r for r in rows_of(name)}
    parts = [(rows[key].parameters, rows[key].macs) for key in ("stem.conv", "head.conv", "head.dense")]
    assert [p for p, _ in parts] == [928, 412_160, 1_281_000]
    assert [millions(m, "0.00") for _, m in parts] == ["10.84", "20.07", "1.28"]
    share = sum(r.macs for r in rows.values() if r.kind == "depthwise")
    assert millions(share, depthwise) == depthwise


def test_squeeze_and_excitation_of_a1_costs_a_quarter_of_a_million():
    assert millions(sum(r.macs for r in rows_of("mnasnet-a1") if ".se." in r.name), "0.25") == "0.25"


def test_small_has_a_residual_in_its_first_block_by_timm_and_none_by_tensorflow():
    spec = zoo.get("mnasnet-small")
    first = {source: plan.blocks(spec, dialect.of(source, spec.name))[0].has_skip for source in ("tf", "timm")}
    assert first == {"tf": False, "timm": True}


@pytest.mark.parametrize(("name", "repeats"), [
    ("efficientnet-lite0", [1, 2, 2, 3, 3, 4, 1]), ("efficientnet-lite1", [1, 3, 3, 4, 4, 5, 1]),
    ("efficientnet-lite2", [1, 3, 3, 4, 4, 5, 1]), ("efficientnet-lite3", [1, 3, 3, 5, 5, 6, 1]),
    ("efficientnet-lite4", [1, 4, 4, 6, 6, 8, 1]),
])  # fmt: skip
def test_lite_deepens_all_stages_but_the_first_and_last(name, repeats):
    """ceil(depth * repeats); stem 32 and head 1280 at every width."""
    spec, conv = zoo.get(name), conventions(name)
    stages = [b.stage for b in plan.blocks(spec, conv)]
    assert [stages.count(n) for n in range(7)] == repeats
    assert (plan.stem_channels(spec, conv), plan.head_channels(spec, conv)) == (32, 1280)
