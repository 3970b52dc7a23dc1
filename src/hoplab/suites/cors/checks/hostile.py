from hoplab.client.probe import Failed, Probe
from hoplab.client.target import Knowledge, needs
from hoplab.client.wire import Headers
from hoplab.suites.cors.right import ASKED_METHOD, MAIN, METRICS, values

_PATHS = ("/items/", "/metrics/")
_STRANGE = [
    f"{MAIN}.stranger.example",
    f"{MAIN}@stranger.example",
    f"{MAIN}:8080",
    f"{MAIN}/",
    MAIN.upper(),
    MAIN.replace("http", "https"),
    f"{MAIN}, http://stranger.example",
    "http://",
    "*",
    "javascript:alert(1)",
]
_REQUESTED = ("Access-Control-Request-Method", ASKED_METHOD)
_SERVER_ERRORS = range(500, 600)
_KIB = (6, 20, 100)
"""Sizes of a header: above what proxies' buffers mostly hold; above their limits; above what the
servers take."""


@needs(Knowledge.POLICIES)
def hostile(probe: Probe) -> str:
    """Do a strange or doubled Origin, thousands of headers and `OPTIONS *` end as they should?

    Without a 5xx, and without an origin in the answer that no policy names. Symptoms:
    `cors-origin-reflected`, `cors-wrong-policy`, `cors-crashes`.
    """
    sent: list[Headers] = [[("Origin", origin)] for origin in _STRANGE]
    stranger = ("Origin", "http://stranger.example")
    sent += [[("Origin", MAIN), stranger], [stranger, ("Origin", MAIN)]]
    for path in _PATHS:
        for headers in sent:
            _ask(probe, "GET", path, headers)
            _ask(probe, "OPTIONS", path, [*headers, _REQUESTED])
        for kib in _KIB:
            huge = ("Access-Control-Request-Headers", ",".join(kib * 128 * ["x-12345"]))
            _ask(probe, "OPTIONS", path, [("Origin", MAIN), _REQUESTED, huge])
    _ask(probe, "OPTIONS", probe.origin, [("Origin", MAIN), _REQUESTED])
    return f"{len(sent)} strange origins, {_KIB[-1]} KB of names, OPTIONS *: no 5xx, nobody else"


def _ask(probe: Probe, method: str, path: str, headers: Headers) -> None:
    answer = probe.request(method, path, headers)
    if answer.status in _SERVER_ERRORS:
        detail = f"{method} {path} with {_shortened(headers)} → {answer.status}"
        raise Failed("cors-crashes", detail)
    sent = {value for name, value in headers if name == "Origin"}
    for given in values(answer, "Access-Control-Allow-Origin"):
        if strange := set(given.split(", ")) - {MAIN, METRICS}:
            reflected = "*" not in strange and (strange & sent or given in sent)
            symptom = "cors-origin-reflected" if reflected else "cors-wrong-policy"
            detail = f"{method} {path} with {_shortened(headers)}: allowed {given}"
            raise Failed(symptom, detail)


def _shortened(headers: Headers) -> str:
    return ", ".join(f"{name}: {value[:60]}" for name, value in headers)
