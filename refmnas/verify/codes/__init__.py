"""The codes of causes: a stable list, told by `refmnas explain CODE`.

    CODES       {name: Code}, in reading order
    find(name)  the code of that name

A code names the nearest true cause, whether one layer has it or all.  Codes are never
renamed; new ones are added.
"""

from __future__ import annotations

from ...errors import SpecError
from . import block, gradient, norm, number, window
from .code import Code

__all__ = ["CODES", "Code", "find"]

CODES: dict[str, Code] = {code.name: code for module in (window, norm, block, number, gradient) for code in module.CODES}


def find(name) -> Code:
    """The code; SpecError for an unknown one."""
    if str(name).upper() not in CODES:
        raise SpecError(f"verify: no code {name!r}, wanted one of {', '.join(CODES)}")
    return CODES[str(name).upper()]
