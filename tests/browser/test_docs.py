"""Swagger UI and ReDoc as FastAPI makes them, seen through a browser."""

import pytest
from playwright.sync_api import Page, Route, expect

from hoplab.catalogue.servers.server import RootPath
from hoplab.topology import Cell, Deployment, Mode, Scheme, Strategy
from tests.browser.labs import JUDGED, Endpoints, predicted, scheme_of
from tests.browser.pages import FAILED, SwaggerUI
from tests.catalogue import CATALOGUE
from tests.topologies.labs import CELLS, DEPLOYMENTS

PREFIX = "/api/v1"
HELLO = {"message": "Hello World", "root_path": PREFIX}

every_cell = pytest.mark.parametrize(
    "cell", CELLS, ids=lambda cell: f"{cell.topology.name}-{cell.scheme}"
)
every_topology = pytest.mark.parametrize(
    "deployment", DEPLOYMENTS, ids=lambda deployment: deployment.topology.name
)


@every_cell
def test_docs_show_the_prefix_execute_below_it_and_take_the_token_of_the_redirect_page(
    page: Page, stock: Endpoints, cell: Cell
) -> None:
    endpoint, docs = stock[cell.deployment], SwaggerUI(page)
    docs.open(f"{endpoint.base(cell.scheme)}/docs")

    servers = docs.servers()
    answer, shown = docs.execute("/app")
    authorized = docs.authorize()

    assert servers == [PREFIX]
    assert answer.url == f"{endpoint.base(cell.scheme)}/app"
    assert answer.status == 200
    assert answer.headers["x-instance"] == endpoint.nonce
    assert answer.json() == shown == HELLO
    assert authorized == {
        "redirectUrl": f"{endpoint.base(cell.scheme)}/docs/oauth2-redirect",
        "token": {"access_token": "secret", "state": "given"},
        "isValid": True,
    }


@every_topology
def test_another_server_of_the_menu_is_the_one_that_is_asked(
    page: Page, stock: Endpoints, deployment: Deployment, asked: list[str]
) -> None:
    there: list[str] = []

    def staging(route: Route) -> None:
        there.append(route.request.url)
        asked.remove(route.request.url)  # the one request to a foreign host that is right
        route.fulfill(json=HELLO, headers={"Access-Control-Allow-Origin": "*"})

    page.route("https://stag.example.com/**", staging)
    docs = SwaggerUI(page)
    docs.open(f"{stock[deployment].base(scheme_of(deployment))}/extra-servers/docs")

    servers = docs.servers()
    docs.menu.select_option("https://stag.example.com")
    _, shown = docs.execute("/app")

    assert servers == [
        f"{PREFIX}/extra-servers",
        "https://stag.example.com",
        "https://prod.example.com",
    ]
    assert there == ["https://stag.example.com/app"]
    assert shown == HELLO


@every_cell
def test_redoc_shows_the_operations(page: Page, stock: Endpoints, cell: Cell) -> None:
    page.goto(f"{stock[cell.deployment].base(cell.scheme)}/redoc")

    expect(page.get_by_role("heading", name="Read App")).to_be_visible()


@pytest.mark.parametrize(
    "deployment",
    [each for each in DEPLOYMENTS if each.topology.mode is Mode.STRIP],
    ids=lambda deployment: deployment.topology.name,
)
def test_past_a_stripping_proxy_the_docs_fail_unless_the_prefix_is_found_there_too(
    page: Page, stock: Endpoints, deployment: Deployment
) -> None:
    """The guide has Uvicorn's --root-path. Our middleware takes paths with and without prefix."""
    host, port = stock[deployment].direct or pytest.fail("The process engine knows the address.")
    docs = SwaggerUI(page)
    with page.expect_response(f"**{PREFIX}/openapi.json") as answered:
        page.goto(f"http://{host}:{port}/docs")
    docs.loaded.wait_for()

    server = CATALOGUE.servers[deployment.topology.server]
    by_option = deployment.setup.strategy is Strategy.SERVER_OPTION
    fails = by_option and server.root_path is RootPath.PREPENDED
    assert page.get_by_text(FAILED).is_visible() == fails
    assert answered.value.status == (404 if fails else 200)


@pytest.mark.parametrize("cell", JUDGED, ids=lambda cell: f"{predicted(cell) or 'loads'}-{cell.id}")
def test_what_is_predicted_of_the_docs_is_what_one_sees(
    page: Page, stock: Endpoints, cell: Cell
) -> None:
    answer = page.goto(f"{stock[cell.deployment].base(cell.scheme)}/docs")

    assert answer
    if answer.status == 404:
        seen: str | None = "docs-unreachable"
    else:
        SwaggerUI(page).loaded.wait_for()
        seen = "docs-openapi-404" if page.get_by_text(FAILED).is_visible() else None
    assert seen == predicted(cell)


def test_predictions_of_every_kind_are_seen() -> None:
    assert {predicted(cell) for cell in JUDGED} == {None, "docs-openapi-404", "docs-unreachable"}
    assert {cell.scheme for cell in JUDGED} == set(Scheme)
