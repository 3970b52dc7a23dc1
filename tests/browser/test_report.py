"""The report in a real browser: from disk, without a network."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from hoplab.predictions import predict
from hoplab.topology import Cell
from tests.browser import axe, policy
from tests.browser.conftest import new_context, watching
from tests.catalogue import CATALOGUE
from tests.reports import a_run, every_cell, few, hostile, of_own_application, write_page

CELL = "nginx-hypercorn-strip.server-option.proxy.https"
RECIPE = "nginx-uvicorn-strip.server-option.proxy.https"
VIEWS = ["combinations", "variations", "cors", "changes"]
MARKUP = '<img src=x onerror="window.hurt=1"></script><script>window.hurt=1</script><!--\u2028${x}'

SHIFT = """() => new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => { for (const each of list.getEntries()) sum += each.value; })
    .observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(sum), 300)));
})"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two runs, of which the later has a symptom less in each cell that had it."""
    folder = tmp_path_factory.mktemp("report")
    cells = few()
    later = a_run(cells, slash_redirect="")
    names = ["before.json", "after.json"]
    return write_page(folder / "a page.html", a_run(cells[2:]), later, names=names).as_uri()


@pytest.fixture
def page(own: Page) -> Iterator[Page]:
    """One that is watched."""
    with watched(own):
        yield own


@contextmanager
def watched(page: Page) -> Iterator[None]:
    """Fails if the page asks anybody for anything, or logs an error."""
    with watching(page) as seen:
        yield
    assert not [url for url in seen.asked if not url.startswith("file:")]
    assert seen.errors == []


def opened(page: Page, url: str, fragment: str = "") -> Page:
    # A page that is there already would only go to another fragment.
    page.goto("about:blank")
    page.goto(f"{url}#{fragment}")
    return page


def gone(page: Page, fragment: str) -> None:
    """Go from a fragment to another one as a link does, until the page has drawn it."""
    page.evaluate(
        """(fragment) => new Promise((done) => {
          addEventListener("hashchange", () => done(), { once: true });  // after the page's own
          location.hash = fragment;
        })""",
        fragment,
    )


def mark(page: Page, cell: str) -> Locator:
    return page.locator(f'[data-cell="{cell}"]')


def panel(page: Page) -> Locator:
    found = page.locator("#cell")
    expect(found.locator("#findings")).not_to_have_attribute("aria-busy", "true")
    return found


def sections(page: Page) -> dict[str, str]:
    """The panel's parts by their titles."""
    found = panel(page).locator("section").all()
    return {part.locator("h3").inner_text(): part.inner_text() for part in found}


def test_what_check_found_in_an_own_application(page: Page, tmp_path: Path) -> None:
    results = of_own_application()
    url = write_page(tmp_path / "own.html", results).as_uri()
    wrong, right = results.cells[0].cell.id, results.cells[-1].cell.id

    opened(page, url, f"cell={wrong}")
    told = sections(page)

    expect(page.locator("#views a")).to_have_text([re.compile("Your application")])
    assert len(page.locator("button.mark").all()) == len(results.cells)
    assert "fails (2 findings)" in panel(page).inner_text()
    assert "/ leads to\n/items" in told["Why: 2 causes"]
    assert "the path is /items" in told["Why: 2 causes"]
    assert "On the command line" not in told
    assert panel(page).locator("details.finding.fail").count() == 2
    opened(page, url, f"cell={right}&check=urls")
    assert "passes" in panel(page).inner_text()
    assert mark(page, wrong).inner_text() == "ldp"


# --- the grid ---


def test_every_cell_is_in_its_part_and_can_be_told_without_colour(page: Page, report: str) -> None:
    seen: dict[str, str] = {}
    for view in VIEWS[:3]:
        opened(page, report, f"view={view}")
        for each in page.locator("button.mark").all():
            seen[str(each.get_attribute("data-cell"))] = each.inner_text()

    assert set(seen) == {cell.id for cell in few()}
    assert seen[RECIPE] == "✓"
    assert seen[CELL].isascii()
    assert all(seen.values())


