import hashlib
import json
import random
import time
from functools import cache
from itertools import pairwise

from hoplab.client.probe import Failed, Probe
from hoplab.client.sending import CHUNKED
from hoplab.client.target import Knowledge, Purpose, needs
from hoplab.client.wire import Exchange, Headers
from hoplab.suites.check import Part, independent_of, slow

_MIB = 1024 * 1024
_KIB = 1024
_SIZE = 16 * _MIB
_TOO_LARGE = 413
_COUNT = 3
_INTERVALS = (0.25, 4.0)
"""Seconds between events. A client that gets no time to read sees the same as behind a proxy that
buffers: so it is asked again, with fewer events and more time."""

_SOON = 1.0
"""Seconds by which the first event may come later than another answer of the same moment."""
_TRIES = 3


@slow
@independent_of(Part.TRUST)
@needs(Knowledge.UNSAFE, Purpose.EVENTS, Purpose.LINES, Purpose.ECHO, Purpose.GREETING)
def stream(probe: Probe) -> str:
    """Do server-sent events arrive one by one as they are sent, and a large body whole both ways?

    And lines of another stream, which a proxy may take for a page? And does the first event come
    about as soon as another answer? The body is as large as the target's limits allow, 16 MiB at
    most. Symptoms: `events-lost`, `stream-buffered`,
    `stream-late`, `body-refused`, `body-altered`.
    """
    one_by_one(probe, _COUNT)
    one_by_one(probe, 2, purpose=Purpose.LINES)
    _soon(probe)
    body = _body(min(_SIZE, probe.target.limits.upload))
    # Chunked: with a Content-Length, proxies in Go now and then cut an answer that comes at once,
    # since the server closes the request's body while its client looks for the end
    # (golang/go#40747).
    echo = probe.request("POST", probe.route(Purpose.ECHO), [CHUNKED], body)
    if echo.status == _TOO_LARGE:
        probe.fail("body-refused", echo, f"200 for {len(body) // _KIB} KiB")
    probe.expect(echo)
    arrived = (echo.header("X-Body-Length"), echo.header("X-Body-SHA256"))
    sent = (str(len(body)), _digest(len(body)))
    if arrived != sent or echo.body != body:
        detail = f"{arrived} arrived, {len(echo.body)} bytes came back, sent {sent}"
        raise Failed("body-altered", detail)
    return f"{_COUNT} events, one by one as they were sent; {len(body) // _KIB} KiB both ways"


def one_by_one(
    probe: Probe, count: int, headers: Headers = (), purpose: Purpose = Purpose.EVENTS
) -> Exchange:
    """The answer with so many events, asked for with these headers; Failed if they come together.

    That is `stream-buffered`, and `events-lost` if some do not come.
    """
    for asked, interval in zip((count, 2), _INTERVALS, strict=True):
        path = f"{probe.route(purpose)}?count={asked}&interval={interval}"
        answer = probe.get(path, headers, stream=True)
        kind, read = _STREAMS[purpose]
        events = read(probe.of_type(probe.expect(answer), kind))
        if len(events) != asked:
            detail = f"{answer}: {len(events)} events, expected {asked}"
            raise Failed("events-lost", detail)
        gaps = [later - earlier for (earlier, _), (later, _) in pairwise(events)]
        late = max(at - _sent(line, at) for at, line in events)
        if min(gaps) >= interval / 2 and late < interval:
            return answer
    shown = f"{gaps[0]:.3f} s apart, up to {late:.3f} s late"
    detail = f"events sent {interval} s apart arrived {shown}"
    raise Failed("stream-buffered", f"{answer}: {detail}{_with(headers)}")


def _with(headers: Headers) -> str:
    return "".join(f", asked with {name}: {value}" for name, value in headers)


def _soon(probe: Probe) -> None:
    """A busy machine answers everything late: so it is compared with an answer of that moment.

    And late is only what is so each time.
    """
    delays = []
    for _ in range(_TRIES):
        began = time.monotonic()
        probe.ask_again(probe.route(Purpose.GREETING))
        asked = time.monotonic()
        with probe.begun(f"{probe.route(Purpose.EVENTS)}?count=1") as begun:
            probe.expect(begun)
            delays.append(time.monotonic() - asked - (asked - began))
        if delays[-1] <= _SOON:
            return
    shown = ", ".join(f"{delay:.1f}" for delay in delays)
    raise Failed("stream-late", f"{begun}: the first event came {shown} s after other answers")


def _lines(answer: Exchange) -> list[tuple[float, bytes]]:
    """When each arrived, and what it says."""
    return [(at, line) for at, line in answer.chunks if line.strip()]


def _events(answer: Exchange) -> list[tuple[float, bytes]]:
    """When each arrived, and its data: an empty line ends it, so two in a row are one."""
    events, data = [], b""
    for at, line in answer.chunks:
        if line.startswith(b"data: "):
            data += line
        elif not line.strip() and data:
            events.append((at, data))
            data = b""
    return events


_STREAMS = {
    Purpose.EVENTS: ("text/event-stream", _events),
    Purpose.LINES: ("application/x-ndjson", _lines),
}
"""The media type of each, and how its pieces are told apart."""


def _sent(line: bytes, at: float) -> float:
    """When the application says that it sent this event (seconds since the epoch), if it does.

    Its clock is the client's: both are on one machine. One that does not say is judged by the gaps.
    """
    try:
        return float(json.loads(line.removeprefix(b"data: "))["sent"])
    except (ValueError, TypeError, LookupError):
        return at


@cache
def _body(size: int) -> bytes:
    """Incompressible, the same in each run; made once, for it takes a while."""
    return random.Random(0).randbytes(size)  # noqa: S311


@cache
def _digest(size: int) -> str:
    return hashlib.sha256(_body(size)).hexdigest()
