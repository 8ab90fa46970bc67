"""The report of a run of benchmarks/mutants.py, as Markdown."""

from __future__ import annotations

from collections import Counter, defaultdict


def counted(mutants, journal):
    """(caught, valid) of those in the journal; what does not compile is no mutant."""
    verdicts = Counter(journal[m.name]["verdict"] for m in mutants)
    return verdicts["caught"], verdicts["caught"] + verdicts["survived"]


def text(mutants, journal, reasons, population):
    """Counts per file and operator, what caught them, and every survivor with its reason."""
    caught, valid = counted(mutants, journal)
    lines = [
        "# Mutants",
        "",
        "Written by `python benchmarks/mutants.py`; what a mutant is stands in its head.",
        "",
        f"{caught} of {valid} mutants caught ({caught / max(valid, 1):.1%}); {len(mutants) - valid} more do not"
        f" compile; {population - len(mutants)} not tried yet.",
        "",
    ]
    lines += _table("file", mutants, journal, lambda m: m.file)
    lines += _table("operator", mutants, journal, lambda m: m.operator)
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


def _table(head, mutants, journal, key):
    groups = defaultdict(list)
    for m in mutants:
        groups[key(m)].append(m)
    rows = [f"| {head} | mutants | caught | survived |", "|---|---|---|---|"]
    for name in sorted(groups):
        caught, valid = counted(groups[name], journal)
        rows.append(f"| {name} | {valid} | {caught} | {valid - caught} |")
    return [*rows, ""]
