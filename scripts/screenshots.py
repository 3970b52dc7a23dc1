"""Makes the pictures of docs/images/: of a report, and of the live page of a lab that it starts.

Run it by `make screenshots`. Without a report, it makes those of the live page alone. With --check,
it only says whether the pages' files have changed since (exit 1): not pixels are compared, which
differ with each machine's fonts.
"""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from hoplab.catalogue import load
from hoplab.commands.live import demo
from hoplab.commands.live.demo import Demo
from hoplab.commands.live.model import State
from hoplab.commands.session import Session
from hoplab.report.live.document import fingerprint as live_fingerprint
from hoplab.report.page.document import fingerprint
from hoplab.report.progress import Progress
from hoplab.system import interrupts
from hoplab.workspace import checkout

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

IMAGES = checkout().root / "docs/images"
FINGERPRINTS = {"report.sha256": fingerprint, "live.sha256": live_fingerprint}
CELL = "cell=nginx-hypercorn-strip.server-option.proxy.https"
PICTURES = {
    "report-light.png": ("light", 1440, 860, CELL),
    "report-dark.png": ("dark", 1440, 860, "view=cors"),
    "report-narrow.png": ("light", 360, 760, CELL),
}
"""Colour scheme, width and height, and what stands after the # of the address."""

TOPOLOGY, OTHER, BROKEN = "nginx-uvicorn-strip", "nginx-hypercorn-strip", "nginx-bare"
ITEMS = {"topology": TOPOLOGY, "path": "/api/v1/items?q=1"}


@dataclass(frozen=True)
class Picture:
    """A picture of the live page. change: to what TOPOLOGY is changed before; "" is its recipe."""

    scheme: str
    width: int
    height: int
    told: dict[str, str]
    change: str = ""


LIVE = {
    "live-request.png": Picture("light", 1440, 900, ITEMS),
    "live-narrow.png": Picture("dark", 360, 760, ITEMS),
    "live-predict.png": Picture("light", 1440, 900, {**ITEMS, "predict": "1"}, BROKEN),
    "live-broken.png": Picture("light", 1440, 900, ITEMS, BROKEN),
    "live-beside.png": Picture("dark", 1440, 900, {**ITEMS, "beside": OTHER}, BROKEN),
    "live-fixed.png": Picture("light", 1440, 900, ITEMS),
}
"""In this order, of one lab."""

PORT = 9901


def main(arguments: Sequence[str]) -> int:
    """Take the pictures, or compare."""
    if arguments == ["--check"]:
        return _check()
    if len(arguments) > 1 or not all(Path(each).is_file() for each in arguments):
        print("usage: screenshots.py [REPORT.html], or --check", file=sys.stderr)
        return 2
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - the tests need none

    interrupts.install()
    program = (
        os.environ.get("CHROMIUM")
        or shutil.which("chromium")
        or shutil.which("google-chrome")
        or shutil.which("chromium-headless-shell")
    )
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        for each in arguments:
            _of_report(browser, Path(each).resolve())
        _of_live(browser)
        browser.close()
    return 0


def _check() -> int:
    stale = [
        name
        for name, made in FINGERPRINTS.items()
        if not (IMAGES / name).exists() or (IMAGES / name).read_text().strip() != made()
    ]
    for name in stale:
        print(f"docs/images/{name}: the page has changed since: make screenshots", file=sys.stderr)
    return 1 if stale else 0


@contextmanager
def _page(browser: "Browser", scheme: str, width: int, height: int) -> "Iterator[Page]":
    page = browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    yield page
    page.close()


def _of_report(browser: "Browser", report: Path) -> None:
    for name, (scheme, width, height, fragment) in PICTURES.items():
        with _page(browser, scheme, width, height) as page:
            page.goto(f"{report.as_uri()}#{fragment}")
            if fragment == CELL:
                page.locator("#findings details").first.wait_for()
            page.screenshot(path=IMAGES / name)
            usable = page.evaluate("performance.getEntriesByName('usable')[0].startTime")
            print(f"{name}: {report.stat().st_size / 1e6:.1f} MB, usable after {usable:.0f} ms")
    (IMAGES / "report.sha256").write_text(fingerprint() + "\n")


def _of_live(browser: "Browser") -> None:
    catalogue = load(checkout())
    with (
        Progress() as progress,
        demo.running(Session(catalogue, progress), catalogue.topologies, PORT) as running,
    ):
        for name, picture in LIVE.items():
            state = next(s for s in running.lab.states() if s.topology == TOPOLOGY)
            if picture.change and not state.change:
                running.lab.change(TOPOLOGY, picture.change)
            elif state.change and not picture.change:
                running.lab.fix(TOPOLOGY)
            _settled(running)
            fragment = "&".join(
                f"{key}={quote(told, safe='')}" for key, told in picture.told.items()
            )
            with _page(browser, picture.scheme, picture.width, picture.height) as page:
                page.goto(f"{running.site.url}#{fragment}")
                page.locator(".step").first.wait_for()
                if picture.told.get("predict"):
                    page.get_by_role("button", name="Next step").click()
                if picture.width < 1000:  # noqa: PLR2004 - a telephone: its first screen has no way
                    page.locator("#ways").scroll_into_view_if_needed()
                    page.locator("#ways").evaluate("each => each.scrollIntoView()")
                page.screenshot(path=IMAGES / name)
                print(f"{name}: {page.locator('#asked').inner_text()}")
    (IMAGES / "live.sha256").write_text(live_fingerprint() + "\n")


def _settled(running: Demo) -> None:
    """Wait until all that is up was asked."""
    revision = -1
    while not all(s.state is State.UP and s.results and not s.asking for s in running.lab.states()):
        interrupts.check()
        for state in running.lab.states():
            if state.state is State.DOWN:
                raise SystemExit(f"{state.topology}: {state.message}")
        revision = running.lab.wait(revision, 1.0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
