"""Verdicts of cells and runs, and what is a surprise."""

from dataclasses import replace

import pytest

from hoplab.results import CellResult, Finding, Results, Surprise, Verdict
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
        ([a_result(PASS), a_result(RECORDED)], False),
        ([a_result(PASS), a_result(NOT_APPLICABLE)], False),
        ([a_result(PASS), a_result()], False),
    ],
)
def test_a_run_passes_if_every_cell_does(results: list[CellResult], *, expected: bool) -> None:
    assert a_run(*results).passed is expected


@pytest.mark.parametrize(
    ("verdict", "symptom", "predicted", "surprise"),
    [
        (PASS, None, None, None),
        (FAIL, "a", "a", None),
        (FAIL, "a", None, "check-0: predicted pass, found a"),
        (FAIL, "a", "b", "check-0: predicted b, found a"),
        (PASS, None, "b", "check-0: predicted b, found pass"),
        (RECORDED, None, None, None),
        (NOT_APPLICABLE, None, None, None),
        (RECORDED, None, "b", "check-0: predicted b, found recorded"),
        (NOT_APPLICABLE, None, "b", "check-0: predicted b, found not-applicable"),
        (ERROR, None, "b", None),  # nothing is known, and the run has failed
    ],
)
def test_what_is_predicted_to_fail_has_to_be_found(
    verdict: Verdict, symptom: str | None, predicted: str | None, surprise: str | None
) -> None:
    result = a_result(verdict, symptoms=(symptom,))
    told = replace(result, prediction={"check-0": predicted} if predicted else {})

    assert [str(each) for each in told.surprises] == ([surprise] if surprise else [])
    assert result.surprises == [], "nothing was predicted"


# --- predictions ---

TWO = a_result(FAIL, PASS, symptoms=("gone", None))
"""Of check-0 and check-1."""


def predicted(result: CellResult, **symptoms: str) -> CellResult:
    """With the symptoms of checks; check_0 is check-0."""
    prediction = {check.replace("_", "-"): symptom for check, symptom in symptoms.items()}
    return replace(result, prediction=prediction)


def test_without_a_prediction_nothing_is_a_surprise() -> None:
    assert TWO.surprises == []


def test_what_is_as_predicted_is_no_surprise() -> None:
    assert predicted(TWO, check_0="gone", check_9="never asked").surprises == []


def test_each_check_is_compared_with_its_own_prediction() -> None:
    assert predicted(TWO, check_0="late", check_1="gone").surprises == [
        Surprise("check-0", "late", "gone", "detail"),
        Surprise("check-1", "gone", "pass", "detail"),
    ]


def test_a_failure_that_was_not_predicted_is_a_surprise() -> None:
    assert predicted(TWO).surprises == [Surprise("check-0", None, "gone", "detail")]


@pytest.mark.parametrize(
    ("surprise", "text"),
    [
        (Surprise("docs", None, "gone", ""), "docs: predicted pass, found gone"),
        (Surprise("docs", "gone", "pass", ""), "docs: predicted gone, found pass"),
    ],
)
def test_a_surprise_in_one_line(surprise: Surprise, text: str) -> None:
    assert str(surprise) == text


RIGHT, WRONG = predicted(TWO, check_0="gone"), predicted(TWO)


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([], False),
        ([RIGHT], True),
        ([TWO], True),
        ([RIGHT, RIGHT], True),
        ([WRONG], False),
        ([RIGHT, WRONG], False),
        ([WRONG, RIGHT], False),
        ([RIGHT, predicted(a_result(ERROR))], False),
        ([predicted(a_result(RECORDED))], False),
        ([predicted(a_result(NOT_APPLICABLE))], False),
        ([predicted(a_result())], False),
    ],
)
def test_a_run_is_as_predicted_if_every_cell_is(
    results: list[CellResult], *, expected: bool
) -> None:
    assert a_run(*results).as_predicted is expected


def test_an_unfinished_run_is_not_as_predicted() -> None:
    assert replace(a_run(RIGHT), unfinished=1).as_predicted is False
