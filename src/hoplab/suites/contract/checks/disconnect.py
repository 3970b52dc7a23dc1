from hoplab.client.probe import Failed, Probe, once
from hoplab.client.target import Purpose, needs
from hoplab.suites.check import Part, independent_of

_SECONDS = 5


@independent_of(Part.SCHEME, Part.STRATEGY, Part.TRUST)
@needs(Purpose.ENDLESS)
def disconnect(probe: Probe) -> str:
    """If a client leaves a stream of events, does the application notice?

    Else it works for nobody, until it has no connection left. Symptom: `disconnect-unnoticed`.
    """
    token = once()
    route = probe.route(Purpose.ENDLESS)
    stream = probe.expect(probe.leave(f"{route}/{token}"))
    noticed = probe.ask_again(f"{route}/{token}/left?seconds={_SECONDS}")
    if not probe.told(noticed, "left")["left"]:
        raise Failed("disconnect-unnoticed", f"{stream}: left; {_SECONDS} s later it still sends")
    return "the client left, and the application noticed"
