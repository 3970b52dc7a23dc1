"""The way of a request: what of a trace becomes which message, and what is marked."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from hoplab.client.trace import Hop, Trace
from hoplab.client.wire import Exchange
from hoplab.report.live.beside import beside
from hoplab.report.live.journey import (
    Derived,
    Kind,
    Line,
    Mark,
    Step,
    compared,
    derived_of,
    steps,
)

SCOPE = {"scheme": "https", "client": ["127.0.0.9", 4000], "root_path": "/api/v1", "path": "/app"}


def a_trace(
    port: int = 9497, scope: object = SCOPE, server: str = "a server", status: int = 200
) -> Trace:
    host = f"mysuperapp.com:{port}"
    told = [("X-ASGI-Scope", json.dumps(scope))] if scope else []
    exchange = Exchange(
        "GET",
        f"https://{host}/api/v1/app",
        [("Host", host), ("X-Forwarded-Proto", "ftp"), ("X-Secret", "1")],
        status,
        [("Server", "a proxy"), ("X-Instance", "a"), *told],
        b"hello",
    )
    request = [
        "GET /app HTTP/1.1",
        f"Host: {host}",
        "x-forwarded-proto: https",
        "X-Forwarded-For: 1.2.3.4",
    ]
    hop = Hop(request, [f"HTTP/1.1 {status} Fine", f"server: {server}", "X-Instance: a", "Etag: x"])
    return Trace(exchange, [hop])


def test_what_nobody_listened_to_is_said_and_not_supposed() -> None:
    told = replace(a_trace(), hops=(), listened=False)
    untold = replace(a_trace(scope=None, status=502), hops=(), listened=False)

    first, scope, _ = steps(told, ["a proxy", "a server"])
    *_, answer = steps(untold, ["a proxy", "a server"])

    assert first.note == "What a proxy passed on was not measured: it is not shown."
    assert (scope.kind, scope.sender) == (Kind.SCOPE, "a server")
    assert answer.note.startswith("a proxy, or the server behind it, answers by itself")


def test_every_message_is_there_in_the_order_of_time() -> None:
    derived = Derived({"url": "u", "base_url": "b", "url_for": None}, "in this answer")

    made = steps(a_trace(), ["proxy", "server"], derived)

    assert [(step.kind, step.sender, step.receiver) for step in made] == [
        (Kind.REQUEST, "client", "proxy"),
        (Kind.REQUEST, "proxy", "server"),
        (Kind.SCOPE, "server", "application"),
        (Kind.DERIVED, "application", "application"),
        (Kind.ANSWER, "server", "proxy"),
        (Kind.ANSWER, "proxy", "client"),
    ]
    assert made[2].lines[0] == Line("scheme", '"https"')
    assert made[3].lines[2] == Line("url_for", "finds no route of this name")
    assert made[-1].body == "hello"


def test_what_changed_since_the_hop_before_is_marked() -> None:
    _, forwarded, *_, answer = steps(a_trace(), ["proxy", "server"])

    assert forwarded.line == Line(
        "", "GET /app HTTP/1.1", Mark.OVERWRITTEN, "GET /api/v1/app HTTP/1.1"
    )
    assert list(forwarded.lines) == [
        Line("Host", "mysuperapp.com:9497"),
        Line("x-forwarded-proto", "https", Mark.OVERWRITTEN, "ftp"),
        Line("X-Forwarded-For", "1.2.3.4", Mark.ADDED),
        Line("X-Secret", "1", Mark.DROPPED),
    ]
    assert answer.line == Line("", "HTTP/1.1 200 Fine")
    assert list(answer.lines) == [
        Line("Server", "a proxy", Mark.OVERWRITTEN, "a server"),
        Line("Etag", "x", Mark.DROPPED),
    ]


@pytest.mark.parametrize(
    ("before", "after", "marks"),
    [
        (["a"], ["a"], [("a", "", "")]),
        ([], ["a"], [("a", "added", "")]),
        (["a"], [], [("a", "dropped", "")]),
        (["a"], ["b"], [("b", "overwritten", "a")]),
        (["a"], ["a", "b"], [("a", "", ""), ("b", "added", "")]),
        (["a"], ["b", "a"], [("b", "added", ""), ("a", "", "")]),
        (["a", "b"], ["b"], [("b", "", ""), ("a", "dropped", "")]),
        (["a", "b"], ["a, b"], [("a, b", "overwritten", "a"), ("b", "dropped", "")]),
        (["a", "a"], ["a"], [("a", "", ""), ("a", "dropped", "")]),
    ],
)
def test_a_header_that_comes_more_than_once(
    before: Sequence[str], after: Sequence[str], marks: Sequence[tuple[str, str, str]]
) -> None:
    made = compared([("X", each) for each in after], [("x", each) for each in before])

    assert [(line.value, line.mark, line.before) for line in made] == list(marks)


def test_a_proxy_that_answers_by_itself_passes_nothing_on() -> None:
    trace = a_trace(scope=None, status=404)

    made = steps(Trace(trace.exchange), ["outer", "proxy", "server"])

    assert [(step.kind, step.sender) for step in made] == [
        (Kind.REQUEST, "client"),
        (Kind.ANSWER, "outer"),
    ]
    assert "outer answers by itself" in made[1].note


def test_a_server_that_answers_by_itself_is_told() -> None:
    made = steps(a_trace(scope=None), ["proxy", "server"])

    assert [step.kind for step in made] == [Kind.REQUEST] * 2 + [Kind.ANSWER] * 2
    assert "server answers by itself" in made[2].note
    assert made[3].note == ""


def test_a_hop_without_an_answer_says_so() -> None:
    trace = a_trace(scope=None, status=502)

    made = steps(Trace(trace.exchange, [Hop(trace.hops[0].request, [])]), ["proxy", "server"])

    assert made[2].note == "No answer came."
    assert made[3].line == Line("", "HTTP/1.1 502")


def test_only_what_the_application_says_is_derived() -> None:
    assert derived_of(Exchange("GET", "u", (), body=b'{"url": "u"}')) is None
    assert derived_of(Exchange("GET", "u", (), body=b"[]")) is None
    told = b'{"url": "u", "base_url": "b", "url_for": null, "more": 1}'
    assert derived_of(Exchange("GET", "u", (), body=told)) == {
        "url": "u",
        "base_url": "b",
        "url_for": None,
    }


def differing(made: Sequence[Step]) -> list[tuple[str, str]]:
    return [
        (step.kind, line.name)
        for step in made
        for line in [*([step.line] if step.line else []), *step.lines]
        if line.differs
    ]


def test_side_by_side_only_what_differs_is_marked() -> None:
    one = steps(a_trace(), ["proxy", "server"])
    scope = {**SCOPE, "path": "/other", "client": ["127.0.0.9", 4001]}
    other = steps(a_trace(9496, scope, "another"), ["proxy", "other server"])

    left, right = beside(one, other)

    assert differing(left) == [("scope", "path"), ("answer", "server")]
    assert differing(right) == differing(left)


def test_side_by_side_a_line_that_is_missing_there_differs() -> None:
    trace = a_trace()
    host = Line("Host", "mysuperapp.com:9497")
    less = Hop(["GET /app HTTP/1.1", f"Host: {host.value}"], trace.hops[0].answer)

    left, right = beside(
        steps(trace, ["proxy", "server"]),
        steps(Trace(trace.exchange, [less]), ["proxy", "server"]),
    )

    assert ("request", "X-Forwarded-For") in differing(left)
    assert ("request", "X-Forwarded-For") not in differing(right)


def test_side_by_side_a_message_that_is_missing_there_differs() -> None:
    one = steps(a_trace(), ["proxy", "server"])
    other = steps(Trace(a_trace(scope=None, status=404).exchange), ["proxy", "server"])

    left, right = beside(one, other)

    assert [step.kind for step in left if step.differs] == [
        Kind.REQUEST,
        Kind.SCOPE,
        Kind.ANSWER,
        Kind.ANSWER,
    ]
    assert [step.kind for step in right if step.differs] == [Kind.ANSWER]
