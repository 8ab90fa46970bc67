"""How much memory the machine has left."""

from __future__ import annotations


def available():
    """Bytes that a program may take without swapping, as Linux counts them; None where it does not say.

    >>> found = available(); found is None or found > 0
    True
    """
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            lines = dict(line.split(":", 1) for line in file)
        return int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None
