import hashlib
import json
import random

from hoplab.probe import Failed, Probe

_SIZE = 16 * 1024 * 1024
_BODY = random.Random(0).randbytes(_SIZE)  # noqa: S311 - incompressible, the same in each run
_SHA256 = hashlib.sha256(_BODY).hexdigest()


def stream(probe: Probe) -> str:
    """Does the first server-sent event arrive before the last is sent, and 16 MiB whole both ways?

    Symptoms: `stream-buffered`, `body-altered`.
    """
    answer = probe.get("/events", stream=True)
    events = [(at, line) for at, line in answer.chunks if line.startswith(b"data: ")]
    if not probe.answers(answer) or not events:
        probe.fail("stream-buffered", answer, "server-sent events")
    last_sent = json.loads(events[-1][1].removeprefix(b"data: "))["sent"]
    early = last_sent - events[0][0]
    if early <= 0:
        detail = f"the first event arrived {-early:.3f} s after the last of {len(events)} was sent"
        raise Failed("stream-buffered", detail)

    echo = probe.request("POST", "/echo", body=_BODY)
    if not probe.answers(echo):
        probe.fail("body-altered", echo, "200 from the application")
    arrived = (echo.header("X-Body-Length"), echo.header("X-Body-SHA256"))
    if arrived != (str(_SIZE), _SHA256) or echo.body != _BODY:
        detail = f"{arrived} arrived, {len(echo.body)} bytes came back, sent {(_SIZE, _SHA256)}"
        raise Failed("body-altered", detail)
    return f"the first event arrived {early:.2f} s before the last was sent; 16 MiB both ways"
