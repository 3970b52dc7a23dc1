from urllib.parse import urljoin

from hoplab.client.probe import Probe, compare_urls

TEMPORARY = 307


def slash_redirect(probe: Probe) -> str:
    """Does `/items?q=1` redirect to the same URL with the slash, and does following it work?

    Symptoms: `redirect-wrong-host`, `redirect-drops-port`, `redirect-wrong-scheme`,
    `redirect-drops-prefix`, `redirect-broken`.
    """
    answer = probe.get("/items?q=1")
    location = answer.header("location")
    if not probe.answers(answer, TEMPORARY) or location is None:
        probe.fail("redirect-broken", answer, "a 307 from the application")
    expected = f"{probe.base}/items/?q=1"
    given = urljoin(answer.url, location)
    compare_urls(expected, given, "redirect", "redirect-drops-prefix")
    if given != expected:
        probe.fail("redirect-broken", answer, expected)
    landed = probe.follow(given, answer.url)
    if landed is None or not probe.answers(landed) or landed.json() != ["plumbus", "portal gun"]:
        probe.fail("redirect-broken", landed or answer, "the items")
    return f"{answer}, then {landed.status}"
