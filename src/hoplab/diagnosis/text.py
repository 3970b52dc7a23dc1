"""The report as text for a terminal: 80 columns, plain words, no control characters."""

import textwrap
from collections.abc import Iterable, Iterator

from hoplab.diagnosis.completeness import scheme, unanswered
from hoplab.diagnosis.faults import FAULTS
from hoplab.diagnosis.words import Group, Prescription, Question, Report, Verdict
from hoplab.printable import printable

WIDTH = 80
_NO_PREFIX = "the prefix"

CHECKED: dict[Question, str] = {
    Question.ROUTE: "the application answers",
    Question.DOUBLED: "the prefix twice",
    Question.UNPREFIXED: "no prefix at all",
    Question.DOCS_LINK: "the docs page and its OpenAPI document",
    Question.SERVERS: "the servers in the OpenAPI document",
    Question.REDIRECT_PATH: "the path of redirects",
    Question.REDIRECT_SCHEME: "the scheme of redirects",
    Question.REDIRECT_HOST: "the host and port of redirects",
    Question.UPGRADE: "WebSocket handshakes",
    Question.TUNNEL: "upgrades to h2c",
    Question.BOUNDARY: "the end of the prefix",
    Question.CORS: "Access-Control-Allow-Origin",
    Question.SPOOFED_SCHEME: "a forged X-Forwarded-Proto",
    Question.SPOOFED_HOST: "a forged X-Forwarded-Host",
    Question.SPOOFED_PREFIX: "a forged X-Forwarded-Prefix",
    Question.SCOPE_PATH: "the path that the application got",
    Question.SCOPE_ROOT_PATH: "the root_path that it got",
    Question.SCOPE_SCHEME: "the scheme that it sees",
    Question.SCOPE_HOST: "the Host that it got",
    Question.SCOPE_CLIENT: "the client's address that it sees",
    Question.SCOPE_PROTO_HEADER: "the X-Forwarded-Proto that arrived",
    Question.SCOPE_FOR_HEADER: "the X-Forwarded-For that arrived",
}
"""What a question is about, for a person. The others are told with these."""


def render(report: Report) -> str:
    """The whole report."""
    return "\n".join(_lines(report)).rstrip() + "\n"


def filled(text: str, prefix: str) -> str:
    """A text of `faults.py` with the public prefix."""
    return text.replace("{prefix}", prefix or _NO_PREFIX)


def headline(report: Report) -> str:
    """The verdict in one line."""
    diagnosis = report.diagnosis
    where = printable(report.base)
    if diagnosis.verdict is Verdict.UNCLEAR:
        return f"{where}: I can't tell, because {printable(diagnosis.why)}"
    number = len(diagnosis.groups)
    if diagnosis.verdict is Verdict.SICK:
        return (
            f"{where}: {number or 'something'} {'thing' * bool(number)}{'s' * (number > 1)} wrong"
        )
    more = f", with {_count(len(diagnosis.notes), 'note')}" if diagnosis.notes else ""
    return f"{where}: healthy{more}{_left_open(report)}"


def _left_open(report: Report) -> str:
    """What a healthy verdict does not say; empty if everything was answered."""
    told = []
    if scheme(report) == "http":
        told.append("over http alone: https was not asked")
    if number := len(unanswered(report)):
        told.append(f"as far as could be asked; {_count(number, 'question')} stayed open")
    return f", {', and '.join(told)}" if told else ""


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _lines(report: Report) -> Iterator[str]:
    yield from _wrapped(headline(report))
    if note := report.facts.get("arrival"):
        yield from _wrapped(f"On the way: {printable(str(note))}.", "", "  ")
    for each in report.facts.get("recognised", ()):
        why = f"It looks like {each['name']}: {each['why']}."
        yield from _wrapped(printable(why), "", "  ")
    if found := report.sheet.findings:
        yield from ("", "Found")
        for wrong in dict.fromkeys(answer.wrong for answer in found):
            yield from _item(printable(wrong))
    yield from _causes(report)
    if report.prescriptions:
        yield from ("", "What to change in yours")
        for each in report.prescriptions:
            yield from _prescription(each)
    yield from _checked(report)
    if notes := report.facts.get("notes", ()):
        yield from ("", "Answers that were not read to the end")
        for note in notes:
            yield from _item(printable(note))
    yield ""
    end = f" Ended early: {printable(report.unfinished)}." if report.unfinished else ""
    spent = f"{_count(report.requests, 'request')} in {report.seconds:.1f} s."
    yield from _wrapped(spent + end)


