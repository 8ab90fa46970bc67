"""From a table of cells to the true numbers, and to layers: one row per cell, one node per row.

The one place that knows where reductions stand and what every cell reads; `assemble`,
`cost` and `naming` ask here.

    filters   the nearest even multiple of 2**(stem cells) to width * table                  (1)
    drop-path of cell i of n, counted from 0:  drop_path * (i + 1) / n                        (2)

Source: (2) is _apply_drop_path of slim's nasnet_utils.py and of melodyguan/enas
micro_child.py, which multiply it by the share of training that has passed, too
(Network.scale_drop_path).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..blocks import nasnet
from ..blocks.genotype import Genotype
from ..errors import ShapeError, SpecError
from ..layers import Activation, AveragePool, Chain, Conv, GlobalPool, Graph, Linear, Pointwise
from . import heads, plan

AUXILIARY = (128, 768)  # channels of its two convolutions


@dataclass(frozen=True)
class CellPlan:
    """One cell with its true numbers."""

    name: str  # stem_0, cell_3, reduction_1
    genotype: Genotype
    filters: int
    now: str
    before: str | None  # None: the first cell of all, which reads one input
    drop_path: float


def filters(spec):
    """Equation (1).

    >>> from refmnas.models import zoo
    >>> filters(zoo.get("nasnet-a-mobile")), filters(zoo.get("nasnet-a-mobile", 0.35))
    (44, 16)
    """
    least = max(2, 2**spec.stem_cells)
    return max(least, round(spec.filters * spec.width / least) * least)


def rows(spec):
    """Every cell, in order."""
    stem = [(f"stem_{k}", spec.reduction, k - spec.stem_cells) for k in range(spec.stem_cells)]
    found, base = [], filters(spec)
    outputs: list[str | None] = [None if spec.rules == "nasnet" else "stem", "stem"]
    for name, genotype, power in stem + list(_after_stem(spec)):
        after_reduction = name.startswith("cell") and str(outputs[-1]).startswith("reduction")
        before = outputs[-3] if spec.skips and after_reduction else outputs[-2]
        rate = spec.drop_path * (len(found) + 1) / spec.count
        found.append(CellPlan(name, genotype, int(base * 2.0**power), str(outputs[-1]), before, rate))
        outputs.append(name)
    return found


def _after_stem(spec):
    for stage in range(3):
        if stage:
            yield f"reduction_{stage - 1}", spec.reduction, stage
        for k in range(spec.repeats):
            yield f"cell_{stage * spec.repeats + k}", spec.normal, stage


def network(spec, dialect, c, size=None):
    """The whole network as a Graph; with `auxiliary`, of two outputs: head and auxiliary.

    Raises   SpecError with its row for a cell that reduces an image of 1 x 1, or whose inputs do not fit.
    """
    height, width = plan.sides(spec.size if size is None else size)
    padding = spec.stem_padding or c.padding
    options = {"kernel": spec.stem.kernel, "stride": spec.stem.stride, "padding": padding, "dtype": c.dtype}
    first = Conv(3, plan.stem_channels(spec, dialect), **options)
    nodes: dict[str, tuple] = {"stem": (Chain({"conv": first, "bn": nasnet.norm(first.channels, c)}), "x")}
    sizes = {"stem": first.shape((height, width, 3))}
    if min(sizes["stem"]) < 1:
        raise SpecError(f"{spec.name}: the stem leaves no pixel of {height} x {width}, wanted a larger image")
    plans = rows(spec)
    for number, row in enumerate(plans, 1):
        where = f"{spec.name}: {row.name} (cell {number} of {len(plans)})"
        layer = _cell(where, row, sizes, spec, dialect, c, number)
        nodes[row.name] = (layer, row.now) if row.before is None else (layer, row.now, row.before)
        sizes[row.name] = layer.shape(sizes[row.now] if row.before is None else (sizes[row.now], sizes[row.before]))
    last = heads.merged(nodes, sizes, [row.name for row in plans], spec.merge, c)
    act = {"act": Activation(c.activation, kink=c.kink)}
    nodes["head"] = (Chain(act | heads.parts(spec.head, sizes[last][-1], 0, 0, dialect, c)), last)
    outputs: tuple[str, ...] = ("head",)
    if spec.auxiliary:
        at = auxiliary_at(spec)
        nodes["auxiliary"] = (_auxiliary(sizes[at], spec, c), at)
        outputs = ("head", "auxiliary")
    return Graph({"x": (height, width, 3)}, nodes, outputs)


def _cell(where, row, sizes, spec, dialect, c, seed):
    now = sizes[row.now]
    if row.genotype.stride == 2 and min(now[:2]) < 2:
        raise SpecError(f"{where} reduces an image of {now[0]} x {now[1]}, wanted at least 2 x 2: a larger image")
    rule = "even" if row.name in dialect.even_cells else c.padding
    options = {"rules": spec.rules, "drop_path": row.drop_path, "seed": seed, "conventions": replace(c, padding=rule)}
    before = None if row.before is None else sizes[row.before]
    try:
        return nasnet.cell(row.genotype, now, before, row.filters, **options)
    except ShapeError as error:
        raise SpecError(f"{where}: {error}") from None


def auxiliary_at(spec):
    """The cell that the auxiliary head reads: the last before the second reduction, or (ENAS) the first after it."""
    return f"cell_{2 * spec.repeats - (spec.rules == 'nasnet')}"


def _auxiliary(size, spec, c):
    """relu, pool 5 x 5 of stride 3, 1 x 1, BN, relu, a convolution as large as the map, BN, relu, dense.

    The map is that of the table's own image, as in the source; of larger ones the mean over
    what is left is taken.
    """
    pool = AveragePool(5, stride=3, padding=(0, 0, 0, 0))
    if min(size[:2]) < 5:
        raise SpecError(f"{spec.name}: the auxiliary head pools 5 x 5 of {size[0]} x {size[1]}, wanted a larger image")
    height, width, _ = pool.shape(size)
    if height != width:
        raise SpecError(f"{spec.name}: the auxiliary head of {height} x {width}, wanted a square image")
    inner, outer = AUXILIARY
    act = {"kind": c.activation, "kink": c.kink}
    padding = "valid" if spec.rules == "nasnet" else c.padding
    return Chain({
        "act": Activation(**act),
        "pool": pool,
        "project": Pointwise(size[-1], inner, dtype=c.dtype),
        "bn1": nasnet.norm(inner, c),
        "act1": Activation(**act),
        "conv": Conv(inner, outer, kernel=height, padding=padding, dtype=c.dtype),
        "bn2": nasnet.norm(outer, c),
        "act2": Activation(**act),
        "mean": GlobalPool(),
        "dense": Linear(outer, spec.head.classes, bias=spec.head.bias, dtype=c.dtype),
    })  # fmt: skip
