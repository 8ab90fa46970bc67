"""The tables of the zoo, and the rounding of widths against the sources' own functions."""

import random
from dataclasses import replace
from itertools import pairwise

import pytest

from refmnas.errors import SpecError
from refmnas.models import cost, dialect, plan, zoo
from refmnas.models.spec import Stage

PUBLISHED = (0.35, 0.5, 0.75, 1.0, 1.1, 1.2, 1.3, 1.4, 1.6, 2.0)


def multipliers(count=300):
    draw = random.Random(7)
    return [*PUBLISHED, *(draw.uniform(0.05, 4) for _ in range(count))]


def shape(spec, source):
    """All that a table decides at a dialect."""
    d = dialect.of(source, spec.name)
    return plan.stem_channels(spec, d), plan.head_channels(spec, d), plan.blocks(spec, d)


def test_names_are_those_of_the_tables():
    assert zoo.names() == [
        "mnasnet-a1", "mnasnet-b1", "mnasnet-small", "mnasnet-d1", "mnasnet-d1-320", "mobilenet-v1", "mobilenet-v2",
        "mobilenet-v3-large", "mobilenet-v3-small", "mobilenet-v3-large-minimalistic", "mobilenet-v3-small-minimalistic",
        *[f"efficientnet-lite{n}" for n in range(5)], *[f"efficientnet-b{n}" for n in range(9)], "efficientnet-l2",
        "fbnet-c",
        *[f"regnet{kind}-{size}" for kind in "xy" for size in (
            "200mf", "400mf", "600mf", "800mf", "1.6gf", "3.2gf", "4gf", "6.4gf", "8gf", "12gf", "16gf", "32gf")],
        "nasnet-a-mobile", "nasnet-a-large", "nasnet-a-cifar", "enas-micro",
    ]  # fmt: skip
    for name in zoo.names():
        assert zoo.get(name).name == name
        assert set(zoo.get(name).sources) <= set(dialect.SOURCES)


@pytest.mark.parametrize(("name", "near"), [("mnasnet-a", "mnasnet-a1"), ("efficientnet_lite0", "efficientnet-lite0")])
def test_an_unknown_name_is_answered_by_the_nearest(name, near):
    with pytest.raises(SpecError, match=f"no '{name}'; did you mean '{near}'"):
        zoo.get(name)


@pytest.mark.parametrize("width", [0, -1, float("nan"), float("inf"), "1", None, True, 17])
def test_a_width_that_cannot_be_is_named(width):
    with pytest.raises(SpecError, match="width is"):
        zoo.get("mnasnet-a1", width)


def test_a_width_multiplies_the_tables_own():
    assert zoo.get("efficientnet-lite2", 0.5).width == 1.1 * 0.5
    assert zoo.get("efficientnet-lite2").width == 1.1


def test_channels_stay_as_in_the_table_at_width_1_where_the_source_keeps_them():
    """d1's 36 is no multiple of 8: the original keeps it without a multiplier, timm's rule would round it."""
    spec = zoo.get("mnasnet-d1")
    outs = {s: {b.c_out for b in shape(spec, s)[2] if b.stage == 1} for s in ("tf", "timm")}
    assert outs == {"tf": {36}, "timm": {40}}


def test_rounding_never_takes_more_than_a_tenth_and_gives_multiples_of_8():
    for channels in range(1, 700):
        for width in PUBLISHED:
            got = plan.round8(channels * width)
            assert got % 8 == 0
            assert got >= max(8, 0.9 * channels * width)
            assert got < channels * width + 8


def test_keras_cuts_the_product_before_it_rounds():
    """17.8 goes up to 24, since 16 is below 0.9 * 17.8; 17 stays at 16."""
    assert (plan.channels(89, 0.2, "always"), plan.channels(89, 0.2, "truncate-first")) == (24, 16)
    differing = [
        (channels, width) for channels in (16, 24, 32, 64, 96, 160, 320) for width in multipliers()
        if plan.channels(channels, width, "truncate-first") != plan.channels(channels, width, "always")
    ]  # fmt: skip
    assert differing
    assert all(plan.channels(c, w, "truncate-first") == plan.round8(int(c * w)) for c, w in differing)


def test_slims_first_mobilenet_cuts_the_product():
    record = dialect.of("slim", "mobilenet-v1")
    blocks = plan.blocks(zoo.get("mobilenet-v1", 0.35), record)
    widths = dict.fromkeys(b.c_out for b in blocks)
    assert [plan.stem_channels(zoo.get("mobilenet-v1", 0.35), record), *widths] == [11, 22, 44, 89, 179, 358]
    assert plan.channels(16, 0.35, "truncate") == 8


@pytest.mark.parametrize(("width", "stem"), [(0.5, 16), (0.74, 16), (0.75, 16), (1.0, 16), (1.5, 24), (2.0, 32)])
def test_timm_keeps_the_stem_of_mobilenet_v3_below_three_quarters(width, stem):
    """At 0.5 slim has 8."""
    spec = zoo.get("mobilenet-v3-small", width)
    assert plan.stem_channels(spec, dialect.of("timm", spec.name)) == stem
    assert plan.stem_channels(zoo.get("mobilenet-v3-small", 0.5), dialect.of("slim", spec.name)) == 8


