"""A network that runs: forward, backward, its arrays under any source's names.

>>> net = build("mnasnet-a1", width=0.35)
>>> net.forward(np.zeros((1, 64, 64, 3), np.float32)).shape
(1, 1000)
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import DataError, DtypeError, FormatError, ShapeError, SpecError
from ..layers import DropPath, Step
from ..layers.drop import checked_rate
from ..ops._checks import FLOATS, whole
from . import assemble, cost, initial, naming, zoo
from . import dialect as dialects
from . import features as feature_maps
from .cell_spec import CellSpec


class Network:
    """What `build` returns.  x is (N, H, W, 3), of the network's dtype; y is (N, classes), logits.

    `spec`, `dialect`, `dtype` and `size` tell what was built.
    """

    def __init__(self, spec, dialect, *, dtype=np.float32, seed=0):
        self.spec, self.dialect, self.dtype = spec, dialect, np.dtype(dtype)
        self.size: int = spec.size
        self._chain = assemble.network(spec, dialect, dtype=self.dtype)
        self._extra: dict[str, np.ndarray] = {}  # entries of a loaded mapping that are no arrays of a layer
        self._output: tuple | None = None
        self._auxiliary: np.ndarray | None = None
        initial.fill(self._chain, dialect.init, (seed, 0))
        self.reseed(seed)

    def __repr__(self):
        what = f"{self.spec.name} width {self.spec.width:g} size {self.size}"
        return f"<Network {what} {self.dialect.source} {self.dtype}>"

    # -- running --------------------------------------------------------------------

    def forward(self, x, train=False, features=False):
        """Logits (N, classes); with features=True also the feature maps: (logits, {stride: (N, P, Q, C)}).

        train=False: batch norm by the running statistics, no dropout, nothing changes.
        train=True: by the batch's own, the running ones move one step, dropout and
        drop-path draw a mask.  Where it fails, nothing has moved.

        Any size is taken, not the table's alone; an empty batch gives an empty result
        in evaluation.

        The maps are those of `features`, arrays of their own; `backward` takes the
        gradient of the logits alone.
        """
        self._check_input(x, train)
        self._output = self._auxiliary = None
        x = np.array(x, order="C")  # backward reads it: later changes by the caller must not
        moving = [p for _, p in self._chain.named_params() if not p.trainable] if train else []
        before = [p.value.copy() for p in moving]
        try:
            with feature_maps.tapped(self._chain, self.features if features else {}) as maps:
                y = self._chain.forward(x, train)
        except Exception:
            for p, value in zip(moving, before, strict=True):
                p.value[...] = value
            raise
        y, self._auxiliary = y if isinstance(y, tuple) else (y, None)
        self._output = y.shape
        return (y, maps) if features else y

    @property
    def auxiliary(self):
        """The auxiliary head's logits (N, classes) of the last forward; None where the table has no such head.

        The loss is that of the logits plus `spec.auxiliary` times that of these.
        """
        return self._auxiliary

    def backward(self, dy, auxiliary=None):
        """The gradient of x from that of the logits; every parameter's gradient is overwritten.

        Of the function that the last forward was: with batch statistics and masks
        after train=True, with constants after train=False.  `auxiliary`: the gradient of the
        auxiliary logits, where there are any; None: zeros.
        """
        if self._output is None:
            raise DataError("Network.backward: no forward came before it; backward reads what the last forward kept")
        if self._auxiliary is None:
            if auxiliary is not None:
                raise DataError(f"Network.backward: a gradient for an auxiliary head, which {self.spec.name} is built without")
            return self._chain.backward(dy)
        return self._chain.backward((dy, np.zeros_like(self._auxiliary) if auxiliary is None else auxiliary))

    def forget(self):
        """Let go of what the last forward kept for backward (activations: much memory)."""
        self._output = self._auxiliary = None
        self._chain.forget()

    def reseed(self, seed):
        """Start the masks of dropout and drop-path again; `build`'s seed gives those of a fresh network."""
        self._seed = whole("reseed", "seed", seed, 0)
        for number, layer in enumerate(_drops(self._chain)):
            layer.reseed((seed, 1, number))

    def scale_drop_path(self, share):
        """From now on every drop-path rate is `share` (0 to 1) of the table's: NASNet's and ENAS's rise with training.

        Their sources hand over step / steps.  A fresh network has the whole rates.
        """
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            raise SpecError(f"scale_drop_path: {share!r}, wanted a number from 0 to 1")
        for layer in _drops(self._chain):
            if isinstance(layer, DropPath):
                layer.scale(share)

    def _check_input(self, x, train):
        where, wanted = "Network.forward", "(N, H, W, 3), channels last"
        if not isinstance(x, np.ndarray):
            raise DtypeError(f"{where}: x is {type(x).__name__}, wanted a NumPy array of {self.dtype}")
        if x.dtype != self.dtype:
            raise DtypeError(f"{where}: x is {x.dtype}, wanted {self.dtype}; build(dtype=...) chooses")
        if x.ndim != 4 or x.shape[3] != 3:
            hint = "; NCHW turns by x.transpose(0, 2, 3, 1)" if x.ndim == 4 and x.shape[1] == 3 else ""
            raise ShapeError(f"{where}: x has shape {x.shape}, wanted {wanted}{hint}")
        for step in self._chain.steps(x.shape[1:]):
            if min(step.shape) < 1:
                text = f"x has shape {x.shape}; at {step.name} no pixel is left, wanted a larger image"
                raise ShapeError(f"{where}: {text}")
        if train:
            self._check_statistics(x, where)

    def _check_statistics(self, x, where):
        """Batch norm needs a pixel, and two where it keeps the unbiased variance."""
        steps = [s for s in self._chain.steps(x.shape[1:]) if s.kind == "batch norm"]
        least = min(steps, key=lambda s: s.shape[0] * s.shape[1])
        count, wanted = len(x) * least.shape[0] * least.shape[1], 2 if self.dialect.bn_unbiased else 1
        if count < wanted:
            text = f"x has shape {x.shape}, so {least.name} sees {count} values per channel, wanted at least {wanted}"
            raise DataError(f"{where}(train=True): {text}: more images or larger ones")

    # -- arrays ------------------------------------------------------------------------

    def parameters(self):
        """Every trainable array by its name, in order: the arrays themselves, to be changed in place."""
        return {name: p.value for name, p in self._chain.named_params() if p.trainable}

    def gradients(self, names="refmnas"):
        """The gradient of every trainable array, by the names and in the layouts of a source.

        names: refmnas, torchvision, timm, tf, slim, efficientnet-pytorch, pretrainedmodels.  Arrays of their own.
        """
        grads = {name: p.grad for name, p in self._chain.named_params() if p.trainable}
        if any(g is None for g in grads.values()):
            raise DataError("Network.gradients: no backward came before it, or `load` came after it")
        return _owned(naming.write(grads, self.spec, self.dialect, names))

    def state(self, names="refmnas"):
        """Every array, running statistics included, by the names and in the layouts of a source.

        Copies.  Entries that a loaded mapping had beside them (`num_batches_tracked`)
        come back as they were under the same source's names.
        """
        arrays = {name: p.value for name, p in self._chain.named_params()}
        return _owned(naming.write(arrays, self.spec, self.dialect, names, self._extra))

    def load(self, mapping, names="auto"):
        """Fill every array from a mapping of a source's names; returns the network.

        Copies and casts to the network's dtype.  All or nothing: FormatError where an
        entry is missing, unknown, misshapen or too large for the dtype, DataError where
        a variance is negative or NaN, and then the network is as it was.
        """
        spec = naming.fitting(mapping, self.spec, names, self.dialect, keep_width=True)
        if spec.head.classes != self.spec.head.classes:
            came, wanted = spec.head.classes, self.spec.head.classes
            raise FormatError(f"Network.load: the weights have {came} classes, the network has {wanted}")
        arrays, beside = naming.read(mapping, spec, self.dialect, names)
        arrays = {name: _cast(name, a, self.dtype) for name, a in arrays.items()}
        if spec != self.spec:  # torchvision's MnasNet of version 1: another stem, as torchvision itself builds then
            self.spec = spec
            self._chain = assemble.network(spec, self.dialect, dtype=self.dtype)
            self.reseed(self._seed)
        for name, param in self._chain.named_params():
            param.value[...], param.grad = arrays[name], None
        self._extra = {key: np.array(value) for key, value in beside.items()}
        self.forget()
        return self

    # -- what it is ----------------------------------------------------------------------

    @property
    def layers(self) -> list[Step]:
        """Every step in the order of computation: name, kind, shapes for one image of `size`, parameters."""
        return list(self._chain.steps((self.size, self.size, 3)))

    @property
    def features(self) -> dict[int, str]:
        """{stride: name of the layer whose result is its feature map}: refmnas.models.features.

        `refmnas.compile(net).outputs(net.features)` gives the same maps.

        >>> build("mobilenet-v3-small").features
        {2: 'stem', 4: 'stages.0.0', 8: 'stages.1.1', 16: 'stages.3.1', 32: 'head'}
        """
        return feature_maps.names(self.spec, self.dialect)

    def cost(self):
        """Parameters, multiply-adds and activation bytes, row by row: refmnas.models.cost."""
        return cost.of(self.spec, self.dialect, self.size, self.dtype.itemsize)


