"""What `refmnas explain` tells: conventions, causes of mismatch, the machine, the codes of `refmnas verify`.

    TOPICS          name -> Topic, in reading order
    find(name)      the topic of that name, alias or dialect field
"""

from difflib import get_close_matches

from ..errors import SpecError
from . import cells, convolution, data, family, machine, normalisation, verify, weights
from .topic import Topic

TOPICS: dict[str, Topic] = {
    topic.name: topic
    for module in (convolution, family, cells, normalisation, data, weights, machine, verify)
    for topic in module.TOPICS
}


def find(name) -> Topic:
    """The topic; SpecError with the nearest name for an unknown one.  Written alike, `bn-eps` is a topic, `BN-EPS` a code."""
    if name.strip() in TOPICS:
        return TOPICS[name.strip()]
    topics = reversed(TOPICS.values())
    known = {alias.lower(): topic for topic in topics for alias in (*topic.aliases, topic.name)}
    wanted = name.strip().lower().replace("_", "-").replace(" ", "-")
    if wanted in known:
        return known[wanted]
    near = get_close_matches(wanted, known, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise SpecError(f"no topic {name!r}{hint} (refmnas explain lists them)")
