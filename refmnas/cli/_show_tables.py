"""A network as the table of its paper: stages of blocks, or cells."""

from __future__ import annotations

from ._output import bold, extents, table


def of_stages(net):
    """One line for the stem, each block, the merge and the head."""
    from ..models import plan

    spec, costs = net.spec, _grouped(net)
    rows = [_row("stem", "conv", f"{spec.stem.kernel} x {spec.stem.kernel}", spec.stem.stride, "", costs["stem"])]
    planned = plan.blocks(spec, net.dialect, net.size)
    for b in planned:
        channels = f"{b.c_in} > {b.mid} > {b.c_out}" if b.expands else f"{b.c_in} > {b.c_out}"
        kind = b.kind + (f" g {b.mid // b.groups}" if b.groups else "") + (f" se {b.squeeze}" if b.squeeze else "")
        kind += " + x" if b.has_skip else ""
        rows.append(_row(b.prefix, kind, f"{b.kernel} x {b.kernel}", b.stride, channels, costs[b.prefix]))
    last = planned[-1]
    if spec.merge:
        together = sum(plan.merge_channels(spec, planned))
        kind = f"merge of {', '.join(map(str, spec.merge))} + x"
        rows.append(_row("stages.merge", kind, "1 x 1", 1, f"{together} > {last.c_out}", costs["stages.merge.mix"]))
    widths = plan.head_channels(spec, net.dialect), plan.hidden_channels(spec, net.dialect), spec.head.classes
    kind = ("1 x 1, " if spec.head.channels else "") + _ends(spec.head) + (", dense" if spec.head.hidden else "")
    rows.append(_row("head", kind, "", "", " > ".join(str(w) for w in widths if w), costs["head"], last.size_out))
    header = ("block", "kind", "kernel", "stride", "channels", "output", "parameters", "mult-adds")
    return [
        *_title(net),
        *table(header, rows),
        "  se: channels of the squeeze; g: of a group; + x: the block's input is added",
        *_strangers(spec),
    ]


def of_cells(net):
    """Both cells' tables, then one line for the stem, each cell, the merge and the heads."""
    from ..models import cells

    spec, costs = net.spec, _grouped(net)
    rows = [_cell_row("stem", "conv", "image", costs["stem"])]
    for row in cells.rows(spec):
        kind = f"{'reduction' if row.genotype.stride == 2 else 'normal'}, filters {row.filters}"
        rows.append(_cell_row(row.name, kind, f"{row.now}, {row.before or row.now}", costs[row.name], row))
    if spec.merge:
        names = [row.name for row in cells.rows(spec)]
        reads = ", ".join([*(names[k] for k in spec.merge), names[-1]])
        rows.append(_cell_row("merge", "merge + x", reads, costs["merge"]))
    if spec.auxiliary:
        kind = f"head, {spec.auxiliary:g} of the loss"
        rows.append(_cell_row("auxiliary", kind, cells.auxiliary_at(spec), costs["auxiliary"]))
    rows.append(_cell_row("head", _ends(spec.head), rows[-1 - bool(spec.auxiliary)][0], costs["head"]))
    header = ("cell", "kind", "reads", "output", "parameters", "mult-adds")
    sums = [(f"h{k}", *(f"{f} h{i} + {g} h{j}" for f, i, g, j in pair)) for k, pair in enumerate(_pairs(spec), 2)]
    ends = ["y", *("".join(f"h{k} " for k in g.output) for g in (spec.normal, spec.reduction))]
    return [
        *_title(net),
        *table(header, rows),
        *table(("state", "normal", "reduction"), [*sums, tuple(ends)]),
        "  h0: 1 x 1 of the first that a cell reads, h1: the second; y: these behind one another",
        *_strangers(spec),
    ]


def _pairs(spec):
    """The sums of both cells side by side; the shorter table ends in empty cells."""
    normal, reduction = spec.normal.sums, spec.reduction.sums
    for k in range(max(len(normal), len(reduction))):
        yield [cell[k] if k < len(cell) else ("", "", "", "") for cell in (normal, reduction)]


def _title(net):
    spec = net.spec
    return [bold(f"{spec.name}, width {spec.width:g}, dialect {net.dialect.source}"), f"  {spec.source}"]


def _ends(head):
    """The pool and the last layer."""
    pool = {"gap": "pool", "gap-se": "se, pool", "spp": f"pyramid {' '.join(map(str, head.levels))}"}[head.pool]
    return f"{pool}, dense"


def _strangers(spec):
    """What no paper of the network has."""
    found = [f"head {spec.head.pool}"] if spec.head.pool != "gap" else []
    found += ["merge"] if spec.merge else []
    return [f"  not in the paper: {', '.join(found)}"] if found else []


def _row(name, kind, kernel, stride, channels, costs, pixels=None):
    pixels = pixels or next(row.shape[:2] for row in reversed(costs) if len(row.shape) == 3)
    return name, kind, kernel, stride, channels, extents(pixels), *_sums(costs)


def _cell_row(name, kind, reads, costs, row=None):
    shape = costs[-1].shape
    if row is not None:
        shape = (*shape[:2], row.filters * len(row.genotype.output))
    return name, kind, reads, extents(shape), *_sums(costs)


def _sums(costs):
    return f"{sum(row.parameters for row in costs):,}", f"{sum(row.macs for row in costs) / 1e6:.2f} M"


def _grouped(net):
    """stem, stages.S.B, the name of a cell, or head -> the cost rows of its layers."""
    groups = {}
    for row in net.cost():
        words = row.name.split(".")
        groups.setdefault(".".join(words[:3]) if words[0] == "stages" else words[0], []).append(row)
    return groups
