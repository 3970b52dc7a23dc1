"""The way of one request as a sequence of messages: client, proxies, server, application, and back.

Each message is what came by there. A message says of each header what has changed since the message
before it, in the same direction. Nothing here is supposed: what a trace does not have is not shown.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from hoplab.client.trace import Trace
from hoplab.client.wire import Exchange

CLIENT, APPLICATION = "client", "application"

DERIVED = ("url", "base_url", "url_for")
"""What the lab's application says that it derives from its scope."""

_OWN = {"x-instance", "x-asgi-scope", "x-middleware"}
"""Headers that the lab's application adds for the lab: they are shown otherwise."""


class Kind(StrEnum):
    """What a message is. DERIVED is no message: the application says it of itself."""

    REQUEST = "request"
    SCOPE = "scope"
    DERIVED = "derived"
    ANSWER = "answer"


class Mark(StrEnum):
    """What has happened to a line since the message before."""

    SAME = ""
    ADDED = "added"
    OVERWRITTEN = "overwritten"
    DROPPED = "dropped"


@dataclass(frozen=True)
class Line:
    """A header, or an entry of the scope. before: the value that was overwritten.

    differs: whether the other topology, side by side, has another value or none.
    """

    name: str
    value: str
    mark: Mark = Mark.SAME
    before: str = ""
    differs: bool = False


@dataclass(frozen=True)
class Step:
    """A message between two of those that a request passes.

    line: its first line, with a mark as a header has one. note: what there is to say besides.
    """

    kind: Kind
    sender: str
    receiver: str
    line: Line | None = None
    lines: Sequence[Line] = ()
    body: str = ""
    note: str = ""
    differs: bool = False


@dataclass(frozen=True)
class Derived:
    """What the application derives, and in which answer it said so."""

    values: Mapping[str, Any]
    source: str


def derived_of(exchange: Exchange) -> Mapping[str, Any] | None:
    """What the application says in this answer that it derives; None if it says nothing."""
    told = exchange.json()
    if not isinstance(told, dict) or not {*DERIVED} <= told.keys():
        return None
    return {name: told[name] for name in DERIVED}


def steps(trace: Trace, chain: Sequence[str], derived: Derived | None = None) -> list[Step]:
    """All messages, in the order of time. `chain`: the proxies' names, and then the server's."""
    names = [CLIENT, *chain, APPLICATION]
    exchange, hops = trace.exchange, trace.hops
    made, before = [], _Head(_request_line(exchange), [*exchange.sent])
    made.append(_message(Kind.REQUEST, names[0], names[1], before, None))
    for number, hop in enumerate(hops, 1):
        head = _head(hop.request)
        made.append(_message(Kind.REQUEST, names[number], names[number + 1], head, before))
        before = head
    scope = trace.scope
    if scope is not None:
        made.append(_scope_step(names, scope, exchange.header("x-middleware")))
        if derived:
            made.append(_derived_step(derived))
    made += _answers(trace, names, told=scope is not None)
    return made if trace.listened else [_unmeasured(made[0], chain), *made[1:]]


def _unmeasured(first: Step, chain: Sequence[str]) -> Step:
    """Without it, somebody could think that nothing happens between the proxy and the server."""
    note = f"What {' and '.join(chain[:-1])} passed on was not measured: it is not shown."
    return replace(first, note=note)


@dataclass(frozen=True)
class _Head:
    line: str
    headers: Sequence[tuple[str, str]]


def _request_line(exchange: Exchange) -> str:
    method = "GET" if exchange.method == "WEBSOCKET" else exchange.method
    after = exchange.url.partition("://")[2]
    path = after[after.find("/") :] if "/" in after else "/"
    return f"{method} {path} HTTP/1.1"


def _head(lines: Sequence[str]) -> _Head:
    first, *headers = lines or [""]
    pairs = ((name, value.strip()) for name, _, value in (each.partition(":") for each in headers))
    return _Head(first.rstrip(), [*pairs])


def _scope_step(names: Sequence[str], scope: Mapping[str, Any], layers: str | None) -> Step:
    told = [Line(name, json.dumps(value, ensure_ascii=False)) for name, value in scope.items()]
    if layers:
        told.append(Line("middleware passed", layers))
    return Step(Kind.SCOPE, names[-2], names[-1], lines=told)


def _derived_step(derived: Derived) -> Step:
    told = [
        Line(name, "finds no route of this name" if value is None else str(value))
        for name, value in derived.values.items()
    ]
    return Step(Kind.DERIVED, APPLICATION, APPLICATION, lines=told, note=derived.source)


def _answers(trace: Trace, names: Sequence[str], *, told: bool) -> list[Step]:
    """From where the answer was made back to the client.

    told: whether the application has said that it was asked.
    """
    exchange, between = trace.exchange, [hop.answer for hop in trace.hops]
    made: list[Step] = []
    before = None
    last = len(between) + 1
    for number in range(len(between), 0, -1):
        head = _head(between[number - 1])
        sender, receiver = names[number + 1], names[number]
        if not head.line:
            made.append(Step(Kind.ANSWER, sender, receiver, note="No answer came."))
            continue
        step = _message(Kind.ANSWER, sender, receiver, head, before)
        made.append(_by_itself(step, told=told) if number + 1 == last else step)
        before = head
    own = _Head(f"HTTP/1.1 {exchange.status}", [*exchange.headers])
    if before and before.line.split(" ")[1:2] == [str(exchange.status)]:
        own = replace(own, line=before.line)  # the client records the status alone
    step = _message(Kind.ANSWER, names[1], names[0], own, before)
    if not made:
        step = _by_itself(step, told=told, listened=trace.listened)
    made.append(replace(step, body=exchange.shown_body()))
    return made


def _by_itself(step: Step, *, told: bool, listened: bool = True) -> Step:
    who = step.sender if listened else f"{step.sender}, or the server behind it,"
    note = f"{who} answers by itself: nothing in this answer comes from the application."
    return step if told else replace(step, note=note)


def _message(kind: Kind, sender: str, receiver: str, head: _Head, before: _Head | None) -> Step:
    first = Line("", head.line)
    if before and before.line != head.line:
        first = Line("", head.line, Mark.OVERWRITTEN, before.line)
    lines = compared(head.headers, before.headers if before else None)
    return Step(kind, sender, receiver, first, lines)


def compared(
    headers: Sequence[tuple[str, str]], before: Sequence[tuple[str, str]] | None
) -> list[Line]:
    """The headers, marked; those that were dropped stand at the end. No marks without `before`."""
    shown = [(name, value) for name, value in headers if name.lower() not in _OWN]
    if before is None:
        return [Line(name, value) for name, value in shown]
    had: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    for name, value in before:
        if name.lower() not in _OWN:
            had.setdefault(name.lower(), []).append(value)
            names.setdefault(name.lower(), name)
    lines = []
    # Equal values first: of a header that comes twice, the one that stayed is no overwritten one.
    left = {name: list(values) for name, values in had.items()}
    same = []
    for name, value in shown:
        kept = value in left.get(name.lower(), [])
        same.append(kept)
        if kept:
            left[name.lower()].remove(value)
    for (name, value), kept in zip(shown, same, strict=True):
        if kept:
            lines.append(Line(name, value))
        elif olds := left.get(name.lower()):
            lines.append(Line(name, value, Mark.OVERWRITTEN, olds.pop(0)))
        else:
            lines.append(Line(name, value, Mark.ADDED))
    gone = [(names[name], value) for name, values in left.items() for value in values]
    return [*lines, *(Line(name, value, Mark.DROPPED) for name, value in gone)]
