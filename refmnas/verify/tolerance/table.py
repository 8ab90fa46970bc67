"""Every planted cause at the first, the middle and the last place where it could be made, against a user's criteria."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import numpy as np

from ..planted import FAULTS, MORE
from . import sound as measured
from .runs import Sound


@dataclass(frozen=True)
class Row:
    """One fault at one place.

    logits      the largest deviation of the logits from those of the sound run
    seen        {criterion: whether it refuses the logits}
    of_layers   {criterion: the first layer whose result it refuses, "" for none, None where it has no meaning for layers}
    refmnas     whether `refmnas verify captured` calls it a fault
    """

    code: str
    told: str
    where: str
    logits: float
    seen: dict[str, bool]
    of_layers: dict[str, str | None]
    refmnas: bool

    @property
    def gets_through(self):
        """Whether none of the criteria sees it in the logits."""
        return not any(self.seen.values())


@dataclass
class Tried:
    """What came of it; `is_partial` where it was interrupted.

    without_effect   ["fault, where"] that change no bit of any result on these images: not counted
    not_here         ["fault, where"] that would give a result another shape at this size: not counted
    refuses_sound    {criterion: whether it refuses the logits of the NumPy reference beside those of the backend in use}
    deviation        `refmnas.verify.tolerance.sound.deviation`, or None where it was not reached
    """

    criteria: tuple
    total: int
    rows: list[Row] = field(default_factory=list)
    without_effect: list[str] = field(default_factory=list)
    not_here: list[str] = field(default_factory=list)
    refuses_sound: dict[str, bool] = field(default_factory=dict)
    deviation: dict | None = None
    is_partial: bool = True

    @property
    def through(self):
        """The rows that none of the criteria sees."""
        return [row for row in self.rows if row.gets_through]

    @property
    def exit_code(self):
        """1 where something got through, else 0, or 130 where that is not known of all."""
        return 1 if self.through else 130 if self.is_partial else 0

    def headline(self):
        """How many get through, in one line."""
        told = f"{len(self.through)} of {len(self.rows)} planted faults get through"
        refused = sum(row.refmnas for row in self.through)
        told += f"; refmnas refuses {refused} of these" if self.through else ""
        return f"partial, interrupted after {self.done} of {self.total}: {told}" if self.is_partial else told

    @property
    def done(self):
        """How many places were tried."""
        return len(self.rows) + len(self.without_effect) + len(self.not_here)

    def to_dict(self):
        """The JSON of `refmnas verify tolerance`."""
        return {
            "schema": "refmnas-tolerance-1",
            "headline": self.headline(),
            "exit_code": self.exit_code,
            "partial": self.is_partial,
            "criteria": [c.name for c in self.criteria],
            "through": len(self.through),
            "tried": len(self.rows),
            "places": self.total,
            "without_effect": self.without_effect,
            "not_here": self.not_here,
            "refuses_sound": self.refuses_sound,
            "deviation": self.deviation,
            "rows": [asdict(row) | {"gets_through": row.gets_through} for row in self.rows],
        }


def tried(parts, x, criteria, *, rtol=None, note=lambda k, total, told: None):
    """`Tried` of a network's parts (`refmnas.verify.parts`) fed x (N, H, W, 3) float32, N at least 2 for faults of a batch.

    rtol   the user's, beside which the least atol of sound runs is told
    note(k, total, told) is called before each place.  KeyboardInterrupt ends it early, with what is known by then.
    """
    sound = Sound(list(parts), x)
    places = [(fault, where, plant) for fault in (*FAULTS, *MORE) for where, plant in fault.places(sound.parts)]
    found = Tried(criteria, len(places))
    try:
        note(0, len(places), "sound runs")
        logits = sound.values[sound.last]
        found.refuses_sound = {c.name: c.sees(logits, sound.by_numpy) for c in criteria}
        found.deviation = measured.deviation(sound, rtol)
        for k, (fault, where, plant) in enumerate(places):
            note(k, len(places), f"{fault.code} {where}")
            _one(found, sound, fault, where, plant(sound.parts))
        found.is_partial = False
    except KeyboardInterrupt:
        pass
    return found


def _one(found, sound, fault, where, parts):
    """One row, or one place more where nothing is to be seen."""
    x = sound.x if fault.image is np.asarray else np.ascontiguousarray(fault.image(sound.x), np.float32)
    try:
        with np.errstate(all="ignore"):
            changed = sound.wrong(parts, x)
    except ValueError:
        found.not_here.append(f"{fault.told}, {where}")
        return
    if not any(name in sound.by_name for name in changed):
        found.without_effect.append(f"{fault.told}, {where}")
        return
    y = sound.values[sound.last]
    came = changed.get(sound.last, y)
    layers = [(part.name, sound.values[part.name], changed[part.name]) for part in sound.parts if part.name in changed]
    with np.errstate(all="ignore"):
        off = float(np.abs(came - y).max(initial=0.0))
        seen = {c.name: c.sees(y, came) for c in found.criteria}
        of_layers = {c.name: _first(c, layers) if c.of_layers else None for c in found.criteria}
    found.rows.append(Row(fault.code, fault.told, where, off, seen, of_layers, sound.is_refused(parts, changed)))


def _first(criterion, layers):
    """The first layer whose result the criterion refuses, or ""."""
    return next((name for name, y, came in layers if criterion.sees(y, came)), "")
