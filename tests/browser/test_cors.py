"""What a real browser lets pages of other origins do, for every CORS variant.

A page of each origin fetches through the proxy. The browser's verdict has to be what follows from
the headers that the lab's own client got, by the rules in hoplab.suites.cors.right.
"""

from collections.abc import Iterator
from typing import TypeAlias
from urllib.parse import urljoin

import pytest
from playwright.sync_api import BrowserContext, Page

from hoplab.client.probe import Probe
from hoplab.commands.targets import target
from hoplab.endpoint import Endpoint
from hoplab.suites import SUITES
from hoplab.suites.cors.right import MAIN, METRICS, headers, lets_in, preflight_passes
from hoplab.topology import Cell, Scheme
from tests.browser.conftest import visit
from tests.browser.labs import Endpoints, running
from tests.browser.origins import ORIGINS, STRANGER
from tests.catalogue import CATALOGUE

PATHS = ("/items/", "/fail", "/metrics", "/metrics/", "/metrics/missing", "/metrics/fail")
REDIRECT = 307

FETCH = """
async ([asked, credentials]) => {
    const told = [];
    for (const [url, preflight] of asked) {
        const headers = preflight ? {'X-Requested-With': 'hoplab'} : {};
        try {
            const answer = await fetch(url, {headers, credentials, cache: 'no-store'});
            told.push([true, await answer.text()]);
        } catch (error) {
            told.push([false, String(error)]);
        }
    }
    return told;
}
"""
"""One after the other: whether the page may read each answer, and its text."""

Ways: TypeAlias = dict[tuple[str, bool], bool]
"""By path and whether with a preflight: may the page read the answer?"""


VARIATIONS = {name: each for name, each in CATALOGUE.variations.items() if each.suite == "cors"}


def _cells() -> dict[str, Cell]:
    """A cell for each variation: proxies, servers, modes and schemes take turns."""
    return {
        name: list(variation.symptoms)[number * 3 % len(variation.symptoms)]
        for number, (name, variation) in enumerate(VARIATIONS.items())
    }


CELLS = _cells()


@pytest.fixture(scope="module")
def variants(executable: str) -> Iterator[Endpoints]:  # noqa: ARG001 - without a browser, no lab
    with running([cell.deployment for cell in CELLS.values()], offline=False) as endpoints:
        yield endpoints


@pytest.fixture(scope="module", params=[*ORIGINS, "null"])
def origin(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def page(browser: BrowserContext) -> Iterator[Page]:
    """For one test after the other: each begins at its origin."""
    page = browser.new_page()
    yield page
    page.close()


def begin_at(page: Page, origin: str) -> None:
    """Show an empty page of that origin."""
    # What is sandboxed has no origin of its own.
    visit(page, f"{STRANGER}/sandboxed" if origin == "null" else f"{origin}/")
    assert page.evaluate("self.origin") == origin


def by_browser(page: Page, cell: Cell, endpoint: Endpoint) -> Ways:
    ways = [(path, preflight) for path in PATHS for preflight in (False, True)]
    asked = [(endpoint.base(cell.scheme) + path, preflight) for path, preflight in ways]
    told = page.evaluate(FETCH, [asked, "include"])
    return {way: let_in for way, (let_in, _) in zip(ways, told, strict=True)}


def by_headers(origin: str, cell: Cell, endpoint: Endpoint) -> Ways:
    probe = Probe(target(CATALOGUE, SUITES["cors"], cell, endpoint))
    found: Ways = {}
    for path in PATHS:
        simple = answer = probe.get(path, headers(origin))
        allowed = lets_in(simple, origin, credentials=True)
        asked = probe.request("OPTIONS", path, headers(origin, preflight=True))
        sent = preflight_passes(asked, origin, credentials=True)
        if answer.status == REDIRECT:  # a browser follows, and asks once more
            to = urljoin(answer.url, answer.header("location") or "")
            answer = probe.get(to, headers(origin))
            allowed = allowed and lets_in(answer, origin, credentials=True)
            again = probe.request("OPTIONS", to, headers(origin, preflight=True))
            sent = sent and preflight_passes(again, origin, credentials=True)
        found[path, False] = allowed
        found[path, True] = sent and allowed
    probe.client.close()
    return found


@pytest.mark.parametrize("variation", CELLS)
def test_the_browser_agrees_with_the_headers(
    page: Page, origin: str, variants: Endpoints, variation: str
) -> None:
    cell = CELLS[variation]
    endpoint = variants[cell.deployment]
    begin_at(page, origin)

    told = by_browser(page, cell, endpoint)

    assert told == by_headers(origin, cell, endpoint)
    if origin in {STRANGER, "null"} and variation != "cors-traefik-too":
        assert not any(told.values())


def test_the_problem_and_its_fixes_as_the_post_has_them(
    page: Page, origin: str, variants: Endpoints
) -> None:
    begin_at(page, origin)
    told = {
        name: by_browser(page, CELLS[name], variants[CELLS[name].deployment])
        for name in ("cors-both", "cors-route-middleware", "cors-single")
    }

    # Expected: /metrics/ for metrics.co.kr alone. The outer layer lets main.co.kr in, and refuses
    # whoever has to ask first.
    assert told["cors-both"]["/metrics/", False] == (origin in {MAIN, METRICS})
    assert told["cors-both"]["/metrics/", True] == (origin == MAIN)
    for preflight in (False, True):
        assert told["cors-route-middleware"]["/metrics/", preflight] == (origin == METRICS)
        assert told["cors-route-middleware"]["/items/", preflight] == (origin == MAIN)
        assert told["cors-single"]["/metrics/", preflight] == (origin in {MAIN, METRICS})


@pytest.mark.parametrize("credentials", ["include", "omit"])
def test_a_cookie_goes_along_where_the_page_asks_for_it(
    page: Page, origin: str, browser: BrowserContext, variants: Endpoints, credentials: str
) -> None:
    begin_at(page, origin)
    cell = next(
        cell for cell in CELLS.values() if cell.scheme is Scheme.HTTPS and "single" in cell.id
    )
    base = variants[cell.deployment].base(cell.scheme)
    browser.add_cookies(
        [{"name": "session", "value": "1", "url": base, "sameSite": "None", "secure": True}]
    )
    [(let_in, body)] = page.evaluate(FETCH, [[(f"{base}/scope", False)], credentials])

    assert let_in == (origin in {MAIN, METRICS})
    assert ("session=1" in body) == (let_in and credentials == "include")
