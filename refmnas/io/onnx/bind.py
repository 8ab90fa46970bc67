"""A file's nodes held to the operators' versions: what is not read is refused here, by its name.

    sorted_nodes    in an order in which every operand is known before it is read; a cycle is named
    bound           a node with its operands by name, its attributes with their defaults
    infer           what is known of every tensor before a run: types always, shapes and small
                    constants as far as they follow
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import DtypeError, RefmnasError, ShapeError
from .._elements import MOST_AXES
from . import operators, tensors
from .operators.record import REQUIRED, Info, text

LARGEST_CONSTANT = 4096  # elements of a result that is computed when the graph is loaded
ALL_CONSTANTS = 1 << 20  # bytes of them together


@dataclass(frozen=True)
class Step:
    """A node ready to be computed.  `operands`: name -> a tensor's name, an array, or a list of names."""

    name: str
    op: str
    operands: dict[str, Any]
    attributes: dict[str, Any]
    results: tuple[str, ...]  # "" where one is not wanted
    label: str
    letters: dict[str, str]

    @property
    def operator(self):
        return operators.TABLE[self.op]

    def reads(self):
        """The tensors' names."""
        for value in self.operands.values():
            if isinstance(value, str):
                yield value
            elif isinstance(value, list):
                yield from value


def bound(model, arrays, bad):
    """The steps of a model, in its order; `arrays`: Tensor -> its array."""
    return [_bound(node, number, model.opset, arrays, bad) for number, node in enumerate(model.nodes)]


def _bound(node, number, opset, arrays, bad):
    label = f"node {number} {node.name!r} ({node.op})"
    if node.op not in operators.TABLE:
        raise bad(f"{label}: the operator {node.op} is not read, wanted one of {', '.join(sorted(operators.TABLE))}")
    version = operators.TABLE[node.op].version(opset)
    if version is None:
        raise bad(f"{label}: opset {opset} has no such operator as is read here, wanted a later one")
    attributes = _attributes(node, version, arrays, lambda what: bad(f"{label}: {what}"))
    count = len(node.outputs)
    if not 1 <= count <= version.results or not node.outputs[0]:
        raise bad(f"{label}: {count} results, wanted 1 to {version.results}, the first with a name")
    operands = _operands(node, version, lambda what: bad(f"{label}: {what}"))
    for key, operand in version.moved.items():
        value = attributes.pop(key)
        if value is not None:
            operands[operand] = value if isinstance(value, tuple) else float(value)
    letters = {name: letter for name, _, letter in version.names()}
    attributes |= {"opset": opset, "results": count}
    return Step(node.name, node.op, operands, attributes, node.outputs, label, letters)


def _attributes(node, version, arrays, bad):
    """Every attribute of the version, given or by default."""
    found = {}
    for key, (kind, value) in node.attributes.items():
        if key not in version.attributes or version.attributes[key].kind == "absent":
            raise bad(f"the attribute {key!r} is not read, wanted {', '.join(version.attributes) or 'none'}")
        wanted, _, choices = version.attributes[key]
        if kind != ("int" if wanted == "type" else wanted):
            raise bad(f"the attribute {key!r} is of the kind {kind}, wanted {wanted}")
        if choices and value not in choices:
            raise bad(f"the attribute {key!r} is {value!r}, wanted one of {', '.join(map(repr, choices))}")
        if wanted == "type":
            value = tensors.dtype_of(value, f"the attribute {key!r}", bad)
        found[key] = arrays[id(value)] if wanted == "tensor" else value
    for key, attribute in version.attributes.items():
        if key not in found and attribute.default is REQUIRED:
            raise bad(f"no attribute {key!r}, wanted one")
        found.setdefault(key, attribute.default)
    return found


def _operands(node, version, bad):
    """{operand: tensor's name}, those that are left out are absent."""
    names, inputs = version.names(), list(node.inputs)
    while inputs and not inputs[-1]:
        inputs.pop()
    if names and names[0][1] == "*":
        if not inputs or "" in inputs:
            raise bad(f"{len(inputs)} operands, wanted at least one, all with names")
        return {names[0][0]: inputs}
    if len(inputs) > len(names):
        raise bad(f"{len(inputs)} operands, wanted at most {len(names)}: {version.operands}")
    inputs += [""] * (len(names) - len(inputs))
    found: dict[str, Any] = {}
    for (name, mark, _), tensor in zip(names, inputs, strict=True):
        if tensor:
            found[name] = tensor
        elif not mark:
            raise bad(f"the operand {name} is missing, wanted {version.operands}")
    return found


def sorted_steps(steps, given, bad):
    """The steps in an order in which every operand is known; `given`: the names that no step makes."""
    makers = {}
    for step in steps:
        for name in filter(None, step.results):
            if name in makers or name in given:
                raise bad(f"{step.label} makes {name!r}, which is made twice: wanted every tensor once")
            makers[name] = step
    for step in steps:
        for name in step.reads():
            if name not in makers and name not in given:
                raise bad(f"{step.label} reads {name!r}, which nothing gives: a missing initializer")
    waiting = {id(step): len({name for name in step.reads() if name in makers}) for step in steps}
    readers: dict[str, list] = {}
    for step in steps:
        for name in {name for name in step.reads() if name in makers}:
            readers.setdefault(name, []).append(step)
    ready, order = [step for step in steps if not waiting[id(step)]], []
    for step in ready:  # grows while it is walked
        order.append(step)
        for name in filter(None, step.results):
            for reader in readers.get(name, ()):
                waiting[id(reader)] -= 1
                if not waiting[id(reader)]:
                    ready.append(reader)
    if len(order) < len(steps):
        stuck = [step for step in steps if waiting[id(step)]]
        raise bad(f"{len(stuck)} nodes wait for one another, {stuck[0].label} among them: the graph has a cycle")
    return order if order != steps and not _is_sorted(steps, given) else steps


