import hashlib
import random
from functools import cache

from hoplab.client.probe import Failed, Probe
from hoplab.client.target import Knowledge, Purpose, needs
from hoplab.client.wire import CHUNKED

_MIB = 1024 * 1024
_KIB = 1024
_SIZE = 16 * _MIB
_TOO_LARGE = 413
_COUNT = 3
_INTERVALS = (0.25, 1.0)
"""Seconds between events. A client that gets no time to read sees the same as behind a proxy that
buffers: so it is asked again, with more time."""


@needs(Knowledge.UNSAFE, Purpose.EVENTS, Purpose.ECHO)
def stream(probe: Probe) -> str:
    """Do server-sent events arrive one by one as they are sent, and a large body whole both ways?

    The body is as large as the target's limits allow, 16 MiB at most. Symptoms: `events-lost`,
    `stream-buffered`, `body-refused`, `body-altered`.
    """
    apart = 0.0
    for interval in _INTERVALS:
        answer = probe.get(
            f"{probe.route(Purpose.EVENTS)}?count={_COUNT}&interval={interval}", stream=True
        )
        probe.expect(answer)
        arrivals = [at for at, line in answer.chunks if line.startswith(b"data: ")]
        if len(arrivals) != _COUNT:
            detail = f"{answer}: {len(arrivals)} server-sent events, expected {_COUNT}"
            raise Failed("events-lost", detail)
        # By one clock, the client's: all at once if somebody kept them.
        apart = arrivals[-1] - arrivals[0]
        if apart >= interval:
            break
    else:
        seconds = (_COUNT - 1) * _INTERVALS[-1]
        detail = f"the first and last event arrived {apart:.3f} s apart; sent {seconds} s apart"
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
    return f"first and last event arrived {apart:.2f} s apart; {len(body) // _KIB} KiB both ways"


@cache
def _body(size: int) -> bytes:
    """Incompressible, the same in each run; made once, for it takes a while."""
    return random.Random(0).randbytes(size)  # noqa: S311