def test_a_row_that_joins_is_counted_on_in_the_stage_before():
    blocks = plan.blocks(zoo.get("mobilenet-v3-large"), dialect.of("timm", "mobilenet-v3-large"))
    assert [b.prefix for b in blocks[:7]] == [f"stages.{at}" for at in ("0.0", "1.0", "1.1", "2.0", "2.1", "2.2", "3.0")]
    assert [b.prefix for b in blocks[7:10]] == ["stages.3.1", "stages.3.2", "stages.3.3"]
    assert {b.act for b in blocks[:6]} == {"relu"}
    assert {b.act for b in blocks[6:]} == {"hard_swish"}


def test_one_group_rule_never_loses_more_than_a_tenth():
    spec, record = zoo.get("regnetx-400mf"), dialect.of("torchvision", "regnetx-400mf")
    for width in range(8, 500):
        for group in (8, 16, 24, 56):
            row = Stage("bottleneck", 1, 3, 2, 1, width, group=group)
            least = min(group, width)
            for rule in ("round", "divisible"):
                options = {"group_rounding": rule, "width_rule": "except-one"}
                [block] = plan.blocks(replace(spec, stages=(row,)), replace(record, **options))
                assert block.c_out % least == 0
                assert block.c_out == block.groups * least
                assert abs(block.c_out - width) <= (least / 2 if rule == "round" else least)
                assert rule == "round" or block.c_out >= 0.9 * width


@pytest.mark.parametrize("field", ["width_rule", "mid_rounding", "mid_base", "se_base", "se_rounding", "expand_one",
                                   "first_skip", "group_rounding"])
def test_an_unknown_rule_is_named(field):
    name = "regnetx-200mf" if field == "group_rounding" else "mnasnet-a1"
    with pytest.raises(SpecError, match=f"{field} is 'other', wanted"):
        plan.blocks(zoo.get(name), replace(dialect.of("timm", name), **{field: "other"}))


@pytest.mark.parametrize(("field", "asked"), [("head_rule", plan.head_channels), ("hidden_scales", plan.hidden_channels)])
def test_an_unknown_rule_of_the_head_is_named(field, asked):
    with pytest.raises(SpecError, match=f"{field} is 'other', wanted"):
        asked(zoo.get("mobilenet-v3-small"), replace(dialect.of("timm", "mnasnet-a1"), **{field: "other"}))


def test_expanded_and_squeezed_widths_follow_the_rounding_of_the_dialect():
    """At widths that 8 does not divide, which no published multiplier gives."""
    spec = replace(zoo.get("mnasnet-a1"), stages=(Stage("sep", 1, 3, 1, 1, 10), Stage("mbconv", 1, 3, 1, 3, 10, se=0.25)))
    keep = {"width_rule": "except-one"}
    found = {}
    for source in ("tf", "timm", "slim"):
        last = plan.blocks(spec, replace(dialect.of(source, "mnasnet-a1"), **keep))[-1]
        found[source] = (last.c_in, last.mid, last.squeeze)
    # 10 * 3 = 30, rounded to 32; 10 / 4 = 2.5 truncated to 2; 32 * (0.25 / 3) = 2.67 rounded to 3
    assert found == {"tf": (10, 30, 2), "timm": (10, 32, 3), "slim": (10, 32, 2)}
    expanded = plan.blocks(spec, replace(dialect.of("tf", "mnasnet-a1"), se_base="expanded", se_rounding="divisible"))[-1]
    assert expanded.squeeze == 8


def test_sizes_are_halved_upwards_and_drop_path_rises_by_equal_steps():
    spec = zoo.get("efficientnet-lite0")
    blocks = plan.blocks(spec, dialect.of("tf", spec.name), size=(225, 200))
    assert (blocks[0].size_in, blocks[-1].size_out) == ((113, 100), (8, 7))
    assert [b.drop_path for b in blocks] == [0.2 * i / 16 for i in range(16)]
    for before, after in pairwise(blocks):
        assert (before.size_out, before.c_out) == (after.size_in, after.c_in)
    for wrong in (0, (3,), (0, 5), 2.5, "224"):
        with pytest.raises(SpecError, match="size is"):
            plan.blocks(spec, dialect.of("tf", spec.name), size=wrong)


def test_small_asks_for_the_declared_width_at_every_multiplier():
    """The original rounds both 16 and 8: at width 0.5 they meet in 8, and the residual is there."""
    at = {w: shape(zoo.get("mnasnet-small", w), "tf")[2][0].has_skip for w in (0.5, 0.75, 1.0, 1.4)}
    assert at == {0.5: True, 0.75: False, 1.0: False, 1.4: False}
    assert all(shape(zoo.get("mnasnet-small", w), "timm")[2][0].has_skip for w in at)


