"""The report as JUnit XML: a case for the diagnosis, and one for each question."""

from collections.abc import Iterator

from hoplab.diagnosis.completeness import is_complete
from hoplab.diagnosis.faults import FAULTS
from hoplab.diagnosis.text import filled, headline
from hoplab.diagnosis.words import Answer, Group, Report, Unasked, Verdict
from hoplab.report import junit
from hoplab.report.junit import Case, Outcome

_OUTCOMES = {
    Verdict.HEALTHY: Outcome.PASS,
    Verdict.SICK: Outcome.FAILURE,
    Verdict.UNCLEAR: Outcome.ERROR,
}


def render(report: Report) -> str:
    """The whole report. Where nothing can be told, the diagnosis is an error, and no failure."""
    cases = [_diagnosis(report)]
    cases += [_answered(each) for each in report.sheet.answers.values()]
    cases += _skipped(report)
    properties = {
        "url": report.url,
        "base": report.base,
        "prefix": report.prefix,
        "complete": "yes" if is_complete(report) else "no",
        "proxy": report.known.proxy,
        "proxy guessed from": report.known.why_proxy,
        "server": report.known.server,
        "server guessed from": report.known.why_server,
        "requests": str(report.requests),
    }
    told = {name: value for name, value in properties.items() if value}
    group = junit.Group(report.base, cases, told, seconds=report.seconds)
    return junit.document("hoplab doctor", [group], seconds=report.seconds) + "\n"


def _diagnosis(report: Report) -> Case:
    diagnosis = report.diagnosis
    faults = ", ".join(fault for group in diagnosis.groups for fault in group.faults)
    parts = [headline(report)]
    parts += [text for group in diagnosis.groups for text in _of_group(group, report)]
    for each in report.prescriptions:
        guess = " (a guess)" if each.guessed else ""
        parts += [f"{each.of}{guess}: {each.text}", *(f"  {line}" for line in each.lines)]
    return Case("diagnosis", _OUTCOMES[diagnosis.verdict], faults, "\n".join(parts))


def _of_group(group: Group, report: Report) -> Iterator[str]:
    if len(group.causes) > 1:
        yield "One of these; the answers can't tell them apart:"
    for cause in group.causes:
        words = FAULTS[cause.fault]
        for text in (f"{words.title}.", words.why, f"Change: {words.change}"):
            yield filled(text, report.prefix)
    if group.asks:
        yield f"To settle it: {filled(group.asks, report.prefix)}"


def _answered(answer: Answer) -> Case:
    if answer.wrong:
        return Case(answer.question.value, Outcome.FAILURE, answer.symbol, answer.wrong)
    return Case(answer.question.value, Outcome.PASS)


def _skipped(report: Report) -> Iterator[Case]:
    """A question may be named more than once, and was answered after all."""
    reasons: dict[str, Unasked] = {}
    for each in report.sheet.unasked:
        if each.question not in report.sheet.answers:
            reasons.setdefault(each.question.value, each)
    for name, each in reasons.items():
        yield Case(name, Outcome.SKIPPED, "", each.why)
