"""What people read: at most 80 columns, nothing cut off, nothing taken for markup."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from hoplab.endpoint import Endpoint
from hoplab.report import text
from hoplab.report.progress import Progress
from hoplab.results import CellResult, Finding, Results, Verdict
from hoplab.topology import Cell, Scheme
from tests.catalogue import CATALOGUE

CELLS = CATALOGUE.recommended_cells(CATALOGUE.topologies)
NAMES = [topology.name for topology in CATALOGUE.topologies]
LONG = "GET http://mysuperapp.com:65535/" + 30 * "path/" + " → 404, expected " + 20 * "this and "


def finding(verdict: Verdict, symptom: str | None = None, detail: str = "well") -> Finding:
    return Finding("websocket", verdict, symptom, detail)


def a_run(cells: list[Cell], *findings: Finding) -> Results:
    results = [CellResult(cell, recipe=True, findings=findings) for cell in cells]
    return Results("process", "2026-11-22T03:00:00Z", 12.34, {}, results)


WELL = a_run(CELLS, finding(Verdict.PASS), finding(Verdict.RECORDED))
SICK = a_run(
    CELLS,
    finding(Verdict.FAIL, "mount-redirect-drops-prefix", LONG),
    finding(Verdict.ERROR, None, "HarnessError: " + LONG),
)


def endpoints() -> list[Endpoint]:
    ports = {Scheme.HTTP: 65535, Scheme.HTTPS: 65534}
    return [
        Endpoint(CATALOGUE.recommended(topology), ports, Path("ca.pem"), "n")
        for topology in CATALOGUE.topologies
    ]


def entries() -> list[dict[str, str]]:
    return [
        {
            "topology": endpoint.topology.name,
            "engine": "process",
            "http": endpoint.base(Scheme.HTTP, endpoint.host),
            "https": endpoint.base(Scheme.HTTPS, endpoint.host),
            "state": "not running: hypercorn-forwarded-prefix-proxy, traefik",
        }
        for endpoint in endpoints()
    ]


Write = Callable[[], str]
UP = [
    pytest.param(lambda: text.up_table(endpoints(), WELL), id="up, well"),
    pytest.param(lambda: text.up_table(endpoints(), SICK), id="up, sick"),
    pytest.param(lambda: text.ps_table(entries()), id="ps"),
]
VERIFY = [
    pytest.param(lambda: text.results_table(WELL), id="verify, well"),
    pytest.param(lambda: text.results_table(SICK), id="verify, sick"),
]


@pytest.mark.parametrize("write", VERIFY + UP)
def test_tables_fit_into_80_columns_and_keep_every_name(write: Write) -> None:
    table = write()
    lines = table.splitlines()

    assert max(len(line) for line in lines) <= 80
    assert "…" not in table
    assert [line.split()[0] for line in lines if line.split() and line.split()[0] in NAMES] == NAMES
    assert not [line for line in lines if line != line.rstrip()]


@pytest.mark.parametrize("write", UP)
def test_urls_are_whole(write: Write) -> None:
    table = write()
    for url in (
        "http://127.0.0.1:65535/api/v1/app",
        "https://127.0.0.1:65534/api/v1/app",
        "http://127.0.0.1:65535/api/v1/docs",
    ):
        assert len(re.findall(rf"(?<!\S){re.escape(url)}(?!\S)", table)) == len(NAMES)


def test_verdicts_by_scheme() -> None:
    cells = CELLS[:2]
    results = [
        CellResult(cells[0], recipe=True, findings=[finding(Verdict.PASS)]),
        CellResult(cells[1], recipe=True, findings=[finding(Verdict.FAIL, "static-unreachable")]),
    ]
    table = text.results_table(Results("docker", "", 1, {}, results)).splitlines()

    assert table[0].split() == ["topology", "strategy", "trust", "http", "https"]
    assert table[1].split() == ["traefik-uvicorn-strip", "server-option", "proxy", "pass", "fail"]


def test_a_scheme_that_was_not_asked_is_no_verdict() -> None:
    table = text.results_table(a_run([CELLS[1]], finding(Verdict.PASS))).splitlines()

    assert table[1].split()[-2:] == ["-", "pass"]


def test_a_failure_is_told_with_cell_check_symptom_and_detail() -> None:
    table = text.results_table(a_run(CELLS[:1], finding(Verdict.FAIL, "prefix-leaks", "GET …/app")))

    head = "\ntraefik-uvicorn-strip.server-option.proxy.http\n  websocket: prefix-leaks\n"
    assert head + "    GET …/app\n" in table


def test_an_error_is_told_as_one() -> None:
    table = text.results_table(a_run(CELLS[:1], finding(Verdict.ERROR, None, "no answer")))

    assert "\n  websocket: error\n    no answer\n" in table


def test_long_details_keep_their_indentation() -> None:
    table = text.results_table(a_run(CELLS[:1], finding(Verdict.FAIL, "prefix-leaks", LONG)))

    told = table.partition("prefix-leaks\n")[2].partition("\n\n")[0].splitlines()
    assert len(told) > 3
    assert all(re.match(r" {4}\S", line) for line in told)
    assert "".join(told).replace(" ", "") == LONG.replace(" ", "")


def test_nothing_is_told_of_what_is_right() -> None:
    assert "websocket" not in text.results_table(WELL)


@pytest.mark.parametrize(
    "detail",
    [
        "[bold]x[/bold]",
        "http://[::1]:8000/",
        "{'url': '[/]'}",
        "[link=http://x]y[/link]",
        ":smile:",
        "\\[red]",
    ],
)
def test_details_are_shown_literally(detail: str) -> None:
    run = a_run(CELLS[:1], finding(Verdict.FAIL, "unreachable", detail))

    assert f"\n    {detail}\n" in text.results_table(run)
    assert f"\n    {detail}\n" in text.up_table(endpoints()[:1], run)


def test_up_shows_the_worst_of_both_schemes() -> None:
    cells = CELLS[:2]
    results = [
        CellResult(cells[0], recipe=True, findings=[finding(Verdict.PASS)]),
        CellResult(cells[1], recipe=True, findings=[finding(Verdict.ERROR)]),
    ]
    table = text.up_table(endpoints()[:1], Results("docker", "", 1, {}, results))

    assert table.splitlines()[1].endswith("error")


def test_summary_counts() -> None:
    both, well = [*WELL.cells, *SICK.cells[:3]], len(WELL.cells)

    summary = text.summary(Results("docker", "", 12.34, {}, both)).plain

    assert summary == (
        f"{well + 3} cells: {well} pass, 0 fail, 3 error (docker engine, 12.3 s)\n"
        f"{2 * well + 6} findings: {well} pass, {well} recorded, 3 fail, 3 error"
    )


def test_no_cells_is_no_crash() -> None:
    assert "0 cells: 0 pass" in text.results_table(a_run([]))


# --- progress ---


def test_progress_is_plain_lines_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress() as progress:
        progress.stage("starting [process]")
        progress.count(1, 2)
        progress.line("Container x  Started")
        progress.notice("No Docker (there is no [docker] command): " + 20 * "using processes ")

    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[0] == "hoplab: starting [process]"
    assert len(err.splitlines()) == 2, "a notice is one line, counts are none"
    assert "[docker]" in err