def _is_sorted(steps, given):
    known = set(given)
    for step in steps:
        if not known.issuperset(step.reads()):
            return False
        known |= set(step.results)
    return True


def operand_infos(step, known):
    """The Infos of a step's operands, their types checked; `known`: a tensor's name -> Info."""

    def one(value):
        return known[value] if isinstance(value, str) else value

    infos = {}
    for key, value in step.operands.items():
        infos[key] = [known[name] for name in value] if isinstance(value, list) else one(value)
    return typed(step, infos)


def typed(step, infos):
    """The same with attributes' numbers as arrays of the type that the operand would have; DtypeError else."""
    version = step.operator.version(step.attributes["opset"])
    seen: dict[str, np.dtype] = {}
    for key, info in infos.items():
        letter = step.letters.get(key, "")
        for single in info if isinstance(info, list) else [info]:
            if not isinstance(single, Info):
                continue
            allowed = version.allowed(letter)
            if single.dtype not in allowed:
                raise DtypeError(f"{key} is {single.dtype}, wanted one of {', '.join(map(str, allowed))}")
            if letter in "TUV" and seen.setdefault(letter, single.dtype) != single.dtype:
                raise DtypeError(f"{key} is {single.dtype} beside {seen[letter]}, wanted one type")
    for key, info in infos.items():
        if isinstance(info, tuple) and not isinstance(info, Info):
            value = np.array(info, np.int64)
            infos[key] = Info(value.dtype, value.shape, value)
        elif isinstance(info, float):
            value = np.array(info, seen["T"])
            infos[key] = Info(value.dtype, value.shape, value)
    return infos


def apply(step, infos, limit=None):
    """The Infos of a step's results by its rule; with exact shapes and `limit` bytes also what it may take."""
    results = step.operator.rule(step.attributes, **infos)
    for info in results:
        extents = [n or 1 for n in info.shape or ()]
        if len(extents) > MOST_AXES or math.prod(extents) * info.dtype.itemsize > sys.maxsize:
            raise ShapeError(f"the result would have {len(extents)} axes, {text(info.shape)[:80]}: no array can")
    if limit is None:
        return results
    size = sum(math.prod(info.shape) * info.dtype.itemsize for info in results)
    if step.operator.work:
        size += step.operator.work(step.attributes, **infos) * max(4, results[0].dtype.itemsize)
    if size > limit:
        raise ShapeError(f"results {', '.join(str(info.shape) for info in results)} take {size} bytes with what is "
                         f"between, the cap is {limit}; raise max_bytes=")  # fmt: skip
    return results


def compute(step, arrays, results):
    """The arrays of a step's results, of the types and shapes that its rule gave."""
    made = step.operator.compute(step.attributes, **arrays)
    found = []
    for array, info in zip(made if isinstance(made, list) else [made], results, strict=True):
        array = np.asarray(array, info.dtype)
        if array.shape != tuple(info.shape):
            raise ShapeError(f"the result has shape {array.shape}, its rule says {info.shape}")
        found.append(array)
    return found


def infer(steps, known, declared, bad):
    """`known` (name -> Info) grown by all results; what contradicts itself, or what is declared, is refused."""
    left = ALL_CONSTANTS
    for step in steps:
        try:
            infos = operand_infos(step, known)
            results = apply(step, infos)
            if _is_small(step, infos, results, left):
                arrays = {key: [i.value for i in v] if isinstance(v, list) else v.value for key, v in infos.items()}
                with np.errstate(all="ignore"):
                    made = compute(step, arrays, results)
                results = [Info(r.dtype, r.shape, value) for r, value in zip(results, made, strict=True)]
                left -= 0 if step.op in operators.VIEWS else sum(value.nbytes for value in made)
            for name, info in zip(step.results, results, strict=True):
                if name:
                    known[name] = held_to(declared.get(name), info)
        except RefmnasError as error:
            raise bad(f"{step.label}: {error}") from None
    return known


def _is_small(step, infos, results, left):
    """Whether all is known, and the results take little."""
    flat = [i for v in infos.values() for i in (v if isinstance(v, list) else [v])]
    if any(i.value is None for i in flat) or any(r.shape is None or None in r.shape or r.value is not None for r in results):
        return False
    if step.op in operators.VIEWS:
        return True
    elements = sum(math.prod(r.shape) for r in results)
    if step.operator.work:
        elements += step.operator.work(step.attributes, **infos)
    return elements <= LARGEST_CONSTANT and elements * 8 <= left


def held_to(value, info, what="the file declares"):
    """`info` with what is declared of the tensor added; DtypeError or ShapeError where the two contradict."""
    if value is None:
        return info
    if value.dtype != info.dtype:
        raise DtypeError(f"{value.name!r} is {info.dtype}, {what} {value.dtype}")
    if value.shape is None:
        return info
    extents = tuple(n if isinstance(n, int) else None for n in value.shape)
    if info.shape is None:
        return Info(info.dtype, extents, info.value)
    if len(extents) != len(info.shape) or any(
        n is not None and m is not None and n != m for n, m in zip(extents, info.shape, strict=True)
    ):
        raise ShapeError(f"{value.name!r} has shape {text(info.shape)}, {what} {value.shape}")
    shape = tuple(m if n is None else n for n, m in zip(extents, info.shape, strict=True))
    return Info(info.dtype, shape, info.value)
