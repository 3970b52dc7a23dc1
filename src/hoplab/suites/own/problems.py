"""Each problem of an application once, however many cells show it, and whose doing it is."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from hoplab.client.probe import ERROR, NO_ROUTE, PROXY_ANSWERED
from hoplab.results import CellResult, Finding, Verdict
from hoplab.topology import Topology

_ORIGIN = re.compile(r"https?://mysuperapp\.com:\d+(?=/)")
_ORIGIN_IS_WRONG = re.compile(r"-(wrong-(scheme|host|port)|drops-port)$")
"""Symptoms of which nothing would be told without scheme, host and port."""

_SCHEME = re.compile(r"https?://(?=mysuperapp\.com)")
_PORT = re.compile(r"(?<=[a-z0-9\]]):\d{4,5}\b")

_OF_THE_PROXY = {*PROXY_ANSWERED, "prefix-leaks", "tunnel-opened", "stream-buffered"}
_OF_THE_APPLICATION = {
    NO_ROUTE,
    ERROR,
    "servers-drop-prefix",
    "docs-page-wrong",
    "docs-openapi-wrong",
}

_APPLICATION = "the application: its ASGI scope is right (see scope)"
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

    @property
    def key(self) -> tuple[str, str]:
        """What it has in common with the same problem in another cell."""
        return key_of(self.finding)


def key_of(finding: Finding) -> tuple[str, str]:
    """What a finding has in common with the same one in another cell."""
    return finding.symptom or "", without_ports(finding.detail)


def problems(results: Iterable[CellResult]) -> list[Problem]:
    """Each once, that of the most cells first."""
    found: dict[tuple[str, str], Problem] = {}
    for result in results:
        for finding in result.findings:
            if finding.verdict is Verdict.FAIL:
                whole = _ORIGIN_IS_WRONG.search(finding.symptom or "")
                told = finding.detail if whole else _ORIGIN.sub("", finding.detail)
                problem = Problem(finding, told)
                found.setdefault(problem.key, problem).cells.append(result)
    return sorted(found.values(), key=lambda problem: -len(problem.cells))


def without_ports(detail: str) -> str:
    """A finding's detail without what differs between runs, and between http and https."""
    return _SCHEME.sub("", _PORT.sub("", _ORIGIN.sub("", detail)))


def topologies_of(cells: Iterable[CellResult]) -> list[Topology]:
    """Each once."""
    return list(dict.fromkeys(result.cell.topology for result in cells))


def hop(problem: Problem) -> str:
    """Whose doing it is, by what else is wrong there."""
    symptom = problem.finding.symptom or ""
    if problem.finding.check == "scope":
        return "the server, or what the proxy tells it"
    if symptom in _OF_THE_PROXY:
        return "the proxy, by what it answers or passes on"
    if symptom.endswith("-spoofable") or symptom == "forwarded-misread":
        return "the proxy, which passes the header on, and the server that believes it"
    if _is_misled(problem):
        return "the server or the proxy: the ASGI scope is wrong (see scope)"
    if symptom.startswith(("link-", "cookie-")) or symptom in _OF_THE_APPLICATION:
        return _APPLICATION
    return "the application or the server: the ASGI scope is right (see scope)"


def is_of_the_application(problem: Problem) -> bool:
    """Whether no server and no proxy can do anything about it."""
    return hop(problem) == _APPLICATION


def _is_misled(problem: Problem) -> bool:
    """Whether it follows from what the application is told there."""
    findings = [finding for result in problem.cells for finding in result.findings]
    told = {finding.symptom for finding in findings if finding.check == "scope"} - {None}
    symptom = problem.finding.symptom or ""
    return any(_FOLLOWS[each].search(symptom) for each in told if each in _FOLLOWS)
