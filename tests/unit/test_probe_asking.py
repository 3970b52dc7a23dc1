"""The stranger: how often and how it asks, and what it says of an answer."""

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from hoplab.client.probe import Answers, Failed, FailedOften, Probe, scope_of
from hoplab.client.target import Limits, Target, at
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

    def probe(self, asked: Answers | None = None, **changes: Any) -> Probe:
        target = replace(self.target, instance="nonce", **changes)
        return Probe(target, self.connections, asked)


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


# --- whose answer it is ---


@pytest.mark.parametrize("message", ['"ws"', "hello", '{"instance": "another"}'])
def test_a_websocket_s_header_says_who_accepted_it(site: Site, message: str) -> None:
    async def accepting_it(scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        await socket.accept(headers=[(b"x-instance", b"nonce")])
        await socket.send_text(message)
        await socket.receive()

    site.answer = accepting_it
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
