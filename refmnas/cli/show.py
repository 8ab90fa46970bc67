"""`refmnas show`: the networks, and one network's layers and variables."""

from __future__ import annotations

from ._model import add_sizes
from ._output import Output, add_json, bold, table


def add(subparsers):
    command = subparsers.add_parser(
        "show",
        help="all networks, or one network's layers and trainable variables",
        description="Without M every network: source, size, parameters, multiply-adds.  With M the number of "
        "layers, each layer, each trainable variable with its shape, and the totals.",
        epilog="Example: refmnas show mnasnet-a1 --full",
    )
    command.add_argument("model", nargs="?", metavar="M", help="a network's name, or FILE.json")
    command.add_argument("--full", action="store_true", help="every line, not the first and last")
    add_sizes(command)
    add_json(command)
    command.set_defaults(run=run)


def run(args):
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

    net = build(args.model, width=args.width or 1.0, size=args.size)
    out = Output(args)
    out.say(*listings(net, full=args.full))
    out.record(record(net))
    return 0


def listings(net, full=False, few=4):
    """The three listings: the number of layers, each layer, each trainable variable."""
    layers, variables = net.layers, net.parameters()
    rows = [(s.name, s.kind, _shape(s.shape), f"{s.parameters:,}" if s.parameters else "") for s in layers]
    shapes = [(name, _shape(v.shape), f"{v.size:,}") for name, v in variables.items()]
    total = sum(v.size for v in variables.values())
    macs = sum(row.macs for row in net.cost())
    return [
        bold(f"{net.spec.name}: {len(layers)} layers, {len(variables)} trainable variables"),
        *_cut(table(("layer", "kind", "output", "parameters"), rows), full, few),
        *_cut(table(("variable", "shape", "numbers"), shapes), full, few),
        f"  {total:,} parameters, {macs / 1e6:.2f} M multiply-adds at {net.size} x {net.size}",
    ]


def _cut(lines, full, few):
    if full or len(lines) <= 2 * few + 2:
        return lines
    return [*lines[: few + 1], f"  ... {len(lines) - 1 - 2 * few} more", *lines[-few:]]


def _shape(shape):
    return " x ".join(map(str, shape))


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
