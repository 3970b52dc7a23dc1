import json
from typing import Any

from hoplab import forwarded
from hoplab.client.probe import Failed, Probe
from hoplab.client.target import Purpose, needs
from hoplab.client.wire import Headers

_OF_INTEREST = {
    "client": "client-spoofable",
    "scheme": "scheme-spoofable",
    "root_path": "prefix-spoofable",
    "url": "host-spoofable",  # last: scheme and prefix are in it as well
}


@needs(Purpose.SCOPE, Purpose.REDIRECT)
def spoof(probe: Probe) -> str:
    """Does anything change, or even arrive, if the client itself sends forwarded headers?

    Asked plain, doubled, in odd case and with underscores; the redirect is looked at as well. What
    arrives may be believed by the next middleware that somebody adds. And does anything change if
    a stranger finds the way past the proxy? Symptoms: `client-spoofable`, `scheme-spoofable`,
    `prefix-spoofable`, `host-spoofable`, `forwarded-passed-on`, `direct-spoofable`; and
    `unreachable` where the application can't be asked.
    """
    before = probe.scope()
    honest = _seen(before)
    path = probe.route(Purpose.REDIRECT)
    honest_redirect = probe.get(path).header("location")
    lies = forwarded.lies("http" if probe.target.scheme == "https" else "https")
    ways: dict[str, Headers] = {
        "plain": lies,
        "doubled": [*lies, *lies],
        "odd case": [(name.swapcase(), value) for name, value in lies],
        "underscores": [(name.replace("-", "_"), value) for name, value in lies],
    }
    own = _arrived(before["headers"], lies)  # a proxy may write itself what is a lie here
    arrived: set[str] = set()
    for way, headers in ways.items():
        scope = _scope(probe, headers, way, honest)
        seen = _seen(scope)
        if key := _difference(honest, seen):
            detail = f"forwarded headers ({way}): {key} {seen[key]!r}, was {honest[key]!r}"
            raise Failed(_OF_INTEREST[key], detail)
        arrived |= _arrived(scope["headers"], lies) - own
    redirect = probe.get(path, lies).header("location")
    if redirect != honest_redirect:
        raise Failed("host-spoofable", f"redirects to {redirect}, was {honest_redirect}")
    if arrived:
        detail = f"what the client sent arrives at the application: {', '.join(sorted(arrived))}"
        raise Failed("forwarded-passed-on", detail)
    past = _ask_directly(probe, lies)
    return f"{len(lies)} headers, {len(ways)} ways: nothing changed, and none arrived{past}"


def _scope(probe: Probe, headers: Headers, way: str, honest: dict[str, Any]) -> Any:
    """What the application says of its scope. A prefix that is believed may lead to no route."""
    answer = probe.get(probe.route(Purpose.SCOPE), headers)
    told = json.loads(answer.header("X-ASGI-Scope") or "{}").get("root_path")
    if not probe.answers(answer) and told not in {None, honest["root_path"]}:
        detail = f"forwarded headers ({way}): {answer}, root_path {told!r}"
        raise Failed("prefix-spoofable", detail)
    return probe.scope(headers=headers)


def _ask_directly(probe: Probe, lies: Headers) -> str:
    """From an address that is no proxy's: only an engine that gives the client one can tell."""
    direct = probe.target.direct
    if direct is None or probe.target.source is None:
        return "; directly: not asked, since here every client has the proxy's address"
    path = direct.prefix + probe.route(Purpose.SCOPE)
    before = probe.ask_directly(path)
    if not probe.answers(before):
        probe.fail("unreachable", before, "200 from the application")
    honest = _seen(before.json())
    asked = f"asked directly, from {probe.target.source}, with forwarded headers:"
    answer = probe.ask_directly(path, lies)
    if not probe.answers(answer):  # a prefix that was believed leads elsewhere
        raise Failed("direct-spoofable", f"{asked} {answer}")
    lied = _seen(answer.json())
    if key := _difference(honest, lied):
        detail = f"{asked} {key} {lied[key]!r}, was {honest[key]!r}"
        raise Failed("direct-spoofable", detail)
    return "; directly neither"


def _difference(honest: dict[str, Any], seen: dict[str, Any]) -> str | None:
    return next((key for key in _OF_INTEREST if seen[key] != honest[key]), None)


def _seen(scope: dict[str, Any]) -> dict[str, Any]:
    client = (scope["client"] or [None])[0]  # the port differs with every connection
    return {**{key: scope[key] for key in _OF_INTEREST}, "client": client}


def _arrived(headers: Headers, lies: Headers) -> set[str]:
    """The headers in which a lie stands, alone or appended to."""
    told = {name.lower(): value for name, value in lies}
    return {
        name
        for name, value in headers
        if (lie := told.get(name.lower().replace("_", "-")))
        and lie in [part.strip() for part in value.split(",")]
    }
