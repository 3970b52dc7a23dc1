"""Results to make pages of: of any cells, as the rules predict them, without a lab."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hoplab.client.wire import Exchange, Headers
from hoplab.commands import showing
from hoplab.commands.reporting import Run, page
from hoplab.predictions import predict
from hoplab.results import CellResult, Finding, Results, Verdict
from hoplab.results_file import dump
from hoplab.suites import SUITES
from hoplab.suites.cors.right import MAIN
from hoplab.suites.own import CHECKS as OWN
from hoplab.topology import Cell, Scheme
from tests.catalogue import CATALOGUE

STARTED = "2026-11-20T08:00:00Z"
VERSIONS = {"python": "3.13.9", "fastapi": "0.165.0"}
SLASH = "slash-redirect"


def an_exchange(cell: Cell, path: str = "/items?q=1", serial: int = 0) -> Exchange:
    port = 9000 + serial % 500
    base = f"{cell.scheme}://mysuperapp.com:{port}"
    scope = {"scheme": cell.scheme, "client": ["127.0.0.9", 0], "root_path": "", "path": path}
    own = [(f"X-Number-{number}", f"{serial * 7919 + number}") for number in range(3)]
    return Exchange(
        "GET",
        f"{base}/api/v1{path}",
        [("Host", f"mysuperapp.com:{port}"), ("Origin", MAIN)],
        307,
        [("location", f"{base}/items/?q=1"), ("X-ASGI-Scope", json.dumps(scope)), *own],
        json.dumps({"message": "Hello World", "serial": serial, "path": path}).encode(),
    )


def a_result(cell: Cell, serial: int = 0, **found: str) -> CellResult:
    """As predicted, unless `found` says another symptom of a check (with _ for -), or none."""
    suite = showing.suite_of(CATALOGUE, cell)
    prediction = predict(cell, CATALOGUE)
    symptoms = {**prediction, **{check.replace("_", "-"): told for check, told in found.items()}}
    findings = []
    for number, check in enumerate(suite.checks):
        symptom = symptoms.get(check)
        exchanges = [an_exchange(cell, f"/{check}/{n}", serial + number) for n in range(2)]
        told = f"{exchanges[0]}, expected another answer, number {serial + number}"
        verdict = Verdict.FAIL if symptom else Verdict.PASS
        findings.append(Finding(check, verdict, symptom or None, told, exchanges))
    return CellResult(cell, CATALOGUE.is_recommended(cell), findings, prediction)


def a_run(cells: Iterable[Cell], **found: str) -> Results:
    results = [a_result(cell, 31 * number, **found) for number, cell in enumerate(cells)]
    return Results("process", STARTED, 12.5, dict(VERSIONS), results)


def few() -> list[Cell]:
    """Some of each part: of the product one proxy and scheme, of the variations one of a suite."""
    product = [
        cell
        for cell in CATALOGUE.product
        if cell.topology.proxy == "nginx" and cell.scheme is Scheme.HTTPS
    ]
    varied = [
        cell
        for name in ("nginx-appends", "nginx-bare", "cors-both", "cors-single")
        for cell in CATALOGUE.variations[name].symptoms
    ]
    return [*product, *varied]


def hostile(cell: Cell, value: str) -> Results:
    """A run in which every text that somebody else chose is this one."""
    headers: Headers = [("Host", value), (value, value)]
    answer: Headers = [("location", value), ("X-ASGI-Scope", value), ("X-Middleware", value)]
    url = f"https://mysuperapp.com:9000/{value}"
    exchange = Exchange(value, url, headers, 200, answer, value.encode("utf-8", "replace"))
    findings = [
        Finding(SLASH, Verdict.FAIL, value, value, [exchange]),
        Finding(value, Verdict.PASS, None, value, [exchange]),
    ]
    result = CellResult(cell, recipe=True, findings=findings, prediction={value: value})
    return Results(value, value, 1.0, {value: value}, [result])


def of_own_application() -> Results:
    """What `hoplab check` has found: in one topology a question that said no in two ways."""
    cells = CATALOGUE.recommended_cells(CATALOGUE.topologies)
    wrong = [
        Finding(
            "urls", Verdict.FAIL, "link-drops-prefix", "/ leads to\n/items", [an_exchange(cells[0])]
        ),
        Finding("urls", Verdict.FAIL, "cookie-path-wrong", "the path is /items"),
    ]
    results = []
    for cell in cells:
        found = wrong if cell.topology == cells[0].topology else []
        names = {finding.check for finding in found}
        rest = [Finding(name, Verdict.PASS, None, "well") for name in OWN if name not in names]
        results.append(CellResult(cell, recipe=True, findings=[*found, *rest]))
    return Results("process", STARTED, 2.5, dict(VERSIONS), results)


def write_page(file: Path, *runs: Results, names: Sequence[str] = ()) -> Path:
    named = names or [f"run {number}" for number in range(1, len(runs) + 1)]
    made = page(CATALOGUE, [Run(name, run) for name, run in zip(named, runs, strict=True)])
    file.write_text(made, encoding="utf-8")
    return file


def overview(made: str) -> Mapping[str, Any]:
    """What a page reads at once."""
    start = '<script type="application/json" id="data">'
    told: Mapping[str, Any] = json.loads(made.partition(start)[2].partition("</script>")[0])
    return told


def write_results(file: Path, results: Results) -> Path:
    file.write_text(dump(results))
    return file


def every_cell() -> list[Cell]:
    return [cell for suite in SUITES.values() for cell in showing.cells_of(CATALOGUE, suite)]
