"""What the property tests share: strategies over refmnas.cases, every implementation, and a tally.

Shapes, options and a seed are drawn; the values come from the seed, so a failing
case prints as one line and `refmnas.cases.parse` brings it back.
"""

from collections import Counter

import hypothesis.strategies as st
import numpy as np
import pytest

from refmnas.cases import CASES, CLAIMS, prove
from refmnas.cases import draw as drawn_by
from refmnas.errors import RefmnasError

ALL = [claim for claims in CLAIMS.values() for claim in claims]
BY_NAME = {claim.function: claim for claim in ALL}

EXAMPLES = Counter()  # property -> cases that really ran; however many implementations, one case counts once
MARGINS = {}  # op -> largest error / bound


def op_of(claim):
    """The op that the claim is about."""
    return claim.function.partition(".")[0]


def cases(op, holds=prove.always):
    """Cases of the op that fit the oracle and that `holds` is true of."""
    case_class = CASES[op]
    fields = {name: st.sampled_from(domain) for name, domain in case_class.DOMAIN.items()}
    return st.builds(case_class, seed=st.integers(0, 2**20), **fields).filter(lambda case: case.fits() and holds(case))


def over(claims):
    """Parametrise a test over claims, named by their functions."""
    return pytest.mark.parametrize("claim", claims, ids=lambda claim: claim.function)


def draw(data, claim, holds=prove.always):
    """One case that the claim covers."""
    return data.draw(cases(op_of(claim), lambda case: claim.covers(case) and holds(case)))


def prove_all(name, claim, dtype, proof):
    """`proof(backend)` holds of every implementation of the claim's function; counts as one example."""
    for backend, isa in prove.implementations(claim.function, dtype):
        with prove.on(isa):
            outcome = proof(backend)
        assert outcome is not prove.NOT_CLAIMED
        assert outcome.holds, f"{backend} {isa or ''}: {outcome.detail}"
        remember(claim, outcome.margin)
    EXAMPLES[name] += 1


def remember(claim, margin):
    """Keep the largest margin of the claim's op."""
    MARGINS[op_of(claim)] = max(MARGINS.get(op_of(claim), 0.0), margin)


def valid(function):
    """(arrays by name, options) of a call that is answered."""
    claim = BY_NAME[function]
    op = function.partition(".")[0]
    drawn = (drawn_by(op, seed) for seed in range(999))
    case = next(c for c in drawn if claim.covers(c) and c.macs() and c.shapes().get("b", ()) is not None)
    arrays = dict(zip(claim.takes, prove.inputs(claim, case, "reals", np.float32), strict=True))
    return arrays, prove.options(function, case)


def refuse(error, function, words, arrays, options, **more):
    """The call raises `error`, naming the op, all `words`, and what was wanted."""
    with pytest.raises(RefmnasError) as raised:
        prove.op(function)(*arrays.values(), **options, **more)
    text = str(raised.value)
    assert type(raised.value) is error, text
    assert text.startswith(f"{function}: "), text
    assert "wanted" in text or "must be" in text, text
    for word in words:
        assert str(word) in text, (word, text)
