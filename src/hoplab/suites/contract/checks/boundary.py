import json

from hoplab.client.probe import Failed, Probe, resolved
from hoplab.client.target import Knowledge, Purpose, needs

_REDIRECTS = {301, 302, 307, 308}
_NOT_FOUND = 404
_ODD_PATH = "/a%2Fb/caf%C3%A9"
_H2C = [  # RFC 7540, 3.2; gone from RFC 9113, but some servers still answer it
    ("Connection", "Upgrade, HTTP2-Settings"),
    ("Upgrade", "h2c"),
    ("HTTP2-Settings", "AAMAAABkAAQAoAAAAAIAAAAA"),
]


@needs(Knowledge.INSTANCE, Purpose.GREETING, Purpose.SCOPE, Purpose.NESTED)
def boundary(probe: Probe) -> str:
    """Is the prefix a whole path segment, once, and does the path arrive as it was written?

    Symptoms: `prefix-leaks`, `prefix-stripped-twice`, `tunnel-opened`, `bare-prefix-broken`,
    `path-altered`.
    """
    app, scope_path, prefix = (
        probe.route(Purpose.GREETING),
        probe.route(Purpose.SCOPE),
        probe.target.prefix,
    )
    for path in (f"{prefix}0{app}", app):
        answer = probe.get(probe.origin + path)
        if probe.from_app(answer) or answer.status != _NOT_FOUND:
            probe.fail("prefix-leaks", answer, "404, and not by the application")
    # A route of the application's own that begins like the prefix: it is removed once, by one.
    nested = probe.get(probe.route(Purpose.NESTED))
    if not probe.answers(nested) and probe.answers(probe.get(app)):
        probe.fail("prefix-stripped-twice", nested, f"200, as from {app}")
    doubled = probe.get(f"{probe.base}{prefix}{app}")
    if probe.answers(doubled):
        probe.fail("prefix-leaks", doubled, "404")
    _ask_with_dots(probe, prefix, scope_path)
    # Twice: a filter may look at one of several values.
    for headers in (_H2C, [*_H2C, ("Upgrade", "websocket")]):
        upgraded = probe.get(app, headers)
        if upgraded.status == 101:  # noqa: PLR2004
            probe.fail("tunnel-opened", upgraded, "that the proxy keeps the upgrade to HTTP/2")

    for path in ("", "/"):
        answer = probe.get(probe.base + path)
        if answer.status in _REDIRECTS:
            given = resolved(answer.url, answer.header("location") or "")
            if given != f"{probe.base}/":
                probe.fail("bare-prefix-broken", answer, f"{probe.base}/")
            answer = probe.get(given)
        if not probe.answers(answer):
            probe.fail("bare-prefix-broken", answer, "200 from the application")

    scope = probe.scope(_ODD_PATH, symptom="path-altered")
    if not scope["path"].endswith("/a/b/café") or not scope["raw_path"].endswith(_ODD_PATH):
        detail = f"path {scope['path']!r}, raw_path {scope['raw_path']!r}, asked {_ODD_PATH}"
        raise Failed("path-altered", detail)
    return "sibling, missing, doubled and dotted prefix, bare prefix, encoded slash, UTF-8; no h2c"


def _ask_with_dots(probe: Probe, prefix: str, route: str) -> None:
    """A proxy may resolve the dots; what it compared is then what it has to pass on."""
    for path in (
        f"/nowhere/..{prefix}{route}",
        f"/nowhere/..%2f{prefix[1:]}{route}",
        f"{prefix}/../..{route}",
    ):
        answer = probe.get(probe.origin + path)
        told = json.loads(answer.header("X-ASGI-Scope") or "{}").get("path", "")
        if ".." in told:
            probe.fail("prefix-leaks", answer, f"no such path; the application was asked {told}")
