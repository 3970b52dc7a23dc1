"""What the check `routes` compares, and what of others' questions it can't."""

import json
from dataclasses import replace
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hoplab.client.probe import Failed, Probe
from hoplab.client.target import Purpose
from hoplab.results import Verdict
from hoplab.suites.asking import ask_one
from hoplab.suites.contract.checks import CHECKS
from hoplab.topology import Cell, Scheme, Strategy, Trust
from tests.unit.stub import (
    PREFIX,
    TOPOLOGY,
    Fault,
    Stub,
    all_of,
    as_it_is,
    host,
    only,
    rewritten,
    scoped,
)
from tests.unit.transparency_faults import believes

pytestmark = pytest.mark.usefixtures("quick_checks")

CELL = Cell(TOPOLOGY, Strategy.SERVER_OPTION, Trust.PROXY, Scheme.HTTP)


def after(stub: Stub, **changes: Any) -> str:
    """What `routes` says after another check was answered, of a client of the name of `else`.

    `changes` are those of that exchange; PORT is the stub's.
    """
    target = stub.target(CELL)
    probe = Probe(target)
    before = probe.get("/app")
    told = {**json.loads(before.header("X-ASGI-Scope") or ""), "client": ["else", 1]}
    seen = replace(before, headers=[("X-ASGI-Scope", json.dumps(told))])
    probe.client.close()
    probe = Probe(target, met=[replace(seen, **changes)])
    try:
        return CHECKS["routes"](probe)
    finally:
        probe.client.close()


def url(stub: Stub, path: str, name: str = "mysuperapp.com") -> str:
    return f"http://{name}:{stub.endpoint.ports[Scheme.HTTP]}{path}"


def own_host(stub: Stub) -> tuple[str, str]:
    return ("Host", f"mysuperapp.com:{stub.endpoint.ports[Scheme.HTTP]}")


@pytest.mark.parametrize("path", [f"{PREFIX}/app", f"{PREFIX}/", PREFIX, f"{PREFIX}?q=1"])
@pytest.mark.parametrize("more", [(), (("Accept", "text/html"),)])
def test_what_was_asked_below_the_prefix_is_compared(
    stub: Stub, path: str, more: tuple[tuple[str, str], ...]
) -> None:
    with pytest.raises(Failed) as failed:
        after(stub, url=url(stub, path), sent=[own_host(stub), *more])

    assert failed.value.symptom == "route-differs"
    assert failed.value.detail == (
        f"another question: client 'else', elsewhere '127.0.0.1' (GET {url(stub, path)} → 200)"
    )


@pytest.mark.parametrize("path", ["/app", f"{PREFIX}0/app", f"/x{PREFIX}/app"])
def test_what_was_asked_outside_the_prefix_is_not_compared(stub: Stub, path: str) -> None:
    assert "other answers" not in after(stub, url=url(stub, path))


def test_what_was_asked_of_another_origin_is_not_compared(stub: Stub) -> None:
    assert "other answers" not in after(stub, url=url(stub, f"{PREFIX}/app", "other.example"))


@pytest.mark.parametrize("name", ["X-Forwarded-For", "x-forwarded-for", "X_Forwarded_FOR"])
def test_what_was_asked_with_forwarded_headers_is_not_compared(stub: Stub, name: str) -> None:
    assert "other answers" not in after(stub, sent=[own_host(stub), (name, "192.0.2.7")])


@pytest.mark.parametrize("hosts", [[], ["other.example"], ["{own}", "{own}"]])
def test_what_was_asked_with_another_host_is_not_compared(stub: Stub, hosts: list[str]) -> None:
    own = own_host(stub)[1]

    assert "other answers" not in after(
        stub, sent=[("Host", each.format(own=own)) for each in hosts]
    )


@pytest.mark.parametrize("headers", [[], [("X-ASGI-Scope", "no JSON")], [("X-ASGI-Scope", "[]")]])
def test_what_the_application_did_not_answer_is_not_compared(
    stub: Stub, headers: list[tuple[str, str]]
) -> None:
    assert "other answers" not in after(stub, headers=headers)


def test_other_answers_that_are_alike_are_counted(stub: Stub) -> None:
    probe = Probe(stub.target(CELL))
    alike = [probe.get(path) for path in ("/app", "/items", "/static/hello.txt")]
    probe.client.close()
    probe = Probe(stub.target(CELL), met=alike)

    told = CHECKS["routes"](probe)

    probe.client.close()
    assert told == (
        "docs, OpenAPI, mount, static file, events, upload, WebSocket, and 3 other answers:"
        " as /scope"
    )


def test_a_lie_that_every_route_believes_is_for_another_check(stub: Stub) -> None:
    stub.serve(as_it_is, believes)

    assert stub.ask("routes").verdict is Verdict.PASS


def test_the_document_is_asked_for_beside_the_docs(stub: Stub) -> None:
    target = stub.target(CELL)
    routes = {**target.routes, Purpose.DOCS: "/sub/docs"}

    finding = ask_one("routes", CHECKS["routes"], replace(target, routes=routes))

    assert finding.verdict is Verdict.PASS, finding.detail
    assert url(stub, f"{PREFIX}/sub/openapi.json") in [each.url for each in finding.exchanges]


# --- a server that drops the headers of a handshake's answer: then the first message tells ---


def without_handshake_headers(app: ASGIApp) -> ASGIApp:
    async def asked(scope: Scope, receive: Receive, send: Send) -> None:
        async def dropped(message: Message) -> None:
            accepted = message["type"] == "websocket.accept"
            await send({**message, "headers": []} if accepted else message)

        await app(scope, receive, dropped)

    return asked


@pytest.mark.parametrize("path", ["/ws", "/sub/ws"])
def test_a_websocket_s_message_is_compared_where_its_headers_are_dropped(
    stub: Stub, path: str
) -> None:
    """A mounted application's root_path is the outer one, and the mount's path."""
    to = rewritten(f"{PREFIX}/ws", PREFIX + path)
    stub.serve(as_it_is, all_of(to, without_handshake_headers))

    finding = stub.ask("routes")

    assert finding.verdict is Verdict.PASS, finding.detail
    assert "WebSocket: as /scope" in finding.detail


@pytest.mark.parametrize(
    ("fault", "detail"),
    [
        (host("app:8000"), "WebSocket: Host ['app:8000'], elsewhere ['mysuperapp.com:"),
        (scoped(scheme="wss"), "WebSocket: scheme 'https', elsewhere 'http' ("),
        (scoped(client=("10.0.0.9", 1)), "WebSocket: client '10.0.0.9', elsewhere '127.0.0.1' ("),
        (scoped(client=None), "WebSocket: client None, elsewhere '127.0.0.1' ("),
        (
            scoped(root_path=f"{PREFIX}0", path=f"{PREFIX}0/ws"),
            "WebSocket: root_path '/api/v10', elsewhere '/api/v1' (",
        ),
    ],
)
def test_a_websocket_s_message_that_differs_is_found(stub: Stub, fault: Fault, detail: str) -> None:
    stub.serve(all_of(only("/ws", fault), without_handshake_headers), as_it_is)

    finding = stub.ask("routes")

    assert finding.symptom == "route-differs"
    assert finding.detail.startswith(detail)
