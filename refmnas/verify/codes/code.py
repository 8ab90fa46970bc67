"""What one code says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """A cause of mismatch, as `refmnas explain` tells it."""

    name: str
    cause: str  # what the implementation does otherwise
    signature: str  # how it looks, and what tells it from its neighbours
    mend: str  # what to change
    threads: str = ""  # public threads where people met it; empty where none was found that is surely this
    see: tuple[str, ...] = ()  # topics of `refmnas explain`, and codes
    reserved: bool = False  # kept for what refmnas does not judge yet
