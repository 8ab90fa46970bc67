"""What a topic is, and the two kinds of example that topics share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """One explanation: text from the sources, numbers from refmnas itself."""

    name: str
    title: str  # one line, for the list
    text: str  # paragraphs, wrapped as they are to be printed
    example: Callable[[], Iterator[str]]  # computes its lines when it is asked
    aliases: tuple[str, ...] = ()  # other names, dialect fields among them, with "-" for "_"
    signature: str = ""  # how a mismatch of this cause looks
    threads: str = ""  # public threads where people met it
    see: tuple[str, ...] = ()


def by_source(field, *networks, show=str):
    """Lines: the value of a dialect's field for each source that published one of `networks`.

    A value that stands by documentation and not by a line that was read is marked.
    """
    from ..models import dialect, zoo

    for network in networks:
        values: dict[str, list[str]] = {}
        for source in zoo.get(network).sources:
            record = dialect.of(source, network)
            mark = " unverified" if field in record.unverified else ""
            values.setdefault(show(getattr(record, field)), []).append(source + mark)
        told = "; ".join(f"{value} ({', '.join(sources)})" for value, sources in values.items())
        yield f"{network:19} {field} = {told}"


def row(label, numbers, digits=6):
    """One line of numbers behind a label."""
    return f"{label:28}" + " ".join(f"{float(v):>{digits + 3}.{digits}g}" for v in numbers)
