"""The live page in a real browser, over a lab whose answers the tests choose."""

import json
import socket
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from hoplab.client.trace import Hop, Request, Trace
from hoplab.client.wire import Exchange
from hoplab.commands.live.demo_file import Site
from hoplab.commands.live.model import Change, State
from hoplab.commands.live.server import serving
from hoplab.results import Finding, Verdict
from hoplab.topology import Scheme
from tests.browser import axe, policy
from tests.browser.conftest import new_context, watching
from tests.catalogue import CATALOGUE
from tests.live import PREFIX, FakeLab, a_result, served

NGINX = "nginx-uvicorn-strip"
OTHER = "nginx-hypercorn-strip"
ITEMS = f"{PREFIX}/items?q=1"
MARKUP = '<img src=x onerror="window.hurt=1"></script><script>window.hurt=1</script><!--'

SHIFTS = """() => {
  window.shifted = [];
  const name = ({ node }) => node && (node.id || node.className || node.textContent);
  new PerformanceObserver((list) => {
    for (const each of list.getEntries()) window.shifted.push(...each.sources.map(name));
  }).observe({ type: "layout-shift", buffered: true });
}"""
"""Those within half a second of a click count as well: nothing of what stands may move."""


@pytest.fixture
def page(own: Page, site: Site) -> Iterator[Page]:
    """A page whose test fails if it asks anybody but its server, or logs an error."""
    with watching(own) as seen:
        yield own
    assert not [url for url in seen.asked if not url.startswith((site.url, "about:"))]
    # A request that is no request is a 400, which Chromium logs.
    assert [error for error in seen.errors if "status of 400" not in error] == []


def opened(page: Page, site: Site, **told: str) -> Page:
    """The page at an address, when it is live."""
    fragment = "&".join(f"{name}={quote(value, safe='')}" for name, value in told.items())
    # A page that is there already would only go to another fragment.
    page.goto("about:blank")
    page.goto(f"{site.url}#{fragment}")
    expect(page.locator("#connection")).to_have_text("Live")
    expect(page.locator("main")).to_be_visible()
    return page


def tile(page: Page, topology: str) -> Locator:
    return page.locator(f'[data-topology="{topology}"]')


def step(page: Page, name: str, number: int = 0) -> Locator:
    """A message by its heading, `client → nginx`."""
    heading = page.locator(".arrow", has=page.get_by_text(name, exact=True))
    return page.locator(".step").filter(has=heading).nth(number)


def telling(page: Page, name: str) -> None:
    page.get_by_role("group", name="Example requests").get_by_role(
        "button", name=name, exact=True
    ).click()


# --- the topologies ---


def test_every_topology_has_its_verdict_in_words(page: Page, site: Site) -> None:
    opened(page, site)

    for topology in CATALOGUE.topologies:
        expect(tile(page, topology.name)).to_have_accessible_name(f"{topology.name}: passes")
    expect(page.get_by_role("table", name="Topologies")).to_be_visible()


def test_verdicts_follow_by_themselves(page: Page, site: Site, lab: FakeLab) -> None:
    opened(page, site, topology=OTHER)
    results = [
        a_result(lab.topologies[OTHER], scheme, {"docs": "docs-openapi-404"}) for scheme in Scheme
    ]
    lab.alter(OTHER, asking=True)
    expect(tile(page, OTHER)).to_contain_text("asking again")

    lab.alter(OTHER, asking=False, results=results, changed_checks=["docs"])

    expect(tile(page, OTHER)).to_contain_text("1 check fails")
    expect(tile(page, OTHER)).to_contain_text("1 finding changed")
    found = page.get_by_role("group", name="Findings")
    expect(found).to_contain_text("https: 1 finding")
    expect(found.locator("summary").first).to_contain_text("docs: docs-openapi-404 changed")
    found.locator("summary").first.click()
    expect(found).to_contain_text("detail of docs")
    expect(found).to_contain_text("Why: ")


