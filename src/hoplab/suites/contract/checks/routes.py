import json
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from hoplab.client.probe import Failed, Probe, scope_of
from hoplab.client.target import Knowledge, Purpose, needs
from hoplab.client.wire import Exchange, Headers
from hoplab.suites.check import Part, independent_of, last
from hoplab.suites.contract.checks.spoof import lies_of


@last
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
    reached: docs, OpenAPI, mount, static file, events, upload, WebSocket; and of every answer that
    the application gave to another check. Symptom: `route-differs`.
    """
    probe.scope()
    kinds = _kinds(probe)
    found = {kind for kind, ask in kinds.items() if _found(ask([]))}
    for honest in (True, False):
        lies = [] if honest else lies_of(probe)
        first = _seen(probe.expect(probe.get(probe.route(Purpose.SCOPE), lies)))
        for kind in sorted(found):
            answer = probe.reached(kinds[kind](lies))
            _compare(first, answer, kind if honest else f"{kind} with lies of the client")
        if honest:
            forged = {name.lower() for name, _ in lies_of(probe)}
            met = [each for each in probe.met if _is_comparable(probe, each, forged)]
            for answer in met:
                _compare(first, answer, "another question")
    told = [kind for kind in kinds if kind in found]
    missing = [kind for kind in kinds if kind not in found]
    other = f"; not reached: {', '.join(missing)}" if missing else ""
    more = f", and {len(met)} other answers" if met else ""
    return f"{', '.join(told)}{more}: as {probe.route(Purpose.SCOPE)}{other}"


def _compare(first: Mapping[str, Any], answer: Exchange, what: str) -> None:
    seen = _seen(answer)
    for key, value in first.items():
        if not _same(key, value, seen[key]):
            detail = f"{what}: {key} {seen[key]!r}, elsewhere {value!r}"
            raise Failed("route-differs", f"{detail} ({answer})")


def _is_comparable(probe: Probe, exchange: Exchange, forged: Collection[str]) -> bool:
    """Whether it was asked below the prefix, as other clients ask, and the application answered."""
    asked, base = urlsplit(exchange.url), urlsplit(probe.base)
    names = {name.lower().replace("_", "-") for name, _ in exchange.sent}
    return (
        scope_of(exchange) is not None
        and asked.netloc == base.netloc
        and f"{asked.path}/".startswith(f"{base.path}/")
        and names.isdisjoint(forged)
        and [value for name, value in exchange.sent if name.lower() == "host"] == [base.netloc]
    )


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
