import time

from hoplab.client.probe import Failed, Probe
from hoplab.client.target import Knowledge, Purpose, needs
from hoplab.suites.check import Part, independent_of

_PIPELINED = 3
_AGAIN = "the same answer came again, as from a cache"
_INTERVALS = (0.5, 4.0)
"""Seconds between two events. A machine that is busy answers nobody in time: so it is asked again,
with more."""
_OTHERS = 2
"""Answers that others get meanwhile: one may come just as the stream sends something."""
_KEPT = (301, 302, 404, 500)
"""Statuses that people have a cache keep, as `proxy_cache_valid 404 1m` does."""


@independent_of(Part.SCHEME, Part.STRATEGY, Part.TRUST)
@needs(Knowledge.UNSAFE, Purpose.REQUEST, Purpose.ECHO, Purpose.EVENTS)
def isolation(probe: Probe) -> str:
    """Does every client get its own answer, and every request its own, in order?

    Two clients ask for the same page with cookies of their own; the same question gets a new
    answer, also where that is an error or leads elsewhere; an empty body is nobody else's; requests
    that are sent without waiting are answered in their order (RFC 9112, 9.3.2); while one client
    has a stream of events, others are answered.
    Symptoms: `answer-shared`, `answers-swapped`, `request-changed`, `others-wait`.
    """
    route = probe.route(Purpose.REQUEST)
    serials = []
    for name in ("one", "two", "one"):
        cookie = f"client={name}"
        answer = probe.ask_again(f"{route}?shared", [("Cookie", cookie)])
        told = probe.told(answer, "headers", "serial")
        if ["cookie", cookie] not in told["headers"]:
            raise Failed("answer-shared", f"{answer}: asked with {cookie}; it answers another one")
        serials.append(told["serial"])
    if len(set(serials)) != len(serials):
        raise Failed("answer-shared", f"{route}: {_AGAIN}")
    probe.expect(probe.request("POST", probe.route(Purpose.ECHO), body=b"of one client"))
    empty = probe.expect(probe.request("POST", probe.route(Purpose.ECHO), body=b""))
    if empty.body:
        raise Failed("answer-shared", f"{empty}: sent nothing, and {empty.body[:40]!r} came back")
    asked = [f"{route}?in-order={number}" for number in range(_PIPELINED)]
    answers = [
        probe.told(answer, "query_string")["query_string"] for answer in probe.pipelined(asked)
    ]
    sent = [path.partition("?")[2] for path in asked]
    if answers != sent:
        # Of another request of these, or of one that nobody sent: then a hop made it.
        swapped = any(came in sent for came, own in zip(answers, sent, strict=True) if came != own)
        detail = f"asked without waiting, {asked} were answered: {answers}"
        raise Failed("answers-swapped" if swapped else "request-changed", detail)
    for status in _KEPT:
        _asked_twice(probe, f"{route}?status={status}", status)
    _others(probe)
    return f"two clients, each its own answer; {_PIPELINED} requests at once, in order"


def _asked_twice(probe: Probe, path: str, status: int) -> None:
    """A page of the proxy's in its place is for `answers` to tell."""
    one, two = probe.ask_again(path), probe.ask_again(path)
    if probe.from_app(one) and probe.from_app(two):
        serials = {probe.told(each, "serial", status=status)["serial"] for each in (one, two)}
        if len(serials) == 1:
            raise Failed("answer-shared", f"{two}: {_AGAIN}")


def _others(probe: Probe) -> None:
    """Others are answered between two events of a stream, and not only when it sends one."""
    stream = probe.route(Purpose.EVENTS)
    for interval in _INTERVALS:
        with probe.begun(f"{stream}?count=2&interval={interval}") as begun:
            probe.expect(begun)
            deadline = time.monotonic() + interval / 2
            for _ in range(_OTHERS):
                probe.expect(probe.ask_again(probe.route(Purpose.REQUEST)))
            if time.monotonic() < deadline:
                return
    detail = f"{begun}: in {interval / 2} s after its first event, others got no {_OTHERS} answers"
    raise Failed("others-wait", detail)
