"""Which problems a kernel is put: drawn from the op's domain, cut to what the kernel takes, some of them wide."""

from __future__ import annotations

import inspect

import numpy as np

from ...cases import CASES, prove
from ...errors import SpecError
from . import data as kinds_of_data
from .problem import Problem, claim_of

# Beyond the domain: images and channels wider than any tile, cache line or vector.
_WIDE = {
    "c": (257, 65, 520, 129, 64, 96), "d": (257, 65, 520, 129, 96), "w": (131, 57, 260, 112, 33), "h": (130, 33, 260, 67),
    "k": (1000, 257, 100, 64), "f": (64, 33, 128), "o": (65, 130, 48), "first": (65, 260), "second": (260, 33),
    "n": (9, 4, 33), "kh": (9, 11), "kw": (9, 11), "stride": (4, 5), "dilation": (3, 5),
}  # fmt: skip
# Kernels larger than the image: seldom in the domain, and often wrong.
_TIGHT = {"h": (1, 2, 3), "w": (1, 2, 3), "kh": (5, 3, 7), "kw": (5, 3, 7), "kernel": ((3, 3), (5, 3), (2, 4), (4, 4))}
MOST_MACS = 400_000  # of a wide problem: what the reference computes in some ten milliseconds
_TRIES = 20_000


def options_taken(function, fn):
    """The options that the kernel takes by name; all of them where it takes **kwargs or has no signature."""
    known = prove.takes_options(function)
    try:
        parameters = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):
        return set(known)
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return set(known) - {"out"}
    return {p.name for p in parameters} & set(known)


def fixed(function, taken):
    """option -> the default that it must have, for the options that the kernel does not take."""
    found = {}
    for p in inspect.signature(prove.op(function)).parameters.values():
        if p.kind is p.KEYWORD_ONLY and p.name not in taken and p.name not in ("layout", "out"):
            if p.default is p.empty:
                raise SpecError(f"verify.op: the kernel of {function} takes no {p.name}, wanted fn(..., {p.name}=...)")
            found[p.name] = p.default
    return found


def domain(function, only, defaults):
    """field -> values: the op's own, cut by `only`, and by the defaults of options that are not taken."""
    own = dict(CASES[function.partition(".")[0]].DOMAIN)
    for name, values in (only or {}).items():
        if name not in own:
            raise SpecError(f"verify.op: only has {name!r}, wanted fields of {function}: {', '.join(own)}")
        own[name] = tuple(values) if isinstance(values, (list, tuple, range, set)) else (values,)
        if not own[name]:
            raise SpecError(f"verify.op: only has no value for {name}, wanted at least one")
    for name, value in defaults.items():
        if name in own:
            own[name] = (value,)
    return own


def wide(own, only, number):
    """The same with one field beyond the domain, each in its turn, of those that `only` says nothing of."""
    names = [name for name in _WIDE if name in own and name not in (only or {})]
    if not names:
        return own
    batch = {"n": tuple(n for n in own["n"] if n) or own["n"]}  # an empty one shows nothing of the width
    name, turn = names[number % len(names)], number // len(names)
    return own | batch | {name: (_WIDE[name][turn % len(_WIDE[name])],)}


def tight(own, only):
    """The same with images that are smaller than the kernel, where the op has one."""
    if "kh" not in own and "kernel" not in own:
        return own
    return own | {name: values for name, values in _TIGHT.items() if name in own and name not in (only or {})}


def problems(function, layout, own, cut, count, seed):
    """`count` cases, every third of them wide and every eighth tight, with every kind of data that exists of each."""
    for number in range(count):
        is_wide = number % 3 == 2
        chosen = wide(own, cut, number // 3) if is_wide else tight(own, cut) if number % 8 == 3 else own
        case = drawn(function, layout, chosen, seed + number, MOST_MACS if is_wide else None)
        for data in kinds_of_data.kinds(claim_of(function), case):
            yield Problem(function, case, data, layout)


def drawn(function, layout, own, seed, most=None):
    """The first case of a fixed stream that the function has a result of."""
    raw, cls = np.random.PCG64(seed), CASES[function.partition(".")[0]]
    for _ in range(_TRIES):
        choice = {name: values[int(raw.random_raw() % len(values))] for name, values in own.items()}
        case = cls(seed=seed, **choice)
        try:
            fits = case.fits() if most is None else case.is_valid() and case.macs() <= most
        except (TypeError, AttributeError) as error:
            raise SpecError(f"verify.op: only leads to {case}, which is no case: {error}") from None
        if fits and Problem(function, case, "reals", layout).is_valid():
            return case
    raise SpecError(f"verify.op: no case of {function} fits what the kernel takes and what `only` says")
