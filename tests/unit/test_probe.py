"""The stranger: what it follows, and how it compares URLs."""

import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.instance import InstanceMiddleware
from hoplab.client.probe import Failed, Probe, compare_urls, resolved
from hoplab.client.target import Direct
from hoplab.errors import EndedUnanswered, HarnessError, NoAnswer, TimedOut
from hoplab.topology import Cell, Scheme, Strategy, Trust
from tests.unit.check_faults import websocket_saying
from tests.unit.stub import (
    LOOPBACK,
    PREFIX,
    TOPOLOGY,
    Fault,
    Stub,
    accepting,
    all_of,
    as_it_is,
    closed_port,
    instead,
)


@pytest.fixture
def probe(stub: Stub) -> Iterator[Probe]:
    probe = Probe(stub.target(Cell(TOPOLOGY, Strategy.NONE, Trust.NONE, Scheme.HTTP)))
    yield probe
    probe.client.close()


def test_paths_are_below_the_public_base(probe: Probe, stub: Stub) -> None:
    port = stub.endpoint.ports[Scheme.HTTP]

    assert probe.base == f"http://mysuperapp.com:{port}{PREFIX}"
    assert probe.url("/app") == f"{probe.base}/app"
    assert probe.url("http://x/app") == "http://x/app"
    assert probe.get("/app").url == f"{probe.base}/app"


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        pytest.param("docs", f"{PREFIX}/docs", id="relative"),
        pytest.param("/api/v1/docs", f"{PREFIX}/docs", id="absolute path"),
        pytest.param("/docs#top", "/docs", id="fragment"),
        pytest.param("?q=1", f"{PREFIX}/app?q=1", id="query"),
        pytest.param("//mysuperapp.com:{port}/x", "/x", id="without scheme"),
        pytest.param("http://mysuperapp.com:{port}/x", "/x", id="whole"),
    ],
)
def test_urls_are_followed_as_a_browser_does(
    probe: Probe, stub: Stub, url: str, asked: str
) -> None:
    port = stub.endpoint.ports[Scheme.HTTP]

    answer = probe.follow(url.format(port=port), f"{probe.base}/app")

    assert answer is not None
    assert answer.url == f"http://mysuperapp.com:{port}{asked}"


def test_the_other_scheme_is_followed_too(probe: Probe, stub: Stub) -> None:
    url = stub.endpoint.base(Scheme.HTTPS) + "/app"

    answer = probe.follow(url, probe.base)

    assert answer is not None
    assert probe.answers(answer)


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        pytest.param("/café/openapi.json", "http://x:1/caf%C3%A9/openapi.json", id="not ASCII"),
        pytest.param("{item}/é", "http://x:1/api/v1/%7Bitem%7D/%C3%A9", id="curly brackets"),
        pytest.param("/caf%C3%A9/%7Bx%7D", "http://x:1/caf%C3%A9/%7Bx%7D", id="encoded already"),
        pytest.param("http://y/é", "http://y/%C3%A9", id="elsewhere"),
        pytest.param("../é?q=é", "http://x:1/api/%C3%A9?q=%C3%A9", id="relative, and a query"),
        pytest.param("", "http://x:1/api/v1/docs", id="itself"),
    ],
)
def test_urls_of_an_answer_are_encoded_as_a_browser_does(url: str, asked: str) -> None:
    assert resolved("http://x:1/api/v1/docs", url) == asked


def test_a_url_with_other_letters_is_followed(probe: Probe) -> None:
    answer = probe.follow(f"{PREFIX}/scope/{{a}}/café", probe.base)

    assert answer is not None
    assert answer.json()["path"] == f"{PREFIX}/scope/{{a}}/café"
    assert answer.json()["raw_path"] == f"{PREFIX}/scope/%7Ba%7D/caf%C3%A9"


@pytest.mark.parametrize(
    "url",
    ["https://prod.example.com/app", "//cdn.example/x", "http://mysuperapp.com/app", "mailto:a@b"],
)
def test_urls_that_lead_away_are_not_followed(probe: Probe, url: str) -> None:
    assert probe.follow(url, probe.base) is None
    assert probe.client.exchanges == []


