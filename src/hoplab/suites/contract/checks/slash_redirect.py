from hoplab.client.probe import WRONG, Probe, compare_urls, resolved
from hoplab.client.target import Purpose, needs
from hoplab.client.wire import Exchange

_TEMPORARY = 307
_REDIRECTS = range(300, 400)


@needs(Purpose.REDIRECT)
def slash_redirect(probe: Probe) -> str:
    """Does `/items?q=1` redirect to the same URL with the slash, and does following it work?

    With 307, a POST as well: with 301, 302 or 303 clients would go on with a GET. Symptoms:
    `redirect-missing`, `redirect-wrong-status`, `redirect-wrong-host`, `redirect-drops-port`,
    `redirect-wrong-port`, `redirect-wrong-scheme`, `redirect-drops-prefix`, `redirect-wrong-path`,
    `redirect-wrong-query`.
    """
    path = probe.route(Purpose.REDIRECT)
    answer, to = follow_slash(probe, f"{path}?q=1", f"{path}/?q=1")
    landed = probe.expect(probe.get(to))
    if landed.json() != ["plumbus", "portal gun"]:
        probe.fail(WRONG, landed, "the items")
    _of_a_post(probe, path)
    return f"{answer}, then {landed.status}; a POST keeps its method"


def follow_slash(
    probe: Probe, path: str, slashed: str, method: str = "GET"
) -> tuple[Exchange, str]:
    """The application's redirect from one path to the other, and where it leads: as it should."""
    body = b"" if method == "POST" else None
    answer = probe.reached(probe.request(method, path, body=body))
    location = answer.header("location")
    if answer.status not in _REDIRECTS or location is None:
        probe.fail("redirect-missing", answer, "a redirect by the application")
    given = resolved(answer.url, location)
    compare_urls(probe.base + slashed, given, probe.target.prefix, "redirect")
    if answer.status != _TEMPORARY:
        probe.fail("redirect-wrong-status", answer, str(_TEMPORARY))
    return answer, given


def _of_a_post(probe: Probe, path: str) -> None:
    """Nothing is sent but the first request: only this application is known to have no effect."""
    if probe.target.unsafe:
        follow_slash(probe, f"{path}?q=1", f"{path}/?q=1", "POST")
