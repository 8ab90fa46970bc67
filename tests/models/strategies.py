"""Random tables for the tests of models."""

import hypothesis.strategies as st

from refmnas.blocks.genotype import Genotype
from refmnas.models.cell_spec import CellSpec
from refmnas.models.dialect import SOURCES
from refmnas.models.spec import ACTIVATIONS, BLOCKS, HEAD_SCALES, POOLS, Head, NetSpec, Stage, Stem

widths = st.integers(1, 640)
rates = st.floats(0, 1, exclude_max=True)
ratios = st.one_of(st.just(0.0), st.sampled_from([0.25, 0.5, 1.0, 1]), st.floats(1e-12, 1))


@st.composite
def stages(draw, *, is_first=False, stem=None, blocks=BLOCKS):
    """One row."""
    block = draw(st.sampled_from(blocks))
    expand = draw(st.sampled_from([1, 3, 6, 9, 2.5, 88 / 24])) if block == "mbconv" else 1
    se = draw(ratios)
    options = {"act": draw(st.sampled_from(["", *ACTIVATIONS])), "joins": not is_first and draw(st.booleans())}
    if block == "bottleneck":
        options["group"] = draw(st.sampled_from([1, 8, 24]))
    skip = block == "bottleneck" or (block != "separable" and draw(st.booleans()))
    declared = None
    if is_first and expand == 1 and not se:
        declared = draw(st.one_of(st.none(), widths.filter(lambda c: c != stem.channels)))
    return Stage(
        block, draw(st.integers(1, 5)), draw(st.sampled_from([1, 3, 5, 7])),
        draw(st.sampled_from([1, 2])), expand, draw(widths), se=se, skip=skip, declared_in=declared,
        scales=draw(st.booleans()), deepens=draw(st.booleans()), **options,
    )  # fmt: skip


@st.composite
def networks(draw, *, is_plain=False):
    """Any table; `is_plain`: of MnasNet's blocks and head alone, for which every source has names."""
    blocks, least = (("sep", "mbconv"), 1) if is_plain else (BLOCKS, 0)
    hidden = st.just(0) if is_plain else st.integers(0, 64)
    stem = draw(st.builds(Stem, st.sampled_from([1, 3, 5]), st.sampled_from([1, 2]), widths, st.booleans()))
    first = draw(stages(is_first=True, stem=stem, blocks=blocks))
    rows = (first, *draw(st.lists(stages(blocks=blocks), max_size=6)))
    pools = st.just("gap") if is_plain else st.sampled_from(POOLS)
    levels = st.lists(st.integers(1, 5), min_size=1, max_size=3).map(tuple)
    earlier = range(sum(not row.joins for row in rows) - 1)
    merge = draw(st.sets(st.sampled_from(earlier))) if earlier and not is_plain else set()
    scales = st.sampled_from(HEAD_SCALES)
    return NetSpec(
        name=draw(st.text(min_size=1, max_size=12)),
        source=draw(st.text(max_size=12)),
        stem=stem,
        stages=rows,
        head=draw(st.builds(Head, st.integers(least, 640), widths, rates, scales, hidden, pools, levels, st.booleans())),
        size=draw(st.integers(1, 400)),
        activation=draw(st.sampled_from(ACTIVATIONS)),
        drop_path=draw(rates),
        depth=draw(st.floats(0.1, 4)),
        width=draw(st.floats(0.1, 4)),
        sources=tuple(draw(st.lists(st.sampled_from(SOURCES), unique=True, max_size=3))),
        merge=tuple(sorted(merge)),
    )


operations = st.sampled_from(["none", "sep3", "sep5", "sep7", "avg3", "avg5", "max3", "max5"])


@st.composite
def genotypes(draw, stride):
    """Any cell's table."""
    rows = []
    for k in range(2, 2 + draw(st.integers(1, 5))):
        states = st.integers(0, k - 1)
        rows.append((draw(operations), draw(states), draw(operations), draw(states)))
    unread = Genotype(tuple(rows), stride=stride).unread
    more = draw(st.sets(st.integers(0, len(rows) + 1)))
    output = draw(st.sampled_from([None, tuple(sorted(more | set(unread)))]))
    return Genotype(tuple(rows), output, stride)


@st.composite
def cell_networks(draw, *, size=None):
    """Any small table of cells."""
    stem_cells = draw(st.integers(0, 2))
    filters, repeats = 2 ** max(1, stem_cells) * draw(st.integers(1, 3)), draw(st.integers(1, 2))
    count = stem_cells + 3 * repeats + 2
    pools = st.sampled_from(POOLS)
    return CellSpec(
        name=draw(st.text(min_size=1, max_size=12)),
        source=draw(st.text(max_size=12)),
        stem=draw(st.builds(Stem, st.sampled_from([1, 3]), st.sampled_from([1, 2]), st.integers(1, 9), st.booleans())),
        normal=draw(genotypes(1)),
        reduction=draw(genotypes(2)),
        filters=filters,
        repeats=repeats,
        head=draw(st.builds(Head, st.just(0), st.integers(1, 9), rates, pool=pools, bias=st.booleans())),
        stem_cells=stem_cells,
        stem_padding=draw(st.sampled_from(["", "valid"])),
        rules=draw(st.sampled_from(["nasnet", "enas"])),
        skips=draw(st.booleans()),
        size=size or draw(st.integers(1, 400)),
        activation=draw(st.sampled_from(ACTIVATIONS)),
        drop_path=draw(rates),
        auxiliary=draw(rates),
        merge=tuple(sorted(draw(st.sets(st.integers(0, count - 2), max_size=2)))),
        width=draw(st.sampled_from([1.0, 0.5, 2.0])),
        sources=tuple(draw(st.lists(st.sampled_from(SOURCES), unique=True, max_size=3))),
    )
