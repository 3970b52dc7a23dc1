"""What a person reads: one table, and then each problem once."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from hoplab.client.explored import Explored
from hoplab.client.probe import ERROR, NO_ROUTE, PROXY_ANSWERED
from hoplab.report.text import render
from hoplab.report.words import count
from hoplab.results import CellResult, Finding, Results, Verdict
from hoplab.suites.own.checks import CHECKS
from hoplab.symptom import Symptom
from hoplab.topology import Scheme, Topology

_SIGNS = {
    Verdict.PASS: "✓",
    Verdict.FAIL: "✗",
    Verdict.NOT_APPLICABLE: "-",
    Verdict.RECORDED: "-",
    Verdict.ERROR: "!",
}
_LEGEND = "✓ right  ✗ wrong  - not asked  ! error of hoplab's  A/B: over http/https"
_ORIGIN = re.compile(r"https?://mysuperapp\.com:\d+")
_PORT = re.compile(r"(?<=[a-z0-9\]]):\d{4,5}\b")

_OF_THE_PROXY = {*PROXY_ANSWERED, "prefix-leaks", "tunnel-opened", "stream-buffered"}
_OF_THE_APPLICATION = {
    NO_ROUTE,
    ERROR,
    "servers-drop-prefix",
    "docs-page-wrong",
    "docs-openapi-wrong",
}

_PREFIX = re.compile("prefix|path|servers|docs|no-route|refused")
_FOLLOWS = {
    "root-path-missing": _PREFIX,
    "root-path-wrong": _PREFIX,
    "scope-path-wrong": _PREFIX,
    "scheme-wrong": re.compile("scheme"),
    "host-wrong": re.compile("host|port$"),
}
"""What follows from a scope that is wrong."""


@dataclass
class Problem:
    """The same finding in several topologies: its detail without what differs between them."""

    finding: Finding
    told: str
    cells: list[CellResult] = field(default_factory=list)


def report(
    results: Results, explored: Explored, symptoms: Mapping[str, Symptom], *, plain: bool = False
) -> str:
    """The whole text; `symptoms` are those of the prefix that was asked."""
    found = problems(results.cells)
    parts: list[RenderableType] = [_table(results.cells), Text(_LEGEND)]
    if found:
        parts.append(Text(f"\n{count(len(found), 'problem')}:", style="bold"))
    for problem in found:
        parts += _shown(problem, results.cells, symptoms)
    parts += _errors(results.cells)
    return render([*parts, Text(), *_summary(results, explored)], plain=plain)


def problems(results: Iterable[CellResult]) -> list[Problem]:
    """Each once, that of the most cells first."""
    found: dict[tuple[str, str], Problem] = {}
    for result in results:
        for finding in result.findings:
            if finding.verdict is Verdict.FAIL:
                told = _ORIGIN.sub("", finding.detail)
                same = finding.symptom or "", _PORT.sub("", told)
                problem = found.setdefault(same, Problem(finding, told))
                problem.cells.append(result)
    return sorted(found.values(), key=lambda problem: -len(problem.cells))


def _table(results: Sequence[CellResult]) -> Table:
    table = Table(*["topology", *CHECKS], box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for topology in dict.fromkeys(result.cell.topology for result in results):
        of = {r.cell.scheme: r for r in results if r.cell.topology == topology}
        signs = [_sign([_verdict(of[scheme], name) for scheme in of]) for name in CHECKS]
        table.add_row(Text(topology.name, no_wrap=True), *signs)
    return table


def _verdict(result: CellResult, name: str) -> Verdict:
    verdicts = [finding.verdict for finding in result.findings if finding.check == name]
    return Verdict.FAIL if Verdict.FAIL in verdicts else verdicts[0]


def _sign(verdicts: Sequence[Verdict]) -> Text:
    signs = [_SIGNS[verdict] for verdict in verdicts]
    bad = any(verdict in {Verdict.FAIL, Verdict.ERROR} for verdict in verdicts)
    text = signs[0] if len(set(signs)) == 1 else "/".join(signs)
    return Text(text, style="bold red" if bad else "")


def _shown(
    problem: Problem, every: Sequence[CellResult], symptoms: Mapping[str, Symptom]
) -> list[RenderableType]:
    symptom = problem.finding.symptom or ""
    lines: list[RenderableType] = [
        Text(f"\n{problem.finding.check}: {symptom}", style="bold"),
        Padding(Text(problem.told), (0, 0, 0, 2)),
        Padding(Text(f"where: {where(problem.cells, every)}"), (0, 0, 0, 2)),
        Padding(Text(f"from:  {_hop(problem)}"), (0, 0, 0, 2)),
    ]
    if symptom in symptoms:
        lines.append(Padding(Text(f"fix:   {symptoms[symptom].fix}"), (0, 0, 0, 2)))
        lines.append(Padding(Text(f"more:  hoplab explain {symptom}"), (0, 0, 0, 2)))
    return lines


def where(cells: Sequence[CellResult], every: Sequence[CellResult]) -> str:
    """The topologies of these cells in a few words, and the scheme if it is one alone."""
    topologies = _topologies(cells)
    whole = _topologies(every)
    schemes = list(dict.fromkeys(result.cell.scheme for result in cells))
    alone = f", over {schemes[0]}" if len(schemes) < len(Scheme) else ""
    if topologies == whole:
        return f"everywhere ({count_topologies(len(whole))}){alone}"
    names = ", ".join(topology.name for topology in topologies)
    return f"{names}{alone}"


def count_topologies(number: int) -> str:
    """`1 topology`, `2 topologies`."""
    return "1 topology" if number == 1 else f"{number} topologies"


def _topologies(cells: Iterable[CellResult]) -> list[Topology]:
    return list(dict.fromkeys(result.cell.topology for result in cells))


def _hop(problem: Problem) -> str:
    """Whose doing it is, by what else is wrong there."""
    symptom = problem.finding.symptom or ""
    if problem.finding.check == "scope":
        return "the server, or what the proxy tells it"
    if symptom in _OF_THE_PROXY:
        return "the proxy, which answers or passes on itself"
    if symptom.endswith("-spoofable") or symptom == "forwarded-misread":
        return "the proxy, which passes it on, and who believes it"
    if _is_misled(problem):
        return "the server or the proxy: the application is told what is wrong (see scope)"
    if symptom.startswith(("link-", "cookie-")) or symptom in _OF_THE_APPLICATION:
        return "the application: what it is told is right (see scope)"
    return "the application or the server: what it is told is right (see scope)"


def _is_misled(problem: Problem) -> bool:
    """Whether it follows from what the application is told there."""
    findings = [finding for result in problem.cells for finding in result.findings]
    told = {finding.symptom for finding in findings if finding.check == "scope"} - {None}
    symptom = problem.finding.symptom or ""
    return any(_FOLLOWS[each].search(symptom) for each in told if each in _FOLLOWS)


def _errors(results: Sequence[CellResult]) -> list[RenderableType]:
    told: dict[str, list[CellResult]] = {}
    for result in results:
        for finding in result.findings:
            if finding.verdict is Verdict.ERROR:
                detail = _PORT.sub("", _ORIGIN.sub("", finding.detail))
                told.setdefault(detail, []).append(result)
    return [
        Text(f"\n{detail}\n  ({where(cells, results)})", style="bold yellow")
        for detail, cells in told.items()
    ]


def _summary(results: Results, explored: Explored) -> list[RenderableType]:
    asked = [
        count(len(explored.pages), "path"),
        *([count(len(explored.sockets), "WebSocket")] if explored.sockets else []),
        *([count(len(explored.streams), "stream")] if explored.streams else []),
    ]
    topologies = _topologies(results.cells)
    how_many = f"{', '.join(asked)} asked in {count_topologies(len(topologies))}"
    lines = [f"{how_many}, each with its recipe ({results.seconds:.1f} s)"]
    if explored.is_empty:
        lines.append("Nothing of the application was judged: it is not known to work.")
    lines += [f"not judged: {number} {reason}" for reason, number in explored.unjudged.items()]
    return [Text(line) for line in lines]
