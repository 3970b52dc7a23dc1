"""One browser for the folder, and each lab once.

Not for the session: while Playwright runs, no other test could call asyncio.run.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from hoplab.engines import certificates
from hoplab.lab import CERTIFICATES
from tests.browser.chromium import chromium
from tests.browser.labs import OFFLINE, STOCK, Endpoints, running
from tests.browser.pages import foreign

TIMEOUT = 15_000


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium(certificates.ensure(CERTIFICATES)) as browser:
        yield browser


@pytest.fixture(scope="package")
def stock(browser: Browser) -> Iterator[Endpoints]:  # noqa: ARG001 - without one, no lab is needed
    with running(STOCK, offline=False) as endpoints:
        yield endpoints


@pytest.fixture(scope="package")
def offline(browser: Browser) -> Iterator[Endpoints]:  # noqa: ARG001
    with running(OFFLINE, offline=True) as endpoints:
        yield endpoints


@pytest.fixture
def asked() -> list[str]:
    """Every URL that the page's requests go to."""
    return []


@pytest.fixture
def page(browser: Browser, asked: list[str]) -> Iterator[Page]:
    """A page whose test fails if it asks anybody but the lab and the CDN's stand-in."""
    page = browser.contexts[0].new_page() if browser.contexts else browser.new_context().new_page()
    page.set_default_timeout(TIMEOUT)
    page.on("request", lambda request: asked.append(request.url))
    yield page
    page.close()
    assert not [url for url in asked if foreign(url)]
