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
    "h": (14, 28, 33), "w": (28, 33, 57, 112, 131), "c": (48, 63, 64, 65, 96, 129, 257), "d": (48, 65, 96, 129, 257),
    "k": (64, 100, 257, 1000), "f": (32, 33, 64), "o": (32, 48, 65), "first": (64, 65), "second": (96, 33),
}  # fmt: skip
MOST_MACS = 400_000  # of a wide problem: what the reference computes in some ten milliseconds
_TRIES = 20_000


def options_taken(function, fn):
    """The options that the kernel takes by name; all of them where it takes **kwargs or has no signature."""
    known = prove._names(function)[1]
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


def wide(own, only):
    """The same with values beyond the domain, where `only` says nothing."""
    return own | {name: values for name, values in _WIDE.items() if name in own and name not in (only or {})}


def problems(function, layout, own, cut, count, seed):
    """`count` cases, every fourth of them wide, with every kind of data that exists of each."""
    for number in range(count):
        chosen = wide(own, cut) if number % 4 == 3 else own
        case = drawn(function, layout, chosen, seed + number, MOST_MACS if number % 4 == 3 else None)
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