def test_a_name_says_which_cell_it_is_and_what_came_of_it(page: Page, report: str) -> None:
    opened(page, report)

    expect(mark(page, RECIPE)).to_have_accessible_name(
        "nginx-uvicorn-strip, server-option, trust proxy, https: passes; recipe"
    )
    expect(mark(page, CELL)).to_have_accessible_name(
        "nginx-hypercorn-strip, server-option, trust proxy, https: fails, mount-unreachable and 4"
        " more; not as predicted; changed"
    )


def test_variations_and_cors_have_parts_of_their_own(page: Page, report: str) -> None:
    opened(page, report)
    page.get_by_role("link", name="Variations").click()
    expect(page.get_by_role("heading", name="nginx-appends")).to_be_visible()

    page.get_by_role("link", name="CORS").click()

    expect(page.get_by_role("heading", name="cors-both")).to_be_visible()
    expect(page.get_by_role("table", name="Which origins may read").first).to_be_visible()
    expect(page.get_by_role("heading", name="nginx-appends")).to_have_count(0)


# --- a cell ---


def test_one_click_shows_the_evidence(page: Page, report: str) -> None:
    opened(page, report)
    mark(page, CELL).click()

    told = sections(page)
    asked = told["Findings"]

    assert page.url.endswith(f"#cell={CELL}")
    expect(panel(page).get_by_role("heading", name=CELL)).to_be_visible()
    assert "mount: mount-unreachable" in told.get("Why", "") + str(told)
    assert "- FORWARDED_ALLOW_IPS=PROXY hypercorn" in told["The smallest fix"]
    assert "root path option only sets root_path" in told["The rules that apply here"]
    assert f"hoplab repro {CELL}" in told["On the command line"]
    assert "client → nginx" in asked
    assert "nginx → hypercorn → application: the ASGI scope" in asked
    assert "nginx → client" in asked
    assert "Host: mysuperapp.com" in asked


def test_a_variation_says_what_it_changes(page: Page, report: str) -> None:
    cell = next(cell.id for cell in few() if cell.variation == "nginx-appends")
    opened(page, report, f"cell={cell}")

    told = sections(page)["The variation nginx-appends"]

    assert "$proxy_add_x_forwarded_for" in told
    assert page.locator("#cell del.line").count()
    expect(mark(page, cell)).to_have_attribute("aria-current", "true")


@pytest.mark.parametrize("options", [{"permissions": ["clipboard-read", "clipboard-write"]}])
def test_the_fix_can_be_copied(page: Page, report: str) -> None:
    opened(page, report, f"cell={CELL}")
    button = page.get_by_role("button", name="Copy the fix")
    button.click()

    expect(button).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("FORWARDED_ALLOW_IPS=PROXY hypercorn app.hypercorn.forwarded_prefix")


def test_a_browser_that_can_not_unpack_shows_all_but_the_evidence(
    reader: Browser, report: str
) -> None:
    with new_context(reader) as context, watched(page := context.new_page()):
        page.add_init_script("delete window.DecompressionStream")
        opened(page, report, f"cell={CELL}")

        told = sections(page)

    assert "it needs DecompressionStream" in told["Findings"]
    assert "hypercorn" in told["The smallest fix"]


# --- filters and addresses ---


def test_a_filter_is_in_the_address_and_the_address_filters(page: Page, report: str) -> None:
    opened(page, report)
    page.get_by_label("server", exact=True).select_option("hypercorn")
    page.get_by_label("mode", exact=True).select_option("strip")
    cells = [
        cell
        for cell in few()
        if not cell.variation and cell.topology.name == "nginx-hypercorn-strip"
    ]
    symptoms = [predict(cell, CATALOGUE) for cell in cells]
    surprising = sum("slash-redirect" in each for each in symptoms)
    passing = sum({"slash-redirect"} >= each.keys() for each in symptoms)
    expect(page.locator("#count")).to_have_text(
        f"18 of 144 cells: {passing} pass, {18 - passing} fail; {surprising} not as predicted"
    )
    address = page.url

    opened(page, address.split("#")[0], address.split("#")[1])

    assert address.endswith("#server=hypercorn&mode=strip")
    assert page.locator("button.mark").count() == 18
    assert page.get_by_label("server", exact=True).input_value() == "hypercorn"
    page.get_by_role("button", name="Clear filters").click()
    expect(page.locator("button.mark")).to_have_count(144)