def test_only_an_answer_of_the_application_counts(probe: Probe) -> None:
    outside = probe.get(f"{probe.origin}/app")

    assert (probe.from_app(outside), probe.answers(outside, 404)) == (False, False)
    assert probe.answers(probe.get("/nowhere"), 404)


PROXY, APP = False, True


@pytest.mark.parametrize(
    ("by", "status", "answered", "reached", "expected"),
    [
        (APP, 200, None, None, None),
        (APP, 304, None, None, "answer-wrong"),
        (APP, 401, None, None, "answer-wrong"),
        (APP, 404, None, "application-has-no-route", "application-has-no-route"),
        (APP, 500, None, "application-error", "application-error"),
        (APP, 503, None, "application-error", "application-error"),
        (PROXY, 404, *["proxy-has-no-route"] * 3),
        (PROXY, 502, *["application-unreachable"] * 3),
        (PROXY, 503, *["application-unreachable"] * 3),
        (PROXY, 504, *["application-unreachable"] * 3),
        *((PROXY, status, *["proxy-answered"] * 3) for status in (200, 301, 400, 403, 413, 429)),
        (PROXY, 500, *["proxy-answered"] * 3),
    ],
)
def test_who_answered_is_judged_in_one_place(
    probe: Probe,
    stub: Stub,
    by: bool,  # noqa: FBT001 - a table's
    status: int,
    answered: str | None,
    reached: str | None,
    expected: str | None,
) -> None:
    answer = PlainTextResponse("", status)
    stub.serve(as_it_is, instead("/app", InstanceMiddleware(answer) if by is APP else answer))
    exchange = probe.get("/app")

    assert found(lambda: probe.answered(exchange)) == answered
    assert found(lambda: probe.reached(exchange)) == reached
    assert found(lambda: probe.expect(exchange)) == expected


def test_a_check_names_what_is_missing_itself(probe: Probe) -> None:
    exchange = probe.get("/nowhere")

    assert found(lambda: probe.reached(exchange, "mine")) == "mine"
    assert found(lambda: probe.expect(exchange, missing="mine")) == "mine"
    assert found(lambda: probe.expect(probe.get("/app"), 307, "wrong")) == "wrong"
    assert probe.expect(exchange, 404) is exchange


@pytest.mark.parametrize(
    ("status", "symptom"), [(502, "application-unreachable"), (504, "application-unreachable")]
)
def test_of_an_unknown_application_a_gateway_s_status_is_the_gateway_s(
    probe: Probe, stub: Stub, status: int, symptom: str
) -> None:
    stub.serve(as_it_is, instead("/app", PlainTextResponse("", status)))
    unknown = Probe(replace(probe.target, instance=None))

    assert found(lambda: unknown.answered(unknown.get("/app"))) == symptom
    unknown.client.close()


def found(ask: Callable[[], object]) -> str | None:
    """The symptom, or None if all is well."""
    try:
        ask()
    except Failed as failed:
        return failed.symptom
    return None


def unnamed(app: ASGIApp) -> ASGIApp:
    """A server that drops the headers with which an application accepts a WebSocket."""

    async def server(scope: Scope, receive: Receive, send: Send) -> None:
        async def bare(message: Message) -> None:
            accepted = message["type"] == "websocket.accept"
            await send({**message, "headers": []} if accepted else message)

        await app(scope, receive, bare)

    return server


def test_who_accepted_a_websocket_stands_in_its_message_too(probe: Probe, stub: Stub) -> None:
    stub.serve(as_it_is, unnamed)

    answer = probe.websocket("/ws")

    assert answer.header("X-Instance") is None
    assert probe.answers(answer, 101)


def test_another_instance_is_found_by_its_message_too(probe: Probe, stub: Stub) -> None:
    stub.serve(as_it_is, unnamed)
    another = Probe(replace(probe.target, instance="another"))

    with pytest.raises(HarnessError, match="answered by the instance"):
        another.websocket("/ws")


@pytest.mark.parametrize("message", ["hello", "[]", '{"scheme": "ws"}'])
def test_a_websocket_that_names_no_instance_is_not_the_application_s(
    probe: Probe, stub: Stub, message: str
) -> None:
    stub.serve(as_it_is, instead("/ws", websocket_saying(message)))

    assert not probe.from_app(probe.websocket("/ws"))


