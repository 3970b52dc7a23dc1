from hoplab.client.probe import Probe, compare_urls, resolved
from hoplab.client.target import Purpose, needs

TEMPORARY = 307


@needs(Purpose.REDIRECT)
def slash_redirect(probe: Probe) -> str:
    """Does `/items?q=1` redirect to the same URL with the slash, and does following it work?

    Symptoms: `redirect-wrong-host`, `redirect-drops-port`, `redirect-wrong-scheme`,
    `redirect-drops-prefix`, `redirect-broken`.
    """
    path = probe.route(Purpose.REDIRECT)
    answer = probe.get(f"{path}?q=1")
    location = answer.header("location")
    if not probe.answers(answer, TEMPORARY) or location is None:
        probe.fail("redirect-broken", answer, "a 307 from the application")
    expected = f"{probe.base}{path}/?q=1"
    given = resolved(answer.url, location)
    compare_urls(expected, given, probe.target.prefix, "redirect", "redirect-drops-prefix")
    if given != expected:
        probe.fail("redirect-broken", answer, expected)
    landed = probe.follow(given, answer.url)
    if landed is None or not probe.answers(landed) or landed.json() != ["plumbus", "portal gun"]:
        probe.fail("redirect-broken", landed or answer, "the items")
    return f"{answer}, then {landed.status}"
