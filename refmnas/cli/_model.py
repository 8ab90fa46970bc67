"""What commands with a model share: its options, and the network that weights belong to."""

from __future__ import annotations


def add_model(command, *, required=True):
    """The --model, --width and --size options."""
    command.add_argument("--model", metavar="M", required=required, help="a name that `refmnas show` lists, or FILE.json")
    add_sizes(command)


def add_sizes(command):
    command.add_argument("--width", type=float, metavar="W", help="width multiplier (where weights are given: theirs)")
    command.add_argument("--size", type=int, metavar="N", help="side of the square image in pixels (the table's own)")


def fitted(model, mapping, names="auto", width=None):
    """The table of `model` at the width and classes of the weights."""
    from ..models import naming, zoo

    return naming.fitting(mapping, zoo.find(model, width or 1.0), names, keep_width=width is not None)


def loaded(model, path, *, dialect=None, names="auto", width=None, size=None):
    """A network filled from a file of weights; the dialect is that of the weights' names unless given."""
    from .. import io
    from ..models import build, naming

    mapping = io.load(path)
    source = naming.detect(mapping) if names == "auto" else names
    spec = fitted(model, mapping, source, width)
    dialect = dialect or naming.convention(source, spec)
    net = build(spec, size=size, classes=spec.head.classes, dialect=dialect)
    return net.load(mapping, source)


def parted(text):
    """(model, dialect or None) of NAME, NAME@DIALECT, FILE.json or FILE.json@DIALECT.

    >>> parted("mnasnet-b1@torchvision"), parted("my@nets/a.json")
    (('mnasnet-b1', 'torchvision'), ('my@nets/a.json', None))
    """
    model, at, dialect = text.rpartition("@")
    return (model, dialect) if at and "/" not in dialect and not dialect.endswith(".json") else (text, None)


def weighed(text):
    """(model, dialect or None, file of weights or None) of `parted`'s texts, perhaps with =WEIGHTS behind.

    >>> weighed("mnasnet-b1@timm=b1.pth"), weighed("mnasnet-a1")
    (('mnasnet-b1', 'timm', 'b1.pth'), ('mnasnet-a1', None, None))
    """
    named, _, weights = text.partition("=")
    return (*parted(named), weights or None)


def table_of(text, dialect=None):
    """(table, dialect) of such a text; `dialect`, where given, must not contradict it."""
    from ..errors import SpecError
    from ..models import dialect as dialects
    from ..models import zoo

    model, named = parted(text)
    if named is not None and dialect not in (None, named):
        raise SpecError(f"{text}: the dialect is {dialect!r} by its option, wanted one of the two")
    spec = zoo.find(model)
    return spec, dialects.of(named or dialect or (spec.sources or ("tf",))[0], spec.name)
