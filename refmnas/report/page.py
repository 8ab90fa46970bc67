"""The frame of a page and the style that all share; colours follow the reader's light or dark setting."""

from __future__ import annotations

from html import escape

from .. import __version__

STYLE = """
:root { --ink:#1d2430; --soft:#667085; --line:#d9dee7; --paper:#fff; --cell:#f7f8fa; --mark:#0b6bcb; --bad:#b42318; }
@media (prefers-color-scheme: dark) {
  :root { --ink:#e4e8ef; --soft:#98a2b3; --line:#333c4a; --paper:#14181f; --cell:#1b212b; --mark:#6db3f8; --bad:#f97066; } }
* { box-sizing:border-box; }
body { margin:0 auto; padding:24px 28px 48px; color:var(--ink); background:var(--paper);
  font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif; }
h1 { font-size:24px; margin:0 0 4px; } h2 { font-size:18px; margin:34px 0 10px; }
p.lead { max-width:84ch; margin:6px 0; } footer { margin-top:40px; color:var(--soft); font-size:13px; }
table { border-collapse:collapse; font-size:13px; margin-top:8px; } td, th { padding:3px 18px 3px 0; text-align:left; }
th { color:var(--soft); font-weight:600; } td.r, th.r { text-align:right; font-variant-numeric:tabular-nums; }
"""

# Of pages with figures: tables that are too wide scroll in a box of their own, with a shadow where more is hidden, pictures
# shrink.  On a narrow page words break, so that the numbers beside them stay in sight.
FIGURES = """
body { max-width:1240px; } h3 { font-size:14px; margin:22px 0 4px; }
.scroll { overflow-x:auto; background:linear-gradient(to right,var(--paper) 24px,transparent) 0 0/48px 100% no-repeat local,
  linear-gradient(to left,var(--paper) 24px,transparent) 100% 0/48px 100% no-repeat local,
  linear-gradient(to right,var(--line),transparent) 0 0/12px 100% no-repeat scroll,
  linear-gradient(to left,var(--line),transparent) 100% 0/12px 100% no-repeat scroll; }
.scroll > svg { min-width:860px; } td, th { white-space:nowrap; }
td.w { white-space:normal; min-width:16em; }
.facts th { vertical-align:top; }
tr.ours td { font-weight:600; color:var(--mark); } tr.bad td { color:var(--bad); } tr.away td { color:var(--soft); }
ul.said { margin:8px 0; padding-left:20px; color:var(--soft); font-size:13px; overflow-wrap:anywhere; }
figure { margin:10px 0; } figcaption { color:var(--soft); font-size:13px; max-width:84ch; }
svg { display:block; width:100%; height:auto; font:12px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif; }
svg text { fill:var(--ink); } svg .soft { fill:var(--soft); } svg .r { text-anchor:end; } svg .m { text-anchor:middle; }
svg .halo { paint-order:stroke; stroke:var(--paper); stroke-width:3px; }
svg .grid { stroke:var(--line); stroke-width:1; } svg .axis { stroke:var(--soft); stroke-width:1; }
svg .ours { fill:var(--mark); } svg .peer { fill:var(--soft); fill-opacity:.55; } svg .bad { fill:var(--bad); fill-opacity:.5; }
svg .range { stroke:var(--ink); stroke-width:1.2; fill:none; }
svg .bound { stroke:var(--bad); stroke-width:1.3; stroke-dasharray:4 3; }
svg .roof { stroke:var(--ink); stroke-width:1.5; fill:none; } svg .slope { stroke:var(--soft); stroke-width:1.2; fill:none; }
svg .hollow { fill:var(--paper); stroke:var(--soft); stroke-width:1.5; }
@media (max-width:760px) { body { padding:16px 14px 32px; } table { font-size:12px; } td, th { padding-right:9px; }
  th, td:not(.r) { white-space:normal; } .facts th { white-space:nowrap; } .facts td { overflow-wrap:anywhere; } }
"""


def whole(title, body, *, style="", made_by=""):
    """A whole file: one string of HTML that refers to nothing outside itself."""
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>refmnas: {escape(title)}</title>
<style>{STYLE}{style}</style>
{body}
<footer>refmnas {__version__}{made_by}</footer>
</html>
"""


def table(header, rows, *, left=1):
    """A table; the first `left` columns are words, the others numbers.  A row is (class, cells)."""
    head = "".join(f"<th{'' if k < left else ' class=r'}>{escape(text)}</th>" for k, text in enumerate(header))
    body = []
    for kind, cells in rows:
        marked = (f"<td{'' if k < left else ' class=r'}>{escape(str(cell))}</td>" for k, cell in enumerate(cells))
        body.append(f"<tr{f' class={kind}' if kind else ''}>{''.join(marked)}</tr>")
    return f"<div class=scroll><table><tr>{head}</tr>{''.join(body)}</table></div>"


def facts(pairs):
    """A table of names and what they are; long values break."""
    rows = (f"<tr><th>{escape(name)}</th><td class=w>{escape(str(value))}</td></tr>" for name, value in pairs)
    return f"<table class=facts>{''.join(rows)}</table>"


def said(lines):
    """A list of remarks; nothing where there are none."""
    return f"<ul class=said>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>" if lines else ""


def figure(picture, caption="", *, is_wide=False):
    """A picture with words beneath; a wide one scrolls where the page is narrow, so that it stays readable."""
    told = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f"<figure>{f'<div class=scroll>{picture}</div>' if is_wide else picture}{told}</figure>"
