import time

from hoplab.client.explored import Stream
from hoplab.client.probe import Failed, NotApplicable, Probe
from hoplab.client.target import Knowledge, needs
from hoplab.suites.own.checks.asked import explored, raise_all

_WORTH = 0.4
"""Seconds between the first and the last piece, so that one can tell whether they come at once."""

_MORE = 2.0  # seconds
_TRIES = 2
"""A client that gets no time to read sees the same as behind a proxy that buffers."""


@needs(Knowledge.INSTANCE, Knowledge.EXPLORED)
def events(probe: Probe) -> str:
    """Do the events of a stream arrive as they are sent, and not all at the end?

    Symptom: `stream-buffered`.
    """
    streams = [each for each in explored(probe).streams if each.last - each.first >= _WORTH]
    if not streams:
        raise NotApplicable("it has no stream of events that lasts")
    found = []
    for stream in streams:
        latest = stream.first + (stream.last - stream.first) / 2
        firsts: list[float] = []
        while len(firsts) < _TRIES and min(firsts, default=latest + 1) > latest:
            firsts.append(_first(probe, stream))
        if min(firsts) > latest:
            shown = "nothing came" if min(firsts) == float("inf") else f"{min(firsts):.1f} s"
            detail = (
                f"{stream.path}: first piece after {shown}, without a proxy {stream.first:.1f} s"
            )
            found.append((Failed("stream-buffered", detail), stream.where or stream.path))
    raise_all(found)
    return f"{', '.join(each.path for each in streams)}: as they are sent"


def _first(probe: Probe, stream: Stream) -> float:
    """When the first piece came (seconds)."""
    began = time.time()
    answer = probe.client.listen(probe.url(stream.path), stream.last + _MORE, most=1)
    probe.expect(answer)
    return answer.chunks[0][0] - began if answer.chunks else float("inf")
