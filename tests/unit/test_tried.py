"""What is tried in the place of a server's command, and what is said of it."""

from dataclasses import replace

import pytest

from hoplab.advice import Tried
from hoplab.commands import tried
from hoplab.commands.own_server import with_own_server
from hoplab.results import CellResult, Finding, Verdict
from hoplab.suites.own.problems import problems
from hoplab.suites.own.tried import fixes_tried
from hoplab.topology import Cell, Mode, Scheme, Setup, Strategy, Topology, Trust
from tests.catalogue import CATALOGUE

SETUP = Setup(Strategy.SERVER_OPTION, Trust.PROXY)
BARE = "uvicorn main:app --host {host} --port {port}"


@pytest.mark.parametrize(
    ("command", "fixes"),
    [
        (BARE, ["with `--root-path {prefix}`", "with `--forwarded-allow-ips 127.0.0.1`"]),
        (f"{BARE} --root-path {{prefix}}", ["without `--root-path {prefix}`"]),
        (f"{BARE} --root-path={{prefix}}", ["without `--root-path={prefix}`"]),
        (f"{BARE} --forwarded-allow-ips *", ["with `--root-path {prefix}`"]),
        ("gunicorn main:app --bind {host}:{port}", []),
    ],
)
def test_what_can_be_tried_of_a_command(command: str, fixes: list[str]) -> None:
    catalogue = with_own_server(CATALOGUE, command, "main:app")
    topology = Topology("nginx", "own", Mode.STRIP)
    cell = Cell(topology, SETUP.strategy, SETUP.trust, Scheme.HTTP)

    told = {fix.told: fix for fix in tried._fixes(catalogue, cell)}

    assert set(fixes) <= set(told)
    assert "with ForwardedPrefixMiddleware around the application" in told
    if fixes and fixes[0].startswith("without"):
        server = told[fixes[0]].new
        assert server is not None
        assert not any("prefix" in word for word in server.command)


def test_what_can_be_tried_of_the_lab_s_servers() -> None:
    cell = CATALOGUE.recommended_cells([Topology("nginx", "uvicorn", Mode.STRIP)])[0]

    assert [fix.told for fix in tried._fixes(CATALOGUE, cell)] == [
        "without `--root-path /api/v1`",
        "with ForwardedPrefixMiddleware around the application",
    ]


MODES = {mode: Topology("nginx", "uvicorn", mode) for mode in Mode}


def result(cell: Cell, *symptoms: str) -> CellResult:
    findings = [Finding("scope", Verdict.FAIL, symptom, "x") for symptom in symptoms]
    return CellResult(cell, True, findings)  # noqa: FBT003


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ({Mode.STRIP: [], Mode.PRESERVE: []}, ["f: passed in all of these"]),
        (
            {Mode.STRIP: [], Mode.PRESERVE: ["root-path-missing"]},
            ["f: passed in nginx-uvicorn-strip; failed in nginx-uvicorn-preserve"],
        ),
        ({Mode.STRIP: ["host-wrong"], Mode.PRESERVE: ["host-wrong"]}, ["f: failed"]),
        ({}, ["f: did not start"]),
    ],
)
def test_what_is_said(after: dict[Mode, list[str]], told: list[str]) -> None:
    """A fix after which something else is wrong has not passed."""
    cells = {
        mode: Cell(topology, SETUP.strategy, SETUP.trust, Scheme.HTTP)
        for mode, topology in MODES.items()
    }
    wrong = {cell: result(cell, "root-path-missing") for cell in cells.values()}
    fix = tried.Fix("f", "uvicorn", replace(SETUP, strategy=Strategy.NONE))
    trials = {(cell, fix): replace(cell, strategy=Strategy.NONE) for cell in cells.values()}
    asked = {
        trials[cells[mode], fix]: result(trials[cells[mode], fix], *symptoms)
        for mode, symptoms in after.items()
    }
    [problem] = problems(wrong.values())

    found = Tried(*problem.key, list(tried._of_problem(problem, trials, wrong, asked)))

    assert fixes_tried(problem, [found]) == told


def test_what_it_only_brings_to_light_is_not_its_doing() -> None:
    """Behind a page that did not answer, the application may write links that are wrong."""
    cell = Cell(MODES[Mode.STRIP], SETUP.strategy, SETUP.trust, Scheme.HTTP)
    before = result(cell, "scope-path-wrong")
    link = Finding("urls", Verdict.FAIL, "link-drops-prefix", "/: <a href> is /items/")
    misled = Finding("scope", Verdict.FAIL, "root-path-missing", "root_path is ''")
    no_route = Finding("paths", Verdict.FAIL, "application-has-no-route", "/items/")
    [problem] = problems([before])

    def helps(*findings: Finding) -> bool:
        return tried._helps(problem, before, replace(before, findings=findings))

    assert helps(link)
    assert not helps(link, misled)
    assert not helps(no_route)


def test_a_problem_of_which_a_part_is_left_is_not_gone() -> None:
    cell = Cell(MODES[Mode.STRIP], SETUP.strategy, SETUP.trust, Scheme.HTTP)

    def found(detail: str) -> CellResult:
        return CellResult(cell, True, [Finding("urls", Verdict.FAIL, "link-drops-prefix", detail)])  # noqa: FBT003

    before = found("/: <a href> is /a\n/docs: Location is /b\nand 3 more")
    [problem] = problems([before])

    assert not tried._helps(problem, before, found("/: <a href> is /a"))
    assert tried._helps(problem, before, found("/c: <a href> is /d\nand 3 more"))


@pytest.mark.parametrize(
    "detail",
    [
        "{scheme}://mysuperapp.com:{port}/a leads nowhere",
        "{scheme}://mysuperapp.com/a leads nowhere",
        "GET /a: Location {scheme}://mysuperapp.com:{port}",
    ],
)
def test_one_that_changes_nothing_does_not_help(detail: str) -> None:
    """A problem is the same over http and https, and at whatever port it is asked again."""
    results = []
    for scheme, port in ((Scheme.HTTP, 12345), (Scheme.HTTPS, 23456)):
        cell = Cell(MODES[Mode.STRIP], SETUP.strategy, SETUP.trust, scheme)
        told = detail.format(scheme=scheme, port=port)
        finding = Finding("urls", Verdict.FAIL, "link-wrong-path", told)
        results.append(CellResult(cell, True, [finding]))  # noqa: FBT003

    [problem] = problems(results)

    assert not any(tried._helps(problem, each, each) for each in results)
