"""How `make bench-doctor` judges a diagnosis: what shows of a cell, and how good an answer is."""

import pytest

from hoplab.diagnosis.candidates import AREAS
from hoplab.diagnosis.words import (
    Cause,
    Diagnosis,
    Fault,
    Group,
    Report,
    Sheet,
    Verdict,
)
from scripts.bench_doctor.__main__ import judged
from scripts.bench_doctor.cells import every
from scripts.bench_doctor.examining import Examined
from scripts.bench_doctor.truth import OUTSIDE, WITH_WINDOW, truth
from tests.catalogue import CATALOGUE

CELLS = {cell.id: cell for cell in every(CATALOGUE)}
STRIPPED = "nginx-uvicorn-strip.none.proxy.https"


def examined(wrong: set[Fault], *said: set[Fault], verdict: Verdict = Verdict.SICK) -> Examined:
    groups = [Group([Cause(fault, AREAS[fault]) for fault in group]) for group in said]
    report = Report("", "", "", Sheet({}), Diagnosis(verdict, groups))
    return Examined(CELLS[STRIPPED], frozenset(wrong), frozenset(), report)


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (examined(set(), verdict=Verdict.HEALTHY), "healthy, and said so"),
        (examined(set(), {Fault.RAISES}), "healthy, called sick"),
        (examined({Fault.RAISES}, verdict=Verdict.HEALTHY), "sick, called healthy"),
        (examined({Fault.RAISES}, verdict=Verdict.UNCLEAR), "cannot tell"),
        (examined({Fault.RAISES}, {Fault.RAISES, Fault.LETTERS}), "first"),
        (examined({Fault.RAISES}, {Fault.LETTERS}, {Fault.RAISES}), "among three"),
        (examined({Fault.RAISES}, {Fault.LETTERS}), "wrong"),
        (examined({Fault.RAISES, Fault.CORS_TWICE}, {Fault.RAISES}), "wrong"),
    ],
)
def test_how_good_an_answer_is(found: Examined, outcome: str) -> None:
    assert found.outcome == outcome


def test_what_misses_a_goal() -> None:
    first = examined({Fault.RAISES}, {Fault.RAISES})
    third = examined({Fault.RAISES}, {Fault.LETTERS}, {Fault.RAISES})
    unable = examined({Fault.RAISES}, verdict=Verdict.UNCLEAR)

    assert judged([first] * 9 + [third]) == []
    assert judged([first] * 9 + [third], goal=0.98) == ["first in 9 of 10 cells: less than 98%"]
    assert len(judged([first] * 99 + [unable])) == 1
    assert judged([first] * 9 + [unable] * 9, foreign=True) == []
    assert len(judged([first] * 99 + [examined(set(), {Fault.RAISES})], foreign=True)) == 1


def test_what_shows_by_either_of_two_faults_is_a_fault_of_both() -> None:
    """Servers without the prefix: the application names none, and is not told it either."""
    unasked = (*OUTSIDE, "redirect", "docs-link")

    visible, _ = truth(CELLS[STRIPPED], CATALOGUE, unasked, frozenset({Fault.SERVERS_FIXED}))

    assert visible == {Fault.UNTOLD_STRIPPED, Fault.SERVERS_FIXED}


@pytest.mark.parametrize(("scheme", "shows"), [("http", False), ("https", True)])
def test_a_header_that_says_http_is_not_missed_over_http(scheme: str, *, shows: bool) -> None:
    cell = CELLS[f"nginx-uvicorn-strip.server-option.proxy.{scheme}+nginx-header-in-location"]

    visible, _ = truth(cell, CATALOGUE, WITH_WINDOW)

    assert (Fault.PROTO_NOT_SENT in visible) is shows
