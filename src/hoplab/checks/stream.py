import hashlib
import random

from hoplab.probe import Failed, Probe

_SIZE = 16 * 1024 * 1024
_BODY = random.Random(0).randbytes(_SIZE)  # noqa: S311 - incompressible, the same in each run
_SHA256 = hashlib.sha256(_BODY).hexdigest()
_COUNT, _INTERVAL = 3, 0.25


def stream(probe: Probe) -> str:
    """Do server-sent events arrive one by one as they are sent, and 16 MiB whole both ways?

    Symptoms: `stream-buffered`, `body-refused`, `body-altered`; and `unreachable` where there are
    no events.
    """
    answer = probe.get(f"/events?count={_COUNT}&interval={_INTERVAL}", stream=True)
    arrivals = [at for at, line in answer.chunks if line.startswith(b"data: ")]
    if not probe.answers(answer) or len(arrivals) != _COUNT:
        probe.fail("unreachable", answer, f"{_COUNT} server-sent events")
    # By one clock, the client's: all at once if somebody kept them.
    apart = arrivals[-1] - arrivals[0]
    if apart < _INTERVAL:
        sent = (_COUNT - 1) * _INTERVAL
        detail = f"the first and last event arrived {apart:.3f} s apart; sent {sent:.3f} s apart"
        raise Failed("stream-buffered", detail)

    echo = probe.request("POST", "/echo", body=_BODY)
    if not probe.answers(echo):
        probe.fail("body-refused", echo, "200 from the application")
    arrived = (echo.header("X-Body-Length"), echo.header("X-Body-SHA256"))
    if arrived != (str(_SIZE), _SHA256) or echo.body != _BODY:
        detail = f"{arrived} arrived, {len(echo.body)} bytes came back, sent {(_SIZE, _SHA256)}"
        raise Failed("body-altered", detail)
    return f"first and last event arrived {apart:.2f} s apart; 16 MiB both ways"
