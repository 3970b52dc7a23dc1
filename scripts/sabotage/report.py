"""What was noticed and what was not, as Markdown."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.sabotage.judging import Judgement, Outcome

BEFORE = Path(__file__).with_name("before.json")
"""What the checks noticed before they were written against these faults."""

MARK = "<!-- What follows is written by `make sabotage`. -->\n"


def share(judgements: Sequence[Judgement]) -> str:
    """For example `37 of 127 noticed (29 %)`. What did not start does not count."""
    asked = [each for each in judgements if each.outcome is not Outcome.NOT_STARTED]
    noticed = sum(each.outcome is Outcome.NOTICED for each in asked)
    percent = f" ({100 * noticed // len(asked)} %)" if asked else ""
    return f"{noticed} of {len(asked)} noticed{percent}"


def tables(judgements: Sequence[Judgement], before: Mapping[str, str]) -> str:
    """By kind and by file; then each fault that was not noticed, with its sentence.

    `before` is the outcome of each fault in an earlier run.
    """
    parts = [
        f"{share(judgements)}.",
        _table("kind", judgements, [each.fault.kind for each in judgements], before),
        _table("files", judgements, [_folder(each) for each in judgements], before),
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


def publish(told: str, path: Path, mark: str = MARK) -> None:
    """Write it to a file; what stands there before the mark is kept."""
    kept, mark, _ = (path.read_text(encoding="utf-8") if path.exists() else "").partition(mark)
    path.write_text(f"{kept}{mark}\n{told}\n" if mark else f"{told}\n", encoding="utf-8")


def write_json(judgements: Sequence[Judgement], path: Path) -> None:
    """All judgements, for a comparison with another run."""
    told = ",\n".join(json.dumps(each.as_json()) for each in judgements)
    path.write_text(f"[\n{told}\n]\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, str]:
    """The outcome of each fault in a file of `write_json`."""
    return {each["name"]: each["outcome"] for each in json.loads(path.read_text(encoding="utf-8"))}


def _folder(judgement: Judgement) -> str:
    return judgement.fault.file.partition("/")[0] + "/"


def _line(judgement: Judgement) -> str:
    told = f"* `{judgement.fault.name}`: {judgement.fault.what}"
    if judgement.outcome is Outcome.NOT_NOTICED:
        return told + " (No difference was seen by a plain client.)" * (judgement.shown == ())
    return f"{told} ({'; '.join(judgement.by[:2])[:200]})"


def _table(
    title: str, judgements: Sequence[Judgement], groups: Sequence[str], before: Mapping[str, str]
) -> str:
    lines = [
        f"| {title} | noticed before | {' | '.join(Outcome)} |",
        "|---|" + "---:|" * (1 + len(Outcome)),
    ]
    for group in [*sorted(set(groups)), "all"]:
        own = [each for each, its in zip(judgements, groups, strict=True) if group in {its, "all"}]
        counts = Counter(each.outcome for each in own)
        was = sum(before.get(each.fault.name) == Outcome.NOTICED for each in own)
        cells = [was, *(counts[outcome] for outcome in Outcome)]
        lines.append(f"| {group} | " + " | ".join(str(cell or "") for cell in cells) + " |")
    return "\n".join(lines)