def test_what_was_killed_is_fixed_and_not_broken(page: Page, site: Site, lab: FakeLab) -> None:
    opened(page, site, topology=NGINX)
    lab.alter(NGINX, state=State.DOWN, message="nginx: killed by signal 9")

    page.get_by_role("button", name="Fix it").click()

    expect(page.locator("#alter")).to_be_enabled()
    assert lab.called == [("fix", NGINX)]


@pytest.mark.parametrize(
    ("state", "tile_says", "panel_says"),
    [
        (State.STARTING, "starting", ""),
        (State.DOWN, "down", "Down. nginx: killed by signal 9"),
        (
            State.REFUSED,
            "refused",
            "Refused; the last good files keep running. nginx: killed by signal 9",
        ),
    ],
)
def test_what_does_not_run_is_said_in_its_own_words(
    page: Page, site: Site, lab: FakeLab, state: State, tile_says: str, panel_says: str
) -> None:
    opened(page, site, topology=NGINX)

    lab.alter(NGINX, state=state, message="nginx: killed by signal 9" if panel_says else "")

    expect(tile(page, NGINX)).to_contain_text(tile_says)
    expect(page.locator("#findings")).to_contain_text(panel_says)


# --- the way of a request ---


def test_a_request_is_drawn_from_hop_to_hop_and_back(page: Page, site: Site) -> None:
    opened(page, site, topology=NGINX)

    telling(page, "a redirect")

    expect(step(page, "client → nginx")).to_contain_text(f"GET {ITEMS} HTTP/1.1")
    expect(step(page, "nginx → uvicorn")).to_contain_text("GET /items?q=1 HTTP/1.1")
    expect(step(page, "uvicorn → application")).to_contain_text('root_path: "/api/v1"')
    expect(step(page, "application derives")).to_contain_text("asked right after")
    expect(step(page, "nginx ← uvicorn")).to_contain_text("HTTP/1.1 307")
    expect(step(page, "client ← nginx")).to_contain_text("location: https://mysuperapp.com:9497")
    leads = page.locator(".leads")
    expect(leads).to_contain_text(f"{PREFIX}/items/?q=1 → ✓ 200 from the application")
    expect(page.locator("#asked")).to_contain_text("307, after ")
    headings = page.locator(".step .arrow").all_inner_texts()
    assert len(headings) == 6


def test_what_changed_since_the_hop_before_has_a_sign_and_a_name(page: Page, site: Site) -> None:
    opened(page, site, topology=NGINX)

    telling(page, "forged")

    forwarded = step(page, "nginx → uvicorn")
    line = forwarded.locator(".entry")
    expect(line.first.get_by_role("img", name="overwritten")).to_have_text("~")
    expect(line.first).to_contain_text(f"was GET {PREFIX}/scope HTTP/1.1")
    prefix = line.filter(has_text="X-Forwarded-Prefix")
    expect(prefix.get_by_role("img", name="dropped")).to_have_text("\N{MINUS SIGN}")
    told = line.filter(has_text="X-Forwarded-For")
    expect(told.get_by_role("img", name="overwritten")).to_be_visible()
    expect(told).to_contain_text("127.0.0.9 was 203.0.113.7")
    telling(page, "a route")
    added = step(page, "nginx → uvicorn").locator(".entry").filter(has_text="X-Forwarded-For")
    expect(added.get_by_role("img", name="added")).to_have_text("+")


def test_it_is_there_within_a_second_of_the_click(page: Page, site: Site) -> None:
    """Asking costs nothing here: this is what the page itself and its server need."""
    opened(page, site, topology=NGINX)
    took = page.evaluate(
        """async () => {
          const began = performance.now();
          document.querySelector("[data-telling='a redirect']").click();
          while (!document.querySelector(".step")) await new Promise(requestAnimationFrame);
          return performance.now() - began;
        }"""
    )

    assert took < 1000


