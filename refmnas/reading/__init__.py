"""The reader's path: an op's equation and its three texts side by side, with numbers.

    reading.open(op)            a Page: rows of equations, oracle, reference, C template
    reading.terminal.lines      a Page as text
    reading.html.page           a Page as one self-contained HTML file

Everything shown is cut from the installed sources when it is asked for, matched by
equation number; everything in numbers is computed then.
"""

from .page import Page, open, subjects

__all__ = ["Page", "open", "subjects"]
