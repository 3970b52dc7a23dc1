import hashlib
import random

from hoplab.client.probe import Failed, Probe
from hoplab.client.wire import CHUNKED

_MIB = 1024 * 1024
_KIB = 1024
_SIZE = 16 * _MIB
_ABOVE_LIMIT = _MIB + 64 * _KIB  # nginx takes 1 MiB by default
_ABOVE_BUFFERS = 256 * _KIB  # of both proxies and of TCP on loopback
_BODY = random.Random(0).randbytes(_SIZE)  # noqa: S311 - incompressible, the same in each run
_COUNT, _INTERVAL = 3, 0.25


def stream(probe: Probe) -> str:
    """Do server-sent events arrive one by one as they are sent, and a large body whole both ways?

    The body is 16 MiB if the cell is its topology's recipe, a little over one in a variation, which
    may have another limit, and 256 KiB elsewhere. Symptoms: `stream-buffered`, `body-refused`,
    `body-altered`; and `unreachable` where there are no events.
    """
    apart = 0.0
    for _ in range(2):  # a client that was kept from reading looks like a proxy that buffers, once
        answer = probe.get(f"/events?count={_COUNT}&interval={_INTERVAL}", stream=True)
        arrivals = [at for at, line in answer.chunks if line.startswith(b"data: ")]
        if not probe.answers(answer) or len(arrivals) != _COUNT:
            probe.fail("unreachable", answer, f"{_COUNT} server-sent events")
        # By one clock, the client's: all at once if somebody kept them.
        apart = max(apart, arrivals[-1] - arrivals[0])
        if apart >= _INTERVAL:
            break
    else:
        seconds = (_COUNT - 1) * _INTERVAL
        detail = f"the first and last event arrived {apart:.3f} s apart; sent {seconds} s apart"
        raise Failed("stream-buffered", detail)

    body = _BODY
    if not probe.recommended:
        body = body[: _ABOVE_LIMIT if probe.cell.variation else _ABOVE_BUFFERS]
    # Chunked: with a Content-Length, Traefik now and then cuts an answer that comes at once, since
    # Go's server closes the request's body while its client looks for the end (golang/go#40747).
    echo = probe.request("POST", "/echo", [CHUNKED], body)
    if not probe.answers(echo):
        probe.fail("body-refused", echo, "200 from the application")
    arrived = (echo.header("X-Body-Length"), echo.header("X-Body-SHA256"))
    sent = (str(len(body)), hashlib.sha256(body).hexdigest())
    if arrived != sent or echo.body != body:
        detail = f"{arrived} arrived, {len(echo.body)} bytes came back, sent {sent}"
        raise Failed("body-altered", detail)
    return f"first and last event arrived {apart:.2f} s apart; {len(body) // _KIB} KiB both ways"