def test_what_was_not_measured_is_not_shown(page: Page, site: Site) -> None:
    opened(page, site, topology=NGINX)

    telling(page, "no prefix")

    expect(step(page, "client ← nginx")).to_contain_text("nginx answers by itself")
    assert page.locator(".step").count() == 2


def test_one_s_own_request_is_sent_as_it_was_typed(page: Page, site: Site, lab: FakeLab) -> None:
    opened(page, site, topology=NGINX)
    page.get_by_label("Scheme").select_option("http")
    page.get_by_label("Method").select_option("POST")
    page.get_by_label("Path").fill("/api/v1/a%2Fb?x=1")
    page.get_by_label("Headers, one per line").fill("X-One: 1\n  x-two:2  \n\n")

    page.get_by_role("button", name="Send").click()

    expect(step(page, "client → nginx")).to_contain_text("POST /api/v1/a%2Fb?x=1 HTTP/1.1")
    _, scheme, request = lab.asked[0]
    assert scheme is Scheme.HTTP
    assert request == Request("POST", "/api/v1/a%2Fb?x=1", (("X-One", "1"), ("x-two", "2")))


def test_the_same_again_is_asked_again(page: Page, site: Site, lab: FakeLab) -> None:
    opened(page, site, topology=NGINX, path=f"{PREFIX}/scope")
    expect(page.locator("#asked")).to_contain_text("200, after")

    with page.expect_response("**/trace"):
        page.get_by_role("button", name="Send").click()

    expect(page.locator("#asked")).to_contain_text("200, after")
    assert [each[2].path for each in lab.asked] == [f"{PREFIX}/scope"] * 2


def test_a_request_that_is_none_is_refused_in_one_line(page: Page, site: Site) -> None:
    opened(page, site, topology=NGINX)
    page.get_by_label("Path").fill("items")

    page.get_by_role("button", name="Send").click()

    expect(page.locator("#asked")).to_contain_text("'items' is not a path. It begins with a slash")
    assert page.locator(".step").count() == 0


def test_two_topologies_stand_side_by_side_with_their_differences(page: Page, site: Site) -> None:
    opened(page, site, topology=NGINX, path=ITEMS)
    expect(page.locator(".way")).to_have_count(1)

    page.get_by_label("Side by side with").select_option(OTHER)

    expect(page.locator(".way")).to_have_count(2)
    scopes = page.locator(".step.scope")
    expect(scopes).to_have_count(2)
    for scope in scopes.all():
        marked = scope.locator(
            ".entry", has=page.get_by_role("img", name="differs from the other topology")
        )
        expect(marked).to_have_count(1)
        expect(marked).to_contain_text("path:")
    tops = page.locator(".step.answer").evaluate_all(
        "all => all.map(each => Math.round(each.getBoundingClientRect().top))"
    )
    assert tops[:2] == tops[2:], "equal messages are at equal heights"
    expect(tile(page, OTHER)).to_have_accessible_name(f"{OTHER}: passes; shown side by side")


def test_one_that_is_down_hides_nothing_of_the_other(page: Page, site: Site, lab: FakeLab) -> None:
    lab.refusing = {OTHER: "nginx is down: start it again"}

    opened(page, site, topology=NGINX, beside=OTHER, path=ITEMS)

    expect(page.locator(".way").first).to_contain_text("HTTP/1.1 307")
    expect(page.locator(".way").nth(1)).to_contain_text("nginx is down: start it again")


# --- break and fix ---


