"""GRAD-BN-MEAN, GRAD-BN-VAR, BN-STATS, BN-VAR, BN-EPS, BN-BETA: the terms of batch norm's gradient."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..cause import CONVENTION, RERUN, Candidate

_EPS = (1e-3, 1e-5)
_MOMENTA = (0.1, 0.01, 0.001, 0.03, 0.003)  # shares of the batch's statistics that the running ones take up


def candidates(look):
    for part in look.part("batchnorm.train.dx", "batchnorm.dx", "batchnorm.train.dgamma", "batchnorm.dgamma"):
        yield from _terms(look, part)
        for eps in _EPS:
            if eps != part.options["eps"]:
                yield Candidate("BN-EPS", look.with_part(part, options={"eps": eps}), f"agrees with eps {eps:g}", CONVENTION)
        if part.op.endswith("dx"):
            plain = look.with_part(part, arrays={"gamma": np.ones_like(part.arrays["gamma"])})
            yield Candidate("BN-BETA", plain, "agrees without gamma", RERUN)


def _terms(look, part):
    """With terms left out, and with the other statistics."""
    training, name = ".train." in part.op, part.op.rpartition(".")[2]
    if not training:
        return
    frozen = replace(part, op=f"batchnorm.{name}", inputs=part.inputs if name == "dgamma" else part.inputs[:1])
    yield Candidate("BN-STATS", _with(look, part, frozen), "agrees with the running statistics for the batch's", CONVENTION)
    x = look.segment.feeds.get(part.inputs[1])
    if x is None:
        return
    axes, m = tuple(range(x.ndim - 1)), x.size // x.shape[-1]
    of_batch = {"mean": np.mean(x, axis=axes, dtype=np.float64), "var": np.var(x, axis=axes, dtype=np.float64)}
    unbiased = of_batch | {"var": of_batch["var"] * m / max(m - 1, 1)}
    if name == "dgamma":
        yield Candidate("BN-VAR", _with(look, part, replace(frozen, arrays=part.arrays | unbiased)), _UNBIASED, RERUN)
        return
    for share in _MOMENTA:
        moved = {key: (1 - share) * part.arrays[key] + share * unbiased[key] for key in unbiased}
        told = f"agrees with the running statistics that have taken up {share:g} of the batch's"
        yield Candidate("BN-STATS", _with(look, part, replace(frozen, arrays=part.arrays | moved)), told, CONVENTION)
    constants = replace(frozen, arrays=part.arrays | of_batch)
    yield Candidate("BN-STATS", _with(look, part, constants), "agrees with mean and variance taken for constants", CONVENTION)
    for drop, code in (("mean", "GRAD-BN-MEAN"), ("var", "GRAD-BN-VAR")):
        yield Candidate(
            code, look.with_part(part, options={"without": drop}), f"agrees without the term of the {drop}", CONVENTION
        )
    yield Candidate("BN-VAR", look.with_part(part, options={"unbiased": True}), _UNBIASED, RERUN)


_UNBIASED = "agrees with the unbiased variance"


def _with(look, part, made):
    used = {name for other in look.segment.parts if other is not part for name in other.inputs} | set(made.inputs)
    feeds = {name: a for name, a in look.segment.feeds.items() if name in used}
    return replace(look.segment, parts=tuple(made if p is part else p for p in look.segment.parts), feeds=feeds)
