"""What the doctor needs of a client: it asks a site that it does not know, and not too much."""

from typing import Protocol

from hoplab.client.wire import Exchange, Headers
from hoplab.errors import HoplabError


class Silence(HoplabError):
    """No HTTP answer came to one request; the next may be asked."""


class Stop(HoplabError):
    """Nothing more may be asked: too many requests, the site asks for a pause, or is unreachable.

    The argument says why, in one line for a person.
    """


class Asker(Protocol):
    """Asks one site. Follows no redirect, sends nothing off-host, and counts."""

    requests: int
    """How many were sent."""

    def ask(self, url: str, method: str = "GET", headers: Headers = ()) -> Exchange:
        """One request to a whole URL of the site. GET, HEAD and OPTIONS alone.

        Raises Silence if no answer came, Stop if nothing more may be asked. A URL of another origin
        is a Silence, and nothing is sent.
        """
        ...

    def shake_hands(self, url: str, headers: Headers = ()) -> Exchange:
        """A WebSocket's handshake with an http or https URL; closed at once. Status 101: accepted.

        Raises as `ask` does.
        """
        ...