@pytest.mark.parity
def test_rounding_is_that_of_torchvision_and_timm():
    reason = "needs the extra parity"
    pytest.importorskip("timm", reason=reason)
    pytest.importorskip("torchvision", reason=reason)
    from timm.layers import make_divisible
    from timm.models._efficientnet_builder import round_channels
    from torchvision.models._utils import _make_divisible
    from torchvision.models.mnasnet import _get_depths

    tables = {stage.channels for spec in zoo.SPECS.values() for stage in getattr(spec, "stages", ())} | {8, 32, 1280}
    for width in multipliers():
        b1 = zoo.get("mnasnet-b1", width)
        stem, _, blocks = shape(b1, "torchvision")
        assert _get_depths(width) == [stem, *{b.stage: b.c_out for b in blocks}.values()]
        for channels in tables:
            product = channels * width
            ours = plan.channels(channels, width, "always")
            assert ours == _make_divisible(product, 8) == make_divisible(product) == round_channels(channels, width)
        v2 = zoo.get("mobilenet-v2", width)
        head = plan.head_channels(v2, dialect.of("torchvision", "mobilenet-v2"))
        assert head == _make_divisible(1280 * max(1.0, width), 8) == max(1280, round_channels(1280, width))


@pytest.mark.parity
@pytest.mark.parametrize("kind", ["large", "small"])
def test_widths_of_mobilenet_v3_are_torchvisions_at_any_multiplier(kind):
    module = pytest.importorskip("torchvision.models.mobilenetv3", reason="needs the extra parity")
    for width in multipliers(60):
        rows, last = module._mobilenet_v3_conf(f"mobilenet_v3_{kind}", width_mult=width)
        spec = zoo.get(f"mobilenet-v3-{kind}", width)
        record = dialect.of("torchvision", spec.name)
        blocks = plan.blocks(spec, record)
        ours = [(b.c_in, b.mid if b.expands else b.c_in, b.c_out, b.kernel, b.stride, b.act) for b in blocks]
        theirs = [
            (r.input_channels, r.expanded_channels, r.out_channels, r.kernel, r.stride, "hard_swish" if r.use_hs else "relu")
            for r in rows
        ]  # fmt: skip
        assert ours == theirs, width
        assert [b.squeeze for b in blocks] == [
            module._make_divisible(r.expanded_channels // 4, 8) if r.use_se else 0 for r in rows
        ]
        assert plan.hidden_channels(spec, record) == last
        assert plan.head_channels(spec, record) == 6 * rows[-1].out_channels


@pytest.mark.parity
@pytest.mark.parametrize(("peer", "name", "width", "source"), [
    ("mnasnet_050", "mnasnet-b1", 0.5, "timm"), ("mnasnet_140", "mnasnet-b1", 1.4, "timm"),
    ("semnasnet_050", "mnasnet-a1", 0.5, "timm"), ("semnasnet_075", "mnasnet-a1", 0.75, "timm"),
    ("semnasnet_100", "mnasnet-a1", 1.0, "timm"), ("semnasnet_140", "mnasnet-a1", 1.4, "timm"),
    ("mnasnet_small", "mnasnet-small", 1.0, "timm"),
    ("mobilenetv2_035", "mobilenet-v2", 0.35, "timm"), ("mobilenetv2_140", "mobilenet-v2", 1.4, "timm"),
    *[(f"efficientnet_lite{n}", f"efficientnet-lite{n}", 1.0, "timm") for n in range(5)],
    *[(f"tf_efficientnet_lite{n}", f"efficientnet-lite{n}", 1.0, "timm-tf") for n in range(5)],
    *[(f"efficientnet_b{n}", f"efficientnet-b{n}", 1.0, "timm") for n in (0, 2, 4)],
    ("tf_efficientnet_b6", "efficientnet-b6", 1.0, "timm-tf"), ("fbnetc_100", "fbnet-c", 1.0, "timm"),
])  # fmt: skip
def test_blocks_are_those_that_timm_builds(peer, name, width, source):
    """Widths, kernels, strides, squeezed widths and residuals of every block; drop-path rates."""
    timm = pytest.importorskip("timm", reason="needs the extra parity")
    spec = zoo.get(name, width)
    stem, head, blocks = shape(spec, source)
    model = timm.create_model(peer, drop_path_rate=spec.drop_path)
    theirs = [block for stage in model.blocks for block in stage]
    assert (model.conv_stem.out_channels, model.conv_head.out_channels) == (stem, head)
    assert len(theirs) == len(blocks)
    for ours, block in zip(blocks, theirs, strict=True):
        dw = block.conv_dw
        last = block.conv_pwl if ours.expands else block.conv_pw
        first = block.conv_pw.in_channels if ours.expands else dw.in_channels
        assert (ours.c_in, ours.mid, ours.c_out) == (first, dw.in_channels, last.out_channels)
        assert ((ours.kernel,) * 2, (ours.stride,) * 2) == (dw.kernel_size, dw.stride)
        assert ours.squeeze == (block.se.conv_reduce.out_channels if hasattr(block.se, "conv_reduce") else 0)
        assert ours.has_skip == block.has_skip
        assert ours.drop_path == getattr(block.drop_path, "drop_prob", 0.0)
    assert sum(p.numel() for p in model.parameters()) == cost.totals(cost.of(spec, dialect.of(source, name))).parameters
