"""Mutants of a C file: its tokens, changed one at a time; includes, conditions and declarations stay."""

from __future__ import annotations

import re
from typing import NamedTuple

from .mutant import C_NAMES, Mutant, partners

TOKEN = re.compile(
    r"(?P<space>\s+|\\\n|/\*.*?\*/|//[^\n]*)"
    r"|(?P<string>\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*')"
    r"|(?P<number>\d[\w.]*)"
    r"|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<mark><<=|>>=|->|\+\+|--|<=|>=|==|!=|&&|\|\||<<|>>|[-+*/%&|^]=|##|.)",
    re.DOTALL,
)
SWAPS = {
    "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||", "||": "&&",
    "+": "-", "-": "+", "*": "+", "/": "*", "%": "/", "+=": "-=", "++": "--",
}  # fmt: skip
WORDS = {"comparison": "< <= > >= == !=", "and/or": "&& ||", "operator": "+ - * / % += ++"}
TYPES = {"int64_t", "int", "float", "char", "const", "void", "vec", "rm_phase", "rm_axis", "rm_dw_shape", "size_t"}
STARTS = ("#include", "#if", "#ifndef", "#ifdef", "#undef", "#endif", "#else", "#elif", "#pragma", "typedef")


class Token(NamedTuple):
    kind: str
    text: str
    at: int


def mutants(file, source):
    """Every mutant of one C file."""
    tokens = [t for t in _tokens(source) if t.kind != "space"]
    seen = set()
    for begin, end, operator, new in _changes(tokens):
        changed = source[:begin] + new + source[end:]
        if changed in seen or changed == source:
            continue
        seen.add(changed)
        line = source.count("\n", 0, begin) + 1
        text = source.splitlines()[line - 1]
        column = begin - (source.rfind("\n", 0, begin) + 1)
        yield Mutant(file, line, column, operator, source[begin:end], new, changed, text)


def _tokens(source):
    """The tokens of all that computes: directives but #define, its name and type definitions are left out."""
    for begin, text in _computing(source):
        for match in TOKEN.finditer(text):
            yield Token(match.lastgroup, match.group(), begin + match.start())


def _computing(source):
    """(offset, text) of each piece between the lines that are left out."""
    at, kept, start = 0, "", 0
    depth = 0  # within a typedef's braces
    for line in _logical_lines(source):
        skip = depth or line.lstrip().startswith(STARTS)
        if skip and not line.lstrip().startswith("#"):
            depth = max(depth + line.count("{") - line.count("}"), 0)
        head = re.match(r"\s*#\s*define\s+\w+(\([^)]*\))?", line)
        if skip or head:
            if kept:
                yield start, kept
            kept = ""
            if head and not skip:
                yield at + head.end(), line[head.end() :]
        else:
            if not kept:
                start = at
            kept += line
        at += len(line)
    if kept:
        yield start, kept


def _logical_lines(source):
    """Lines, a directive with its continuations as one, a comment of several lines too."""
    yield from re.findall(r"(?:/\*.*?\*/|\\\n|[^\n])*\n|[^\n]+\Z", source, re.DOTALL)


def _changes(tokens):
    """(begin, end, operator, new text) of every change."""
    for k, t in enumerate(tokens):
        before = tokens[k - 1] if k else Token("mark", ";", 0)
        after = tokens[k + 1] if k + 1 < len(tokens) else Token("mark", ";", 0)
        end = t.at + len(t.text)
        if t.kind == "mark" and t.text in SWAPS and (_is_binary(before, after) or t.text == "++"):
            operator = next(name for name, marks in WORDS.items() if t.text in marks.split())
            yield t.at, end, operator, SWAPS[t.text]
            yield from _dropped(tokens, k)
        elif t.kind == "number" and t.text.isdigit():
            yield t.at, end, "constant +1", str(int(t.text) + 1)
            if t.text != "0":
                yield t.at, end, "constant -1", str(int(t.text) - 1)
        elif t.kind == "name" and before.text not in TYPES:
            yield from ((t.at, end, "exchanged name", other) for other in partners(C_NAMES, t.text))
        if before.text in (";", "{", "}", ")") and t.kind == "name":
            yield from _deleted(tokens, k)


def _is_binary(before, after):
    """Whether a mark between these two has two operands; `const float *x` has not."""
    left = before.kind in ("number", "name") or before.text in (")", "]")
    return left and before.text not in TYPES and before.text != "return" and after.text not in TYPES and after.text != ")"


def _dropped(tokens, k):
    """The operand after a + - * / left out with its sign: a name or number, with its members and indices."""
    if tokens[k].text not in "+-*/":
        return
    m = k + 1
    if m >= len(tokens) or tokens[m].kind not in ("number", "name"):
        return
    while m + 2 < len(tokens) and tokens[m + 1].text in ("->", "."):
        m += 2
    if m + 1 < len(tokens) and tokens[m + 1].text in ("(", "[", "##"):
        return
    what = "dropped term" if tokens[k].text in "+-" else "dropped factor"
    yield tokens[k].at, tokens[m].at + len(tokens[m].text), what, ""


def _deleted(tokens, k):
    """A statement `name ... ;` left out, where it is an assignment, a call or a step."""
    m, depth = k, 0
    while m < len(tokens) and (tokens[m].text != ";" or depth):
        depth += (tokens[m].text in "([{") - (tokens[m].text in ")]}")
        if depth < 0:
            return
        m += 1
    words = [t.text for t in tokens[k:m]]
    if len(words) < 2 or words[0] in TYPES | {"static", "return", "for", "while", "if", "else", "enum", "extern", "typedef"}:
        return
    if words[1] in ("=", "+=", "-=", "(", "->", ".", "[", "++") and "{" not in words:
        yield tokens[k].at, tokens[m].at, "deleted statement", "(void)0"
