"""The confusion matrix, transcripts and groups as Markdown, and docs/doctor.md with them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from hoplab.diagnosis import text
from hoplab.diagnosis.words import Fault, Verdict
from scripts.bench_doctor.examining import OUTCOMES, Examined
from scripts.bench_doctor.truth import UNSEEN

SHOWN_HOST = "www.example.com:8443"
"""In transcripts; as long as the lab's own name and port, since lines break there."""


TRANSCRIPTS = {
    "healthy": "nginx-uvicorn-strip.server-option.proxy.https",
    "one cause": "traefik-uvicorn-strip.none.proxy.https",
    "two causes": "nginx-hypercorn-strip.server-option.none.https",
}


def told(name: str, found: Sequence[Examined]) -> str:
    """The confusion matrix and the totals, as Markdown."""
    rows = Counter(map(row, found))
    lines = [f"### {name}: {len(found)} cells", ""]
    lines += ["| wrong, and shows outside | the doctor says | | cells |", "|---|---|---|---|"]
    for (wrong, said, outcome), number in sorted(rows.items()):
        lines.append(f"| {wrong} | {said} | {outcome} | {number} |")
    return "\n".join([*lines, "", *_totals(found), ""])


def row(each: Examined) -> tuple[str, str, str]:
    """What is wrong, what the doctor says, and how good that is."""
    return _named(each.visible), _said(each), each.outcome


def _named(faults: frozenset[Fault]) -> str:
    return " + ".join(f"`{fault}`" for fault in sorted(faults)) or "nothing"


def _said(each: Examined) -> str:
    if each.report.diagnosis.verdict is Verdict.UNCLEAR:
        return "I can't tell"
    groups = [", ".join(f"`{fault}`" for fault in sorted(group)) for group in each.groups]
    several = [len(group) > 1 for group in each.groups]
    told = [
        f"one of {group}" if many else group for group, many in zip(groups, several, strict=True)
    ]
    return " + ".join(told) or "healthy"


def transcript(each: Examined) -> str:
    """A session with the command, whatever port and time it was."""
    host = urlsplit(each.report.base).netloc
    report = replace(each.report, seconds=0.4)
    shown = text.render(report).replace(host, SHOWN_HOST)
    return f"$ hoplab doctor https://{SHOWN_HOST}{each.report.prefix}\n{shown}"


def written(
    page: str,
    found: Sequence[Examined],
    eye: Sequence[Examined],
    forged: Sequence[Examined],
    foreign: Mapping[str, Sequence[Examined]],
) -> str:
    """docs/doctor.md with its generated parts."""
    by_id = {each.cell.id: each for each in found}
    for name, cell in TRANSCRIPTS.items():
        page = _replaced(page, name, f"```console\n{transcript(by_id[cell])}```\n")
    lab = {"The lab": found, "With the second eye": eye, "With `--spoof`": forged}
    parts = {**lab, **foreign}
    matrix = [told(name, each) for name, each in parts.items()]
    page = _replaced(page, "totals", summary(parts))
    unseen = "\n".join(f"* `{name}`: {why}" for name, why in UNSEEN.items())
    page = _replaced(page, "groups", _groups(found))
    return _replaced(_replaced(page, "matrix", "\n".join(matrix)), "unseen", f"{unseen}\n")


def summary(parts: Mapping[str, Sequence[Examined]]) -> str:
    """The totals of each part as one table."""
    lines = [f"| | cells | {' | '.join(OUTCOMES)} |", f"|---|---{'|---' * len(OUTCOMES)}|"]
    for name, found in parts.items():
        outcomes = Counter(each.outcome for each in found)
        numbers = " | ".join(str(outcomes[outcome]) for outcome in OUTCOMES)
        lines.append(f"| {name} | {len(found)} | {numbers} |")
    return "\n".join(lines) + "\n"


def _groups(found: Sequence[Examined]) -> str:
    """What can't be told apart from outside, and what settles it."""
    groups = {
        frozenset(group.faults): group
        for each in found
        for group in (*each.report.diagnosis.groups, *each.report.diagnosis.notes)
        if len(group.faults) > 1
    }
    lines = [
        f"* {', '.join(f'`{fault}`' for fault in group.faults)}. "
        + text.filled(group.asks or "Nothing that can be asked from outside.", "")
        for group in sorted(groups.values(), key=lambda group: group.faults)
    ]
    return "\n".join(lines) + "\n"


def _replaced(page: str, name: str, content: str) -> str:
    begin, end = f"<!-- {name}: `make bench-doctor` -->\n", f"<!-- end of {name} -->"
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}{content}{end}{after}"


def _totals(found: Sequence[Examined]) -> list[str]:
    outcomes = Counter(each.outcome for each in found)
    return [f"* {outcome}: {number}" for outcome, number in outcomes.most_common()]
