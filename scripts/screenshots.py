"""Makes the pictures of docs/images/ from a report, and prints how large and how fast the page is.

Run it by `make screenshots`. With --check, only says whether the page's files have changed since
(exit 1): not pixels are compared, which differ with each machine's fonts.
"""

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from hoplab.report.page.document import fingerprint
from hoplab.workspace import checkout

IMAGES = checkout().root / "docs/images"
FINGERPRINT = IMAGES / "report.sha256"
CELL = "cell=nginx-hypercorn-strip.server-option.proxy.https"
PICTURES = {
    "report-light.png": ("light", 1440, 860, CELL),
    "report-dark.png": ("dark", 1440, 860, "view=cors"),
    "report-narrow.png": ("light", 360, 760, CELL),
}
"""Colour scheme, width and height, and what stands after the # of the address."""


def main(arguments: list[str]) -> int:
    """Take the pictures of the report that is named, or compare."""
    if arguments == ["--check"]:
        fresh = FINGERPRINT.exists() and FINGERPRINT.read_text().strip() == fingerprint()
        if not fresh:
            print("docs/images: the page has changed since: make screenshots", file=sys.stderr)
        return 0 if fresh else 1
    if len(arguments) != 1 or not Path(arguments[0]).is_file():
        print("usage: screenshots.py REPORT.html, or --check", file=sys.stderr)
        return 2
    report = Path(arguments[0]).resolve()
    program = (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    )
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        for name, (scheme, width, height, fragment) in PICTURES.items():
            page = browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme="dark" if scheme == "dark" else "light",
            )
            page.goto(f"{report.as_uri()}#{fragment}")
            if fragment == CELL:
                page.locator("#findings details").first.wait_for()
            page.screenshot(path=IMAGES / name)
            usable = page.evaluate("performance.getEntriesByName('usable')[0].startTime")
            print(f"{name}: {report.stat().st_size / 1e6:.1f} MB, usable after {usable:.0f} ms")
            page.close()
        browser.close()
    FINGERPRINT.write_text(fingerprint() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
