"""Topics of the codes of `refmnas verify`: each with a fault of its own planted in a small network, and found."""

from __future__ import annotations

from textwrap import fill

from ..verify.codes import CODES
from .topic import Topic


def _example(name):
    """Lines: the fault is planted in a float32 run of MobileNetV3-Small, and the diagnosis names it."""

    def lines():
        from ..verify.planted import FAULTS, diagnosed, example, run

        fault = next((f for f in FAULTS if f.code == name), None)
        if fault is None:
            yield from _alone(name)
            return
        net, parts, x = example()
        yield f"planted in a float32 run of {net.spec.name}: {fault.told}"
        values = run(fault.plant(parts), fault.image(x).astype(x.dtype)) | {parts[0].inputs[0]: x}
        failing, causes = diagnosed(parts, values, net)
        yield f"layers beyond their bound: {len(failing)} of {len(parts)}, the first {failing[0]}"
        for cause in causes:
            also = f" (also {', '.join(cause.also)})" if cause.also else ""
            yield f"{cause.code} {cause.confidence:g} in {len(cause.layers)}: {cause.evidence}{also}"

    return lines


def _alone(name):
    """Lines for codes of a layer that the network does not have, of gradients, and of integers."""
    import numpy as np

    from ..ops import activation
    from ..verify.planted.gradients import GRADIENTS, gradient_diagnosed
    from ..verify.planted.layers import LAYERS, diagnosed

    if name in LAYERS:
        part, x, came = LAYERS[name]()
        yield f"planted in a float32 run of one {part.op} layer of {x.shape[-1]} channels"
        for cause in diagnosed(part, x, came):
            yield f"{cause.code} {cause.confidence:g}: {cause.evidence}"
    elif name in GRADIENTS:
        part, feeds, came = GRADIENTS[name]()
        yield f"planted in a float32 gradient, {part.op}"
        for cause in gradient_diagnosed(part, feeds, came):
            yield f"{cause.code} {cause.confidence:g}: {cause.evidence}"
    elif name == "KINK":
        corners = np.array([-3.0, 3.0])
        slopes = activation.backward(np.ones(2), corners, kind="hard_swish").x
        yield f"hard-swish at -3 and 3 has here the slopes {slopes[0]:g} and {slopes[1]:g}"
        yield f"x / 3 + 1 / 2 at both would give {corners[0] / 3 + 0.5:g} and {corners[1] / 3 + 0.5:g}"
    else:
        halves = np.array([0.5, 1.5, 2.5])
        yield f"0.5, 1.5, 2.5 to even: {np.round(halves).tolist()}, away from zero: {np.floor(halves + 0.5).tolist()}"
        yield f"300 as an unsigned byte: saturated {min(300, 255)}, wrapped {300 % 256}"


def _topic(code):
    text = f"{fill(code.cause, 90)}\n\nHow to mend it: {fill(code.mend, 74)}"
    return Topic(
        code.name, f"verify: {_short(code.cause)}", text, _example(code.name), aliases=(),
        signature=code.signature.rstrip("."), threads=code.threads, see=code.see,
    )  # fmt: skip


def _short(text, width=76):
    """The first clause, for the list."""
    clause = text.rstrip(".").split(": ")[0].split("; ")[0]
    return clause if len(clause) <= width else clause[: clause.rfind(" ", 0, width)] + " ..."


TOPICS = tuple(_topic(code) for code in CODES.values())
