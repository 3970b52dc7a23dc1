import json
from collections.abc import Callable
from typing import Any

from hoplab.client.probe import Failed, Probe
from hoplab.client.target import Knowledge, Purpose, needs
from hoplab.client.wire import Exchange, Headers
from hoplab.suites.check import Part, independent_of
from hoplab.suites.contract.checks.spoof import lies_of


@independent_of(Part.SCHEME, Part.STRATEGY, Part.TRUST)
@needs(
    Knowledge.UNSAFE,
    Knowledge.INSTANCE,
    *(Purpose.SCOPE, Purpose.DOCS, Purpose.STATIC, Purpose.MOUNT, Purpose.SOCKET),
    *(Purpose.EVENTS, Purpose.ECHO),
)
def routes(probe: Probe) -> str:
    """Is every kind of route treated the same?

    A `location` or router of its own easily loses what the others have: Host, forwarded headers,
    the removal of a client's own. Scheme, Host, client and root_path are compared of those that are
    reached: docs, OpenAPI, mount, static file, events, upload, WebSocket. Symptom: `route-differs`.
    """
    probe.scope()
    kinds = _kinds(probe)
    found = {kind for kind, ask in kinds.items() if _found(ask([]))}
    for honest in (True, False):
        lies = [] if honest else lies_of(probe)
        first = _seen(probe.expect(probe.get(probe.route(Purpose.SCOPE), lies)))
        for kind in sorted(found):
            answer = probe.reached(kinds[kind](lies))
            seen = _seen(answer)
            for key, value in first.items():
                if not _same(key, value, seen[key]):
                    with_lies = "" if honest else " with forwarded headers of the client's own"
                    detail = f"{kind}{with_lies}: {key} {seen[key]!r}, elsewhere {value!r}"
                    raise Failed("route-differs", f"{detail} ({answer})")
    told = [kind for kind in kinds if kind in found]
    missing = [kind for kind in kinds if kind not in found]
    other = f"; not reached: {', '.join(missing)}" if missing else ""
    return f"{', '.join(told)}: as {probe.route(Purpose.SCOPE)}{other}"


_REACHED = {101, 200}


def _kinds(probe: Probe) -> dict[str, Callable[[Headers], Exchange]]:
    mount, docs = probe.route(Purpose.MOUNT), probe.route(Purpose.DOCS)
    openapi = docs.rpartition("/")[0] + "/openapi.json"
    return {
        "docs": lambda lies: probe.get(docs, lies),
        "OpenAPI": lambda lies: probe.get(openapi, lies),
        "mount": lambda lies: probe.get(f"{mount}/app", lies),
        "static file": lambda lies: probe.get(probe.route(Purpose.STATIC), lies),
        "events": lambda lies: probe.get(f"{probe.route(Purpose.EVENTS)}?count=1", lies),
        "upload": lambda lies: probe.request("POST", probe.route(Purpose.ECHO), lies, b"x"),
        "WebSocket": lambda lies: probe.websocket(probe.route(Purpose.SOCKET), lies),
    }


def _found(answer: Exchange) -> bool:
    """Whether there is such a route: other checks judge that."""
    return answer.status in _REACHED


def _seen(answer: Exchange) -> dict[str, Any]:
    told = json.loads(answer.header("X-ASGI-Scope") or answer.body)
    host = told.get("host") or [value for name, value in told["headers"] if name == "host"]
    client = (told["client"] or [None])[0]  # the port differs with every connection
    scheme = told["scheme"].replace("ws", "http")
    return {"client": client, "scheme": scheme, "Host": host, "root_path": told["root_path"]}


def _same(key: str, expected: Any, given: Any) -> bool:
    # A mount adds its own path.
    below = key == "root_path" and isinstance(given, str) and given.startswith(f"{expected}/")
    return given == expected or below
