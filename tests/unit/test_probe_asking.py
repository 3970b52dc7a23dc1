"""The stranger: how often and how it asks, and what it says of an answer."""

import re
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from hoplab.client.probe import (
    Answers,
    Failed,
    FailedOften,
    NotApplicable,
    Probe,
    once,
    scope_of,
)
from hoplab.client.target import Direct, Limits, Purpose, Target, at
from hoplab.client.wire import Connections, Exchange
from hoplab.errors import TimedOut
from tests.unit.stub import LOOPBACK, accepting, listening, recording
from tests.unit.test_probe import ends_it, hears_nothing

INSTANCE = {"X-Instance": "nonce"}


class Site:
    """One application, which may be known by its instance, and what it was asked."""

    def __init__(self) -> None:
        self.answer: ASGIApp = JSONResponse({"path": "/x"}, headers=INSTANCE)
        self.seen: list[Scope] = []
        self.target = at("http://x")
        self.connections: Connections = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append(scope)
        await self.answer(scope, receive, send)

    def probe(
        self, asked: Answers | None = None, directly: Answers | None = None, **changes: Any
    ) -> Probe:
        target = replace(self.target, instance="nonce", **changes)
        return Probe(target, self.connections, asked, directly)


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    with listening(site) as port:
        site.target = at(f"http://{LOOPBACK}:{port}/api")
        yield site
        site.probe().client.close()


def failed(ask: Any, *arguments: Any) -> tuple[str, str]:
    """The symptom, and what is said of it."""
    with pytest.raises(Failed) as caught:
        ask(*arguments)
    assert str(caught.value) == f"{caught.value.symptom}: {caught.value.detail}"
    return caught.value.symptom, caught.value.detail


# --- how often ---


def test_the_same_get_of_a_target_s_checks_is_asked_once(site: Site) -> None:
    answers: Answers = {}
    first, second = site.probe(answers), site.probe(answers)

    answer = first.get("/x", [("X-A", "b")])

    assert second.get("/x", [("X-A", "b")]) is answer
    assert first.client.exchanges == second.client.exchanges == [answer]
    assert len(site.seen) == 1


def test_another_get_is_asked_as_well(site: Site) -> None:
    probe = site.probe()

    for path, headers in (("/x", []), ("/y", []), ("/x?", []), ("/x", [("X-A", "b")])):
        probe.get(path, headers)

    assert len(site.seen) == 4


def test_what_is_no_plain_get_is_asked_each_time(site: Site) -> None:
    probe = site.probe()

    for _ in range(2):
        probe.request("POST", "/x", body=b"hello")
        probe.get("/x", stream=True)
        probe.ask_again("/x")

    assert [scope["method"] for scope in site.seen] == ["POST", "GET", "GET"] * 2


def test_a_stream_is_read_by_lines_if_it_is_asked_for(site: Site) -> None:
    site.answer = PlainTextResponse("one\ntwo", headers=INSTANCE)

    assert [line for _, line in site.probe().get("/x", stream=True).chunks] == [b"one\n", b"two"]
    assert site.probe().get("/x").chunks == []
    assert site.probe().request("GET", "/x").chunks == []


def test_past_the_proxy_an_application_is_asked_once_for_all_its_targets(site: Site) -> None:
    port = int(site.target.base.removesuffix("/api").rpartition(":")[2])
    direct = Direct((LOOPBACK, port), "")
    directly: Answers = {}
    first, second = (site.probe(None, directly, direct=direct) for _ in range(2))

    answer = first.ask_directly("/x", [("X-A", "b")])

    assert second.ask_directly("/x", [("X-A", "b")]) is answer
    assert answer.url == f"http://{LOOPBACK}:{port}/x"
    assert [scope["path"] for scope in site.seen] == ["/x"]
    assert (b"x-a", b"b") in site.seen[0]["headers"]


def test_past_the_proxy_nobody_is_asked_where_nobody_can_get() -> None:
    with pytest.raises(NotApplicable) as caught:
        Probe(at("http://x")).ask_directly("/x")

    assert str(caught.value) == "this machine can't reach the application past the proxy"


def test_what_is_asked_once_can_be_told_apart_and_left_out_of_a_file() -> None:
    words = {once() for _ in range(10)}

    assert len(words) == 10
    assert all(re.fullmatch(r"once-[0-9a-f]{16}", word) for word in words)


