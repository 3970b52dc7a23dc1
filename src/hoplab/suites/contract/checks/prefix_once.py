from hoplab.client.probe import WRONG, Probe, resolved
from hoplab.client.target import Knowledge, Purpose, needs

_REDIRECTS = {301, 302, 307, 308}
_NOT_FOUND = 404


@needs(Knowledge.INSTANCE, Knowledge.PREFIX, Purpose.GREETING, Purpose.NESTED)
def prefix_once(probe: Probe) -> str:
    """Is the prefix removed exactly once: where it stands twice, and where nothing follows it?

    Symptoms: `prefix-stripped-twice`, `prefix-leaks`, `bare-prefix-broken`.
    """
    app, prefix = probe.route(Purpose.GREETING), probe.target.prefix
    # A route of the application's own that begins like the prefix: it is removed once, by one.
    nested = probe.answered(probe.get(probe.route(Purpose.NESTED)))
    if nested.status != _NOT_FOUND:
        probe.reached(nested)
    elif probe.answers(probe.get(app)):
        probe.fail("prefix-stripped-twice", nested, f"200, as from {app}")
    doubled = probe.answered(probe.get(f"{probe.base}{prefix}{app}"))
    if probe.answers(doubled):
        probe.fail("prefix-leaks", doubled, "404")
    for path in ("", "/"):
        _ask_bare(probe, path)
    return "a route that begins like the prefix, the doubled prefix, the bare prefix"


def _ask_bare(probe: Probe, path: str) -> None:
    """With and without the slash, and with a query, which a redirect has to keep."""
    answer = probe.get(f"{probe.base}{path}?q=1")
    if answer.status in _REDIRECTS:
        given = resolved(answer.url, answer.header("location") or "")
        if given != f"{probe.base}/?q=1":
            probe.fail("bare-prefix-broken", answer, f"{probe.base}/?q=1")
        answer = probe.get(given)
    content = probe.expect(answer, missing="bare-prefix-broken").json()
    if not isinstance(content, dict) or "message" not in content:
        probe.fail(WRONG, answer, "the application's root")
    if content.get("query") != "q=1":
        probe.fail("bare-prefix-broken", answer, "the query that was asked")
