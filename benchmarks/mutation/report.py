"""The report of a run of benchmarks/mutants.py, as Markdown."""

from __future__ import annotations

from collections import Counter, defaultdict


def counted(mutants, journal):
    """(caught, valid) of those in the journal; what does not compile is no mutant."""
    verdicts = Counter(journal[m.name]["verdict"] for m in mutants)
    return verdicts["caught"], verdicts["caught"] + verdicts["survived"]


def text(population, journal, reasons, digests):
    """Counts per file and operator, what caught them, and every survivor with its reason; `digests` tells the texts."""
    mutants = [m for m in population if m.name in journal]
    caught, valid = counted(mutants, journal)
    lines = [
        "# Mutants",
        "",
        "Written by `python benchmarks/mutants.py`; what a mutant is stands in its head.",
        "",
        f"{caught} of {valid} mutants caught ({caught / max(valid, 1):.1%}); {len(mutants) - valid} more do not"
        f" compile; {len(population) - len(mutants)} not tried yet.  In brackets the first digits of the SHA-256 of the text"
        " that was tried: where a file has others by now, its row is of an older text.",
        "",
    ]
    lines += _table("file", population, journal, lambda m: f"{m.file} ({digests[m.file][:8]})")
    lines += _table("operator", population, journal, lambda m: m.operator)
    by = Counter(_family(journal[m.name]["by"]) for m in mutants if journal[m.name]["verdict"] == "caught")
    lines += ["| caught by | mutants |", "|---|---|", *(f"| {name} | {count} |" for name, count in by.most_common()), ""]
    survivors = [m for m in mutants if journal[m.name]["verdict"] == "survived"]
    lines += [f"## Survivors ({len(survivors)})", ""]
    grouped = defaultdict(list)
    for m in survivors:
        grouped[reasons.get(m.key, "no reason known yet")].append(m)
    for reason, rows in sorted(grouped.items(), key=lambda item: -len(item[1])):
        lines += [f"{reason}", ""]
        lines += [f"- `{m.name}` in `{m.text.strip()}`" for m in rows]
        lines += [""]
    return "\n".join(lines)


def _family(by):
    return "a crash" if by.startswith("crash") else by


def _table(head, population, journal, key):
    groups = defaultdict(list)
    for m in population:
        groups[key(m)].append(m)
    rows = [f"| {head} | mutants | caught | survived | not tried |", "|---|---|---|---|---|"]
    for name in sorted(groups):
        tried = [m for m in groups[name] if m.name in journal]
        caught, valid = counted(tried, journal)
        rows.append(f"| {name} | {valid} | {caught} | {valid - caught} | {len(groups[name]) - len(tried)} |")
    return [*rows, ""]
