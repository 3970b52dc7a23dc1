"""One browser for the folder, and each lab once.

Not for the session: while Playwright runs, no other test could call asyncio.run.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, Request

from hoplab.commands.lab import CERTIFICATES
from hoplab.engines import certificates
from tests.browser.chromium import chromium, require_chromium
from tests.browser.labs import OFFLINE, STOCK, Endpoints, running
from tests.browser.pages import foreign

TIMEOUT = 15_000


@pytest.fixture(scope="package")
def executable() -> str:
    return require_chromium()


@pytest.fixture(scope="package")
def stock(executable: str) -> Iterator[Endpoints]:  # noqa: ARG001 - without a browser, no lab
    with running(STOCK, offline=False) as endpoints:
        yield endpoints


@pytest.fixture(scope="package")
def offline(executable: str) -> Iterator[Endpoints]:  # noqa: ARG001
    with running(OFFLINE, offline=True) as endpoints:
        yield endpoints


@pytest.fixture(scope="package")
def browser(
    executable: str,
    stock: Endpoints,  # noqa: ARG001 - servers wait for connections: the browser ends first
    offline: Endpoints,  # noqa: ARG001
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[BrowserContext]:
    profile = tmp_path_factory.mktemp("browser")
    with chromium(executable, certificates.ensure(CERTIFICATES), profile) as browser:
        yield browser


@pytest.fixture
def asked() -> list[str]:
    """The URLs that the page has asked for."""
    return []


@pytest.fixture
def page(browser: BrowserContext, asked: list[str]) -> Iterator[Page]:
    """A page whose test fails if it asks anybody but the lab and the CDN's stand-in."""

    def refused(request: Request) -> None:
        if request.failure == "csp":  # the page forbids it, and so the browser does not ask
            asked.remove(request.url)

    page = browser.new_page()
    page.set_default_timeout(TIMEOUT)
    page.on("request", lambda request: asked.append(request.url))
    page.on("requestfailed", refused)
    yield page
    page.close()
    assert not [url for url in asked if foreign(url)]