def _cast(name, a, dtype):
    """A loaded array in the network's dtype, checked before any array of the network is written."""
    with np.errstate(over="ignore"):
        cast = a.astype(dtype)
    if np.any(np.isinf(cast) & np.isfinite(a)):
        raise FormatError(f"Network.load: {name} has values up to {np.abs(a).max():.3g}, wanted what {dtype} can hold")
    if name.endswith(".var") and not np.all(cast >= 0):
        worst = cast[~(cast >= 0)][0]
        raise DataError(f"Network.load: {name} has {worst}, wanted variances of at least 0")
    return cast


def _owned(mapping):
    """Copies in plain order: nobody writes into the network by accident."""
    return {name: np.ascontiguousarray(a).copy() if a.ndim else np.array(a) for name, a in mapping.items()}


def _drops(layer):
    """Every layer that draws masks, in order."""
    for child in layer.children.values():
        if hasattr(child, "reseed"):
            yield child
        yield from _drops(child)


def build(
    network, *, width=1.0, size=None, classes=None, dialect=None, dropout=None, drop_path=None, head=None, merge=None,
    auxiliary=None, dtype=np.float32, seed=0,
):  # fmt: skip
    """A network of the zoo, or of a table of one's own, with fresh weights.

    network     a name of `refmnas.models.names()`, a NetSpec or CellSpec, or a document of `models.text`
                (block strings with a stem and a head) or its file, FILE.json
    width       multiplies all channels that the source scales
    size        of the square image that `layers` and `cost` speak of; None: the table's own
    classes     None: the table's own, 1000 in the zoo
    dialect     a source ("tf", "slim", "torchvision", "timm", "timm-tf", "timm-rw", "keras", "pycls",
                "pretrainedmodels", "official") or a Dialect; None: the first that published the network
    dropout, drop_path   rates; None: the dialect's, where it has its own, else the table's
    head        gap, gap-se or spp: how the last map becomes numbers; None: the table's own.  All but gap, and
                merge, are not in the papers
    merge       numbers of stages (of cells) whose results are merged into the last one's; None: the table's own
    auxiliary   weight of NASNet's and ENAS's auxiliary head in the loss (theirs is 0.4), 0: none; None: the table's own
    seed        of the initialisation and of the masks

    Raises   SpecError for what cannot be, naming the nearest that can; DtypeError for
             another dtype than float32 and float64.

    >>> build("mobilenet-v2", width=0.35, classes=10, seed=1).spec.head.classes
    10
    """
    spec, seed = zoo.find(network, width), whole("build", "seed", seed, 0)
    if not isinstance(dialect, dialects.Dialect):
        dialect = dialects.of(dialect or (spec.sources or ("tf",))[0], spec.name)
    dropout = dialect.dropout if dropout is None else dropout
    drop_path = dialect.drop_path if drop_path is None else drop_path
    if classes is not None:
        spec = replace(spec, head=replace(spec.head, classes=whole("build", "classes", classes, 1)))
    if dropout is not None:
        spec = replace(spec, head=replace(spec.head, dropout=checked_rate("build: dropout", dropout)))
    if drop_path is not None:
        spec = replace(spec, drop_path=checked_rate("build: drop_path", drop_path))
    if size is not None:
        spec = replace(spec, size=whole("build", "size", size, 1))
    if head is not None:
        spec = replace(spec, head=replace(spec.head, pool=head))
    if merge is not None:
        spec = replace(spec, merge=tuple(merge))
    if auxiliary is not None:
        if not isinstance(spec, CellSpec):
            raise SpecError(f"build: auxiliary with {spec.name}, wanted a network of cells")
        spec = replace(spec, auxiliary=auxiliary)
    return Network(spec, dialect, dtype=_float(dtype), seed=seed)


def _float(dtype):
    """float32 or float64; NumPy itself would take None for float64."""
    try:
        found = np.dtype(dtype) if dtype is not None else np.dtype(object)
    except TypeError:
        found = np.dtype(object)
    if found not in FLOATS:
        raise DtypeError(f"build: dtype is {dtype!r}, wanted float32 or float64")
    return found