def test_it_is_broken_and_fixed_and_the_verdict_follows(
    page: Page, site: Site, lab: FakeLab
) -> None:
    opened(page, site, topology=NGINX)
    page.get_by_label("Wrong configuration").select_option("nginx-bare")
    diff = page.get_by_role("group", name="The change as a diff")
    expect(diff.locator("del")).to_have_text("-proxy_set_header Host $host;")
    expect(page.locator("#change-about")).to_contain_text("as it is copied most")

    page.get_by_role("button", name="Break it").click()

    expect(tile(page, NGINX)).to_contain_text("1 check fails")
    expect(tile(page, NGINX)).to_contain_text("nginx-bare")
    expect(page.locator("#findings")).to_contain_text("slash-redirect: redirect-wrong-scheme")
    expect(page.get_by_role("group", name="Applied: nginx-bare")).to_be_visible()
    expect(page.get_by_label("Wrong configuration")).to_be_disabled()

    page.get_by_role("button", name="Fix it").click()

    expect(tile(page, NGINX)).to_have_accessible_name(f"{NGINX}: passes, 1 finding changed")
    expect(page.locator("#findings")).to_contain_text("Passes now: slash-redirect.")
    assert lab.called == [("change", NGINX, "nginx-bare"), ("fix", NGINX)]


def test_what_can_not_be_changed_is_said(page: Page, site: Site, lab: FakeLab) -> None:
    opened(page, site, topology=NGINX)
    expect(page.get_by_role("button", name="Break it")).to_be_enabled()
    lab.unwilling = "nginx is being changed already: wait for it."

    page.get_by_role("button", name="Break it").click()

    expect(page.locator("#said")).to_have_text("nginx is being changed already: wait for it.")


def test_a_change_from_the_command_line_shows_as_well(page: Page, site: Site, lab: FakeLab) -> None:
    opened(page, site, topology=OTHER)

    lab.change(OTHER, "nginx-bare")

    expect(tile(page, OTHER)).to_contain_text("nginx-bare")
    expect(page.get_by_role("button", name="Fix it")).to_be_visible()


# --- predict first ---


def test_nothing_is_given_away_until_somebody_asks(page: Page, site: Site, lab: FakeLab) -> None:
    opened(page, site, topology=NGINX)
    page.get_by_label("Predict first").check()
    expect(tile(page, NGINX)).to_have_accessible_name(f"{NGINX}: hidden")
    lab.change(NGINX, "nginx-bare")
    expect(tile(page, NGINX)).to_have_accessible_name(f"{NGINX}: hidden, changed to nginx-bare")
    expect(page.locator("#findings")).not_to_contain_text("redirect")
    assert "redirect-wrong" not in page.locator("main").inner_html()

    page.get_by_role("button", name="Show the verdict").click()

    expect(tile(page, NGINX)).to_contain_text("1 check fails")
    expect(tile(page, OTHER)).to_contain_text("hidden")
    expect(page.locator("#findings")).to_contain_text("redirect-wrong-scheme")
    lab.fix(NGINX)
    expect(tile(page, NGINX)).to_have_accessible_name(f"{NGINX}: hidden")
    page.get_by_role("button", name="Show all verdicts").click()
    expect(tile(page, OTHER)).to_contain_text("passes")


def test_the_way_is_shown_step_by_step(page: Page, site: Site) -> None:
    opened(page, site, topology=NGINX, predict="1")

    telling(page, "a redirect")

    expect(page.locator("#asked")).to_have_text("Answered. What did it say? 1 of 6 steps shown.")
    assert "307" not in page.locator("main").inner_text()
    page.get_by_label("Your prediction").fill("a 307 to http")
    next_step = page.get_by_role("button", name="Next step")
    next_step.click()
    expect(page.locator(".step")).to_have_count(2)
    page.keyboard.press("Enter")  # it still has the focus
    expect(page.locator(".step")).to_have_count(3)
    expect(page.locator(".leads")).to_have_count(0)
    page.get_by_role("button", name="Show all", exact=True).click()
    expect(page.locator(".step")).to_have_count(6)
    expect(page.locator(".leads")).to_be_visible()
    expect(page.locator("#asked")).to_contain_text("307, after")
    expect(page.get_by_label("Your prediction")).to_have_value("a 307 to http")


# --- addresses ---