# --- how ---


def test_it_asks_as_its_target_says(site: Site) -> None:
    probe = site.probe(headers=[("X-Own", "secret")], limits=Limits(seconds=3, download=5))

    answer = probe.get("/x")

    assert (b"x-own", b"secret") in site.seen[0]["headers"]
    assert answer.body == b'{"pat'
    assert probe.client.seconds == 3


@pytest.mark.skipif(sys.platform != "linux", reason="no other address on loopback")
def test_it_asks_from_the_target_s_source(site: Site) -> None:
    site.probe(source="127.0.0.9").get("/x")

    assert site.seen[0]["client"][0] == "127.0.0.9"


def test_a_silent_stream_is_left_after_as_long_as_it_was_told() -> None:
    began = time.monotonic()
    with accepting(hears_nothing) as port:
        probe = Probe(replace(at(f"http://{LOOPBACK}:{port}"), limits=Limits(seconds=60)))
        with pytest.raises(TimedOut):
            probe.leave("/endless", 0.1)

    assert time.monotonic() - began < 30


def greeting(message: str | None = None, instance: str = "nonce") -> ASGIApp:
    """A WebSocket that says so and no more; nothing, if it has nothing to say."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        await socket.accept(headers=[(b"x-instance", instance.encode())])
        if message is not None:
            await socket.send_text(message)
        await socket.close()

    return application


def test_a_websocket_is_opened_with_the_headers_that_are_told(site: Site) -> None:
    site.answer = greeting("hello")
    probe = site.probe()

    assert probe.websocket("/ws", [("X-A", "b")]).body == b"hello"
    with probe.conversation("/ws", [("X-A", "c")], ["d"]) as (talk, exchange):
        assert talk.accepted
    assert exchange.body == b"hello"
    assert {exchange.url for exchange in probe.client.exchanges} == {
        f"ws{site.target.base.removeprefix('http')}/ws"
    }
    assert [dict(scope["headers"])[b"x-a"] for scope in site.seen] == [b"b", b"c"]
    assert [scope["subprotocols"] for scope in site.seen] == [[], ["d"]]


def test_of_a_websocket_that_says_nothing_the_body_is_empty(site: Site) -> None:
    site.answer = greeting()
    with site.probe().conversation("/ws") as (_, exchange):
        pass

    assert exchange.body == b""


def test_whether_others_are_answered_is_asked_at_the_root_if_no_route_is_known(site: Site) -> None:
    probe = site.probe()

    def handshake() -> None:
        with probe._or_silent():
            probe.client.exchanges.append(Exchange("WEBSOCKET", "ws://x", ()))
            raise TimedOut("WEBSOCKET ws://x: no answer")

    assert failed(handshake) == (
        "websocket-unanswered",
        "WEBSOCKET ws://x: no answer; a plain request is answered",
    )
    assert [scope["path"] for scope in site.seen] == ["/api/"]


# --- whose answer it is ---


@pytest.mark.parametrize("message", ['"ws"', "hello", '{"instance": "another"}'])
def test_a_websocket_s_header_says_who_accepted_it(site: Site, message: str) -> None:
    site.answer = greeting(message)
    probe = site.probe()

    assert probe.from_app(probe.websocket("/ws"))


def test_what_a_page_says_of_an_instance_proves_nothing(site: Site) -> None:
    site.answer = JSONResponse({"instance": "nonce"})
    probe = site.probe()

    assert not probe.from_app(probe.get("/x"))


@pytest.mark.parametrize("header", ["", "none", "[1]", '"x"', "{"])
def test_a_header_that_is_no_scope_tells_none(header: str) -> None:
    assert scope_of(Exchange("GET", "http://x", (), 200, [("X-ASGI-Scope", header)])) is None


def test_who_answered_which_path_is_said(site: Site) -> None:
    probe = site.probe()
    told = [("X-ASGI-Scope", '{"path": "/seen"}'), ("X-Instance", "nonce")]

    assert scope_of(Exchange("GET", "http://x", ())) is None
    assert probe.answered_by(Exchange("GET", "http://x", ())) == "(by the proxy)"
    assert probe.answered_by(Exchange("GET", "http://x", (), 200, told)) == (
        "(by the application, asked for /seen)"
    )
    assert probe.answered_by(Exchange("GET", "http://x", (), 200, told[1:])) == (
        "(by the application, asked for None)"
    )


# --- what is said of it ---


def unknown(port: int) -> Target:
    return at(f"http://{LOOPBACK}:{port}/api")


def test_an_answer_that_is_cut_is_told_with_its_size() -> None:
    with recording(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", close=True) as recorder:
        target = unknown(recorder.port)
        probe = Probe(target)
        said = failed(probe.get, "/x")
        probe.client.close()

    what = f"GET {target.base}/x → 200: 5 bytes came, and then the connection ended"
    assert said == ("answer-cut", what)


def test_a_connection_that_ends_is_told_with_the_request() -> None:
    with accepting(ends_it) as port:
        target = unknown(port)
        symptom, detail = failed(Probe(target).get, "/x")

    assert symptom == "answer-missing"
    assert detail.startswith(f"GET {target.base}/x: no answer (")


@pytest.mark.parametrize(
    ("status", "headers", "symptom", "expected"),
    [
        (404, INSTANCE, "application-has-no-route", "a route of the application"),
        (500, INSTANCE, "application-error", "no error"),
        (503, INSTANCE, "application-error", "no error"),
        (404, {}, "proxy-has-no-route", "an answer of the application"),
        (502, {}, "application-unreachable", "an answer of the application"),
        (200, {}, "proxy-answered", "an answer of the application"),
    ],
)
def test_who_was_expected_is_said(
    site: Site, status: int, headers: dict[str, str], symptom: str, expected: str
) -> None:
    site.answer = Response("", status, headers)
    probe = site.probe()
    exchange = probe.get("/x")

    who = "(by the application, asked for None)" if headers else "(by the proxy)"
    said = f"{exchange} {who}, expected {expected}"
    assert failed(probe.reached, exchange) == (symptom, said)


def test_a_handshake_that_is_forbidden_has_no_route_and_a_page_has() -> None:
    probe = Probe(at("http://x"))
    handshake, page = (Exchange(kind, "http://x", (), 403) for kind in ("WEBSOCKET", "GET"))

    assert failed(probe.reached, handshake)[0] == "application-has-no-route"
    assert failed(probe.reached, handshake, "mine")[0] == "mine"
    assert probe.reached(page) is page


def test_a_scope_has_headers(site: Site) -> None:
    probe = site.probe(routes={Purpose.SCOPE: "/scope"})

    _, detail = failed(probe.scope, "/more")

    assert detail.endswith(", expected an object with headers")
    assert [scope["path"] for scope in site.seen] == ["/api/scope/more"]


def test_several_failures_are_one_text() -> None:
    both = FailedOften([Failed("one", "first"), Failed("two", "second")])

    assert str(both) == "one: first; two: second"
    assert [each.symptom for each in both.failures] == ["one", "two"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (JSONResponse({}, headers=INSTANCE), "an object with path"),
        (JSONResponse(["path"], headers=INSTANCE), "an object with path"),
        (PlainTextResponse("x", 418, INSTANCE), "200 from the application"),
        (Response("x", 200, INSTANCE), "application/json, and not nothing"),
        (
            Response("x", 200, {**INSTANCE, "Content-Type": "text/html"}),
            "application/json, and not text/html",
        ),
    ],
)
def test_what_was_expected_is_said(site: Site, answer: ASGIApp, expected: str) -> None:
    site.answer = answer
    probe = site.probe()
    exchange = probe.get("/x")

    said = f"{exchange} (by the application, asked for None), expected {expected}"
    assert failed(probe.told, exchange, "path") == ("answer-wrong", said)


def test_an_object_with_these_keys_is_told_and_may_have_more(site: Site) -> None:
    probe = site.probe()
    exchange = probe.get("/x")

    assert probe.told(exchange, "path") == {"path": "/x"}
    assert probe.told(exchange) == {"path": "/x"}


def test_keys_that_are_missing_are_named(site: Site) -> None:
    probe = site.probe()

    _, detail = failed(probe.told, probe.get("/x"), "path", "query")

    assert detail.endswith(", expected an object with path, query")


def test_another_status_than_200_may_be_wanted(site: Site) -> None:
    site.answer = JSONResponse({"path": "/x"}, 201, INSTANCE)
    probe = site.probe()

    assert probe.told(probe.get("/x"), "path", status=201) == {"path": "/x"}
    assert probe.answers(probe.get("/x"), 201)
    assert not probe.answers(probe.get("/x"))
