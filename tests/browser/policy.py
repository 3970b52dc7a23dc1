"""The Content-Security-Policy of hoplab's own pages, in a browser."""

from playwright.sync_api import Page, expect

FOREIGN = """async () => {
  const refused = [];
  const all = new Promise((done) => {
    addEventListener("securitypolicyviolation", ({ effectiveDirective }) => {
      if (refused.push(effectiveDirective) === 4) done();
    });
    setTimeout(done, 5000);
  });
  const script = document.createElement("script");
  script.textContent = "window.hurt = 1";
  document.body.append(script);
  document.body.insertAdjacentHTML("beforeend", "<img src='https://example.com/x'>");
  document.body.insertAdjacentHTML("beforeend", "<p id='foreign' style='color: red'>x</p>");
  fetch("https://example.com/").catch(() => {});
  await all;
  return refused.sort();
}"""


def forbids_what_is_not_its_own(page: Page) -> None:
    """No other script, picture, style or request: on a page that is open."""
    refused = page.evaluate(FOREIGN)

    assert refused == ["connect-src", "img-src", "script-src-elem", "style-src-attr"]
    assert page.evaluate("window.hurt") is None
    expect(page.locator("#foreign")).not_to_have_css("color", "rgb(255, 0, 0)")