def test_an_address_shows_the_same_again(page: Page, site: Site) -> None:
    opened(page, site, topology=OTHER)
    page.get_by_label("Side by side with").select_option(NGINX)
    telling(page, "forged")
    expect(page.locator(".way")).to_have_count(2)
    address = page.url

    page.goto("about:blank")
    page.goto(address)

    expect(page.locator(".way")).to_have_count(2)
    expect(page.locator(".way h3").first).to_contain_text(OTHER)
    expect(page.get_by_label("Headers, one per line")).to_have_value(
        "X-Forwarded-For: 203.0.113.7\nX-Forwarded-Proto: ftp\nX-Forwarded-Host: evil.example\n"
        "X-Forwarded-Prefix: /evil"
    )
    pressed = page.locator("[data-telling][aria-pressed='true']")
    expect(pressed).to_have_text("forged")


def test_back_goes_back(page: Page, site: Site) -> None:
    opened(page, site, topology=NGINX)
    telling(page, "a redirect")
    expect(page.locator("#asked")).to_contain_text("307")
    telling(page, "the scope")
    expect(page.locator("#asked")).to_contain_text("200")

    page.go_back()

    expect(page.locator("#asked")).to_contain_text("307")
    expect(page.get_by_label("Path")).to_have_value(ITEMS)


def test_an_address_alone_sends_nothing_that_may_change_something(
    page: Page, site: Site, lab: FakeLab
) -> None:
    opened(page, site, topology=NGINX, method="POST", path=f"{PREFIX}/echo")

    expect(page.get_by_label("Path")).to_have_value(f"{PREFIX}/echo")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#asked")).to_contain_text("200")
    assert [each[2].path for each in lab.asked] == [f"{PREFIX}/echo", f"{PREFIX}/scope"]


@pytest.mark.parametrize("fragment", ["%", "topology=%E0%A4%A", "topology=nowhere", "x=1&&=&="])
def test_an_address_that_says_nothing_shows_the_page(page: Page, site: Site, fragment: str) -> None:
    page.goto(f"{site.url}#{fragment}")

    expect(page.locator("#chosen-title")).to_have_text(CATALOGUE.topologies[0].name)


# --- the server goes and comes ---