def test_a_symptom_shows_where_it_is(page: Page, report: str) -> None:
    opened(page, report)
    with_it = [cell for cell in few() if "docs-openapi-404" in told_by_rules(cell)]
    page.get_by_label("symptom", exact=True).select_option("docs-openapi-404")

    shown = page.locator("button.mark:not(.other)")

    expect(shown).to_have_count(sum(not cell.variation for cell in with_it))
    assert set(shown.all_inner_texts()) <= {
        code(page, "docs-openapi-404"),
        code(page, "docs-openapi-404") + "!",
    }


def told_by_rules(cell: Cell) -> set[str]:
    return set(predict(cell, CATALOGUE).values())


def code(page: Page, symptom: str) -> str:
    told: dict[str, str] = json.loads(page.locator("#data").inner_text())["codes"]
    return told[symptom]


def test_a_check_shows_its_own_answers(page: Page, report: str) -> None:
    opened(page, report, "check=slash-redirect")

    assert set(page.locator("button.mark").all_inner_texts()) <= {"✓", "✓!"}


def test_back_goes_back(page: Page, report: str) -> None:
    opened(page, report)
    mark(page, CELL).click()
    expect(panel(page)).to_be_visible()

    page.go_back()

    expect(page.locator("#cell")).to_be_hidden()


# --- two runs ---


def test_what_changed_between_two_runs(page: Page, report: str) -> None:
    opened(page, report, "view=changes")
    told = page.locator(".comparison")

    expect(told.get_by_role("heading")).to_contain_text("before.json")
    row = told.get_by_role("row").filter(has_text="redirect-drops-prefix")
    expect(row).to_contain_text("pass")
    expect(told).to_contain_text("Only in the later run: 2 cells")
    row.locator("summary").click()
    row.get_by_role("button", name=CELL).click()
    assert "slash-redirect: redirect-drops-prefix → pass" in sections(page)["Changed"]


# --- keyboard ---


