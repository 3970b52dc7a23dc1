"""Verdicts of cells and runs."""

import pytest

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
