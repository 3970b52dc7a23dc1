"""What a person does on the docs pages."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, Response, expect

from hoplab.endpoint import PUBLIC_NAME
from hoplab.system.ports import LOOPBACK
from tests.browser import cdn

FAILED = "Failed to load API definition."
OPERATIONS = ".opblock"

_OURS = {PUBLIC_NAME, LOOPBACK}


def foreign(url: str) -> bool:
    """Whether it is neither the lab's nor among the files that a stock page takes from a CDN."""
    parts = urlsplit(url)
    return parts.scheme.startswith(("http", "ws")) and not (
        parts.hostname in _OURS or url in cdn.FILES
    )


@dataclass(frozen=True)
class SwaggerUI:
    """`/docs` in a browser."""

    page: Page

    @property
    def loaded(self) -> Locator:
        """Operations, or the message that there are none."""
        return self.page.locator(OPERATIONS).or_(self.page.get_by_text(FAILED)).first

    @property
    def menu(self) -> Locator:
        """The servers to choose from."""
        return self.page.locator(".servers select")

    def open(self, url: str) -> None:
        """Wait until it shows operations."""
        self.page.goto(url)
        self.page.locator(OPERATIONS).first.wait_for()

    def servers(self) -> list[str]:
        """What the menu offers."""
        return [str(each.get_attribute("value")) for each in self.menu.locator("option").all()]

    def execute(self, path: str) -> tuple[Response, Any]:
        """ "Try it out" and "Execute" on a GET: the answer, and the JSON that is shown of it."""
        operation = self.page.locator(OPERATIONS).filter(
            has=self.page.locator(f'[data-path="{path}"]')
        )
        operation.locator(".opblock-summary-control").click()
        operation.get_by_role("button", name="Try it out").click()
        with self.page.expect_response(lambda answer: answer.request.resource_type == "fetch") as (
            answered
        ):
            operation.get_by_role("button", name="Execute").click()
        shown = operation.locator(".live-responses-table")
        body = shown.locator("code.language-json")
        body.wait_for()
        expect(shown.locator("td.response-col_status").last).to_contain_text("200")
        return answered.value, json.loads(body.inner_text())

    def authorize(self) -> Any:
        """What the OAuth2 redirect page, opened as the authorization server would, hands over."""
        return self.page.evaluate(
            """() => new Promise(resolve => {
                const redirectUrl = ui.getConfigs().oauth2RedirectUrl
                window.swaggerUIRedirectOauth2 = {
                    state: "given", redirectUrl,
                    auth: {name: "any", schema: new Map([["flow", "implicit"]])},
                    callback: ({token, isValid}) => resolve({redirectUrl, token, isValid}),
                }
                window.open(redirectUrl + "#access_token=secret&state=given")
            })"""
        )
