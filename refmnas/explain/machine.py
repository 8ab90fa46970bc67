"""Topics of the machine: backends, instruction sets, error bounds, what is proved."""

import numpy as np

from .topic import Topic, row


def _backends():
    from ..backend import BACKENDS, explain, use
    from ..errors import KernelError
    for name in BACKENDS:
        try:
            with use(name):
                choices = explain()
        except KernelError as error:
            yield f"{name:7} {error}"
            continue
        ran: dict[str, int] = {}
        for choice in choices:
            ran[choice.backend] = ran.get(choice.backend, 0) + 1
        yield f"{name:7} " + ", ".join(f"{count} functions on {text}" for text, count in sorted(ran.items()))


def _isa():
    from .. import kernels

    if not kernels.built():
        yield f"C is not built here: {kernels.why_not()}"
        return
    yield f"usable here, best first: {', '.join(kernels.isas())}; in use: {kernels.isa()}"


def _bounds():
    from ..bounds import gamma
    from ..ops import depthwise
    from ..oracle import depthwise as definition

    yield row("n", (10, 26, 1153))
    for dtype in (np.float32, np.float64):
        yield row(f"gamma_n, {np.dtype(dtype)}", [gamma(n, dtype) for n in (10, 26, 1153)], 3)
    x = np.array([0.1, 1e4, -1e4], np.float32).reshape(1, 1, 3, 1)
    w = np.ones((1, 3, 1), np.float32)
    got, want = depthwise.forward(x, w).item(), definition.forward(x, w).item()
    size = definition.forward(abs(x), abs(w)).item()
    yield f"0.1 + 10000 - 10000 in float32: {got:.9g}; exactly: {want:.9g}; error {abs(got - want):.3g}"
    yield f"  allowed: gamma_3 * (0.1 + 10000 + 10000) = {gamma(3) * size:.3g}; relative error {abs(got - want) / want:.3g}"


def _proofs():
    from ..cases import CLAIMS, draw
    from ..cases.gradient import by_differences
    from ..cases.prove import adjointly, exactly, within_bound

    case = draw("depthwise", 4)
    forward, backward = CLAIMS["depthwise"]
    yield f"{case}"
    yield f"  exact     {_verdict(exactly(forward, case, 'numpy'))}"
    yield f"  bound     {_verdict(within_bound(forward, case, 'numpy'))}"
    yield f"  adjoint   {_verdict(adjointly(backward, case, 'numpy'))}"
    yield f"  gradient  {_verdict(by_differences(backward, case, 'numpy'))}"


def _verdict(outcome):
    told = f", margin {outcome.margin:.2g}" if outcome.margin else ""
    return ("holds" if outcome.holds else "FAILS") + told


TOPICS = (
    Topic(
        "backends",
        "which of an op's three texts runs: c, numpy, oracle, auto",
        """\
Every op stands here three times: as the oracle (scalar loops in float64, the
definition), as the NumPy reference (reads like the paper) and, for some, in C.
auto takes C where it is built and the arrays are float32, else NumPy.  c is a demand:
it raises where C is missing, or lacks the dtype of an op that has a C row; an op
without a C row runs NumPy.  Choose with refmnas.use("numpy") around a block of code
or REFMNAS_BACKEND for a whole process.""",
        _backends,
        aliases=("backend", "use", "dispatch"),
        see=("isa", "bounds"),
    ),
    Topic(
        "isa",
        "instruction sets of the C kernels: all that use FMA give the same bits",
        """\
The kernels are compiled once per instruction set: scalar, avx2, avx512, neon, and
wide16, 16 lanes in plain C, which runs the wide path on any CPU.  The best usable one
is chosen when it is first needed; REFMNAS_ISA or refmnas.kernels.select_isa forces
one.  Each output is one chain of multiply-adds in a fixed order, so that all give the
same bits.""",
        _isa,
        aliases=("instruction-sets", "simd", "avx2", "avx512", "neon", "wide16"),
        see=("backends",),
    ),
    Topic(
        "bounds",
        "the error bound gamma_n: what rounding can do, and what it cannot",
        """\
A sum of n rounded operations, in any order, with or without FMA, is off by at most
gamma_n = n u / (1 - n u) times the same sum over absolute values; u = 2^-24 in float32,
2^-53 in float64 (there twice gamma_n, since the definition rounds too).  The bound is
absolute, not relative: where terms cancel, a correct result may have a large relative
error.  An error above its bound is a fault and not rounding.  It is a bound per layer,
given the layer's own input: through a whole network it grows beyond any use.
Source: Higham 2002, Accuracy and Stability of Numerical Algorithms, section 3.1.""",
        _bounds,
        aliases=("bound", "gamma", "error", "rounding-error", "tolerance", "margin"),
        threads="pytorch#18218, #116501, #132996 (results that depend on batch size and threads)",
        see=("proofs",),
    ),
    Topic(
        "proofs",
        "what selftest proves of each op on your machine",
        """\
exact     On whole numbers every sum below 2^24 is exact in float32, in any order: all
          texts must agree to the last bit, and no tolerance can hide a fault.
bound     On real numbers of both signs each result is within its derived bound of the
          oracle.  The margin is the largest error / bound; above 1 is a failure.
adjoint   The backward pass is the transpose of the forward pass:
          <dy, A x> = <A' dy, x> = <dw, w>, exactly, on whole numbers.
gradient  The backward pass is the derivative of the forward pass: differences of the
          definition along a random direction, in float64, away from corners.""",
        _proofs,
        aliases=("selftest", "exact", "adjoint", "gradient", "proof"),
        see=("bounds", "backends"),
    ),
)
