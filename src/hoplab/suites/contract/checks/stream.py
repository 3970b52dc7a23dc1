import hashlib
import json
import random
from functools import cache
from itertools import pairwise

from hoplab.client.probe import Failed, Probe
from hoplab.client.sending import CHUNKED
from hoplab.client.target import Knowledge, Purpose, needs
from hoplab.client.wire import Exchange
from hoplab.suites.check import Part, independent_of, slow

_MIB = 1024 * 1024
_KIB = 1024
_SIZE = 16 * _MIB
_TOO_LARGE = 413
_COUNT = 3
_INTERVALS = (0.25, 1.0)
"""Seconds between events. A client that gets no time to read sees the same as behind a proxy that
buffers: so it is asked again, with more time."""


@slow
@independent_of(Part.TRUST)
@needs(Knowledge.UNSAFE, Purpose.EVENTS, Purpose.ECHO)
def stream(probe: Probe) -> str:
    """Do server-sent events arrive one by one as they are sent, and a large body whole both ways?

    The body is as large as the target's limits allow, 16 MiB at most. Symptoms: `events-lost`,
    `stream-buffered`, `body-refused`, `body-altered`.
    """
    for interval in _INTERVALS:
        answer = probe.get(
            f"{probe.route(Purpose.EVENTS)}?count={_COUNT}&interval={interval}", stream=True
        )
        events = _events(probe.of_type(probe.expect(answer), "text/event-stream"))
        if len(events) != _COUNT:
            detail = f"{answer}: {len(events)} server-sent events, expected {_COUNT}"
            raise Failed("events-lost", detail)
        gaps = [later - earlier for (earlier, _), (later, _) in pairwise(events)]
        late = max(at - _sent(line, at) for at, line in events)
        if min(gaps) >= interval / 2 and late < interval:
            break
    else:
        shown = " and ".join(f"{gap:.3f}" for gap in gaps)
        detail = f"events sent {interval} s apart arrived {shown} s apart, up to {late:.3f} s late"
        raise Failed("stream-buffered", detail)

    body = _body(min(_SIZE, probe.target.limits.upload))
    # Chunked: with a Content-Length, proxies in Go now and then cut an answer that comes at once,
    # since the server closes the request's body while its client looks for the end
    # (golang/go#40747).
    echo = probe.request("POST", probe.route(Purpose.ECHO), [CHUNKED], body)
    if echo.status == _TOO_LARGE:
        probe.fail("body-refused", echo, f"200 for {len(body) // _KIB} KiB")
    probe.expect(echo)
    arrived = (echo.header("X-Body-Length"), echo.header("X-Body-SHA256"))
    sent = (str(len(body)), hashlib.sha256(body).hexdigest())
    if arrived != sent or echo.body != body:
        detail = f"{arrived} arrived, {len(echo.body)} bytes came back, sent {sent}"
        raise Failed("body-altered", detail)
    return f"{_COUNT} events, one by one as they were sent; {len(body) // _KIB} KiB both ways"


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
