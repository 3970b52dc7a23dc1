import json

from hoplab.client.probe import Failed, Probe
from hoplab.client.target import Knowledge, Purpose, needs
from hoplab.suites.check import Part, independent_of

_NOT_FOUND, _SWITCHING = 404, 101
_LOWEST_ERROR = 400
_ODD_PATH = "/a%2Fb/caf%C3%A9"
_H2C = [  # RFC 7540, 3.2; gone from RFC 9113, but some servers still answer it
    ("Connection", "Upgrade, HTTP2-Settings"),
    ("Upgrade", "h2c"),
    ("HTTP2-Settings", "AAMAAABkAAQAoAAAAAIAAAAA"),
]
_SIBLINGS = ("0", "-beta")
"""What may follow the prefix without being below it. A regular expression's `\\b` takes the second
for the end of a word."""


@independent_of(Part.STRATEGY, Part.TRUST)
@needs(Knowledge.INSTANCE, Purpose.GREETING, Purpose.SCOPE)
def boundary(probe: Probe) -> str:
    """Is the prefix a whole path segment, and does the path below it arrive as it was written?

    Symptoms: `prefix-leaks`, `tunnel-opened`, `path-altered`.
    """
    app, prefix = probe.route(Purpose.GREETING), probe.target.prefix
    if prefix:
        outside(probe, beside(prefix, app))
        ask_with_dots(probe, prefix, probe.route(Purpose.SCOPE))
    no_tunnel(probe, app)
    scope = probe.scope(_ODD_PATH)
    if not scope["path"].endswith("/a/b/café") or not scope["raw_path"].endswith(_ODD_PATH):
        detail = f"path {scope['path']!r}, raw_path {scope['raw_path']!r}, asked {_ODD_PATH}"
        raise Failed("path-altered", detail)
    edges = "sibling, missing and dotted prefix, " if prefix else "no prefix; "
    return f"{edges}encoded slash, UTF-8; no h2c"


def beside(prefix: str, path: str) -> list[str]:
    """Paths that are not below the prefix, though they begin or end like one that is."""
    other_case = [prefix.swapcase() + path] if prefix.swapcase() != prefix else []
    return [*(prefix + each + path for each in _SIBLINGS), path, *other_case]


def no_tunnel(probe: Probe, path: str) -> None:
    """An upgrade to HTTP/2 is not passed on; Failed if it is."""
    # Twice: a filter may look at one of several values.
    for headers in (_H2C, [*_H2C, ("Upgrade", "websocket")]):
        upgraded = probe.get(path, headers)
        if upgraded.status == _SWITCHING:
            probe.fail("tunnel-opened", upgraded, "that the proxy keeps the upgrade to HTTP/2")


def outside(probe: Probe, paths: list[str], *, shared: bool = False) -> None:
    """The proxy itself says that there is no such path; or, if shared, serves what it likes."""
    for path in paths:
        answer = probe.get(probe.origin + path)
        if probe.from_app(answer):
            probe.fail("prefix-leaks", answer, "404, and not by the application")
        if answer.status != _NOT_FOUND and not (shared and answer.status < _LOWEST_ERROR):
            probe.answered(answer)


def ask_with_dots(probe: Probe, prefix: str, route: str) -> None:
    """A proxy may resolve the dots; what it compared is then what it has to pass on."""
    for path in (
        f"/nowhere/..{prefix}{route}",
        f"/nowhere/..%2f{prefix[1:]}{route}",
        f"/nowhere/%2e%2e{prefix}{route}",
        f"{prefix}/../..{route}",
        f"{prefix}/%2e%2e/%2E%2E{route}",
    ):
        answer = probe.get(probe.origin + path)
        told = json.loads(answer.header("X-ASGI-Scope") or "{}").get("path", "")
        if ".." in told:
            probe.fail("prefix-leaks", answer, f"no such path; the application was asked {told}")