def test_a_lost_connection_is_said_and_recovers(reader: Browser) -> None:
    """Another run of the server has another token: the page gets it, and keeps its address."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    page = reader.new_page()
    lab = FakeLab()
    with serving(lab, CATALOGUE, port) as site:
        opened(page, site, topology=NGINX, path=ITEMS)
        expect(page.locator(".step")).to_have_count(6)

    expect(page.locator("#connection")).to_contain_text("Connection lost")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#asked")).to_contain_text("hoplab does not answer")

    lab = FakeLab()
    with serving(lab, CATALOGUE, port):
        expect(page.locator("#connection")).to_have_text("Live", timeout=15_000)
        expect(page.locator(".step")).to_have_count(6)
        page.get_by_role("button", name="Break it").click()
        expect(tile(page, NGINX)).to_contain_text("1 check fails")
        page.close()


# --- what others wrote ---


def hostile(_topology: str, _scheme: Scheme, request: Request) -> Trace:
    """Every text of an answer that somebody else chose is markup."""
    told = json.dumps({MARKUP: MARKUP, "path": MARKUP})
    headers = [(MARKUP, MARKUP), ("Location", f"https://x/{MARKUP}"), ("X-ASGI-Scope", told)]
    body = json.dumps({"url": MARKUP, "base_url": MARKUP, "url_for": MARKUP}).encode()
    url = f"https://{MARKUP}:9497{request.path}"
    exchange = Exchange(MARKUP, url, [(MARKUP, MARKUP)], 307, headers, body)
    lines = [f"GET {MARKUP} HTTP/1.1", f"X: {MARKUP}"]
    return Trace(exchange, [Hop(lines, [f"HTTP/1.1 307 {MARKUP}", f"Y: {MARKUP}"])])


def test_what_others_wrote_is_text(page: Page, site: Site, lab: FakeLab) -> None:
    lab.answer = hostile
    lab.more = [
        Change(MARKUP, f"`{MARKUP}` {MARKUP}", [f"--- {MARKUP}", f"+{MARKUP}", f"-{MARKUP}"])
    ]
    finding = Finding(MARKUP, Verdict.FAIL, MARKUP, MARKUP)
    result = a_result(lab.topologies[NGINX], Scheme.HTTPS, {})
    lab.alter(
        NGINX,
        state=State.REFUSED,
        message=MARKUP,
        change=lab.more[0],
        changed_checks=[MARKUP],
        urls={Scheme.HTTPS: f"https://127.0.0.1:1/{MARKUP}", Scheme.HTTP: "javascript:alert(1)"},
        results=[type(result)(result.cell, recipe=True, findings=[finding])],
    )
    told = {"topology": NGINX, "beside": OTHER, "path": "/<img/src=x>", "headers": f"X: {MARKUP}"}
    opened(page, site, **told)
    expect(page.locator(".way")).to_have_count(2)
    page.locator("#findings summary").first.click()

    shown = page.locator("body").inner_text()

    assert shown.count("<img src=x onerror=") >= 20, shown
    assert "</script><script>" in shown
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 1
    assert page.locator("a[href^='javascript']").count() == 0
    assert page.evaluate("window.hurt") is None
    page.get_by_label("Side by side with").select_option(index=0)
    expect(page.locator(".way")).to_have_count(1)
    assert page.evaluate("window.hurt") is None


def test_an_address_is_text_as_well(page: Page, site: Site, lab: FakeLab) -> None:
    for name in ("topology", "beside", "scheme", "method", "path", "headers", "predict", MARKUP):
        opened(page, site, **{"path": ITEMS, name: MARKUP})
        expect(page.locator("#asked")).not_to_be_empty()

        assert page.locator("img").count() == 0
        assert page.evaluate("window.hurt") is None
    assert lab.called == []


def test_another_origin_can_neither_read_nor_change(
    reader: Browser, site: Site, lab: FakeLab
) -> None:
    """A page of another server on this machine, as any that a person has open."""
    with served(FakeLab()) as other:
        page = reader.new_page(bypass_csp=True)
        page.goto(other.url)
        found = page.evaluate(
            """async ([url, token]) => {
              const got = {};
              const outcome = (promise) => promise.then((answer) => answer.type, () => "refused");
              got.page = await outcome(fetch(url));
              got.events = await outcome(fetch(url + "events"));
              got.blind = await outcome(fetch(url + "fix", {
                method: "POST", mode: "no-cors", body: '{"topology": "nginx-uvicorn-strip"}' }));
              got.known = await outcome(fetch(url + "fix", {
                method: "POST", body: '{"topology": "nginx-uvicorn-strip"}',
                headers: { "X-Hoplab-Token": token, "Content-Type": "application/json" } }));
              const frame = document.createElement("iframe");
              frame.src = url;
              document.body.append(frame);
              await new Promise((done) => { frame.onload = done; });
              try { got.frame = frame.contentDocument && "read"; } catch { got.frame = "refused"; }
              return got;
            }""",
            [site.url, site.token],
        )
        page.close()

    assert found["page"] == "refused"
    assert found["events"] == "refused"
    assert found["known"] == "refused"
    assert found["frame"] != "read"
    assert lab.called == []


def test_the_policy_forbids_what_is_not_the_page_s_own(reader: Browser, site: Site) -> None:
    with new_context(reader) as context:
        policy.forbids_what_is_not_its_own(opened(context.new_page(), site))


# --- for everybody ---


def test_all_of_it_works_with_the_keyboard(page: Page, site: Site, lab: FakeLab) -> None:
    opened(page, site)
    focused = """() => {
      const has = document.activeElement;
      return has.getAttribute("aria-label") || has.id || has.textContent;
    }"""
    seen: list[str] = []
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(focused))
        if seen[-1] == "send":
            break
    for wanted in (
        "predict",
        "change",
        "alter",
        "findings",
        "docs",
        "scheme",
        "method",
        "path",
        "headers",
        "beside",
    ):
        assert wanted in seen
    assert f"{NGINX}: passes" in seen

    tile(page, NGINX).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#chosen-title")).to_have_text(NGINX)
    expect(tile(page, NGINX)).to_be_focused()
    lab.alter(OTHER, asking=True)
    expect(tile(page, OTHER)).to_contain_text("asking again")
    expect(tile(page, NGINX)).to_be_focused()
    page.get_by_label("Path").focus()
    page.keyboard.type(ITEMS)
    page.keyboard.press("Enter")
    expect(page.locator("#asked")).to_contain_text("307")


SITUATIONS: dict[str, dict[str, str]] = {
    "alone": {"topology": NGINX},
    "a way": {"topology": NGINX, "path": ITEMS},
    "side by side": {"topology": NGINX, "beside": OTHER, "path": f"{PREFIX}/scope"},
    "predict": {"topology": OTHER, "path": ITEMS, "predict": "1"},
    "wrong": {"topology": OTHER, "path": ITEMS},
    "not one": {"topology": NGINX, "path": "items"},
}


def settled(page: Page, site: Site, told: dict[str, str]) -> None:
    opened(page, site, **told)
    if told.get("path", "").startswith("/"):
        expect(page.locator(".step").first).to_be_visible()


@pytest.mark.parametrize("width", [360, 1024, 1920])
def test_axe_finds_nothing(reader: Browser, site: Site, lab: FakeLab, width: int) -> None:
    lab.change(OTHER, "nginx-bare")
    lab.alter("traefik-uvicorn-strip", state=State.DOWN, message="killed")
    with axe.context(reader, width) as context:
        page = context.new_page()
        for name, told in SITUATIONS.items():
            settled(page, site, told)
            for each in page.locator("#findings details").all():
                each.evaluate("element => { element.open = true }")

            assert axe.by_scheme(page) == {"light": [], "dark": []}, name


def test_axe_would_find_something(reader: Browser, site: Site) -> None:
    with axe.context(reader, 1280) as context:
        page = context.new_page()
        opened(page, site)
        page.evaluate("document.querySelector('label[for=method]').remove()")
        page.evaluate("document.getElementById('request-title').style.color = '#333'")

        found = axe.by_scheme(page)

    assert {told.partition(":")[0] for told in found["light"]} == {"select-name"}
    assert {told.partition(":")[0] for told in found["dark"]} == {"color-contrast"}


@pytest.mark.parametrize("width", [360, 1024, 1920])
def test_nothing_sticks_out(reader: Browser, site: Site, lab: FakeLab, width: int) -> None:
    lab.change(OTHER, "nginx-bare")
    page = reader.new_page(viewport={"width": width, "height": 800})
    for name, told in SITUATIONS.items():
        settled(page, site, told)

        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    page.close()


@pytest.mark.parametrize("width", [360, 1024, 1920])
def test_nothing_shifts_while_results_stream_in(
    reader: Browser, site: Site, lab: FakeLab, width: int
) -> None:
    page = reader.new_page(viewport={"width": width, "height": 900})
    settled(page, site, {"topology": NGINX, "path": ITEMS})
    page.evaluate(SHIFTS)
    for topology in lab.topologies:
        lab.alter(topology, asking=True)
        lab.change(topology, "none.none")
        lab.alter(topology, asking=False)
    lab.alter(NGINX, state=State.REFUSED, message="a line\n" * 40)
    expect(tile(page, NGINX)).to_contain_text("refused")
    expect(page.locator("#findings")).to_contain_text("a line")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100)))")

    assert page.evaluate("window.shifted") == []
    page.close()


@pytest.mark.parametrize("options", [{"reduced_motion": "reduce"}])
def test_no_motion_for_those_who_want_none(page: Page, site: Site) -> None:
    opened(page, site)

    moving = "getComputedStyle(document.querySelector('.tile')).transitionDuration"
    assert page.evaluate(moving) == "0s"
