"""Which request shows a symptom, and in which cells."""

from dataclasses import replace

import pytest

from hoplab.catalogue import load
from hoplab.commands import showing
from hoplab.prefix import parse
from hoplab.suites import HEALTHY, SUITES, SYMPTOMS
from hoplab.topology import Cell, Mode, Scheme, Strategy, Topology, Trust
from tests.catalogue import CATALOGUE, WORKSPACE, predicted

CELL = Cell(
    Topology("nginx", "uvicorn", Mode.STRIP), Strategy.NONE, Trust.PROXY, Scheme.HTTP
)  # fmt: skip
CONTRACT, CORS = SUITES["contract"], SUITES["cors"]


def varied(name: str) -> Cell:
    return next(iter(CATALOGUE.variations[name].symptoms))


# --- cells ---


def test_the_suite_of_a_cell_is_its_variation_s_or_that_of_the_product() -> None:
    assert showing.suite_of(CATALOGUE, CELL) is CONTRACT
    assert showing.suite_of(CATALOGUE, varied("nginx-appends")) is CONTRACT
    assert showing.suite_of(CATALOGUE, varied("cors-both")) is CORS


def test_cells_of_variations_follow_the_product() -> None:
    cells = showing.cells_of(CATALOGUE, CONTRACT)
    product = len(CATALOGUE.product)

    assert cells[:product] == CATALOGUE.product
    assert cells[product:] == CATALOGUE.varied("contract") != []
    assert showing.cells_of(CATALOGUE, CORS) == CATALOGUE.varied("cors") != []


def test_every_cell_is_there_once_and_belongs_to_the_suite_that_asks_it() -> None:
    every = showing.every_cell(CATALOGUE)

    assert len({cell.id for cell in every}) == len(every)
    for suite in SUITES.values():
        for cell in showing.cells_of(CATALOGUE, suite):
            assert showing.suite_of(CATALOGUE, cell) is suite


# --- the request ---


@pytest.mark.parametrize("name", SYMPTOMS)
def test_a_symptom_has_its_own_request(name: str) -> None:
    found = showing.request_of(CATALOGUE, CELL, [name, "unreachable"])

    symptom = SYMPTOMS[name]
    texts = {
        field: getattr(symptom, field).replace("{prefix}", "/api/v1")
        for field in ("path", "seen", "cause", "fix")
    }
    assert found == replace(symptom, **texts)
    assert "{prefix}" not in "".join(map(str, vars(found).values()))


def test_without_a_symptom_a_redirect_is_shown() -> None:
    assert showing.request_of(CATALOGUE, CELL, []) == HEALTHY
    assert HEALTHY.path == "/items?q=1"


def test_a_variation_may_have_a_request_that_shows_it_better() -> None:
    shown = showing.request_of(CATALOGUE, varied("cors-route-middleware"), [])

    assert (shown.method, shown.path) == ("OPTIONS", "/metrics/")
    assert shown.headers == (
        ("Origin", "http://metrics.co.kr"),
        ("Access-Control-Request-Method", "GET"),
    )
    assert shown.name == HEALTHY.name


def test_a_variation_s_path_alone_leaves_the_symptom_s_headers() -> None:
    symptom = SYMPTOMS["prefix-leaks"].under("/api/v1")
    shown = showing.request_of(CATALOGUE, varied("traefik-no-boundary"), ["prefix-leaks"])

    assert shown == replace(symptom, path="0/app")


def test_the_prefix_of_a_request_is_the_cell_s() -> None:
    catalogue = load(WORKSPACE, parse("/café"))
    cell = next(iter(catalogue.variations["root-path-is-a-route"].symptoms))

    shown = showing.request_of(catalogue, cell, ["prefix-stripped-twice"])

    assert shown.path == "/caf%C3%A9/nested"


# --- where it shows ---


@pytest.fixture
def predictions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of CATALOGUE, which other tests have made already."""
    monkeypatch.setattr(showing, "predict", lambda cell, _: predicted(cell))


@pytest.mark.usefixtures("predictions")
def test_a_symptom_shows_where_a_person_meets_it_first() -> None:
    [first, *others] = showing.shown_by(CATALOGUE, "prefix-stripped-twice")
    by_id = {cell.id: cell for cell in showing.every_cell(CATALOGUE)}

    assert len(others) == 2
    assert list(predicted(by_id[first]).values()) == ["prefix-stripped-twice"]
    for name in others:
        assert "prefix-stripped-twice" in predicted(by_id[name]).values()


@pytest.mark.usefixtures("predictions")
def test_as_many_cells_as_are_asked_for() -> None:
    assert len(showing.shown_by(CATALOGUE, "unreachable", 5)) == 5
    assert showing.shown_by(CATALOGUE, "unreachable", 5)[:3] == showing.shown_by(
        CATALOGUE, "unreachable"
    )


@pytest.mark.usefixtures("predictions")
def test_what_nothing_shows_has_no_cells() -> None:
    assert showing.shown_by(CATALOGUE, "no-such-symptom") == []
