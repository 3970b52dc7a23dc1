"""What the CORS variants are for: whom each path should let in, and what a browser makes of it.

The rules are those of the Fetch standard, https://fetch.spec.whatwg.org/#cors-check and
#cors-preflight-fetch. No input or output.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from hoplab.client.wire import Exchange, Headers

MAIN, METRICS = "http://main.co.kr", "http://metrics.co.kr"
"""The two allowed origins, as in the post."""

ORIGINS: Mapping[str, str | None] = {
    "main": MAIN,
    "metrics": METRICS,
    "stranger": "http://stranger.example",
    "null": "null",  # a sandboxed frame's, or a local file's
    "none": None,  # no browser, or not from another origin
}

Policy: TypeAlias = Mapping[str, Sequence[str]]
"""The origins that are to be let in, by what a path begins with; the longest counts."""

SEPARATE: Policy = {"/": [MAIN], "/metrics": [METRICS]}
SHARED: Policy = {"/": [MAIN, METRICS]}

WANTED: Mapping[str, Policy] = {
    "cors-both": SEPARATE,
    "cors-inner-only": SEPARATE,
    "cors-route-middleware": SEPARATE,
    "cors-single": SHARED,
    "cors-single-added": SHARED,
    "cors-router": SHARED,
    "cors-nginx-too": SHARED,
    "cors-traefik-too": SHARED,
    "cors-nginx-alone": SHARED,
    "cors-traefik-alone": SHARED,
}
"""By variation: what its author wants. The measured headers are held against it."""

_ADDED_LAST_RUNS_FIRST = {
    "/items/": ("prometheus", "main-cors"),
    "/metrics/": ("prometheus", "main-cors", "metrics-cors"),
}
_ONE_AROUND = dict.fromkeys(("/items/", "/metrics/"), ("cors", "prometheus"))

LAYERS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "cors-both": _ADDED_LAST_RUNS_FIRST,
    "cors-inner-only": {
        "/items/": ("prometheus",),
        "/metrics/": ("prometheus", "metrics-cors"),
    },
    "cors-route-middleware": {
        "/items/": ("prometheus", "main-cors"),
        "/metrics/": ("prometheus", "metrics-cors"),
    },
    "cors-single": _ONE_AROUND,
    "cors-single-added": dict.fromkeys(("/items/", "/metrics/"), ("prometheus", "cors")),
    "cors-router": _ONE_AROUND,
    "cors-nginx-too": _ONE_AROUND,
    "cors-traefik-too": _ONE_AROUND,
    "cors-nginx-alone": dict.fromkeys(("/items/", "/metrics/"), ("prometheus",)),
    "cors-traefik-alone": dict.fromkeys(("/items/", "/metrics/"), ("prometheus",)),
}
"""The middleware that a request passes on its way in, outermost first: that was added last."""

ANSWERED_BY_PROXY = {"cors-traefik-too", "cors-nginx-alone", "cors-traefik-alone"}
"""Where no preflight reaches the application."""

ASKED_METHOD, ASKED_HEADER = "GET", "X-Requested-With"
_PREFLIGHT = [
    ("Access-Control-Request-Method", ASKED_METHOD),
    ("Access-Control-Request-Headers", ASKED_HEADER.lower()),
]


def wanted(variation: str, path: str) -> Sequence[str]:
    """The origins that this path should let in."""
    policy = WANTED[variation]
    return policy[max((start for start in policy if path.startswith(start)), key=len)]


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
