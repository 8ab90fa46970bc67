"""`refmnas show`: the networks, and one network's layers and variables."""

from __future__ import annotations

from ._model import add_sizes
from ._output import Output, add_json, bold, extents, table


def add(subparsers):
    command = subparsers.add_parser(
        "show",
        help="all networks, or one network's layers and trainable variables",
        description="Without M every network: source, size, parameters, multiply-adds.  With M the number of "
        "layers, each layer, each trainable variable with its shape, and the totals.  "
        "With FILE.onnx or FILE.tflite what goes in and comes out, its operators, and the network of the zoo that it is.",
        epilog="Example: refmnas show mnasnet-a1 --full",
    )
    command.add_argument("model", nargs="?", metavar="M", help="a network's name, FILE.json, FILE.onnx or FILE.tflite")
    command.add_argument("--full", action="store_true", help="every layer and every variable")
    command.add_argument("--head", metavar="H", help="gap-se or spp in the place of the mean: not in the papers")
    merge = "numbers of stages (of cells) whose results are merged into the last one's: not in the papers"
    command.add_argument("--merge", metavar="N", type=int, nargs="+", help=merge)
    add_sizes(command)
    add_json(command)
    command.set_defaults(run=run)


def run(args):
    if args.model and args.model.endswith((".onnx", ".tflite")):
        return _graph(args)
    return _one(args) if args.model else _all(args)


def _all(args):
    from ..models import cost, dialect, zoo

    rows = []
    for name in zoo.names():
        spec = zoo.get(name, args.width or 1.0)
        parameters, macs, _ = cost.totals(cost.of(spec, dialect.of(spec.sources[0], name), args.size))
        rows.append((name, args.size or spec.size, parameters, macs, ", ".join(spec.sources), spec.source))
    out = Output(args)
    shown = [(n, s, f"{p:,}", f"{m / 1e6:.1f} M", d, src.split(";")[0]) for n, s, p, m, d, src in rows]
    out.say(*table(("network", "size", "parameters", "mult-adds", "dialects", "source"), shown))
    keys = ("name", "size", "parameters", "macs", "dialects", "source")
    out.record([dict(zip(keys, row, strict=True)) for row in rows])
    return 0


def _one(args):
    from ..models import build

    net = build(args.model, width=args.width or 1.0, size=args.size, head=args.head, merge=args.merge)
    out = Output(args)
    if args.full:
        out.say(*listings(net, full=True))
    else:
        out.say(*blocks(net), "", *listings(net, few=2), "", f"every layer and variable: refmnas show {args.model} --full")
    out.record(record(net))
    return 0


def _graph(args):
    """An ONNX or TFLite file: its own facts, then those of the network that it is, where it is one."""
    from .. import io
    from ..recognition import recognise

    is_onnx = args.model.endswith(".onnx")
    graph = io.onnx.load(args.model) if is_onnx else io.tflite.load(args.model)
    form = {"opset": graph.opset} if is_onnx else {"version": graph.version}
    found, out = recognise(graph), Output(args)
    ends = [(word, name, str(dtype), _open(shape)) for word, values in (("input", graph.inputs), ("output", graph.outputs))
            for name, (dtype, shape) in values.items()]  # fmt: skip
    words = ", ".join(f"{key} {value}" for key, value in form.items())
    out.say(bold(f"{args.model}, {words}"), *table(("", "name", "type", "shape"), ends))
    out.say(*table(("operator", "nodes"), graph.operators.items()))
    named = {} if found is None else {"network": found.model, "width": found.width, "dialects": found.dialects}
    keys = ("kind", "name", "type", "shape")
    out.record(form | {"ends": [dict(zip(keys, end, strict=True)) for end in ends],
                       "operators": graph.operators, "recognised": named or None})  # fmt: skip
    if found is None:
        out.say("", "none of the networks that `refmnas show` lists")
    else:
        out.say("", *(listings if args.full else blocks)(found.network()), f"  or the dialects {', '.join(found.dialects[1:])}"
                if found.dialects[1:] else "")  # fmt: skip
    return 0


def _open(shape):
    return "any" if shape is None else " x ".join("?" if n is None else str(n) for n in shape)


def blocks(net):
    """The network as its paper's table has it: one line for the stem, each block or cell and the head."""
    from ..models.cell_spec import CellSpec
    from ._show_tables import of_cells, of_stages

    return (of_cells if isinstance(net.spec, CellSpec) else of_stages)(net)


def listings(net, full=False, few=4):
    """The three listings: the number of layers, each layer, each trainable variable."""
    layers, variables = net.layers, net.parameters()
    rows = [(s.name, s.kind, extents(s.shape), f"{s.parameters:,}" if s.parameters else "") for s in layers]
    shapes = [(name, extents(v.shape), f"{v.size:,}") for name, v in variables.items()]
    total = sum(v.size for v in variables.values())
    macs = sum(row.macs for row in net.cost())
    return [
        bold(f"{len(layers)} layers"),
        *_cut(table(("layer", "kind", "output", "parameters"), rows), full, few),
        bold(f"{len(variables)} trainable variables"),
        *_cut(table(("variable", "shape", "numbers"), shapes), full, few),
        bold(f"{total:,} parameters, {macs / 1e6:.2f} M multiply-adds at {extents((net.size, net.size))}"),
    ]


def _cut(lines, full, few):
    if full or len(lines) <= 2 * few + 2:
        return lines
    return [*lines[: few + 1], f"  ... {len(lines) - 1 - 2 * few} more", *lines[-few:]]


def record(net):
    """The same as data."""
    return {
        "network": net.spec.name,
        "source": net.spec.source,
        "dialect": net.dialect.source,
        "width": net.spec.width,
        "size": net.size,
        "parameters": sum(v.size for v in net.parameters().values()),
        "macs": sum(row.macs for row in net.cost()),
        "layers": [{"name": s.name, "kind": s.kind, "shape": s.shape, "parameters": s.parameters} for s in net.layers],
        "variables": {name: v.shape for name, v in net.parameters().items()},
        "cost": [row._asdict() for row in net.cost()],
    }
