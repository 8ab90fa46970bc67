"""A Page as one self-contained HTML file: four columns, which stack on a narrow screen."""

from __future__ import annotations

import re
from html import escape

from ..report import page as frame
from . import sources, terminal

STYLE = """
body { max-width:1900px; }
h3 { font-size:13px; margin:0; padding:7px 12px; color:var(--soft); border-bottom:1px solid var(--line);
  letter-spacing:.02em; font-weight:600; }
.row { display:grid; grid-template-columns:minmax(0,.8fr) minmax(0,1.2fr) minmax(0,1fr) minmax(0,1fr);
  border:1px solid var(--line); border-radius:8px; overflow:hidden; }
.row.one { grid-template-columns:minmax(0,.95fr) minmax(0,1.05fr); }
.cell { border-left:1px solid var(--line); min-width:0; } .cell:first-child { border-left:0; background:var(--cell); }
.where { color:var(--soft); font-size:12px; padding:8px 12px 0; overflow-wrap:anywhere; }
pre { margin:0; padding:6px 12px 10px; font:11.5px/1.45 ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;
  tab-size:4; }
.l { display:block; white-space:pre-wrap; overflow-wrap:anywhere; min-height:1.45em;
  padding-left:calc((var(--i) + 2) * 1ch); text-indent:calc((var(--i) + 2) * -1ch); }
.c { color:var(--soft); } .n { color:var(--mark); font-weight:600; }
details { border-top:1px solid var(--line); } summary { cursor:pointer; padding:7px 12px; color:var(--soft); font-size:13px; }
.numbers { border:1px solid var(--line); border-radius:8px; margin-top:12px; padding:10px 14px 12px; }
.numbers h3 { border:0; padding:0 0 6px; overflow-wrap:anywhere; }
.arrays { display:flex; flex-wrap:wrap; gap:8px 26px; } .arrays pre { padding:0; overflow-x:auto; max-width:100%; }
.arrays b { display:block; font:600 12px ui-monospace,Menlo,Consolas,monospace; color:var(--mark); }
.terms { font:12px/1.5 ui-monospace,Menlo,Consolas,monospace; margin:10px 0 4px; overflow-wrap:anywhere; }
@media (max-width:1100px) { .row, .row.one { grid-template-columns:minmax(0,1fr); }
  .cell { border-left:0; border-top:1px solid var(--line); } .cell:first-child { border-top:0; }
  body { padding:16px 14px 32px; } }
"""


def page(page) -> str:
    """The whole file."""
    rows = "\n".join(_row(page, row) for row in page.rows)
    prose = "".join(_paragraph(part) for part in page.prose.split("\n\n") if part.strip())
    head = f"<details><summary>Head of the C template</summary>{_code(page.c_head)}</details>" if page.c_head else ""
    uses = f"<p class=lead>Built from: {escape(', '.join(page.uses))}.</p>" if page.uses else ""
    body = f"""<h1>{escape(page.name)}</h1>
<p class=lead>{_marked(page.title)}</p>
{prose}{uses}{head}
{rows}{_built(page.built)}"""
    made_by = f"""; cut from the installed sources by: refmnas read {escape(page.name)} --html FILE.
Equal numbers in brackets stand for the same equation in every column."""
    return frame.whole(page.name, body, style=STYLE, made_by=made_by)


def _paragraph(text):
    """A paragraph; a list that stands indented keeps its lines."""
    return _code(text) if text.startswith(" ") else f"<p class=lead>{_marked(text)}</p>"


def _row(page, row):
    equations = "".join(_code(text) for text in row.equations.values())
    cells = [_cell("Equation" if page.room == "ops" else "What it is", equations + _contract(row))]
    if page.room == "ops":
        cells.append(_cell("Oracle: the definition", _pieces(row.oracle)))
        cells.append(_cell("NumPy reference", _pieces(row.reference)))
        cells.append(_cell("C template", _c(row.c)))
    else:
        cells.append(_cell("Text", _pieces(row.reference)))
    kind = "row" if page.room == "ops" else "row one"
    name = f"{page.name}.{row.function}" if page.room == "ops" else row.function
    return f"<h2>{escape(name)}</h2>\n<div class='{kind}'>{''.join(cells)}</div>{_numbers(row.worked)}"