def test_router_has_no_root_path(stub: Stub) -> None:
    told = {
        strategy: stub.target(Cell(TOPOLOGY, strategy, Trust.NONE, Scheme.HTTP)).root_path
        for strategy in Strategy
    }

    assert {strategy for strategy, root_path in told.items() if not root_path} == {Strategy.ROUTER}
    assert set(told.values()) == {"", PREFIX}


RIGHT = "https://mysuperapp.com:9499/api/v1/items/?q=1"


@pytest.mark.parametrize(
    ("given", "difference"),
    [
        (RIGHT, None),
        (RIGHT.replace("mysuperapp", "MySuperApp"), None),
        ("https://app:9499/api/v1/items/?q=1", "wrong-host"),
        ("http://app:8000/items/", "wrong-host"),
        ("https://127.0.0.1:9499/api/v1/items/?q=1", "wrong-host"),
        ("https://mysuperapp.com.evil.example:9499/api/v1/items/", "wrong-host"),
        ("https://mysuperapp.com@evil.example:9499/api/v1/items/", "wrong-host"),
        ("https://user@mysuperapp.com:9499/api/v1/items/?q=1", "wrong-host"),
        ("/api/v1/items/", "wrong-host"),
        ("https://mysuperapp.com/api/v1/items/?q=1", "drops-port"),
        ("https://mysuperapp.com:/api/v1/items/?q=1", "drops-port"),
        ("http://mysuperapp.com/items/", "drops-port"),
        ("https://mysuperapp.com:443/api/v1/items/?q=1", "wrong-port"),
        ("https://mysuperapp.com:8080/api/v1/items/?q=1", "wrong-port"),
        ("https://mysuperapp.com:None/api/v1/items/?q=1", "wrong-port"),
        ("http://mysuperapp.com:9499/api/v1/items/?q=1", "wrong-scheme"),
        ("http://mysuperapp.com:9499/items/", "wrong-scheme"),
        ("https://mysuperapp.com:9499/items/?q=1", "drops-prefix"),
        ("https://mysuperapp.com:9499/v1/items/?q=1", "wrong-path"),
        ("https://mysuperapp.com:9499/api/v1/api/v1/items/?q=1", "wrong-path"),
        ("https://mysuperapp.com:9499/api/v10/items/", "wrong-path"),
        ("https://mysuperapp.com:9499/api/v1/other", "wrong-path"),
        ("https://mysuperapp.com:9499/", "wrong-path"),
        ("https://mysuperapp.com:9499/api/v1/items/", "wrong-query"),
        ("https://mysuperapp.com:9499/api/v1/items/?q=2", "wrong-query"),
        ("https://mysuperapp.com:9499/api/v1/items/?q=1#x", "wrong-query"),
    ],
)
def test_the_first_difference_is_named(given: str, difference: str | None) -> None:
    if difference is None:
        compare_urls(RIGHT, given, PREFIX, "x")
        return
    with pytest.raises(Failed) as failed:
        compare_urls(RIGHT, given, PREFIX, "x")

    assert failed.value.symptom == f"x-{difference}"
    assert failed.value.detail == f"{given}, expected {RIGHT}"


def test_the_bare_prefix_is_dropped_if_the_root_is_left() -> None:
    root = "https://mysuperapp.com:9499/"
    assert found(lambda: compare_urls(root + "api/v1", root, PREFIX, "x")) == "x-drops-prefix"
    assert found(lambda: compare_urls(root + "api/v1/", root, PREFIX, "x")) == "x-drops-prefix"


@pytest.mark.parametrize(
    ("given", "difference"),
    [
        ("http://[::1]:80/x", None),
        ("http://[::1]/x", "drops-port"),
        ("http://[::1]:81/x", "wrong-port"),
        ("http://[::2]:80/x", "wrong-host"),
    ],
)
def test_the_colons_of_an_address_are_no_port(given: str, difference: str | None) -> None:
    found_it = found(lambda: compare_urls("http://[::1]:80/x", given, "", "x"))

    assert found_it == (difference and f"x-{difference}")


# --- no answer at all ---


CELL = Cell(TOPOLOGY, Strategy.SERVER_OPTION, Trust.PROXY, Scheme.HTTP)


def ends_it(connection: socket.socket) -> None:
    """As nginx's `return 444` does, when it has read the request."""
    with connection:
        connection.recv(2**16)


