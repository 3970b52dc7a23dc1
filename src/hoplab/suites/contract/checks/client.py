from urllib.parse import urlsplit

from hoplab.client.probe import Failed, NotApplicable, Probe
from hoplab.client.target import Purpose, needs


@needs(Purpose.SCOPE)
def client(probe: Probe) -> str:
    """Does the application see the client's scheme, host and address as the proxy saw them?

    Symptoms: `scheme-wrong`, `host-wrong`, `client-wrong`.
    """
    scope = probe.scope()
    if scope["scheme"] != probe.target.scheme:
        detail = f"scheme {scope['scheme']!r}, expected {probe.target.scheme!r}"
        raise Failed("scheme-wrong", detail)
    hosts = [value for name, value in scope["headers"] if name.lower() == "host"]
    if hosts != [urlsplit(probe.base).netloc]:
        raise Failed("host-wrong", f"Host {hosts}, expected {urlsplit(probe.base).netloc!r}")
    expected = probe.target.client
    if expected is None:
        message = "scheme and host are right; the client's address is not known here"
        raise NotApplicable(message)
    given = (scope["client"] or [None])[0]
    if given != expected:
        raise Failed("client-wrong", f"client {given!r}, expected {expected!r}")
    return f"client {given}, scheme {scope['scheme']}, host {hosts[0]}"