def test_arrows_go_through_the_grid_and_enter_opens_a_cell(page: Page, report: str) -> None:
    opened(page, report)
    grid = page.get_by_role("grid", name="nginx, strip")
    marks = grid.locator("button")
    assert grid.locator("button[tabindex='0']").count() == 1
    marks.first.focus()

    page.keyboard.press("ArrowRight")
    expect(marks.nth(1)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(marks.nth(5)).to_be_focused()
    page.keyboard.press("End")
    expect(marks.nth(7)).to_be_focused()
    page.keyboard.press("Control+Home")
    expect(marks.first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(marks.first).to_be_focused()
    page.keyboard.press("Control+End")
    expect(marks.last).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#cell")).to_be_focused()
    page.keyboard.press("Escape")
    expect(marks.last).to_be_focused()
    expect(page.locator("#cell")).to_be_hidden()


def test_tab_goes_from_one_grid_to_the_next(page: Page, report: str) -> None:
    opened(page, report)
    page.get_by_role("grid", name="nginx, strip").locator("button").first.focus()
    page.keyboard.press("Tab")

    expect(page.get_by_role("grid", name="nginx, preserve").locator("button").first).to_be_focused()


# --- what others wrote ---


@pytest.fixture
def attacked(tmp_path: Path) -> str:
    cell = next(cell for cell in CATALOGUE.product if cell.id == CELL)
    runs = [hostile(cell, MARKUP), hostile(cell, MARKUP)]
    return write_page(tmp_path / "page.html", *runs, names=[MARKUP, MARKUP]).as_uri()


def test_what_came_from_a_result_is_text(page: Page, attacked: str) -> None:
    for fragment in ("", f"cell={CELL}", "view=changes", f"symptom={MARKUP}", f"cell={MARKUP}"):
        opened(page, attacked, fragment)
        expect(page.locator("#runs")).to_contain_text(": 1 cell on <img")
    opened(page, attacked, f"cell={CELL}")
    for each in panel(page).locator("details").all():
        each.evaluate("element => { element.open = true }")
    told = panel(page).inner_text()

    assert told.count("<img src=x onerror=") >= 8, told
    assert "</script><script>" in told
    assert "${x}" in told
    assert page.title() == f"hoplab: {MARKUP}, {MARKUP}"
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 4
    assert page.evaluate("window.hurt") is None


def test_the_policy_forbids_what_is_not_the_page_s_own(reader: Browser, report: str) -> None:
    with new_context(reader) as context:
        policy.forbids_what_is_not_its_own(opened(context.new_page(), report))


# --- for everybody ---


@pytest.mark.parametrize("width", [360, 1024, 1920])
def test_axe_finds_nothing(reader: Browser, report: str, width: int) -> None:
    varied = next(cell.id for cell in few() if cell.variation == "nginx-appends")
    with axe.context(reader, width) as context:
        # Once, for axe-core takes most of its time in a page that has never run it.
        page = opened(context.new_page(), report)
        for fragment in [
            *(f"view={view}" for view in VIEWS),
            f"cell={CELL}",
            f"cell={varied}",
            "symptom=docs-openapi-404",
        ]:
            gone(page, fragment)
            if fragment.startswith("cell="):
                panel(page)

            assert axe.by_scheme(page) == {"light": [], "dark": []}, fragment


def test_axe_would_find_something(reader: Browser, report: str) -> None:
    with axe.context(reader, 1280) as context:
        page = context.new_page()
        opened(page, report)
        page.evaluate("document.querySelector('label[for=filter-proxy]').remove()")
        page.evaluate("document.getElementById('count').style.color = '#333'")

        found = axe.by_scheme(page)

    assert {told.partition(":")[0] for told in found["light"]} == {"select-name"}
    assert {told.partition(":")[0] for told in found["dark"]} == {"color-contrast"}


@pytest.mark.parametrize("width", [360, 1024, 1920])
def test_nothing_sticks_out_and_nothing_shifts(reader: Browser, report: str, width: int) -> None:
    page = reader.new_page(viewport={"width": width, "height": 800})
    for fragment in [*(f"view={view}" for view in VIEWS), f"cell={CELL}"]:
        opened(page, report, fragment)

        assert page.evaluate(SHIFT) == 0, fragment
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), fragment
    panel(page)
    for each in page.locator("#cell pre").all():
        box = each.bounding_box()
        assert box is None or box["x"] + box["width"] <= width
    page.close()


@pytest.mark.parametrize("options", [{"reduced_motion": "reduce"}])
def test_no_motion_for_those_who_want_none(page: Page, report: str) -> None:
    opened(page, report)

    moving = "getComputedStyle(document.querySelector('button.mark')).transitionDuration"
    assert page.evaluate(moving) == "0s"


@pytest.mark.parametrize("options", [{"viewport": {"width": 1000, "height": 900}}])
def test_on_paper_there_are_grids_and_no_controls(page: Page, report: str) -> None:
    opened(page, report)
    page.pdf()  # which tells the page that it is printed
    page.emulate_media(media="print")

    expect(page.locator("#symptoms li").first).to_be_visible()

    expect(page.locator("#filters")).to_be_hidden()
    expect(page.locator("#views")).to_be_hidden()
    expect(mark(page, CELL)).to_be_visible()
    expect(page.locator("#runs")).to_contain_text("2026-11-20 08:00:00 UTC")
    expect(page.locator("#runs")).to_contain_text("fastapi 0.165.0")


# --- size and time ---


def test_the_whole_matrix_and_cors_is_small_and_usable_at_once(
    reader: Browser, tmp_path: Path
) -> None:
    file = write_page(tmp_path / "page.html", a_run(every_cell()))
    page = reader.new_page(viewport={"width": 1920, "height": 1080})
    opened(page, file.as_uri())
    expect(page.locator("button.mark")).to_have_count(len(CATALOGUE.product))

    usable = page.evaluate("performance.getEntriesByName('usable')[0].startTime")
    painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    mark(page, CELL).click()
    expect(panel(page)).to_contain_text("client → nginx")

    assert file.stat().st_size <= 3_000_000
    assert max(usable, painted) <= 1000
    page.close()
