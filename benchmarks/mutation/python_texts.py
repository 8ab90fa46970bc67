"""Mutants of a Python file: nodes of its syntax tree, changed in the text itself."""

from __future__ import annotations

import ast
import copy

from .mutant import PYTHON_NAMES, Mutant, partners

COMPARE = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
BINARY = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.MatMult: ast.Mult,
}  # fmt: skip
CALLS = {"maximum": "minimum", "sum": "mean", "mean": "sum", "min": "max", "max": "min", "abs": "negative"}
DROPPABLE = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.BitAnd, ast.BitOr)


def mutants(file, source):
    """Every mutant of the functions (and of the tables of functions) of one file."""
    tree = ast.parse(source)
    lines = source.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    seen = set()
    for node, known in _nodes(tree):
        for operator, new in _changes(node, known):
            begin = starts[node.lineno - 1] + node.col_offset
            end = starts[node.end_lineno - 1] + node.end_col_offset
            after = new if isinstance(new, str) else ast.unparse(new)
            if isinstance(new, ast.BinOp | ast.BoolOp | ast.Compare):
                after = f"({after})"
            changed = (source.encode()[:begin] + after.encode() + source.encode()[end:]).decode()
            before = ast.unparse(node)
            if changed in seen or changed == source or not _parses(changed):
                continue
            seen.add(changed)
            text = lines[node.lineno - 1].decode()
            yield Mutant(file, node.lineno, node.col_offset, operator, before, after, changed, text)


def _parses(source):
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


def _nodes(tree):
    """(node, names known there) of all that is computed: bodies, defaults, tables; no annotations or messages."""
    for top in tree.body:
        if isinstance(top, ast.FunctionDef):
            known = {a.arg for a in (*top.args.posonlyargs, *top.args.args, *top.args.kwonlyargs)}
            known |= {n.id for n in ast.walk(top) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
            defaults = [d for d in (*top.args.defaults, *top.args.kw_defaults) if d is not None]
            body = top.body[1:] if ast.get_docstring(top, clean=False) is not None else top.body
            for part in (*defaults, *body):
                yield from ((node, known) for node in _walk(part))
        elif isinstance(top, ast.Assign) and isinstance(top.value, ast.Dict):
            for value in top.value.values:
                known = {a.arg for a in value.args.args} if isinstance(value, ast.Lambda) else set()
                yield from ((node, known) for node in _walk(value))


def _walk(node):
    """`node` and what is in it, without messages: an error's words are not mutated."""
    if isinstance(node, ast.JoinedStr | ast.arguments):
        return
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(node, ast.Raise) and child is node.exc):
            yield from _walk(child)


def _changes(node, known):
    """(operator, new node or text) of every way to change this node."""
    if isinstance(node, ast.Compare):
        for k, op in enumerate(node.ops):
            yield "comparison", _with(node, "ops", k, COMPARE[type(op)]())
    elif isinstance(node, ast.BinOp):
        yield from _binary(node)
    elif isinstance(node, ast.BoolOp):
        other = copy.deepcopy(node)
        other.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield "and/or", other
        for k in range(len(node.values)):
            rest = [v for m, v in enumerate(node.values) if m != k]
            yield "dropped condition", rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield "dropped sign", node.operand
    elif isinstance(node, ast.Constant):
        yield from _constant(node)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield from (("exchanged name", ast.Name(o, ast.Load())) for o in partners(PYTHON_NAMES, node.id) if o in known)
    elif isinstance(node, ast.Tuple):
        yield from _tuple(node)
    elif isinstance(node, ast.Call):
        yield from _call(node)
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield "dropped transpose", node.value
    elif isinstance(node, ast.IfExp):
        yield "one branch", node.body
        yield "one branch", node.orelse
    elif isinstance(node, ast.AugAssign):
        yield "assigned, not added", ast.Assign([node.target], node.value, lineno=node.lineno)
        yield "deleted statement", "pass"
    elif isinstance(node, ast.If):
        yield "deleted branch", _with_test(node)
    elif isinstance(node, ast.Expr | ast.Raise) or (isinstance(node, ast.Assign) and _is_reassigned(node, known)):
        yield "deleted statement", "pass"


def _binary(node):
    if type(node.op) in BINARY:
        other = copy.deepcopy(node)
        other.op = BINARY[type(node.op)]()
        yield "operator", other
    if isinstance(node.op, DROPPABLE):
        yield "dropped term" if isinstance(node.op, ast.Add | ast.Sub) else "dropped factor", node.left
        if not isinstance(node.op, ast.Div):
            yield "dropped term" if isinstance(node.op, ast.Add | ast.Sub) else "dropped factor", node.right


def _constant(node):
    value = node.value
    if isinstance(value, bool):
        yield "constant", ast.Constant(not value)
    elif isinstance(value, int):
        yield "constant +1", ast.Constant(value + 1)
        yield "constant -1", ast.Constant(value - 1)
    elif isinstance(value, float):
        yield "constant", ast.Constant(value * 1.25 + (value == 0))


def _tuple(node):
    """Two neighbours exchanged; for numbers that name axes, one left out too."""
    for k in range(len(node.elts) - 1):
        a, b = node.elts[k], node.elts[k + 1]
        if ast.unparse(a) != ast.unparse(b) and not isinstance(a, ast.Starred) and not isinstance(b, ast.Starred):
            other = copy.deepcopy(node)
            other.elts[k], other.elts[k + 1] = other.elts[k + 1], other.elts[k]
            yield "exchanged neighbours", f"({ast.unparse(other).strip('()')})" if _is_plain(other) else other


def _is_plain(node):
    return all(isinstance(e, ast.Name) for e in node.elts) and isinstance(node.ctx, ast.Store)


def _call(node):
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
    if name in CALLS and isinstance(node.func, ast.Attribute):
        other = copy.deepcopy(node)
        other.func.attr = CALLS[name]
        yield "another function", other
    elif name in ("min", "max"):
        other = copy.deepcopy(node)
        other.func.id = CALLS[name]
        yield "another function", other
    if name == "einsum" and isinstance(node.args[0], ast.Constant):
        letters = node.args[0].value
        for k in range(len(letters) - 1):
            if letters[k].isalpha() and letters[k + 1].isalpha():
                other = copy.deepcopy(node)
                other.args[0].value = letters[:k] + letters[k + 1] + letters[k] + letters[k + 2 :]
                yield "exchanged axis", other


def _with(node, field, k, value):
    other = copy.deepcopy(node)
    getattr(other, field)[k] = value
    return other


def _with_test(node):
    """The whole `if`, its condition false."""
    indent = " " * node.col_offset
    other = copy.deepcopy(node)
    other.test = ast.Constant(False)
    return ast.unparse(other).replace("\n", f"\n{indent}")


def _is_reassigned(node, known):
    """Whether names stay known when this assignment is left out: `x = x + 1`."""
    read = {n.id for n in ast.walk(node.value) if isinstance(n, ast.Name)}
    written = {n.id for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    return bool(read & written & known) or any(isinstance(t, ast.Subscript) for t in node.targets)
