"""What an operator is: its versions, a rule from what is known of its operands to what is known of its
results, and the computation.

The rule runs twice: when a graph is loaded, on what the file says (an extent may be unknown:
None), and before every computation, on the arrays' own shapes and values, where it gives the
results' exact shapes, so that they are checked against a budget before anything is allocated.

Rules and computations are called with the attributes as a dictionary and the operands by name;
an operand that is left out is None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ....errors import ShapeError, SpecError

REQUIRED: Any = object()

FLOATS = tuple(map(np.dtype, ("f2", "f4", "f8")))
SIGNED = tuple(map(np.dtype, ("i1", "i2", "i4", "i8")))
UNSIGNED = tuple(map(np.dtype, ("u1", "u2", "u4", "u8")))
WIDE = (*FLOATS, *map(np.dtype, ("i4", "i8", "u4", "u8")))  # the numbers of the older versions
NUMBERS = (*FLOATS, *SIGNED, *UNSIGNED)
ALL = (*NUMBERS, np.dtype(bool))

# An operand "name:letter" may have these types; T, U, V are the version's own, the same for all with that letter.
LETTERS = {
    "L": (np.dtype("i8"),), "I": (np.dtype("i4"), np.dtype("i8")), "S": (np.dtype("f4"),),
    "R": FLOATS, "A": ALL,
}  # fmt: skip


class Info(NamedTuple):
    """What is known of a tensor.  shape None: any rank; an extent None: any; value None: not known yet."""

    dtype: np.dtype
    shape: tuple[int | None, ...] | None = None
    value: np.ndarray | None = None


class Attribute(NamedTuple):
    """An attribute: its kind in the file, its default, and what is taken where not all values are."""

    kind: str
    default: Any = REQUIRED
    choices: tuple = ()


@dataclass(frozen=True)
class Version:
    """An operator from an opset on.

    operands    "x w b?": a mark ? where it may be left out, * for any number of the first
    types       letter -> element types; T is that of operands without a letter
    moved       attributes that later versions have as operands: operand -> type
    results     how many there may be
    """

    since: int
    operands: str
    types: Any = FLOATS
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    moved: Mapping[str, str] = field(default_factory=dict)
    results: int = 1

    def names(self):
        """[(operand, mark, letter)]."""
        found = []
        for word in self.operands.split():
            name, _, letter = word.partition(":")
            found.append((name.rstrip("?*"), name[-1] if name[-1] in "?*" else "", letter or "T"))
        return found

    def allowed(self, letter):
        if letter in LETTERS:
            return LETTERS[letter]
        return self.types[letter] if isinstance(self.types, dict) else self.types


@dataclass(frozen=True)
class Operator:
    """`work`: elements of memory that the computation takes beside its results, from exact Infos."""

    rule: Callable
    compute: Callable
    versions: tuple[Version, ...]
    work: Callable | None = None

    def version(self, opset):
        """The newest that the opset has, or None."""
        return next((v for v in reversed(self.versions) if v.since <= opset), None)


def same(a, x):
    """The rule of an operator whose result is like its operand."""
    return [Info(x.dtype, x.shape)]


def extent(n):
    return "?" if n is None else n


def text(shape):
    """A shape for a message.

    >>> text((1, None))
    '(1, ?)'
    """
    return "of any rank" if shape is None else f"({', '.join(str(extent(n)) for n in shape)}{',' * (len(shape) == 1)})"


def broadcast(*shapes):
    """The shape of a result to which all are stretched, as NumPy does; ShapeError where they cannot be.

    >>> broadcast((2, 1), (None, 3)), broadcast((2, None), (2, 3))
    ((2, 3), (2, 3))
    """
    if any(shape is None for shape in shapes):
        return None
    rank = max(map(len, shapes))
    result = []
    for extents in zip(*[(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes], strict=True):
        fixed = {n for n in extents if n not in (1, None)}
        if len(fixed) > 1:
            raise ShapeError(f"operands have shapes {' and '.join(map(text, shapes))}, wanted equal extents or 1")
        result.append(fixed.pop() if fixed else None if None in extents else 1)
    return tuple(result)


def axis(number, rank, name="axis", beyond=0):
    """An axis counted from 0; SpecError unless -rank <= number < rank (+ beyond)."""
    if rank is None:
        return number if number >= 0 else None
    if not -rank <= number < rank + beyond:
        raise SpecError(f"{name} is {number}, wanted {-rank} to {rank - 1 + beyond}")
    return number + rank if number < 0 else number


def axes(numbers, rank, name="axes"):
    """Several, each once, in their own order."""
    found = [axis(int(n), rank, name) for n in numbers]
    if len(set(found)) != len(found):
        raise SpecError(f"{name} are {tuple(map(int, numbers))}, wanted each once")
    return found


def ranked(x, least, name="x"):
    """The rank of x, at least so many, or None where it is not known."""
    if x.shape is not None and len(x.shape) < least:
        raise ShapeError(f"{name} has shape {text(x.shape)}, wanted at least {least} axes")
    return None if x.shape is None else len(x.shape)


def numbers(info, name):
    """The values of an operand of whole numbers as a list, or None where they are not known yet.

    ShapeError unless it has one axis (a single number without axes counts as one).
    """
    if info is None:
        return None
    if info.shape is not None and len(info.shape) > 1:
        raise ShapeError(f"{name} has shape {text(info.shape)}, wanted one axis")
    return None if info.value is None else info.value.reshape(-1).tolist()


def length(info):
    """How many numbers an operand that lists some has, or None; ShapeError for more than one axis."""
    if info is None or info.shape is None:
        return None
    if len(info.shape) > 1:
        raise ShapeError(f"a list of numbers has shape {text(info.shape)}, wanted one axis")
    return info.shape[0] if info.shape else 1


def product(extents):
    """The product, or None where one is unknown (and none is 0)."""
    total = 1
    for n in extents:
        total = None if n is None or total is None else total * n
    return 0 if 0 in extents else total


def agree(one, other, what):
    """One extent of two that must be equal, where either may be unknown."""
    if one is not None and other is not None and one != other:
        raise ShapeError(f"{what}: {one} and {other}, wanted equal extents")
    return one if other is None else other


def in_float32(x):
    """float16 as float32, to compute in; others as they are."""
    return x.astype(np.float32) if x is not None and x.dtype == np.float16 else x
