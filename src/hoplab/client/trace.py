"""One request on its way: what each hop of a cell made of it, taken from real exchanges."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hoplab.client.probe import Probe
from hoplab.client.target import Target
from hoplab.client.wire import Exchange
from hoplab.symptom import Symptom


@dataclass(frozen=True)
class Trace:
    """What was asked and answered, and what the proxy passed on in between.

    passed_on: the head of the request that reached an upstream behind the same configuration;
    nothing if the proxy answered itself, or was not asked (`direct`).
    """

    exchange: Exchange
    passed_on: Sequence[str]
    direct: bool = False

    @property
    def scope(self) -> dict[str, Any] | None:
        """What the server told the application; nothing if that was not reached."""
        told = self.exchange.header("X-ASGI-Scope")
        return json.loads(told) if told else None


def is_direct(target: Target, symptom: Symptom) -> bool:
    """Whether the symptom shows past the proxy only."""
    return symptom.name == "direct-spoofable" and target.direct is not None


def ask(target: Target, symptom: Symptom) -> Exchange:
    """Ask the request that shows the symptom best."""
    probe = Probe(target)
    try:
        if target.direct and is_direct(target, symptom):
            return probe.ask_directly(target.direct.prefix + symptom.path, symptom.headers)
        if symptom.method == "WEBSOCKET":
            return probe.websocket(symptom.path)
        body = b"hello" if symptom.method == "POST" else None
        # Not probe.url: of "0/app", the sibling prefix /api/v10 is meant.
        url = probe.base + symptom.path
        return probe.request(symptom.method, url, symptom.headers, body)
    finally:
        probe.client.close()


def passed_on(echo: Target, symptom: Symptom) -> list[str]:
    """The same request's head as it reaches the echo behind the same proxy, line by line."""
    answer = ask(echo, symptom)
    # The proxy's own answer, a 404 say, is none of the echo's.
    by_echo = answer.header("X-Instance") is not None
    return answer.body.decode("latin-1").splitlines() if by_echo else []
