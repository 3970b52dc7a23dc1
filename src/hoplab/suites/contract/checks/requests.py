import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from hoplab.client.probe import WRONG, Failed, Probe, once, scope_of
from hoplab.client.sending import CHUNKED, EXPECT
from hoplab.client.target import Knowledge, Purpose, needs
from hoplab.client.wire import Exchange, Headers
from hoplab.suites.check import Part, independent_of, slow

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_HEADERS: Headers = (
    ("Authorization", "Bearer abc.def-ghi_jkl="),
    ("Cookie", "session=a%3Db; theme=dark; empty="),
    ("Content-Type", "application/vnd.api+json; charset=utf-8"),
    ("Accept", "application/json, text/html;q=0.8, */*;q=0.1"),
    ("Accept-Language", "de-CH, fr;q=0.9"),
    ("Accept-Encoding", "identity"),
    ("If-None-Match", '"a", W/"b"'),
    ("If-Modified-Since", "Wed, 21 Oct 2015 07:28:00 GMT"),
    ("Range", "bytes=0-3"),
    ("Origin", "https://front.example"),
    ("Referer", "https://front.example/page?q=1"),
    ("User-Agent", "hoplab"),
    ("Idempotency-Key", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
    ("X-Custom", "one, two"),
)
_PREFLIGHT: Headers = (
    ("Origin", "https://front.example"),
    ("Access-Control-Request-Method", "POST"),
)
_QUERY = (
    "b=2&a=1&a=%20+&empty=&=x&caf%C3%A9=%c3%a9&list[]=1&path=/a/../b//c&url=http://x?y&at=@:,'*!~"
)
_LONG_QUERY = "filter=" + 2 * 1024 * "f"
_PATH = "/Mixed-Case/~a_b.c"
_COOKIE = "large=" + 8 * 1024 * "c"
"""What browsers keep for a name is 4 KiB; two of them come together (RFC 6265, 6.1)."""

_BODIES: Mapping[str, tuple[Headers, bytes | list[bytes]]] = {
    "with Content-Length": ((), b"hello" * 1000),
    "chunked": ((CHUNKED,), b"hello" * 1000),
    "of no length": ((), b""),
    "after Expect: 100-continue": ((EXPECT,), b"hello" * 1000),
    "slow": ((CHUNKED,), [b"slow", b"ly"]),
}
_DROP = "drop=1"
"""The first time: who asks again gets an answer, and the check need not wait."""


@slow
@independent_of(Part.SCHEME, Part.STRATEGY, Part.TRUST)
@needs(Knowledge.UNSAFE, Purpose.REQUEST, Purpose.ANSWER, Purpose.SCOPE)
def requests(probe: Probe) -> str:
    """Does a request arrive as it was sent, and once?

    With every method, the path and the query byte for byte, one of 2 KiB, headers that applications
    live on, one of two lines, a cookie of 8 KiB, bodies in every form; and a POST that fails, or to
    which the application drops the connection without an answer, is not sent again. Symptoms:
    `request-changed`, `request-repeated`.
    """
    for method in _METHODS:
        _method(probe, method)
    _told(probe, "OPTIONS", "?preflight", _PREFLIGHT)  # CORS is the application's
    for query in (_QUERY, _LONG_QUERY):
        arrived = _told(probe, "GET", f"?{query}")["query_string"]
        if arrived != query:
            _changed(f"the query arrived as {arrived!r}, sent {query!r}")
    _headers(probe, "headers", _HEADERS)
    # Go allows 4 KiB more for a head on a connection that was used before.
    probe.client.close()
    _headers(probe, "cookie-of-8-KiB", [("Cookie", _COOKIE)])
    _twice(probe)
    _path(probe)
    for form, (headers, body) in _BODIES.items():
        _body(probe, form, headers, body)
    _once(probe)
    return f"{len(_METHODS)} methods, {len(_HEADERS)} headers, {len(_BODIES)} bodies: as sent"


def _method(probe: Probe, method: str) -> None:
    answer = probe.request(method, f"{probe.route(Purpose.REQUEST)}?{method}")
    if method == "HEAD":  # has no body to tell it
        arrived = (scope_of(probe.expect(answer)) or {}).get("method")
    else:
        arrived = probe.told(answer, "method")["method"]
    if arrived != method:
        _changed(f"{method} arrived as {arrived}")


def _headers(probe: Probe, what: str, headers: Headers) -> None:
    arrived = _told(probe, "GET", f"?{what}", headers)["headers"]
    for name, value in headers:
        values = [v for k, v in arrived if k.lower() == name.lower()]
        if values != [value]:
            came = ", ".join(each[:60] for each in values) or "not at all"
            _changed(f"the header {name}: {value[:60]} arrived as {came}")


def _twice(probe: Probe) -> None:
    """A header of two lines may become one (RFC 9110, 5.3); nothing of it may be lost."""
    arrived = _told(probe, "GET", "?twice", [("X-Twice", "one"), ("X-Twice", "two")])["headers"]
    values = [value for key, value in arrived if key.lower() == "x-twice"]
    if [part.strip() for value in values for part in value.split(",")] != ["one", "two"]:
        _changed(f"the headers X-Twice: one and X-Twice: two arrived as {values}")


def _path(probe: Probe) -> None:
    """Paths are compared letter by letter (RFC 3986, 6.2.2.1)."""
    arrived = probe.scope(_PATH)
    path, raw_path = arrived["path"], arrived["raw_path"]
    if not path.endswith(_PATH) or unquote(raw_path) != unquote(path):
        _changed(f"{_PATH} arrived as {path}, raw_path {raw_path}")


def _body(probe: Probe, form: str, headers: Headers, body: bytes | list[bytes]) -> None:
    told = _told(probe, "POST", f"?body-{form.replace(' ', '-')}", headers, body)
    whole = body if isinstance(body, bytes) else b"".join(body)
    if told["sha256"] != hashlib.sha256(whole).hexdigest():
        _changed(f"of a body {form}, {told['length']} bytes arrived, sent {len(whole)}")


def _once(probe: Probe) -> None:
    """What may not be sent twice (RFC 9110, 9.2.2), though it fails or gets no answer."""
    route = probe.route(Purpose.ANSWER)
    for how in ("status=500", "status=503", _DROP):
        token = once()
        try:
            answer = probe.request("POST", f"{route}?{how}&token={token}", (), b"x")
        except Failed:
            if how != _DROP:
                raise
            answer = probe.client.exchanges[-1]  # none, as the application gave none
        times = probe.told(probe.ask_again(f"{route}ed/{token}"), "times")["times"]
        if times > 1:  # also if the proxy then answers
            raise Failed("request-repeated", f"{answer}: it arrived {times} times")
        if how != _DROP or not times:
            probe.answered(answer)
        if not times:
            probe.fail(WRONG, answer, "an answer to this request")


def _told(
    probe: Probe,
    method: str,
    query: str,
    headers: Headers = (),
    body: bytes | list[bytes] | None = None,
) -> dict[str, Any]:
    answer: Exchange = probe.request(
        method, f"{probe.route(Purpose.REQUEST)}{query}", headers, body
    )
    return probe.told(answer, "query_string", "headers", "length", "sha256")


def _changed(detail: str) -> None:
    raise Failed("request-changed", detail)
