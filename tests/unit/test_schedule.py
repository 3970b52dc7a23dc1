"""A matrix asks once what can't differ; no cell passes because nobody asked."""

import pytest

from hoplab.suites.check import Part, is_independent
from hoplab.suites.contract.checks import CHECKS
from hoplab.suites.schedule import schedule
from hoplab.topology import Cell, Scheme, Trust
from tests.catalogue import CATALOGUE, predicted

CELLS = [*CATALOGUE.product, *CATALOGUE.varied("contract")]
PREDICTED = {cell: predicted(cell) for cell in CELLS}


def asked(cells: list[Cell]) -> dict[Cell, set[str]]:
    scheduled = schedule(CHECKS, cells, CATALOGUE.is_recommended)
    return {cell: set(names) for cell, names in scheduled.items()}


def test_recipes_are_asked_everything_in_the_order_of_the_checks() -> None:
    scheduled = schedule(CHECKS, CELLS, CATALOGUE.is_recommended)

    assert {tuple(scheduled[c]) for c in CELLS if CATALOGUE.is_recommended(c)} == {tuple(CHECKS)}
    for names in scheduled.values():
        assert list(names) == [name for name in CHECKS if name in names]


def test_no_cell_passes_because_what_fails_there_is_not_asked() -> None:
    scheduled = asked(CELLS)
    silent = [c.id for c in CELLS if PREDICTED[c] and not scheduled[c] & PREDICTED[c].keys()]

    assert silent == []


@pytest.mark.parametrize("check", CHECKS)
def test_what_is_predicted_does_not_depend_on_what_it_is_independent_of(check: str) -> None:
    """But for an application that is not reached at all: then each check says so."""
    alike: dict[tuple[object, ...], set[str | None]] = {}
    for cell in CELLS:
        parts = [Part.SCHEME] if cell.variation else [Part.SCHEME, Part.TRUST]
        same = [part for part in parts if is_independent(CHECKS[check], part)]
        key = tuple(value for name, value in vars(cell).items() if name not in same)
        alike.setdefault(key, set()).add(PREDICTED[cell].get(check))

    assert [key for key, symptoms in alike.items() if len(symptoms) > 1] == []


def test_each_check_is_asked_somewhere_in_any_choice_of_cells() -> None:
    wrong = [c for c in CATALOGUE.product if not CATALOGUE.is_recommended(c)]
    for cells in ([wrong[0]], [c for c in wrong if c.scheme is Scheme.HTTP], wrong):
        assert set.union(*asked(cells).values()) == {*CHECKS}


def test_https_and_the_recipes_trust_are_asked_where_one_is() -> None:
    wrong = [c for c in CATALOGUE.product if not CATALOGUE.is_recommended(c)]
    topology = wrong[0].topology
    cells = [c for c in wrong if c.topology == topology]
    (chosen,) = [cell for cell, names in asked(cells).items() if "answers" in names]

    assert (chosen.scheme, chosen.trust) == (Scheme.HTTPS, Trust.PROXY)


def test_variations_are_asked_everything_over_https() -> None:
    scheduled = asked(CELLS)
    varied = CATALOGUE.varied("contract")

    assert all(scheduled[c] == {*CHECKS} for c in varied if c.scheme is Scheme.HTTPS)
    assert all("stream" in scheduled[c] for c in varied)
    assert not any("answers" in scheduled[c] for c in varied if c.scheme is Scheme.HTTP)
