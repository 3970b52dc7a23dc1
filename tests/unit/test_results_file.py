"""The results file that other programs read: schema 3 as it is written, 1 and 2 as read."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hoplab import __version__
from hoplab.advice import Change, OwnConfiguration, Reason, Trial, Tried
from hoplab.client.wire import Exchange
from hoplab.errors import HoplabError
from hoplab.prefix import parse
from hoplab.results import CellResult, Finding, Results, Verdict
from hoplab.results_file import as_json, dump, load, recorded
from hoplab.suites.contract.tables import matrix_tables
from hoplab.topology import Cell, Mode, Scheme, Strategy, Topology, Trust
from tests.catalogue import ROOT

DATA = Path(__file__).parent / "data"
SCHEMA_1 = DATA / "results-schema-1.json"
"""Four real cells, written by the last hoplab that wrote schema 1.

A surprise and two missing cells were put in by hand. The tables that it printed stand beside it.
"""

NGINX = Topology("nginx", "uvicorn", Mode.STRIP)
CAFE = parse("/café")
PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR


def a_cell(scheme: Scheme = Scheme.HTTPS, variation: str = "") -> Cell:
    return Cell(NGINX, Strategy.SERVER_OPTION, Trust.PROXY, scheme, variation)


def an_exchange(port: int = 9499, scheme: str = "https") -> Exchange:
    host = f"mysuperapp.com:{port}"
    return Exchange(
        "GET",
        f"{scheme}://{host}/api/v1/items?q=1",
        [("Host", host)],
        307,
        [("location", f"https://{host}/items/?q=1"), ("x-instance", f"a-{port}")],
    )


def a_result(port: int = 9499, **changes: Any) -> CellResult:
    exchange = an_exchange(port)
    findings = [
        Finding("slash-redirect", FAIL, "redirect-broken", f"{exchange}, $5, {port}", [exchange]),
        Finding("reach", PASS, None, "ok", [exchange]),
        Finding("direct", Verdict.NOT_APPLICABLE, None, "no way"),
    ]
    return replace(CellResult(a_cell(), recipe=True, findings=findings), **changes)


def a_run(*results: CellResult, **changes: Any) -> Results:
    run = Results("process", "2026-11-22T03:00:00Z", 3.14159, {"python": "3.13.9"}, list(results))
    return replace(run, **changes)


CONFIGURATION = OwnConfiguration(
    "a.conf",
    "a",
    "strip",
    ["-b"],
    ["c"],
    ["link-drops-prefix"],
    Change(["+d"], [Reason("WebSocket", ["websocket-refused"])], [], 7),
)


TRIED = {"symptom": "s", "detail": "d"}


def again(results: Results) -> Results:
    """Written and read."""
    return load(json.loads(dump(results)))


def as_recorded(results: Results) -> Results:
    def finding(given: Finding) -> Finding:
        return replace(given, exchanges=[recorded(each) for each in given.exchanges])

    cells = [replace(cell, findings=[finding(f) for f in cell.findings]) for cell in results.cells]
    return replace(results, cells=cells)


# --- the round trip ---


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(a_run(), id="no cell"),
        pytest.param(a_run(a_result()), id="no prediction"),
        pytest.param(a_run(a_result(9499), a_result(9500)), id="two cells"),
        pytest.param(
            a_run(a_result(prediction={"slash-redirect": "redirect-broken"})), id="as predicted"
        ),
        pytest.param(a_run(a_result(prediction={})), id="surprise"),
        pytest.param(
            a_run(a_result(prediction={"slash-redirect": "redirect-broken", "docs": "docs-gone"})),
            id="predicted what was not asked",
        ),
        pytest.param(
            a_run(a_result(findings=[Finding("reach", ERROR, None, "died")], prediction={})),
            id="error",
        ),
        pytest.param(a_run(a_result(findings=[], prediction={})), id="nothing asked"),
        pytest.param(a_run(a_result(cell=a_cell(variation="nginx-bare"))), id="variation"),
        pytest.param(a_run(a_result(cell=replace(a_cell(), prefix=CAFE))), id="prefix"),
        pytest.param(
            a_run(start_seconds=0.123456, processes=65, memory_bytes=2**31 + 1, unfinished=3),
            id="counted",
        ),
        pytest.param(
            a_run(
                tried=[Tried("s", "d", [Trial("f", ["a-b-strip"], [], ["c"])]), Tried("t", "e", [])]
            ),
            id="fixes tried",
        ),
        pytest.param(a_run(tried=[]), id="nothing to try"),
        pytest.param(a_run(configuration=CONFIGURATION), id="own configuration"),
        pytest.param(
            a_run(configuration=OwnConfiguration("f", "p", "strip", [], [], [], untried=True)),
            id="own configuration, untried",
        ),
    ],
)
def test_what_is_written_is_read(run: Results) -> None:
    assert again(run) == as_recorded(run)


@pytest.mark.parametrize(
    ("url", "headers", "body"),
    [
        pytest.param("https://mysuperapp.com/x", [], b"", id="no port"),
        pytest.param("http://127.0.0.1:8000/x", [("X-Instance", "")], b"8000 18000", id="direct"),
        pytest.param("", [], b"", id="no URL"),
        pytest.param("https://x/", [("A", ""), ("A", ": "), ("B", "$${port}")], b"$", id="dollars"),
        pytest.param("wss://mysuperapp.com:1/", [("X", "${port} 1 1a a1 11")], b"${", id="short"),
        pytest.param("https://x/", [("X", "\xff")], b"\xff" * 600, id="no text"),
        pytest.param("https://x/", [], "é😀".encode() * 600, id="long"),
    ],
)
def test_an_exchange_is_read_as_it_was_recorded(
    url: str, headers: list[tuple[str, str]], body: bytes
) -> None:
    exchange = Exchange("GET", url, headers, 200, headers, body, [(1.0, b"x")])
    run = a_run(a_result(findings=[Finding("reach", PASS, None, "${port}", [exchange])]))

    read = again(run)

    assert read == as_recorded(run)
    assert dump(read) == dump(run), "and is written the same again"


def test_a_client_s_port_as_text_a_serial_and_a_word_of_one_question_neither() -> None:
    url = "https://x/answered/once-0123456789abcdef500"
    headers = [("x-asgi-scope", '{"client": ["127.0.0.8", "47602"]}')]

    exchange = recorded(Exchange("GET", url, [], 200, headers, b'{"serial":12,"n":1}'))

    assert exchange.url == "https://x/answered/once-…500"
    assert exchange.headers == [("x-asgi-scope", '{"client": ["127.0.0.8", "…"]}')]
    assert exchange.body.decode() == '{"serial":"…","n":1}'


def test_values_of_each_time_are_not_recorded() -> None:
    scope = '{"scheme": "http", "client": ["127.0.0.8", 47602], "root_path": ""}'
    forwarded = scope.replace("47602", "0")
    headers = [("Date", "Wed, 25 Nov 2026 14:24:38 GMT"), ("x-asgi-scope", scope)]
    sent = [("Sec-WebSocket-Key", "3UBY"), ("X-Scope", forwarded)]
    body = b'"client":["127.0.0.8",47602],[["sec-websocket-key","8xd2"]] {"number": 0, "sent": 1.5}'

    exchange = recorded(Exchange("GET", "https://x/", sent, 200, headers, body))

    assert exchange.headers == [("Date", "…"), ("x-asgi-scope", scope.replace("47602", '"…"'))]
    assert exchange.sent == [("Sec-WebSocket-Key", "…"), ("X-Scope", forwarded)]
    assert exchange.body.decode() == (
        '"client":["127.0.0.8","…"],[["sec-websocket-key","…"]] {"number": 0, "sent": "…"}'
    )


# --- schema 3 ---


def test_the_file_as_documented() -> None:
    run = a_run(a_result(prediction={}), processes=4, start_seconds=1.5, memory_bytes=2**20)

    assert as_json(run) == {
        "hoplab": __version__,
        "schema": 3,
        "engine": "process",
        "started": "2026-11-22T03:00:00Z",
        "seconds": 3.14159,
        "start_seconds": 1.5,
        "processes": 4,
        "memory_bytes": 2**20,
        "versions": {"python": "3.13.9"},
        "cells": [
            {
                "id": "nginx-uvicorn-strip.server-option.proxy.https",
                "proxy": "nginx",
                "server": "uvicorn",
                "mode": "strip",
                "strategy": "server-option",
                "trust": "proxy",
                "scheme": "https",
                "recipe": True,
                "verdict": "fail",
                "symptoms": {"slash-redirect": "redirect-broken"},
                "as_predicted": False,
                "predicted": {},
                "values": {
                    "origin": "https://mysuperapp.com:9499",
                    "port": "9499",
                    "instance": "a-9499",
                },
                "findings": [0, 1, 2],
            }
        ],
        "findings": [
            {
                "check": "slash-redirect",
                "verdict": "fail",
                "symptom": "redirect-broken",
                "detail": "GET ${origin}/api/v1/items?q=1 → 307 ${origin}/items/?q=1, $$5, ${port}",
                "exchanges": [0],
            },
            {"check": "reach", "verdict": "pass", "detail": "ok", "exchanges": [0]},
            {"check": "direct", "verdict": "not-applicable", "detail": "no way"},
        ],
        "exchanges": [
            {
                "method": "GET",
                "url": "${origin}/api/v1/items?q=1",
                "request_headers": 0,
                "status": 307,
                "response_headers": 1,
            }
        ],
        "header_lists": [[0], [1, 2]],
        "headers": [
            "Host: mysuperapp.com:${port}",
            "location: ${origin}/items/?q=1",
            "x-instance: ${instance}",
        ],
        "bodies": [],
    }


def test_the_example_of_the_documentation_is_a_results_file() -> None:
    section = (ROOT / "docs/contract.md").read_text().partition("## Results file\n")[2]
    example = json.loads(section.partition("```json\n")[2].partition("```")[0])

    read = load(example)

    [result] = read.cells
    [reach, redirect] = result.findings
    assert reach.exchanges[0].json() == {"message": "Hello World", "root_path": "/api/v1"}
    assert redirect.exchanges[0].header("Location") == "https://mysuperapp.com:21286/items/?q=1"
    assert result.surprises == []
    assert {**as_json(read), "hoplab": "0.1.0"} == example


def test_what_only_the_values_tell_apart_is_said_once() -> None:
    one, two = as_json(a_run(a_result(9499))), as_json(a_run(a_result(9499), a_result(9500)))

    for table in ("findings", "exchanges", "header_lists", "headers", "bodies"):
        assert one[table] == two[table]
    first, second = two["cells"]
    assert first["findings"] == second["findings"]
    assert second["values"]["port"] == "9500"


def test_what_differs_is_no_same() -> None:
    told = as_json(a_run(a_result(9499), a_result(9500, cell=a_cell(Scheme.HTTP))))

    assert len(told["exchanges"]) == 2, "to an http cell, https is another origin"
    assert "port" not in told["cells"][1]["values"]


@pytest.mark.parametrize(
    ("url", "values"),
    [
        ("http://127.0.0.1:8000/app", {"direct": "8000"}),
        ("http://127.0.0.1/app", {}),
        ("https://mysuperapp.com/app", {"origin": "https://mysuperapp.com"}),
    ],
)
def test_where_it_answered_is_a_value(url: str, values: dict[str, str]) -> None:
    exchange = Exchange("GET", url, [], 200)
    finding = Finding("direct", PASS, None, "ok", [exchange])

    [cell] = as_json(a_run(a_result(findings=[finding])))["cells"]

    assert cell.get("values", {}) == values


def test_of_two_values_that_begin_alike_the_longer_one_is_replaced() -> None:
    exchange = replace(an_exchange(9499), headers=[("x-instance", "9499-a")])
    finding = Finding("reach", PASS, None, "9499-a at 9499", [exchange])

    told = as_json(a_run(a_result(findings=[finding])))

    assert told["findings"][0]["detail"] == "${instance} at ${port}"


def test_a_line_for_each_cell_and_each_entry() -> None:
    lines = dump(a_run(a_result(9499), a_result(9500))).splitlines()

    assert (lines[0], lines[-1]) == ("{", "}")
    start = lines.index('"cells": [')
    cells = [json.loads(line.rstrip(",")) for line in lines[start + 1 : start + 3]]
    assert [cell["values"]["port"] for cell in cells] == ["9499", "9500"]
    assert lines[start + 1].startswith(f'{{"id":"{cells[0]["id"]}","proxy":"'), "without blanks"
    assert lines[start + 3 : start + 5] == ["],", '"findings": [']
    assert all(map(str.isascii, lines)), "readable in any locale"


# --- schema 1, of a real run ---


def test_schema_1_is_read() -> None:
    run = load(SCHEMA_1)

    told = json.loads(SCHEMA_1.read_text())
    assert [result.cell.id for result in run.cells] == [cell["id"] for cell in told["cells"]]
    assert [result.verdict for result in run.cells] == [PASS, PASS, FAIL, FAIL]
    exchanges = [len(f.exchanges) for result in run.cells for f in result.findings]
    assert exchanges == [len(f["exchanges"]) for cell in told["cells"] for f in cell["findings"]]
    assert run.memory_bytes // 2**20 == told["memory_mib"]
    assert run.cells[0].prediction == {"reach": "unreachable"}
    for result, cell in zip(run.cells, told["cells"], strict=True):
        for finding, shown in zip(result.findings, cell["findings"], strict=True):
            for exchange, was in zip(finding.exchanges, shown["exchanges"], strict=True):
                assert exchange.method == was["method"]
                assert exchange.status == was["status"]
                assert exchange.body.decode() == was["body"]


def test_schema_1_without_a_prediction() -> None:
    file = json.loads(SCHEMA_1.read_text())
    del file["cells"][0]["prediction"]

    assert load(file).cells[0].prediction is None


def test_tables_of_schema_1_are_as_its_run_printed_them() -> None:
    printed = (DATA / "results-schema-1.txt").read_text()

    assert matrix_tables(load(SCHEMA_1), {}, plain=True) + "\n" == printed
    assert matrix_tables(again(load(SCHEMA_1)), {}, plain=True) + "\n" == printed


def test_schema_1_becomes_schema_3_and_smaller() -> None:
    run = load(SCHEMA_1)

    assert again(run) == as_recorded(run)
    assert len(dump(run)) < SCHEMA_1.stat().st_size / 2


# --- schema 2, of a real run ---


def test_schema_2_is_read_as_schema_3() -> None:
    """There, each exchange has its own list of header lines."""
    run = load(DATA / "results-schema-2.json")

    [result] = run.cells
    reach, redirect = (finding.exchanges[0] for finding in result.findings)
    assert reach.sent == [("Host", "mysuperapp.com:21286")]
    assert reach.header("Server") == "nginx/1.31.3"
    assert redirect.header("Location") == "https://mysuperapp.com:21286/items/?q=1"
    assert result.surprises == []
    assert again(run) == run


# --- what can't be read ---


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "x.json is not JSON: "),
        (b"\xff", "x.json is not JSON: "),
        (b"[" * 100_000, "x.json is not JSON: "),
        (b"[]", "x.json is not a results file: write one with `hoplab matrix"),
        (b'{"cells": []}', "x.json is not a results file: "),
        (b'{"hoplab": "9", "schema": 4, "cells": []}', "x.json has schema 4; this hoplab reads 1"),
        (b'{"hoplab": "9", "schema": [], "cells": []}', "x.json has schema []; "),
        (b'{"hoplab": "9", "schema": 3, "cells": []}', "of schema 3: no 'engine'"),
    ],
)
def test_what_is_no_results_file_is_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "x.json"
    file.write_bytes(content)

    with pytest.raises(HoplabError) as raised:
        load(file)

    assert message in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize(("path", "why"), [("none.json", "No such file"), (".", "Is a directory")])
def test_no_file(tmp_path: Path, path: str, why: str) -> None:
    with pytest.raises(HoplabError, match=f"can't read .*: {why}"):
        load(tmp_path / path)


def _cell(file: Any) -> Any:
    return file["cells"][0]


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda f: f.update(cells=None), id="cells"),
        pytest.param(lambda f: f.update(cells=[1]), id="a cell"),
        pytest.param(lambda f: f.update(findings=[]), id="a number"),
        pytest.param(lambda f: _cell(f).update(mode="strop"), id="mode"),
        pytest.param(lambda f: _cell(f).update(values={}), id="a value"),
        pytest.param(lambda f: f["exchanges"][0].update(url=None), id="URL"),
        pytest.param(lambda f: f["findings"][0].pop("detail"), id="detail"),
        pytest.param(lambda f: f.update(tried=[{"symptom": "s"}]), id="what was tried"),
        pytest.param(lambda f: f.update(tried=[TRIED | {"fixes": [{"fix": 1}]}]), id="a fix"),
        pytest.param(
            lambda f: f.update(tried=[TRIED | {"fixes": [{"fix": "f", "passed": "a"}]}]),
            id="passed",
        ),
        pytest.param(lambda f: f.update(proxy_config=[]), id="own configuration"),
        pytest.param(lambda f: f["proxy_config"]["change"].update(diff=[1]), id="a diff"),
    ],
)
def test_a_spoiled_file_is_one_line(spoil: Callable[[Any], None]) -> None:
    file = as_json(a_run(a_result(), configuration=CONFIGURATION))
    spoil(file)

    with pytest.raises(HoplabError, match=r"this is not a results file of schema 3: [^\n]+$"):
        load(file)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda f: _cell(f).pop("values"), "no 'origin'"),
        (lambda f: _cell(f).update(mode="strop"), "'strop' is not a valid Mode"),
    ],
)
def test_what_is_wrong_with_a_spoiled_file_is_named(spoil: Callable[[Any], None], why: str) -> None:
    file = as_json(a_run(a_result()))
    spoil(file)

    with pytest.raises(HoplabError, match=f"of schema 3: {why}$"):
        load(file)