def resets_it(connection: socket.socket) -> None:
    """As one does that closes before it has read all: the kernel answers with RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.recv(1)
    connection.close()


def converses(probe: Probe) -> object:
    with probe.conversation("/ws") as (_, exchange):
        return exchange


ASKING: dict[str, Callable[[Probe], object]] = {
    "get": lambda probe: probe.get("/app"),
    "post": lambda probe: probe.request("POST", "/echo", body=b"x" * 2**20),
    "again": lambda probe: probe.ask_again("/app"),
    "pipelined": lambda probe: probe.pipelined(["/app", "/scope"]),
    "leave": lambda probe: probe.leave("/endless"),
    "websocket": lambda probe: probe.websocket("/ws"),
    "conversation": converses,
}


@pytest.mark.parametrize("ending", [ends_it, resets_it])
@pytest.mark.parametrize("how", ASKING)
def test_a_connection_that_ends_without_an_answer_is_a_finding(
    stub: Stub, how: str, ending: Callable[[socket.socket], None]
) -> None:
    with accepting(ending) as port:
        probe = at_port(stub, port)
        with pytest.raises(Failed, match="answer-missing"):
            ASKING[how](probe)


@pytest.mark.parametrize("how", ASKING)
def test_a_connection_that_nobody_takes_is_an_error(stub: Stub, how: str) -> None:
    probe = at_port(stub, closed_port())
    with pytest.raises(NoAnswer) as caught:
        ASKING[how](probe)

    assert not isinstance(caught.value, EndedUnanswered)


def never_accepts(app: ASGIApp) -> ASGIApp:
    """It answers requests, and says nothing to a handshake."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await app(scope, receive, send)
            return
        while (await receive())["type"] != "websocket.disconnect":
            pass

    return answer


def hears_nothing(connection: socket.socket) -> None:
    with connection:
        while connection.recv(2**16):
            pass


HANDSHAKES = pytest.mark.parametrize("how", ["websocket", "conversation"])


@HANDSHAKES
def test_a_handshake_that_nobody_answers_is_a_finding_if_others_are_answered(
    stub: Stub, how: str
) -> None:
    stub.serve(as_it_is, all_of(never_accepts, instead("/", PlainTextResponse("the proxy's"))))
    probe = Probe(stub.target(CELL))
    probe.get("/app")
    probe.client.seconds = 2  # enough for the plain request, also on a busy machine
    with pytest.raises(Failed, match=r"websocket-unanswered: .*a plain request is answered"):
        ASKING[how](probe)
    probe.client.close()


def says_nothing(app: ASGIApp) -> ASGIApp:
    """It accepts a WebSocket."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
        await never_accepts(app)(scope, receive, send)

    return answer


def bad_gateway(_app: ASGIApp) -> ASGIApp:
    """The proxy answers in the application's place, but no handshake."""
    return never_accepts(PlainTextResponse("Bad gateway", 502))


@HANDSHAKES
@pytest.mark.parametrize("fault", [says_nothing, bad_gateway])
def test_a_handshake_that_was_answered_or_may_be_slow_as_all_else_is_an_error(
    stub: Stub, how: str, fault: Fault
) -> None:
    stub.serve(as_it_is, fault)
    probe = Probe(stub.target(CELL))
    probe.client.seconds = 0.5
    with pytest.raises(TimedOut, match="WEBSOCKET"):
        ASKING[how](probe)
    probe.client.close()


@HANDSHAKES
def test_where_nobody_is_answered_it_is_an_error(stub: Stub, how: str) -> None:
    with accepting(hears_nothing) as port:
        probe = at_port(stub, port)
        probe.client.seconds = 0.1
        with pytest.raises(TimedOut, match="WEBSOCKET"):
            ASKING[how](probe)


def test_past_the_proxy_it_is_an_error(stub: Stub) -> None:
    """There is no proxy that could be wrong, and the lab itself runs the application."""
    with accepting(ends_it) as port:
        direct = Direct((LOOPBACK, port), "")
        probe = Probe(replace(stub.target(CELL), direct=direct))
        with pytest.raises(NoAnswer):
            probe.ask_directly("/app")


def at_port(stub: Stub, port: int) -> Probe:
    target = stub.target(CELL)
    return Probe(replace(target, addresses={target.origin: (LOOPBACK, port)}))
