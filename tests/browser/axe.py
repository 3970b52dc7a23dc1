"""What axe-core finds on hoplab's own pages."""

from collections.abc import Sequence
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.conftest import new_context

COLOURS = ("color-contrast", "link-in-text-block")
"""The rules that look at colours."""

_SCRIPT = Axe().axe_script


def context(reader: Browser, width: int) -> BrowserContext:
    """One of whose pages axe can judge a state: colours in transition are none."""
    size = {"width": width, "height": 900}
    return new_context(reader, viewport=size, reduced_motion="reduce", bypass_csp=True)


def by_scheme(page: Page) -> dict[str, list[str]]:
    """What is violated in each colour scheme. Dark has other colours, and nothing else."""
    page.emulate_media(color_scheme="light")
    light = _violations(page)
    page.emulate_media(color_scheme="dark")
    return {"light": light, "dark": _violations(page, COLOURS)}


def _violations(page: Page, rules: Sequence[str] = ()) -> list[str]:
    """Each rule of these, or of all, that is violated, and the first place where."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(_SCRIPT)
    # Of what is well nobody reads anything, and of what is violated nobody the selectors.
    options: dict[str, Any] = {"resultTypes": ["violations"], "selectors": False}
    if rules:
        options["runOnly"] = rules
    found: list[str] = page.evaluate(
        """async (options) => (await axe.run(options)).violations
          .map(({ id, nodes }) => `${id}: ${nodes[0].html}`)""",
        options,
    )
    return found
