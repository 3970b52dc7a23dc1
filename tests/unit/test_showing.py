"""Which request shows a symptom, and in which cells."""

import pytest

from hoplab.catalogue import load
from hoplab.client.trace import Request
from hoplab.client.wire import Exchange, Headers
from hoplab.commands import showing
from hoplab.prefix import parse
from hoplab.results import CellResult, Finding, Verdict
from hoplab.suites import SUITES, SYMPTOMS
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


def exchange(path: str, method: str = "GET", headers: Headers = (), status: int = 200) -> Exchange:
    url = f"http://mysuperapp.com:9999{path}"
    return Exchange(method, url, [("Host", "mysuperapp.com:9999"), *headers], status)


def failed(check: str, symptom: str, detail: str, *exchanges: Exchange) -> Finding:
    return Finding(check, Verdict.FAIL, symptom, detail, exchanges)


def questions(cell: Cell, *findings: Finding) -> list[tuple[Request, Finding | None]]:
    return showing.questions_of(CATALOGUE, CellResult(cell, recipe=False, findings=findings))


@pytest.mark.parametrize("symptom", SYMPTOMS)
def test_a_finding_is_shown_by_what_was_asked(symptom: str) -> None:
    asked = exchange("/api/v1/somewhere?q=1", headers=[("Origin", "http://x")], status=404)
    finding = failed("a", symptom, f"{asked} (by somebody), expected 200", asked)

    [(request, shown)] = questions(CELL, finding)

    assert request == Request("GET", "/api/v1/somewhere?q=1", (("Origin", "http://x"),))
    assert shown is finding


@pytest.mark.parametrize("name", SYMPTOMS)
def test_without_exchanges_a_symptom_has_its_own_request(name: str) -> None:
    symptom = SYMPTOMS[name].under("/api/v1")

    [(request, _)] = questions(CELL, failed("a", name, ""))

    assert request == Request(symptom.method, f"/api/v1{symptom.path}", symptom.headers)


def test_each_cause_has_a_question() -> None:
    scope = [("X-ASGI-Scope", '{"scheme": "http", "root_path": "", "path": "/app"}')]
    untold = exchange("/api/v1/app")
    untold.headers = scope
    reach = failed("a", "one", "{'root_path': ''}, expected another", untold)
    docs = failed("b", "two", "{'root_path': ''}, expected another", untold)
    stream = failed("c", "three", "all at once", exchange("/api/v1/events"))

    assert questions(CELL, stream, reach, docs) == [
        (Request("GET", "/api/v1/app"), reach),
        (Request("GET", "/api/v1/events"), stream),
    ]


def test_without_a_symptom_a_redirect_is_shown() -> None:
    right = Finding("a", Verdict.PASS, None, "", [exchange("/api/v1/items?q=1")])

    assert questions(CELL, right) == [(Request("GET", "/api/v1/items?q=1"), right)]
    assert questions(CELL) == [(Request("GET", "/api/v1/items?q=1"), None)]


def test_what_a_variation_is_about_is_asked_first_and_says_what_it_shows() -> None:
    """The redirect of `nginx-bare` is right by accident; nobody may call it what else fails."""
    right = Finding("a", Verdict.PASS, None, "", [exchange("/api/v1/items?q=1")])
    wrong = failed("b", "one", "all at once", exchange("/api/v1/events"))

    [(request, shown), (other, found)] = questions(varied("nginx-bare"), wrong, right)

    assert (request.path, shown) == ("/api/v1/items?q=1", right)
    assert (other.path, found) == ("/api/v1/events", wrong)


def test_a_variation_s_request_belongs_to_the_finding_that_it_decides() -> None:
    nested = exchange("/api/v1/api/v1/nested", status=404)
    redirect = failed("a", "one", "elsewhere", exchange("/api/v1/items?q=1"))
    boundary = failed("b", "two", f"{nested}, expected 200", nested)

    [(request, shown), *_] = questions(varied("root-path-is-a-route"), redirect, boundary)

    assert (request.path, shown) == ("/api/v1/api/v1/nested", boundary)


def test_a_variation_may_have_a_request_that_shows_it_better() -> None:
    [(request, shown)] = questions(varied("cors-route-middleware"))

    assert (request.method, request.path) == ("OPTIONS", "/api/v1/metrics/")
    assert list(request.headers) == [
        ("Origin", "http://metrics.co.kr"),
        ("Access-Control-Request-Method", "GET"),
    ]
    assert shown is None


def test_the_prefix_of_a_request_is_the_cell_s() -> None:
    catalogue = load(WORKSPACE, parse("/café"))
    cell = next(iter(catalogue.variations["root-path-is-a-route"].symptoms))

    [(request, _)] = showing.questions_of(catalogue, CellResult(cell, recipe=False, findings=()))

    assert request.path == "/caf%C3%A9/caf%C3%A9/nested"


def test_what_was_asked_past_the_proxy_is_asked_there_again() -> None:
    past = Exchange("GET", "http://127.0.0.1:8000/scope", [("Host", "127.0.0.1:8000")])

    [(request, _)] = questions(CELL, failed("a", "one", "believed", past))

    assert request == Request("GET", "/scope", direct=True)


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
    assert len(showing.shown_by(CATALOGUE, "application-has-no-route", 5)) == 5
    assert showing.shown_by(CATALOGUE, "application-has-no-route", 5)[:3] == showing.shown_by(
        CATALOGUE, "application-has-no-route"
    )


@pytest.mark.usefixtures("predictions")
def test_what_nothing_shows_has_no_cells() -> None:
    assert showing.shown_by(CATALOGUE, "no-such-symptom") == []
