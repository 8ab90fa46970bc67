"""`refmnas explain TOPIC`: conventions, causes of mismatch, backends, bounds."""

from __future__ import annotations

from ._output import Output, add_json, bold


def add(subparsers):
    command = subparsers.add_parser(
        "explain",
        help="a convention, a cause of mismatch, backends, error bounds",
        description="One topic in full, with numbers computed here; without a topic, the list.",
        epilog="Example: refmnas explain padding",
    )
    command.add_argument("topic", nargs="?", metavar="TOPIC", help="a name from the list, or a field of the dialect")
    add_json(command)
    command.set_defaults(run=run)


def run(args):
    from ..explain import TOPICS, find

    out = Output(args)
    if args.topic is None:
        width = max(map(len, TOPICS))
        out.say(bold("Topics"), *(f"  {t.name:{width}}  {t.title}" for t in TOPICS.values()))
        out.say("", "refmnas explain NAME tells one in full.")
        out.record({name: topic.title for name, topic in TOPICS.items()})
        return 0
    topic = find(args.topic)
    example = list(topic.example())
    out.say(*_text(topic, example))
    out.record(_record(topic, example))
    return 0


def _text(topic, example):
    yield bold(f"{topic.name}: {topic.title}")
    yield ""
    yield topic.text
    yield ""
    yield bold("In numbers, computed here")
    yield from (f"  {line}" for line in example)
    yield ""
    if topic.signature:
        yield f"How a mismatch looks: {topic.signature}."
    if topic.threads:
        yield f"Where people met it: {topic.threads}."
    if topic.see:
        yield "See also: " + ", ".join(f"refmnas explain {name}" for name in topic.see)


def _record(topic, example):
    return {
        "name": topic.name,
        "title": topic.title,
        "text": topic.text,
        "example": example,
        "signature": topic.signature,
        "threads": topic.threads,
        "see": list(topic.see),
    }
