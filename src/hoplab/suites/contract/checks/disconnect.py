from hoplab.client.probe import Failed, NotApplicable, Probe, once
from hoplab.client.target import Purpose, needs
from hoplab.errors import TimedOut
from hoplab.suites.check import Part, independent_of, slow

_SECONDS = 5


@slow
@independent_of(Part.SCHEME, Part.STRATEGY, Part.TRUST)
@needs(Purpose.ENDLESS)
def disconnect(probe: Probe) -> str:
    """If a client leaves a stream of events, does the application notice?

    A stream that goes on, and one that is quiet by then: of that, only who listens notices. Else
    the application works for nobody, until it has no connection left. The client leaves as well
    where nothing of the stream comes, since a hop keeps it back. Symptom: `disconnect-unnoticed`.
    """
    for stream in ("", "?quiet=true"):
        came = _left(probe, stream)
    return f"the client left{came}, and the application noticed"


def _left(probe: Probe, stream: str) -> str:
    """How the client left."""
    token = once()
    route = probe.route(Purpose.ENDLESS)
    came = ""
    try:
        probe.expect(probe.leave(f"{route}/{token}{stream}", _SECONDS))
    except TimedOut:
        came = f" after {_SECONDS} s in which nothing came"
    noticed = probe.ask_again(f"{route}/{token}/left?seconds={_SECONDS}")
    told = probe.told(noticed, "left")
    if not told.get("asked", True):
        message = "the application was not asked for the stream: a hop keeps the request back"
        raise NotApplicable(message)
    if not told["left"]:
        unnoticed = f"the application did not notice in {_SECONDS} s"
        detail = f"{route}{stream}: the client left{came}; {unnoticed}"
        raise Failed("disconnect-unnoticed", detail)
    return came
