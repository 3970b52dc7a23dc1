"""One browser for the folder, and each lab once.

Not for the session: while Playwright runs, no other test could call asyncio.run.
"""

import inspect
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Playwright,
    Request,
    sync_playwright,
)

from hoplab.engines import certificates
from tests.browser.chromium import ARGUMENTS, chromium, require_chromium
from tests.browser.labs import OFFLINE, STOCK, Endpoints, running
from tests.browser.pages import foreign
from tests.catalogue import WORKSPACE

TIMEOUT = 15_000

NETWORK_CHANGED = "net::ERR_NETWORK_CHANGED"
"""Chromium breaks every connection, of loopback as well, when an address of the machine comes or
goes, as with any network that Docker makes. It has no option against that."""

INTERRUPTED = "is interrupted by another navigation"

ATTEMPTS = 10

_broken: list[str] = []
"""The URLs that were lost in this way, in the test that runs."""


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Run a test again whose connections Chromium broke, which says nothing about the lab.

    For no other failure: that is a finding.
    """
    _broken.clear()
    try:
        return (yield)
    except Exception:
        if not _was_broken(pyfuncitem):
            raise
    names = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    for attempt in range(2, ATTEMPTS + 1):
        if isinstance(page := arguments.get("page"), Page):
            leave_error_page(page)
        _broken.clear()
        urls = arguments.get("asked")
        if isinstance(urls, list):
            urls.clear()
        try:
            pyfuncitem.obj(**arguments)
        except Exception:
            if attempt == ATTEMPTS or not _was_broken(pyfuncitem):
                raise
        else:
            break
    return True


def leave_error_page(page: Page) -> None:
    """Go from a failed navigation to an empty page.

    Playwright tells of the failure before Chromium shows its error page. A navigation that begins
    in between ends with "interrupted by another navigation", so the empty page is tried until the
    error page has come and gone.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            page.goto("about:blank")
        except Error as error:
            if attempt == ATTEMPTS or INTERRUPTED not in error.message:
                raise
        else:
            return


def visit(page: Page, url: str) -> None:
    """Go there; again, if Chromium broke the connection."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            page.goto(url)
        except Error as error:
            if attempt == ATTEMPTS or NETWORK_CHANGED not in error.message:
                raise
            leave_error_page(page)
        else:
            return


def _was_broken(item: pytest.Function) -> bool:
    page = item.funcargs.get("page")
    if isinstance(page, Page):
        page.wait_for_timeout(100)  # what has happened is told
    return bool(_broken)


@pytest.fixture(scope="package")
def executable() -> str:
    return require_chromium()


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


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
    playwright: Playwright,
    executable: str,
    stock: Endpoints,  # noqa: ARG001 - servers wait for connections: the browser ends first
    offline: Endpoints,  # noqa: ARG001
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[BrowserContext]:
    profile = tmp_path_factory.mktemp("browser")
    files = certificates.ensure(WORKSPACE.certificates)
    with chromium(playwright, executable, files, profile) as browser:
        browser.on("requestfailed", note)
        yield browser


@pytest.fixture(scope="module")
def reader(playwright: Playwright, executable: str) -> Iterator[Browser]:
    """For hoplab's own pages: it knows no lab."""
    with playwright.chromium.launch(executable_path=executable, args=ARGUMENTS) as browser:
        yield browser


@pytest.fixture
def options() -> dict[str, Any]:
    """Of the browser's context: a test parametrises it."""
    return {}


@pytest.fixture(scope="module")
def common(reader: Browser) -> Iterator[Page]:
    """For one test after the other: a new one costs as much as what most of them do in it."""
    with new_context(reader) as context:
        yield context.new_page()


@pytest.fixture
def own(reader: Browser, common: Page, options: dict[str, Any]) -> Iterator[Page]:
    """A page that shows nothing yet, of a context with these options."""
    if options:
        with new_context(reader, **options) as context:
            yield context.new_page()
    else:
        yield common


def new_context(reader: Browser, **options: Any) -> BrowserContext:
    """As wide as most screens, unless the options say otherwise."""
    context = reader.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
    context.set_default_timeout(TIMEOUT)
    return context


@dataclass(frozen=True)
class Seen:
    """The URLs that a page has asked for, and the errors and warnings that it has logged."""

    asked: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@contextmanager
def watching(page: Page) -> Iterator[Seen]:
    """Watch it until it has left what it shows."""
    seen = Seen()

    def log(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and NETWORK_CHANGED not in message.text:
            seen.errors.append(message.text)

    listeners: dict[Any, Callable[[Any], None]] = {
        "request": lambda request: seen.asked.append(request.url),
        "requestfailed": note,
        "console": log,
        "pageerror": lambda error: seen.errors.append(str(error)),
    }
    for event, listener in listeners.items():
        page.on(event, listener)
    yield seen
    page.goto("about:blank")
    for event, listener in listeners.items():
        page.remove_listener(event, listener)


def note(request: Request) -> None:
    """Remember a connection that Chromium broke."""
    if request.failure == NETWORK_CHANGED:
        _broken.append(request.url)


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
