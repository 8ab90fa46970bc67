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
            yield "no example: this code is not given to a forward run of float32"
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
