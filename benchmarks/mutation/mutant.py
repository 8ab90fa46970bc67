"""What a mutant is: one small change of one file."""

from __future__ import annotations

import random
from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True)
class Mutant:
    """`before` became `after` at one place of `file`."""

    file: str  # relative to the checkout
    line: int
    column: int
    operator: str
    before: str
    after: str
    source: str  # the whole changed text
    text: str  # the line that was changed, as it was

    @property
    def name(self):
        """Tells it from every other mutant of the same text."""
        return f"{self.file}:{self.line}:{self.column} {self.operator}: {short(self.before)} -> {short(self.after)}"

    @property
    def key(self):
        """The same without the place, so that it holds when lines above it move."""
        return self.file, self.text.strip(), f"{short(self.before)} -> {short(self.after)}"


def short(text, most=60):
    """One line of at most `most` characters."""
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 12]}...{text[-9:]}"


def digest(source):
    """Tells one version of a file from another."""
    return sha256(source.encode()).hexdigest()[:16]


def spread(mutants, count, seed):
    """`count` of the mutants, drawn by `seed`; in the order given."""
    if count is None or count >= len(mutants):
        return list(mutants)
    chosen = set(random.Random(seed).sample(range(len(mutants)), count))
    return [m for k, m in enumerate(mutants) if k in chosen]


def steady(mutants, count):
    """`count` of the mutants, drawn by their names: a change of one file leaves nearly all that was drawn of others."""
    chosen = {m.name for m in sorted(mutants, key=lambda m: digest(m.name))[:count]}
    return [m for m in mutants if m.name in chosen]


# Names that are easily taken for one another; a mutant exchanges two of one row.
PYTHON_NAMES = (
    "P Q", "p q", "H W", "h w v", "i j", "r s", "k l", "n c", "N C", "F D", "C D", "Kh Kw",
    "top left", "bottom right", "mean var", "gamma beta", "dgamma dbeta", "running_mean running_var",
    "stride dilation", "x dy", "x w", "mask x",
)  # fmt: skip
C_NAMES = (
    "p q", "h w", "i j", "n c", "kh kw", "top left", "bottom right", "x w", "dy x", "dw db", "r col",
    "stride dilation", "lo hi", "i0 i1", "c0 c1", "first last", "j0 j1", "inner0 inner1", "x_row x_pix",
    "w_row w_tap", "in_size out_size", "in_step out_step", "in0 out0", "tap0 in0", "rows cols", "rows taps",
    "row col", "here all", "rm_least rm_most", "vec_load vec_load_tail", "h p", "w q", "kernel stride", "count taps",
    "x_row x_tap", "C at",
)  # fmt: skip


def partners(rows, name):
    """The names that `name` may be exchanged with."""
    return [other for row in rows if name in (words := row.split()) for other in words if other != name]
