"""DOCS_OFFLINE=1: the pages take every file from the application itself."""

import pytest
from playwright.sync_api import Page, expect

from hoplab.topology import Deployment, Strategy
from tests.browser.labs import OFFLINE, Endpoints, scheme_of
from tests.browser.pages import SwaggerUI

every_deployment = pytest.mark.parametrize(
    "deployment", OFFLINE, ids=lambda deployment: deployment.name
)


@every_deployment
def test_docs_ask_the_application_alone(
    page: Page, offline: Endpoints, deployment: Deployment, asked: list[str]
) -> None:
    base = offline[deployment].base(scheme_of(deployment))
    docs = SwaggerUI(page)
    docs.open(f"{base}/docs")
    operation = "/api/v1/app" if deployment.setup.strategy is Strategy.ROUTER else "/app"

    answer, shown = docs.execute(operation)
    authorized = docs.authorize()

    assert answer.url == f"{base}/app"
    assert shown["message"] == "Hello World"
    assert authorized["token"]["access_token"] == "secret"
    assert not [url for url in asked if not url.startswith(f"{base}/")]


@every_deployment
def test_redoc_asks_the_application_alone(
    page: Page, offline: Endpoints, deployment: Deployment, asked: list[str]
) -> None:
    base = offline[deployment].base(scheme_of(deployment))
    page.goto(f"{base}/redoc")

    expect(page.get_by_role("heading", name="Read App")).to_be_visible()
    assert not [url for url in asked if not url.startswith((f"{base}/", "data:", "blob:"))]


def test_docs_of_a_mounted_application_ask_it_alone(
    page: Page, offline: Endpoints, asked: list[str]
) -> None:
    base = offline[OFFLINE[0]].base(scheme_of(OFFLINE[0]))
    SwaggerUI(page).open(f"{base}/extra-servers/docs")

    assert not [url for url in asked if not url.startswith(f"{base}/extra-servers/")]
