"""Block strings: one row of a network's table as text.

    r3_k5_s22_e3_i24_o40_se0.25_noskip

    r repeats, k kernel, s stride (down and across, one digit each), e expansion, i input
    channels, o output channels, se squeeze ratio (absent: none), noskip: no identity

is the notation of tensorflow/tpu mnasnet_models.py (MnasNetDecoder), which takes the
tokens in any order, ignores those it does not know and keeps the last of a doubled one.
Here they are read strictly, in any order, and written in the order above.  i must be
the width that the row before gives; in the first row another one is kept as
`declared_in`, as the original's mnasnet-small has it.

Beyond the original, in timm's words: nre, nr6, nsw, nhs, an activation that is not the
network's; in front of a row dsa, MobileNetV1's block, and ir, an mbconv block that
expands by 1.  Our own: res, RegNet's bottleneck, with g, the channels of a group.
"""

from __future__ import annotations

import difflib
import re

from ..errors import SpecError
from .spec import Stage

ORDER = ("r", "k", "s", "e", "i", "o", "se", "noskip")
NEEDED = ORDER[:6]
BLOCKS = {"ir": "mbconv", "dsa": "separable", "res": "bottleneck"}
ACTS = {"nre": "relu", "nr6": "relu6", "nsw": "swish", "nhs": "hard_swish"}
MOST_DIGITS = 6

_NUMBER = re.compile(r"[1-9][0-9]*")
_RATIO = re.compile(r"0\.[0-9]*[1-9]|1(\.0)?|[1-9](\.[0-9]+)?e-[0-9]{1,3}")
_EXPANSION = re.compile(r"[1-9][0-9]{0,5}(\.[0-9]{1,20})?")
_TOKEN = re.compile(r"([a-z]*)(.*)", re.DOTALL)
_MEANS = {
    "r": "repeats", "k": "kernel", "s": "stride, two digits", "e": "expansion", "i": "input channels",
    "o": "output channels", "se": "squeeze ratio", "g": "channels of a group",
}  # fmt: skip
_WORDS = (*ORDER, "g", *ACTS, *BLOCKS)


def parse_block(row, c_in, where="block string", *, is_first=False):
    """The Stage of one string; `c_in` is the width that reaches it.

    Raises   SpecError naming `where`, the token, and what was wanted.

    >>> parse_block("r3_k5_s22_e3_i24_o40_se0.25", 24).channels
    40
    """
    tokens = _tokens(row, where)
    down, across = tokens["s"]
    if down != across:
        raise SpecError(f"{where}: token s{tokens['s']} has strides {down} and {across}, wanted equal ones, 11 or 22")
    declared = int(tokens["i"])
    if declared != c_in and not is_first:
        raise SpecError(f"{where}: token i{declared} does not fit the row before, which gives {c_in}; wanted i{c_in}")
    expand = float(tokens["e"]) if "." in tokens["e"] else int(tokens["e"])
    block = BLOCKS.get(tokens.get("block"), "sep" if expand == 1 else "mbconv")
    try:
        return Stage(
            block, int(tokens["r"]), int(tokens["k"]), int(down), expand, int(tokens["o"]),
            se=float(tokens.get("se", 0)), skip="noskip" not in tokens and block != "separable",
            declared_in=None if declared == c_in else declared, act=ACTS.get(tokens.get("act"), ""),
            group=int(tokens.get("g", 0)),
        )  # fmt: skip
    except SpecError as error:
        raise SpecError(f"{where}: {error} (in {row!r})") from None


def _tokens(row, where):
    """{key: text of its value}, each key once, none unknown, none missing."""
    if not isinstance(row, str):
        raise SpecError(f"{where}: {row!r}, wanted a text like r3_k5_s22_e3_i24_o40")
    found = {}
    for token in row.split("_"):
        key, value = _token(token, where)
        if key in found:
            raise SpecError(f"{where}: token {token!r} comes a second time, wanted each once")
        found[key] = value
    missing = [key for key in NEEDED if key not in found]
    if missing:
        named = ", ".join(f"{key} ({_MEANS[key]})" for key in missing)
        raise SpecError(f"{where}: {row!r} has no token {named}; wanted r, k, s, e, i and o")
    return found


def _token(token, where):
    if token == "noskip" or token in BLOCKS or token in ACTS:
        return {**dict.fromkeys(BLOCKS, "block"), **dict.fromkeys(ACTS, "act")}.get(token, token), token
    key, value = _TOKEN.fullmatch(token).groups()
    if key not in _MEANS:
        near = difflib.get_close_matches(token, _WORDS, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise SpecError(f"{where}: unknown token {token!r}, wanted one of {', '.join(_WORDS)}{hint}")
    if key == "se":
        if not _RATIO.fullmatch(value):
            raise SpecError(f"{where}: token {token!r}, wanted se and a ratio above 0 and at most 1, as se0.25")
    elif key == "s":
        if not re.fullmatch("[12]{2}", value):
            raise SpecError(f"{where}: token {token!r}, wanted s and two digits of 1 or 2, as s22")
    elif key == "e" and _EXPANSION.fullmatch(value):
        pass
    elif not _NUMBER.fullmatch(value) or len(value) > MOST_DIGITS:
        wanted = f"wanted {key} ({_MEANS[key]}) and a whole number of 1 to {MOST_DIGITS} digits, not 0 in front"
        raise SpecError(f"{where}: token {token!r}, {wanted}")
    return key, value


def format_block(stage, c_in):
    """The string of one Stage, inverse of `parse_block`."""
    declared = c_in if stage.declared_in is None else stage.declared_in
    plain = "sep" if stage.expand == 1 else "mbconv"
    parts = [word for word, block in BLOCKS.items() if block == stage.block != plain]
    parts += [f"r{stage.repeats}", f"k{stage.kernel}", f"s{stage.stride}{stage.stride}", f"e{stage.expand}"]
    parts += [f"i{declared}", f"o{stage.channels}"]
    parts += [f"g{stage.group}"] if stage.group else []
    parts += [f"se{float(stage.se)!r}"] if stage.se else []
    parts += [word for word, act in ACTS.items() if act == stage.act]
    return "_".join(parts + (["noskip"] if not stage.skip and stage.block != "separable" else []))
