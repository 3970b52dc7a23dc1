"""What the CORS variants are for: which origins may read each path, and what a browser makes of it.

The rules are those of the Fetch standard, https://fetch.spec.whatwg.org/#cors-check and
#cors-preflight-fetch. No input or output.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hoplab.catalogue.form import ANY, require
from hoplab.client.wire import Exchange, Headers
from hoplab.errors import HoplabError

MAIN, METRICS = "http://main.co.kr", "http://metrics.co.kr"
"""The two allowed origins, as in the post."""

ORIGINS: Mapping[str, str | None] = {
    "main": MAIN,
    "metrics": METRICS,
    "stranger": "http://stranger.example",
    "null": "null",  # a sandboxed frame's, or a local file's
    "none": None,  # no browser, or not from another origin
}

ASKED_METHOD, ASKED_HEADER = "GET", "X-Requested-With"
_PREFLIGHT = [
    ("Access-Control-Request-Method", ASKED_METHOD),
    ("Access-Control-Request-Headers", ASKED_HEADER.lower()),
]


@dataclass(frozen=True)
class Right:
    """What the author of a variant wants; the table `[cors]` of its file.

    policy: the origins that may read, by what a path begins with; the longest counts.
    layers: by path, the middleware that a request passes on its way in, outermost first.
    answered_by_proxy: whether no preflight reaches the application.
    """

    policy: Mapping[str, Sequence[str]]
    layers: Mapping[str, Sequence[str]]
    answered_by_proxy: bool = False

    def wanted(self, path: str) -> Sequence[str]:
        """The origins that may read this path."""
        return self.policy[max((start for start in self.policy if path.startswith(start)), key=len)]


_FORM = {"policy": {ANY: [str]}, "layers": {ANY: [str]}, "answered_by_proxy": bool}


def right_of(table: Mapping[str, Any]) -> Right:
    """What a variant's file says. Raises HoplabError if it says it otherwise."""
    try:
        require({"cors": _FORM}, {"cors": table})
        return Right(**table)
    except (TypeError, ValueError) as error:
        raise HoplabError(f"A CORS variant's table [cors]: {error}") from error


def headers(origin: str | None, *, preflight: bool = False, cookie: bool = False) -> Headers:
    """What a browser sends with a request of a page of this origin."""
    sent = [("Origin", origin)] if origin else []
    return sent + _PREFLIGHT * preflight + [("Cookie", "session=1")] * cookie


def values(exchange: Exchange, name: str) -> list[str]:
    """The values of every header of this name, each as it stands."""
    return [value for key, value in exchange.headers if key.lower() == name.lower()]


def lets_in(exchange: Exchange, origin: str, *, credentials: bool) -> bool:
    """Whether a browser gives this answer to a page of this origin: Fetch's CORS check."""
    # Of several headers, a browser sees one, with commas; that is no origin.
    allowed = ", ".join(values(exchange, "Access-Control-Allow-Origin"))
    if allowed == "*" and not credentials:
        return True
    if allowed != origin:
        return False
    return not credentials or values(exchange, "Access-Control-Allow-Credentials") == ["true"]


def preflight_passes(exchange: Exchange, origin: str, *, credentials: bool) -> bool:
    """Whether a browser sends the request that this preflight asked for."""
    ok = range(200, 300)
    named = [
        name.strip().lower()
        for value in values(exchange, "Access-Control-Allow-Headers")
        for name in value.split(",")
    ]
    named_it = ASKED_HEADER.lower() in named or ("*" in named and not credentials)
    return lets_in(exchange, origin, credentials=credentials) and exchange.status in ok and named_it
