"""Verdicts of cells and runs, and the results file that other programs read (schema 1)."""

import json
from datetime import datetime
from typing import Any

import pytest

from hoplab import __version__
from hoplab.client.wire import Exchange
from hoplab.results import CellResult, Finding, Results, Verdict
from hoplab.topology import Cell, Mode, Scheme, Strategy, Topology, Trust

CELL = Cell(
    Topology("nginx", "uvicorn", Mode.STRIP), Strategy.SERVER_OPTION, Trust.PROXY, Scheme.HTTPS
)
PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR
RECORDED, NOT_APPLICABLE = Verdict.RECORDED, Verdict.NOT_APPLICABLE


def a_result(*verdicts: Verdict, symptoms: tuple[str | None, ...] = ()) -> CellResult:
    given = symptoms or tuple(None for _ in verdicts)
    findings = [
        Finding(f"check-{number}", verdict, symptom, "detail")
        for number, (verdict, symptom) in enumerate(zip(verdicts, given, strict=True))
    ]
    return CellResult(CELL, recipe=True, findings=findings)


def a_run(*results: CellResult) -> Results:
    return Results("process", "2026-11-22T03:00:00Z", 3.14159, {"python": "3.13.9"}, results)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([PASS], PASS),
        ([PASS, RECORDED, NOT_APPLICABLE], PASS),
        ([PASS, FAIL], FAIL),
        ([FAIL, PASS, RECORDED], FAIL),
        ([PASS, ERROR], ERROR),
        ([FAIL, ERROR], ERROR),
        ([ERROR, FAIL, PASS], ERROR),
        ([RECORDED], RECORDED),
        ([NOT_APPLICABLE, RECORDED], RECORDED),
        ([NOT_APPLICABLE], NOT_APPLICABLE),
        ([], ERROR),
    ],
)
def test_verdict_of_a_cell(verdicts: list[Verdict], expected: Verdict) -> None:
    assert a_result(*verdicts).verdict is expected


def test_symptoms_stand_once_in_the_order_of_the_checks() -> None:
    result = a_result(FAIL, PASS, FAIL, FAIL, symptoms=("b", None, "a", "b"))

    assert result.symptoms == ["b", "a"]


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([], False),
        ([a_result(PASS)], True),
        ([a_result(PASS), a_result(PASS, RECORDED)], True),
        ([a_result(PASS), a_result(FAIL)], False),
        ([a_result(PASS), a_result(ERROR)], False),
        ([a_result(PASS), a_result(RECORDED)], True),
        ([a_result(PASS), a_result(NOT_APPLICABLE)], False),
        ([a_result(PASS), a_result()], False),
    ],
)
def test_a_run_passes_if_every_cell_does(results: list[CellResult], *, expected: bool) -> None:
    assert a_run(*results).passed is expected


# --- the file ---

RUN: dict[str, type] = {
    "hoplab": str,
    "schema": int,
    "engine": str,
    "started": str,
    "seconds": float,
    "versions": dict,
    "cells": list,
}
CELLS: dict[str, type] = {
    "id": str,
    "proxy": str,
    "server": str,
    "mode": str,
    "strategy": str,
    "trust": str,
    "scheme": str,
    "recipe": bool,
    "verdict": str,
    "symptoms": list,
    "findings": list,
}
FINDINGS: dict[str, type] = {
    "check": str,
    "verdict": str,
    "symptom": str,
    "detail": str,
    "exchanges": list,
}
EXCHANGES: dict[str, type] = {
    "method": str,
    "url": str,
    "request_headers": list,
    "status": int,
    "response_headers": list,
    "body": str,
}


@pytest.fixture
def file() -> dict[str, Any]:
    exchange = Exchange("GET", "https://x/y", [("Host", "x")], 307, [("location", "/")], b"\xff")
    findings = [
        Finding("slash-redirect", FAIL, "redirect-broken", "…", [exchange]),
        Finding("reach", PASS, None, "ok"),
    ]
    run = a_run(CellResult(CELL, recipe=True, findings=findings))
    told: dict[str, Any] = json.loads(json.dumps(run.as_json()))
    return told


def test_keys_and_types_of_the_file(file: dict[str, Any]) -> None:
    [cell] = file["cells"]
    failed, passed = cell["findings"]
    [exchange] = failed["exchanges"]

    for content, shape in (
        (file, RUN),
        (cell, CELLS),
        (failed, FINDINGS),
        (exchange, EXCHANGES),
    ):
        assert {key: type(value) for key, value in content.items()} == shape
        assert list(content) == list(shape), "in the order of the documentation"
    assert passed == {
        "check": "reach",
        "verdict": "pass",
        "symptom": None,
        "detail": "ok",
        "exchanges": [],
    }


def test_values_of_the_file(file: dict[str, Any]) -> None:
    [cell] = file["cells"]

    assert (file["schema"], file["hoplab"], file["engine"]) == (1, __version__, "process")
    assert file["seconds"] == 3.14
    assert file["versions"] == {"python": "3.13.9"}
    assert datetime.fromisoformat(file["started"]).tzname() == "UTC"
    assert cell["id"] == "nginx-uvicorn-strip.server-option.proxy.https"
    assert [cell[key] for key in ("proxy", "server", "mode", "strategy", "trust", "scheme")] == [
        "nginx",
        "uvicorn",
        "strip",
        "server-option",
        "proxy",
        "https",
    ]
    assert (cell["recipe"], cell["verdict"]) == (True, "fail")
    assert cell["symptoms"] == ["redirect-broken"]
    assert cell["findings"][0]["exchanges"][0] == {
        "method": "GET",
        "url": "https://x/y",
        "request_headers": [["Host", "x"]],
        "status": 307,
        "response_headers": [["location", "/"]],
        "body": "\ufffd",
    }


def test_every_verdict_is_one_of_these(file: dict[str, Any]) -> None:
    assert {verdict.value for verdict in Verdict} == {
        "pass",
        "fail",
        "not-applicable",
        "recorded",
        "error",
    }
    assert file["cells"][0]["verdict"] in list(Verdict)
