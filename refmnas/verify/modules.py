"""What a framework's modules are called whose results are our parts: {their module: our part}.

Modules with weights come from the tables of `refmnas.models.naming`.  The others stand beside or around them:

    beside    torchvision's activation is the next number after its batch norm; timm's batch norm is followed by
              its activation inside, `drop` before and `act` after it
    around    a container's result is that of the last part within it; of a block the sum, except of its inner
              sequence (`block`, `conv`, `layers`, `f`), which the sum stands outside of
    SE, head  a few names

Source: the modules of torchvision 0.29.1 and timm 1.0.31, whose files the tables name.
"""

from __future__ import annotations

from ..models import naming

_INNER = ("block", "conv", "layers", "f")  # a block without its sum
_AFTER = ("act", "gate", "scale", "add")  # parts of a block that have no weights
_SE = {
    "avgpool": "pool", "activation": "act", "scale_activation": "gate", "act1": "act", "act": "act", "gate": "gate",
}  # fmt: skip
_HEAD = {
    "torchvision": {"avgpool": "head.pool"},
    "timm": {"global_pool": "head.pool", "global_pool.pool": "head.pool", "act2": "head.hidden_act"},
}


def of_source(net, parts, source):
    """{their module: our part} for every module of the source that is known; SpecError where it has no such network."""
    table = naming.table(net.spec, net.dialect, source)
    order = {part.name: place for place, part in enumerate(parts)}
    dot = "/" if any("/" in name for name in table) else "."
    leaves = {}
    for theirs, ours in table.items():
        leaves[theirs.rpartition(dot)[0]] = ours.rpartition(".")[0]
    if source == "refmnas":
        return {name: name for name in order}
    found = dict(leaves)
    for module, part in leaves.items():
        found |= _beside(module, part, source, order)
        if part.endswith("se.reduce"):
            at, se = module.rpartition(dot)[0], part.removesuffix("reduce")
            found |= {f"{at}{dot}{theirs}": se + ours for theirs, ours in _SE.items() if se + ours in order}
    found |= {theirs: ours for theirs, ours in _HEAD.get(source, {}).items() if ours in order and theirs not in found}
    found |= _classifier(leaves, order)
    found |= _around(leaves, order, dot, found)
    last = parts[-1].name
    return found | {name: last for name in ("output", "logits") if name not in found}


def _beside(module, part, source, order):
    """The activation after a batch norm."""
    act = part.removesuffix("bn") + "act"
    if not part.endswith(".bn"):
        return {}
    if source == "timm":
        last = act if act in order else part
        return {f"{module}.drop": part, f"{module}.act": last, module: last}
    head, dot, number = module.rpartition(".")
    if act in order and number.isdecimal():
        return {f"{head}{dot}{int(number) + 1}": act}
    return {}


def _classifier(leaves, order):
    """torchvision's dropout, which passes on the mean, and the activation of a hidden layer."""
    found = {}
    if leaves.get("classifier.1") == "head.dense" and "head.pool" in order:
        found["classifier.0"] = "head.pool"
    if leaves.get("classifier.0") == "head.hidden" and "head.hidden_act" in order:
        found |= {"classifier.1": "head.hidden_act", "classifier.2": "head.hidden_act"}
    return found


def _around(leaves, order, dot, known):
    """Containers of modules with weights."""
    inside: dict[str, list[str]] = {}
    for module, part in leaves.items():
        words = module.split(dot)
        for k in range(1, len(words)):
            inside.setdefault(dot.join(words[:k]), []).append(part)
    return {
        at: _end(found, order, at.rpartition(dot)[2] in _INNER) for at, found in inside.items() if at not in known
    }  # fmt: skip


def _end(held, order, is_inner):
    """The last of the parts without weights that follow in the layers which hold all of `held`, or lie below those."""
    found = part = max(held, key=lambda name: order[name])
    common = _common(held)
    while "." in part and len(part.split(".")) > len(common):
        part = part.rpartition(".")[0]
        if is_inner and f"{part}.add" in order:
            break
        for word in _AFTER:
            found = max(found, f"{part}.{word}", key=lambda name: order.get(name, -1))
    return found


def _common(names):
    """The words that all dotted names begin with."""
    words = [name.split(".") for name in names]
    return [each[0] for each in zip(*words, strict=False) if len(set(each)) == 1]
