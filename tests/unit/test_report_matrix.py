"""The matrix fits 80 columns, and says what is not as predicted."""

import pytest

from hoplab.results import CellResult, Finding, Results, Verdict
from hoplab.suites.contract.tables import matrix_tables
from hoplab.topology import Cell, Scheme
from tests.catalogue import CATALOGUE, predicted

CELLS = [*CATALOGUE.product, *CATALOGUE.varied("contract")]
VARIATIONS = [name for name, each in CATALOGUE.variations.items() if each.suite == "contract"]
BY_ID = {cell.id: cell for cell in CELLS}
RIGHT = BY_ID["nginx-uvicorn-strip.server-option.proxy.https"]
OTHER = BY_ID["nginx-uvicorn-strip.server-option.proxy.http"]


def result(cell: Cell, symptom: str | None = None, verdict: Verdict | None = None) -> CellResult:
    """One finding, in a cell whose prediction is its own."""
    verdict = verdict or (Verdict.FAIL if symptom else Verdict.PASS)
    finding = Finding("slash-redirect", verdict, symptom, "https://x/, expected https://y/")
    prediction = {
        check: told for check, told in predicted(cell).items() if check == "slash-redirect"
    }
    return CellResult(cell, CATALOGUE.is_recommended(cell), [finding], prediction)


def shown(*results: CellResult, unfinished: int = 0) -> str:
    return matrix_tables(
        Results("process", "2026-11-22T03:00:00Z", 9.5, {}, results, 1.5, 7, 2**30, unfinished),
        {},
        plain=True,
    )


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.ERROR, Verdict.PASS])
def test_everything_fits_80_columns(verdict: Verdict) -> None:
    symptom = "mount-redirect-drops-prefix" if verdict is Verdict.FAIL else None

    text = shown(*(result(cell, symptom, verdict) for cell in CELLS))

    assert max(map(len, text.splitlines())) <= 80
    for variation in VARIATIONS:
        assert f"\n{variation}\n" in text
    for cell in CELLS:
        if cell.variation:
            assert f"  {cell.deployment.name} " in text


def test_as_predicted() -> None:
    text = shown(result(OTHER), result(RIGHT))

    assert "server-option proxy pass" in text
    assert "surprise\n" not in text
    assert text.endswith(
        "2 cells: 2 pass, 0 fail, 0 error; no surprises\n"
        "2 checks asked; failed: none\n"
        "7 processes, 1.0 GiB; 9.5 s, of which 1.5 s to start"
    )


def test_a_surprise_shows_both_sides() -> None:
    text = shown(result(OTHER), result(RIGHT, "redirect-wrong-scheme"))

    assert f"{RIGHT.id}: surprise\n" in text
    assert "  slash-redirect: predicted pass, found redirect-wrong-scheme\n" in text
    assert "(https) (!)" in " ".join(text.split())
    assert "1 pass, 1 fail, 0 error; 1 surprise\n" in text


def test_an_error_that_several_cells_share_is_told_once() -> None:
    text = shown(result(OTHER, verdict=Verdict.ERROR), result(RIGHT, verdict=Verdict.ERROR))

    assert text.count(": error\n") == 1
    assert f"{OTHER.id} and 1 more: error" in text
    assert "0 pass, 0 fail, 2 error; no surprises\n" in text


def test_an_interrupted_run_says_what_is_missing() -> None:
    assert "INTERRUPTED: 3 cells are missing\n" in shown(result(RIGHT), unfinished=3)


def test_cells_of_one_scheme_alone() -> None:
    assert {OTHER.scheme, RIGHT.scheme} == {*Scheme}
    assert "fail: redirect-" in shown(result(RIGHT, "redirect-broken"))