def _causes(report: Report) -> Iterator[str]:
    diagnosis = report.diagnosis
    if diagnosis.verdict is Verdict.SICK and not diagnosis.groups:
        yield from ("", "Cause")
        yield from _item("None that I know explains this.")
    for number, group in enumerate(diagnosis.groups, start=1):
        several = len(diagnosis.groups) > 1
        yield from ("", f"Cause {number}" if several else "Cause")
        yield from _group(group, report)
    for number, other in enumerate(diagnosis.other, start=1):
        yield from ("", f"Or else, explanation {number + 1}")
        for group in other:
            yield from _item("; or ".join(_title(group, report)))
    if diagnosis.odd and (diagnosis.groups or diagnosis.verdict is Verdict.HEALTHY):
        yield from ("", "What this does not explain")
        for answer in diagnosis.odd:
            yield from _item(printable(answer.told))
    if diagnosis.notes:
        yield from ("", "Worth knowing")
        for group in diagnosis.notes:
            yield from _group(group, report)


def _title(group: Group, report: Report) -> list[str]:
    return [filled(FAULTS[fault].title, report.prefix) for fault in group.faults]


def _group(group: Group, report: Report) -> Iterator[str]:
    if len(group.causes) > 1:
        yield from _wrapped("One of these; the answers can't tell them apart:", "  ")
    for cause in group.causes:
        words = FAULTS[cause.fault]
        yield from _item(f"{filled(words.title, report.prefix)}.")
        for text in (words.why, f"Change: {words.change}"):
            yield from _wrapped(filled(text, report.prefix), "    ")
    shown = {
        (evidence.weighs, printable(evidence.answer.told))
        for cause in group.causes
        for evidence in cause.evidence
    }
    for weighs in ("for", "against"):
        told = [
            printable(evidence.answer.told)
            for evidence in group.causes[0].evidence
            if evidence.weighs == weighs and (weighs, printable(evidence.answer.told)) in shown
        ]
        if told:
            yield from _wrapped(f"Evidence {weighs}:", "  ")
            for each in dict.fromkeys(told):
                yield from _item(each, "    ")
    if group.asks:
        asks = filled(group.asks, report.prefix)
        settles = f" ({group.settles})" if group.settles else ""
        yield from _wrapped(f"To settle it: {asks}{settles}", "  ")


def _prescription(each: Prescription) -> Iterator[str]:
    guess = " (a guess)" if each.guessed else ""
    yield from _item(f"{printable(each.of)}{guess}: {each.text}")
    yield from (f"      {printable(line)}" for line in each.lines)


def _checked(report: Report) -> Iterator[str]:
    wrong = {answer.question for answer in report.sheet.findings}
    fine = [q for q in report.sheet.answers if q in CHECKED and q not in wrong]
    if fine:
        yield from ("", "Checked, and right" if not wrong else "Checked besides")
        yield from _wrapped("; ".join(CHECKED[question] for question in fine) + ".", "  ")
    reasons: dict[str, list[str]] = {}
    for each in report.sheet.unasked:
        if each.question in CHECKED:
            reasons.setdefault(printable(each.why), []).append(CHECKED[each.question])
    if reasons and report.sheet.answers:
        yield from ("", "Could not be checked")
        for why, what in reasons.items():
            yield from _item(f"{', '.join(what)}: {why}")


def _item(text: str, indent: str = "  ") -> Iterable[str]:
    return _wrapped(text, f"{indent}- ", f"{indent}  ")


def _wrapped(text: str, first: str = "", rest: str | None = None) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
