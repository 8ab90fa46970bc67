"""Random tables for the tests of models."""

import hypothesis.strategies as st

from refmnas.models.dialect import SOURCES
from refmnas.models.spec import ACTIVATIONS, BLOCKS, HEAD_SCALES, Head, NetSpec, Stage, Stem

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
    return NetSpec(
        name=draw(st.text(min_size=1, max_size=12)),
        source=draw(st.text(max_size=12)),
        stem=stem,
        stages=(first, *draw(st.lists(stages(blocks=blocks), max_size=6))),
        head=draw(st.builds(Head, st.integers(least, 640), widths, rates, st.sampled_from(HEAD_SCALES), hidden)),
        size=draw(st.integers(1, 400)),
        activation=draw(st.sampled_from(ACTIVATIONS)),
        drop_path=draw(rates),
        depth=draw(st.floats(0.1, 4)),
        width=draw(st.floats(0.1, 4)),
        sources=tuple(draw(st.lists(st.sampled_from(SOURCES), unique=True, max_size=3))),
    )
