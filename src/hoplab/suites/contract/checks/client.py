from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from hoplab.client.probe import Failed, NotApplicable, Probe
from hoplab.client.target import Purpose, needs


@needs(Purpose.SCOPE)
def client(probe: Probe) -> str:
    """Does the application see the client's scheme, host and address as the proxy saw them?

    And do X-Forwarded-Host and X-Real-IP, if they arrive, say the same? Symptoms: `scheme-wrong`,
    `host-wrong`, `client-wrong`.
    """
    scope = probe.scope()
    hosts = [value for name, value in scope["headers"] if name.lower() == "host"]
    seen = as_the_proxy_saw(probe, scope["scheme"], hosts, scope["client"])
    for name, right, symptom in (
        ("x-forwarded-host", urlsplit(probe.base).netloc, "host-wrong"),
        ("x-real-ip", probe.target.client, "client-wrong"),
    ):
        told = [value for each, value in scope["headers"] if each.lower() == name]
        if told not in ([], [right]):
            raise Failed(symptom, f"{name} {told}, expected {right!r}")
    return seen


def as_the_proxy_saw(
    probe: Probe, scheme: str, hosts: list[str], client: Sequence[Any] | None
) -> str:
    """What came, if the application sees scheme, Host and client as they are; Failed if not."""
    if scheme != probe.target.scheme:
        raise Failed("scheme-wrong", f"scheme {scheme!r}, expected {probe.target.scheme!r}")
    if hosts != [urlsplit(probe.base).netloc]:
        raise Failed("host-wrong", f"Host {hosts}, expected {urlsplit(probe.base).netloc!r}")
    expected = probe.target.client
    if expected is None:
        message = "scheme and host are right; the client's address is not known here"
        raise NotApplicable(message)
    given = (client or [None])[0]
    if given != expected:
        raise Failed("client-wrong", f"client {given!r}, expected {expected!r}")
    return f"client {given}, scheme {scheme}, host {hosts[0]}"
