"""What was noticed and what was not, as Markdown."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from scripts.sabotage.judging import Judgement, Outcome


def share(judgements: Sequence[Judgement]) -> str:
    """For example `37 of 127 noticed (29 %)`. What did not start does not count."""
    asked = [each for each in judgements if each.outcome is not Outcome.NOT_STARTED]
    noticed = sum(each.outcome is Outcome.NOTICED for each in asked)
    percent = f" ({noticed / len(asked):.0%})".replace("%", " %") if asked else ""
    return f"{noticed} of {len(asked)} noticed{percent}"


def tables(judgements: Sequence[Judgement]) -> str:
    """By kind and by file; then each fault that was not noticed, with its sentence."""
    parts = [
        f"{share(judgements)}.",
        _table("kind", judgements, [each.fault.kind for each in judgements]),
        _table("file", judgements, [each.fault.file.partition("/")[0] for each in judgements]),
    ]
    for outcome, title in (
        (Outcome.NOT_NOTICED, "Not noticed"),
        (Outcome.ERROR, "Only an error of the lab's own"),
        (Outcome.NOT_STARTED, "Not started"),
    ):
        lines = [_line(each) for each in judgements if each.outcome is outcome]
        if lines:
            parts.append(f"**{title}** ({len(lines)}):\n\n" + "\n".join(lines))
    return "\n\n".join(parts)


def write_json(judgements: Sequence[Judgement], path: Path) -> None:
    """All judgements, for a comparison with another run."""
    told = ",\n".join(json.dumps(each.as_json()) for each in judgements)
    path.write_text(f"[\n{told}\n]\n", encoding="utf-8")


def _line(judgement: Judgement) -> str:
    told = f"* `{judgement.fault.name}`: {judgement.fault.what}"
    if judgement.outcome is Outcome.NOT_NOTICED:
        return told + (" (No difference was seen by a plain client.)" * (judgement.shown == ()))
    return f"{told} ({'; '.join(judgement.by[:2])[:200]})"


def _table(title: str, judgements: Sequence[Judgement], groups: Sequence[str]) -> str:
    columns = list(Outcome)
    lines = [f"| {title} | {' | '.join(columns)} |", "|---|" + "---:|" * len(columns)]
    for group in [*sorted(set(groups)), "all"]:
        counts = Counter(
            each.outcome
            for each, own in zip(judgements, groups, strict=True)
            if group in {own, "all"}
        )
        lines.append(f"| {group} | " + " | ".join(str(counts[c] or "") for c in columns) + " |")
    return "\n".join(lines)
