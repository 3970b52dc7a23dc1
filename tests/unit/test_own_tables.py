"""What `hoplab check` prints: one table, each problem once."""

from collections.abc import Sequence

import pytest

from hoplab.client.explored import Explored, Page
from hoplab.results import CellResult, Finding, Results, Verdict
from hoplab.suites import SYMPTOMS
from hoplab.suites.own import CHECKS
from hoplab.suites.own.problems import problems
from hoplab.suites.own.tables import report, where
from hoplab.topology import Cell, Scheme
from tests.catalogue import CATALOGUE

CELLS = CATALOGUE.recommended_cells(CATALOGUE.topologies)
EXPLORED = Explored((Page("GET", "/", 200),), unjudged={"need a login": 2})


def result(cell: Cell, *findings: Finding) -> CellResult:
    """With these findings, and a pass for every other question."""
    told = {finding.check for finding in findings}
    rest = [Finding(name, Verdict.PASS, None, "well") for name in CHECKS if name not in told]
    return CellResult(cell, True, [*findings, *rest])  # noqa: FBT003


def wrong(check: str, symptom: str, detail: str = "http://mysuperapp.com:1234/a") -> Finding:
    return Finding(check, Verdict.FAIL, symptom, detail)


def told(cells: Sequence[CellResult], explored: Explored = EXPLORED) -> str:
    return report(Results("process", "", 1.0, {}, cells), explored, SYMPTOMS, plain=True)


def test_all_is_right() -> None:
    text = told([result(cell) for cell in CELLS])

    assert "problem" not in text
    assert text.count("✓     ✓     ✓    ✓    ✓      ✓     ✓       ✓") == len(CATALOGUE.topologies)
    assert "not judged: 2 need a login" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_the_same_problem_is_told_once_whatever_the_port_and_the_scheme() -> None:
    details = [f"{cell.scheme}://mysuperapp.com:{10000 + n}/a" for n, cell in enumerate(CELLS)]
    cells = [
        result(cell, wrong("urls", "link-drops-prefix", detail))
        for cell, detail in zip(CELLS, details, strict=True)
    ]

    [problem] = problems(cells)

    assert problem.told == "/a"
    assert "1 problem:" in told(cells)
    assert "where: everywhere (8 topologies)" in told(cells)
    assert "from:  the application: its ASGI scope is right (see scope)" in told(cells)


@pytest.mark.parametrize("symptom", ["link-drops-port", "redirect-wrong-scheme"])
def test_an_origin_is_shown_where_it_is_what_is_wrong(symptom: str) -> None:
    detail = "is https://mysuperapp.com/a, expected https://mysuperapp.com:1234/a"

    [problem] = problems([result(CELLS[0], wrong("urls", symptom, detail))])

    assert problem.told == detail


def test_where_it_shows_over_one_scheme() -> None:
    cells = [
        result(cell, *([wrong("scope", "scheme-wrong")] if cell.scheme is Scheme.HTTPS else []))
        for cell in CELLS
    ]

    text = told(cells)

    assert "where: everywhere (8 topologies), over https" in text
    assert "✓/✗" in text
    assert "from:  the server, or what the proxy tells it" in text


def test_a_url_that_follows_from_a_wrong_scope_is_not_the_application_s() -> None:
    scope, urls = wrong("scope", "root-path-missing"), wrong("urls", "link-drops-prefix")

    text = " ".join(told([result(CELLS[0], scope, urls), result(CELLS[2])]).split())

    assert "from: the server or the proxy: the ASGI scope is wrong" in text
    assert f"where: {CELLS[0].topology.name}, over http" in text


def test_a_wrong_client_is_no_reason_for_a_wrong_url() -> None:
    scope, urls = wrong("scope", "client-wrong"), wrong("urls", "link-drops-prefix")

    text = " ".join(told([result(CELLS[0], scope, urls)]).split())

    assert "from: the application: its ASGI scope is right (see scope)" in text


def test_an_error_of_the_lab_s_is_no_problem_of_the_application() -> None:
    error = Finding("paths", Verdict.ERROR, None, "GET http://mysuperapp.com:1234/x: no answer")

    text = told([result(CELLS[0], error)])

    assert "problem" not in text
    assert "\nGET /x: no answer\n" in text


def test_where_nothing_was_judged_it_says_so() -> None:
    assert "it is not known to work" in told([result(CELLS[0])], Explored())


def test_one_topology() -> None:
    cells = [result(cell) for cell in CELLS[:2]]

    assert where(cells, cells) == "everywhere (1 topology)"