def _cell(heading, content):
    return f"<section class=cell><h3>{escape(heading)}</h3>{content}</section>"


def _contract(row):
    if not row.contract:
        return ""
    return f"<details><summary>Contract</summary>{_code(row.contract)}</details>"


def _pieces(pieces):
    return "".join(f"<div class=where>{escape(p.where)}</div>{_code(sources.shortened(p.code))}" for p in pieces)


def _c(pieces):
    if not pieces:
        return "<div class=where>None: this op runs on NumPy.</div>"
    functions = [p for p in pieces if not p.name.endswith(".h")]
    files = [p for p in pieces if p.name.endswith(".h")]
    folded = "".join(f"<details><summary>{escape(p.name)}</summary>{_code(p.code)}</details>" for p in files)
    return _pieces(functions) + folded


def _code(text):
    """Lines that wrap under their own indent; comments soft, equation numbers marked."""
    lines, inside = [], ""
    for line in text.splitlines():
        content, inside = _coloured(line, inside)
        indent = len(line) - len(line.lstrip())
        lines.append(f"<span class=l style='--i:{indent}'>{content}</span>")
    return f"<pre>{''.join(lines)}</pre>"


def _coloured(line, inside):
    """One line as HTML, and the mark that closes a comment or docstring still open after it."""
    out, rest = [], line
    while rest:
        if inside:
            before, mark, rest = rest.partition(inside)
            out.append(f"<span class=c>{_marked(before + mark)}</span>")
            inside = "" if mark else inside
            continue
        start = re.search(r'"""|/\*|(?<!["\'])#(?=\s)', rest)
        if start is None:
            out.append(_marked(rest))
            break
        out.append(_marked(rest[: start.start()]))
        if start.group() == "#":
            out.append(f"<span class=c>{_marked(rest[start.start() :])}</span>")
            break
        out.append(f"<span class=c>{start.group()}</span>")
        inside, rest = {'"""': '"""', "/*": "*/"}[start.group()], rest[start.end() :]
    return "".join(out), inside


def _marked(text):
    """Escaped, with equation numbers like (1) marked where a word does not run into them."""
    return re.sub(r"(?<![\w)])(?<!eq\. )\((\d{1,2})\)", r"<span class=n>(\1)</span>", escape(text, quote=False))


def _numbers(worked):
    if worked is None:
        return ""
    arrays = "".join(_array(name, a) for name, a in (*worked.inputs.items(), *worked.outputs.items()))
    terms = f"<div class=terms>{escape(worked.terms)}</div>" if worked.terms else ""
    agree = ", ".join(worked.agree)
    same = f"<div>The oracle's numbers to the last bit: {escape(agree)}.</div>" if agree else ""
    near = f"<div>The oracle's up to rounding: {escape(', '.join(worked.differ))}.</div>" if worked.differ else ""
    rows = "".join(
        f"<tr><td>{escape(j.text)}<td class=r>{j.error:.2e}<td class=r>{j.bound:.2e}<td class=r>{j.margin:.2f}"
        for j in worked.judged
    )
    return f"""<div class=numbers><h3>In numbers: {escape(worked.case)}</h3>
<div class=arrays>{arrays}</div>{terms}{same}{near}
<table><tr><th>on real numbers<th class=r>error<th class=r>allowed<th class=r>margin{rows}</table></div>"""


def _built(built):
    if built is None:
        return ""
    body = "\n".join(line.removeprefix("  ") for line in terminal.built_lines(built))
    title = f"In numbers: {built.call}, one image {terminal.shape(built.input_shape)}"
    return f"<div class=numbers><h3>{escape(title)}</h3>{_code(body)}</div>"


def _array(name, a):
    title, *lines = terminal.array_lines(name, a)
    body = "\n".join(line.removeprefix("    ") for line in lines)
    return f"<div><b>{escape(title.strip())}</b><pre>{escape(body)}</pre></div>"
