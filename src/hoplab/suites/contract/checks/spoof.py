import json
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from hoplab import forwarded
from hoplab.client.probe import Failed, Probe
from hoplab.client.target import Purpose, needs
from hoplab.client.wire import Headers

_BELIEVED = {
    "client": ("X-Forwarded-For", "client-spoofable"),
    "scheme": ("X-Forwarded-Proto", "scheme-spoofable"),
    "root_path": ("X-Forwarded-Prefix", "prefix-spoofable"),
    "host": ("X-Forwarded-Host", "host-spoofable"),
    "path": ("X-Forwarded-Prefix", "prefix-spoofable"),
}
"""By what is seen: the header that lies about it, and the symptom."""

Seen: TypeAlias = dict[str, str | None]
"""What of a scope a client could lie about."""


@needs(Purpose.SCOPE, Purpose.REDIRECT, Purpose.SOCKET)
def spoof(probe: Probe) -> str:
    """Does anything change, or even arrive, if the client itself sends forwarded headers?

    Asked plain, doubled, in odd case, with underscores in place of all hyphens and of one, and over
    a WebSocket; the redirect is looked at too. What arrives may be believed by the next middleware
    that somebody adds. Symptoms: `client-spoofable`, `scheme-spoofable`, `prefix-spoofable`,
    `host-spoofable`, `forwarded-misread`, `forwarded-passed-on`.
    """
    before = probe.scope()
    honest = seen(before)
    path = probe.route(Purpose.REDIRECT)
    honest_redirect = probe.reached(probe.get(path)).header("location")
    lies = lies_of(probe)
    ways = ways_to_tell(lies)
    own = _arrived(before["headers"], lies)  # a proxy may write itself what is a lie here
    arrived: set[str] = set()
    for way, headers in ways.items():
        _led_elsewhere(probe, way, headers)
        scope = probe.scope(headers=headers)
        if difference := believed(honest, seen(scope), lies):
            symptom, told = difference
            raise Failed(symptom, f"forwarded headers ({way}): {told}")
        arrived |= _arrived(scope["headers"], lies) - own
    over_websocket = probe.websocket(probe.route(Purpose.SOCKET), lies).json()
    if isinstance(over_websocket, dict) and "headers" in over_websocket:
        arrived |= _arrived(over_websocket["headers"], lies) - own
    redirect = probe.reached(probe.get(path, lies)).header("location")
    if redirect != honest_redirect:
        detail = f"forwarded headers (plain): redirects to {redirect}, was {honest_redirect}"
        raise Failed(_in_redirect(redirect, lies), detail)
    if arrived:
        detail = f"what the client sent arrives at the application: {', '.join(sorted(arrived))}"
        raise Failed("forwarded-passed-on", detail)
    return f"{len(lies)} headers, {len(ways)} ways: nothing changed, and none arrived"


def ways_to_tell(lies: Headers) -> dict[str, Headers]:
    """The headers as a client may write them: a filter may know one way alone."""
    return {
        "plain": lies,
        "doubled": [*lies, *lies],
        "odd case": [(name.swapcase(), value) for name, value in lies],
        "underscores": [(name.replace("-", "_"), value) for name, value in lies],
        "one underscore": [
            (name.replace("-", "_", 1), value) for name, value in lies if name.count("-") > 1
        ],
    }


def seen(scope: dict[str, Any]) -> Seen:
    """What the application believes of its client, without what differs with every connection."""
    url, client = urlsplit(scope["url"]), (scope["client"] or [None])[0]
    return {
        "client": client and _without_port(client),
        "scheme": scope["scheme"],
        "root_path": scope["root_path"],
        "host": url.netloc,
        "path": url.path,
    }


def believed(honest: Seen, lied: Seen, lies: Headers) -> tuple[str, str] | None:
    """The symptom of the first difference, and what it is; None if all is as it was.

    It is a lie that was believed only if what is seen is what the client wrote.
    """
    told = dict(lies)
    for key, value in lied.items():
        if value != honest[key]:
            header, symptom = _BELIEVED[key]
            exact = key in {"client", "scheme"}
            right = value == told[header] if exact else told[header] in (value or "")
            detail = f"{key} {value!r}, was {honest[key]!r}"
            return symptom if right else "forwarded-misread", detail
    return None


def _led_elsewhere(probe: Probe, way: str, headers: Headers) -> None:
    """A prefix that is believed may lead to no route."""
    answer = probe.get(probe.route(Purpose.SCOPE), headers)
    told = json.loads(answer.header("X-ASGI-Scope") or "{}").get("path", "")
    if not probe.answers(answer) and forwarded.LIES[forwarded.Claim.PREFIX] in told:
        raise Failed("prefix-spoofable", f"forwarded headers ({way}): {answer}, asked for {told}")


def _in_redirect(location: str | None, lies: Headers) -> str:
    told, given = dict(lies), urlsplit(location or "")
    if told["X-Forwarded-Host"] in given.netloc:
        return "host-spoofable"
    if told["X-Forwarded-Prefix"] in given.path:
        return "prefix-spoofable"
    return "scheme-spoofable" if given.scheme == told["X-Forwarded-Proto"] else "forwarded-misread"


def _without_port(client: str) -> str:
    """A server may take `192.0.2.7:4711` for an address; that port is another each time."""
    address, _, port = client.rpartition(":")
    return address if port.isdigit() and (":" not in address or "]" in address) else client


def _arrived(headers: Headers, lies: Headers) -> set[str]:
    """The headers in which a lie stands, alone or appended to."""
    told = {name.lower(): value for name, value in lies}
    return {
        name
        for name, value in headers
        if (lie := told.get(name.lower().replace("_", "-")))
        and lie in [part.strip() for part in value.split(",")]
    }


def lies_of(probe: Probe) -> list[tuple[str, str]]:
    """What the client claims: another address, scheme, host, port and prefix than its own."""
    return forwarded.lies("http" if probe.target.scheme == "https" else "https")
