"""Results as JUnit XML, which CI systems show as tests.

There is no standard; this is what Jenkins, GitLab and pytest agree on. A failure says something of
what was asked, an error is the lab's own, and what was not judged is skipped.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias
from xml.etree import ElementTree as ET

from hoplab.report.words import first_sentence
from hoplab.results import CellResult, Finding, Results, Verdict

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2
_LINE = 200
"""Letters of a message, which CI systems show in a list. The whole stands in the element."""


class Outcome(StrEnum):
    """What a case came to: the name of its element, or a pass, which has none."""

    PASS = "pass"  # noqa: S105 - an outcome
    FAILURE = "failure"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Case:
    """One question and its answer.

    kind: what sort of failure it is, such as a symptom. text: all that is known of it.
    """

    name: str
    outcome: Outcome
    kind: str = ""
    text: str = ""


@dataclass(frozen=True)
class Group:
    """Cases that belong together, such as those of a cell, and what is known of their surroundings.

    seconds: how long they took; started: UTC in ISO 8601. 0 and empty where nobody knows.
    output: what there is to say of all of them together.
    """

    name: str
    cases: Sequence[Case]
    properties: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    started: str = ""
    output: str = ""


Help: TypeAlias = Callable[[Finding], Sequence[str]]


def _no_help(_: Finding) -> list[str]:
    return []


def of_results(name: str, results: Results, help_of: Help = _no_help, output: str = "") -> str:
    """A run as XML: a group for each cell, a case for each check.

    name: of the command that asked. help_of: what to do about a finding, in lines. output: what
    there is to say of each cell. Where something was predicted, a failure is what is not as
    predicted: the matrix is wrong on purpose.
    """
    properties = {"engine": results.engine, **results.versions}
    groups = [
        Group(
            result.cell.id,
            _cases(result, help_of),
            properties,
            started=results.started,
            output=output,
        )
        for result in results.cells
    ]
    return document(name, groups, seconds=results.seconds)


def document(name: str, groups: Iterable[Group], *, seconds: float = 0.0) -> str:
    """The whole file, whatever the texts have in them: what XML can't hold, in letters.

    seconds: how long all of it took.
    """
    root = ET.Element("testsuites")
    every: list[Case] = []
    for group in groups:
        root.append(_group(group))
        every += group.cases
    for key, value in {"name": name, **_counts(every), "time": f"{seconds:.3f}"}.items():
        root.set(key, _legal(value))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}'


def _group(group: Group) -> ET.Element:
    told = {"name": group.name, **_counts(group.cases), "time": f"{group.seconds:.3f}"}
    if group.started:
        told["timestamp"] = group.started
    made = ET.Element("testsuite", {key: _legal(value) for key, value in told.items()})
    if group.properties:
        properties = ET.SubElement(made, "properties")
        for key, value in group.properties.items():
            ET.SubElement(properties, "property", name=_legal(key), value=_legal(value))
    for case in group.cases:
        element = ET.SubElement(made, "testcase", classname=_legal(group.name), time="0")
        element.set("name", _legal(case.name))
        if case.outcome is not Outcome.PASS:
            _tell(case, element)
    if group.output:
        ET.SubElement(made, "system-out").text = _legal(group.output)
    return made


def _tell(case: Case, element: ET.Element) -> None:
    told = ET.SubElement(element, case.outcome.value, message=_legal(_message(case)))
    if case.kind:
        told.set("type", _legal(case.kind))
    told.text = _legal(case.text)


def _message(case: Case) -> str:
    line = first_sentence(case.text.partition("\n")[0])
    whole = ": ".join(filter(None, [case.kind, line]))
    return whole if len(whole) <= _LINE else f"{whole[: _LINE - 1]}…"


def _counts(cases: Sequence[Case]) -> dict[str, str]:
    def number(outcome: Outcome) -> str:
        return str(sum(case.outcome is outcome for case in cases))

    return {
        "tests": str(len(cases)),
        "failures": number(Outcome.FAILURE),
        "errors": number(Outcome.ERROR),
        "skipped": number(Outcome.SKIPPED),
    }


def _cases(result: CellResult, help_of: Help) -> list[Case]:
    """One for each check, whose name stays the same from run to run, however much it has found."""
    found: dict[str, list[Finding]] = {}
    for finding in result.findings:
        found.setdefault(finding.check, []).append(finding)
    if not found:  # silence is not a pass
        return [Case("asked", Outcome.ERROR, "", "nothing was asked")]
    surprises = {surprise.check: surprise for surprise in result.surprises}
    cases = []
    for check, findings in found.items():
        verdicts = {finding.verdict for finding in findings}
        text = "\n".join(_told(finding, help_of) for finding in findings)
        kinds = ", ".join(dict.fromkeys(f.symptom for f in findings if f.symptom))
        if Verdict.ERROR in verdicts:
            case = Case(check, Outcome.ERROR, kinds, text)
        elif check in surprises:
            case = Case(check, Outcome.FAILURE, kinds, f"{surprises[check]}\n{text}")
        elif Verdict.FAIL in verdicts and result.prediction is None:
            case = Case(check, Outcome.FAILURE, kinds, text)
        elif verdicts & {Verdict.PASS, Verdict.FAIL}:
            case = Case(check, Outcome.PASS)
        else:
            case = Case(check, Outcome.SKIPPED, "", text)
        cases.append(case)
    return cases


def _told(finding: Finding, help_of: Help) -> str:
    return "\n".join([finding.detail, *(help_of(finding) if finding.symptom else ())])


def _legal(text: str) -> str:
    """The text with what XML 1.0 can't hold, not even escaped, in letters that say what it was."""
    return _ILLEGAL.sub(lambda sign: _escaped(ord(sign[0])), text)


def _escaped(number: int) -> str:
    byte = 0x100
    return f"\\x{number:02x}" if number < byte else f"\\u{number:04x}"
