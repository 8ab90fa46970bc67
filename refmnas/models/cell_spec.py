"""A network of searched cells as data: the frozen table beside `spec.NetSpec`.

    stem        one convolution and BN
    stem cells  reduction cells of filters / 2**k, .. filters / 2 (ImageNet's networks have two)
    cells       N normal; reduction, N normal; reduction, N normal; each reduction doubles the filters
    head        relu, then as of any network

Every cell reads the two results before it (`skips`: the cell after a reduction reads,
beside it, not the reduction's input but what came before that).
"""

from __future__ import annotations

from dataclasses import dataclass

from ..blocks.genotype import Genotype
from ..blocks.nasnet import RULES
from .spec import (
    ACTIVATIONS,
    MOST,
    MOST_MULTIPLIER,
    MOST_REPEATS,
    Head,
    Stem,
    _claim,
    _is_count,
    _is_multiplier,
    _is_rate,
    is_merge,
)

MOST_STEM_CELLS = 4
PADDINGS = ("", "valid")


@dataclass(frozen=True)
class CellSpec:
    """A whole network of cells."""

    name: str
    source: str  # paper and file
    stem: Stem
    normal: Genotype
    reduction: Genotype
    filters: int  # F of the first normal cells
    repeats: int  # N
    head: Head
    stem_cells: int = 0
    stem_padding: str = ""  # valid, or the dialect's
    rules: str = "nasnet"  # of the cells: refmnas.blocks.nasnet
    skips: bool = False
    size: int = 224  # of the square input image
    activation: str = "relu"
    drop_path: float = 0.0  # at the end of training: cell i of n, counted from 0, has drop_path * (i + 1) / n
    auxiliary: float = 0.0  # the auxiliary head's weight in the loss, 0: no such head
    merge: tuple[int, ...] = ()  # numbers of cells whose results are merged into the last one's; not in the papers
    width: float = 1.0  # multiplies filters
    sources: tuple[str, ...] = ()  # dialects that published it, the default first

    def __post_init__(self):
        where = f"network {self.name!r}"
        _claim(where, *self._kinds())
        least, last = 2**self.stem_cells, self.count - 2
        _claim(
            where,
            (self.filters % 2 == 0, f"filters {self.filters!r}, wanted an even number"),
            (
                self.filters % least == 0,
                f"filters {self.filters} with {self.stem_cells} stem cells, wanted a multiple of {least}",
            ),
            (self.normal.stride == 1, f"normal has stride {self.normal.stride}, wanted 1"),
            (self.reduction.stride == 2, f"reduction has stride {self.reduction.stride}, wanted 2"),
            (
                not self.head.channels and not self.head.hidden,
                "a head with a convolution or a hidden layer, wanted channels 0 and hidden 0",
            ),
            (is_merge(self.merge, self.count - 1), f"merge {self.merge!r}, wanted rising cells from 0 to {last}"),
        )

    def _kinds(self):
        """The claims about single fields, before which nothing is computed of them."""
        stem_cells = self.stem_cells
        for field, kind in (("stem", Stem), ("head", Head), ("normal", Genotype), ("reduction", Genotype)):
            value = getattr(self, field)
            yield isinstance(value, kind), f"{field} is a {type(value).__name__}, wanted a {kind.__name__}"
        yield isinstance(self.name, str) and self.name != "", "an empty name, wanted a text"
        yield _is_count(self.filters), f"filters {self.filters!r}, wanted an even number"
        repeats = _is_count(self.repeats) and self.repeats <= MOST_REPEATS
        yield repeats, f"repeats {self.repeats!r}, wanted 1 to {MOST_REPEATS}"
        fits = isinstance(stem_cells, int) and not isinstance(stem_cells, bool) and 0 <= stem_cells <= MOST_STEM_CELLS
        yield fits, f"stem_cells {stem_cells!r}, wanted 0 to {MOST_STEM_CELLS}"
        yield self.stem_padding in PADDINGS, f"stem_padding {self.stem_padding!r}, wanted '' or valid"
        yield self.rules in RULES, f"rules {self.rules!r}, wanted one of {', '.join(RULES)}"
        yield isinstance(self.skips, bool), f"skips {self.skips!r}, wanted True or False"
        yield _is_count(self.size), f"size {self.size!r}, wanted 1 to {MOST - 1}"
        yield self.activation in ACTIVATIONS, f"activation {self.activation!r}, wanted one of {', '.join(ACTIVATIONS)}"
        yield _is_rate(self.drop_path), f"drop_path {self.drop_path!r}, wanted 0 to below 1"
        yield _is_rate(self.auxiliary), f"auxiliary {self.auxiliary!r}, wanted a weight of 0 to below 1"
        yield _is_multiplier(self.width), f"width {self.width!r}, wanted above 0 and at most {MOST_MULTIPLIER}"

    @property
    def count(self):
        """The number of cells."""
        return self.stem_cells + 3 * self.repeats + 2
