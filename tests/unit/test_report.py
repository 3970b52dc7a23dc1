"""What people read: at most 80 columns, nothing cut off, nothing taken for markup."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hoplab.client.wire import Exchange
from hoplab.endpoint import Endpoint
from hoplab.prefix import parse
from hoplab.report import text
from hoplab.report.progress import Progress
from hoplab.report.words import count, first_sentence
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


def test_causes_come_first_and_findings_after() -> None:
    """24 findings of a proxy that sends Host without its port are one thing to look at."""
    url = "http://mysuperapp.com:9999/api/v1/items"
    asked = Exchange("GET", url, [], 307, [("Location", "http://mysuperapp.com/api/v1/items/")])
    asked.headers = [*asked.headers, ("X-ASGI-Scope", "{}")]
    detail = f"http://mysuperapp.com/api/v1/items/, expected {url}/"
    wrong = Finding("slash-redirect", Verdict.FAIL, "redirect-drops-port", detail, [asked])

    for table in (
        text.results_table(a_run(CELLS, wrong, replace(wrong, check="mount"))),
        text.up_table(endpoints(), a_run(CELLS, wrong, replace(wrong, check="mount"))),
    ):
        first, rest = table.split(f"\n\n{2 * len(CELLS)} findings, one cause:\n")
        causes, *_ = rest.split("\n\n")
        assert "redirect-drops-port" not in first + causes
        assert " ".join(causes.split()) == (
            "The application is told the Host mysuperapp.com, and not mysuperapp.com:9999: the port"
            f" is missing. slash-redirect, mount in {len(CELLS)} cells"
            f" run: hoplab explain {CELLS[0].id}"
        )
        assert table.count("redirect-drops-port") == 2 * len(CELLS)


def test_several_causes_the_largest_first_and_each_with_its_cell() -> None:
    seldom = a_run(CELLS[:1], finding(Verdict.FAIL, "tunnel-opened", "by an upgrade"))
    often = a_run(CELLS[1:3], finding(Verdict.FAIL, "prefix-leaks", "…/app"))

    table = text.results_table(replace(seldom, cells=[*seldom.cells, *often.cells]))

    told = table.split("\n3 findings, 2 causes:\n")[1].split("\n\n")[0]
    assert told.index("prefix-leaks: …/app") < told.index("tunnel-opened: by an upgrade")
    assert re.findall(r"hoplab explain (\S+)", told) == [CELLS[1].id, CELLS[0].id]


def test_another_prefix_is_explained_with_it() -> None:
    cell = replace(CELLS[0], prefix=parse("/café"))

    table = text.results_table(a_run([cell], finding(Verdict.FAIL, "prefix-leaks", "x")))

    assert f"run: hoplab explain {cell.id} --prefix /caf%C3%A9\n" in table


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


def test_one_is_not_several() -> None:
    told = text.summary(a_run(CELLS[:1], finding(Verdict.PASS))).plain

    assert told.startswith("1 cell: ")
    assert "\n1 finding: 1 pass" in told


@pytest.mark.parametrize(
    ("number", "what", "told"),
    [(0, "cell", "0 cells"), (1, "process", "1 process"), (2, "process", "2 processes")],
)
def test_plurals(number: int, what: str, told: str) -> None:
    assert count(number, what) == told


@pytest.mark.parametrize(
    ("whole", "first"),
    [
        ("One. Two.", "One."),
        ("nginx is. nginx was.", "nginx is."),
        ("Use e.g. this one. Then that.", "Use e.g. this one."),
        ("No full stop", "No full stop"),
    ],
)
def test_first_sentence(whole: str, first: str) -> None:
    assert first_sentence(whole) == first


def test_what_was_not_asked_is_told() -> None:
    reason = finding(Verdict.NOT_APPLICABLE, detail="why")

    summary = text.summary(a_run(CELLS[:2], finding(Verdict.PASS), reason)).plain

    assert summary.splitlines()[1:] == [
        "4 findings: 2 pass, 2 not-applicable",
        "not asked: websocket in 2 cells: why",
    ]


@pytest.mark.parametrize("verdict", [Verdict.RECORDED, Verdict.NOT_APPLICABLE])
def test_that_nothing_was_judged_is_told(verdict: Verdict) -> None:
    run = a_run(CELLS[:1], finding(verdict))

    told = "Nothing was judged: name another --check as well."
    assert text.summary(run).plain.splitlines()[-1] == told
    assert not run.passed


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
