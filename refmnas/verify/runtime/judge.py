"""Two runs of a runtime and what to say of both: every tensor shown, and untouched.

The untouched run shows its result alone.  It is judged by the finest run whose result has the same bits: if every
segment of that one lies within its bound, sound arithmetic gives those bits.  Where none has them, it is one
segment from the image to the result, with the running error carried through it: inconclusive as a rule.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...errors import DataError, PeerError, RefmnasError
from ..compared import captured
from ..local import FAULT, INCONCLUSIVE, SOUND
from ..report import Run
from .base import PRECISIONS

SHOWN, UNTOUCHED = "shown", "untouched"


def judged(runtime, x, *, claim=None, about=None):
    """The `Report` on what `runtime` (of `open_runtime`) makes of the images x.

    claim    the arithmetic; None: the one of the precision that was asked for
    about    {what: text} that the report shall show

    Shapes   x (N, H, W, 3), as the network wants it: after its preprocessing.
    Raises   DataError for images of another size or number than the subject takes; PeerError where the runtime
             fails.
    """
    claim = claim or PRECISIONS[runtime.settings.precision]
    told = {"runtime": runtime.description} | (about or {})

    def report(tensors):
        named = {"input": x} | {name: a for name, a in runtime.by_part(tensors).items() if name != "input"}
        found = captured(named, runtime.model, source=runtime.source, claim=claim, about=told)
        return replace(found, model=runtime.subject.name)

    every = _run(runtime, x, runtime.every())
    plain = _run(runtime, x, ())
    first = report(every)
    words = f"{len(first.layers)} tensors {runtime.EFFECT}: {first.headline()}"
    runs = [Run(SHOWN, first.verdict, words, True)]
    if _same(runtime, every, plain):
        runs.append(Run(UNTOUCHED, first.verdict, "nothing shown but the result: the same bits, so the same verdict", False))
        return replace(first, runs=tuple(runs))
    second, words = _untouched(runtime, x, plain, report)
    runs.append(Run(UNTOUCHED, second.verdict, f"other bits than with all shown; {words}: {second.headline()}", True))
    return _both(first, second, tuple(runs))


def _untouched(runtime, x, plain, report):
    """(the report on the finest run with the untouched one's bits, in words which that is)."""
    for left, names in runtime.fewer():
        tensors = _run(runtime, x, names)
        if _same(runtime, tensors, plain):
            return report(tensors), f"the same as without {left}, by whose segments it is judged"
    return report(plain), "no choice of outputs gave its bits, so it is one segment from the image to the result"


def _both(first, second, runs):
    """One report of two; the layers of the second are told apart by their names."""
    verdicts = {first.verdict, second.verdict}
    verdict = FAULT if FAULT in verdicts else INCONCLUSIVE if INCONCLUSIVE in verdicts else SOUND
    layers = [*first.layers, *(replace(layer, theirs=f"{UNTOUCHED}: {layer.theirs}") for layer in second.layers)]
    known = {(cause.code, tuple(cause.layers)) for cause in first.causes}
    causes = [*first.causes, *(cause for cause in second.causes if (cause.code, tuple(cause.layers)) not in known)]
    names = {part.name for part in first.missing}
    missing = [*first.missing, *(part for part in second.missing if part.name not in names)]
    return replace(first, verdict=verdict, layers=layers, causes=causes, missing=missing, runs=runs)


def _same(runtime, one, other):
    a, b = (np.asarray(each[runtime.last], np.float64) for each in (one, other))  # whatever types they are told in
    return a.shape == b.shape and a.tobytes() == b.tobytes()


def _run(runtime, x, shown):
    """{tensor: array} of all images, as many at once as the subject takes."""
    subject = runtime.subject
    batch, wanted = subject.batch or len(x), subject.size
    if x.shape[1:3] != wanted or len(x) % batch or not len(x):
        came = f"{len(x)} images of {x.shape[1]} x {x.shape[2]}"
        raise DataError(f"verify: {came}, wanted a multiple of {batch} of {wanted[0]} x {wanted[1]}, as {subject.name} has")
    found: dict[str, list[np.ndarray]] = {}
    for k in range(0, len(x), batch):
        try:
            made = runtime.run(np.ascontiguousarray(x[k : k + batch]), shown)
        except (RefmnasError, MemoryError):
            raise
        except Exception as error:  # each runtime has exceptions of its own
            raise PeerError(f"verify: {runtime.name} fails on {subject.name}: {error}") from error
        for name, a in made.items():
            found.setdefault(name, []).append(a)
    return {name: each[0] if len(each) == 1 else np.concatenate(each) for name, each in found.items()}
