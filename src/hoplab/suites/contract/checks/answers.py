import gzip
from collections.abc import Mapping

from hoplab.client.probe import WRONG, Failed, Probe, once
from hoplab.client.target import Knowledge, Purpose, needs
from hoplab.client.wire import Exchange, Headers
from hoplab.suites.check import Part, independent_of, slow
from hoplab.suites.contract.checks.stream import one_by_one

GIVEN: Headers = (
    ("Set-Cookie", "a=1; Path=/; HttpOnly"),
    ("Set-Cookie", "b=2; Domain=example.com; Path=/; SameSite=Lax"),
    ("ETag", '"as-given"'),
    ("Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT"),
    ("Vary", "Accept-Language"),
    ("Cache-Control", "private, no-cache"),
    ("Link", '<https://example.com/next>; rel="next"'),
    ("Content-Disposition", "attachment; filename*=UTF-8''caf%C3%A9.txt"),
    ("Content-Security-Policy", "default-src 'self'"),
    ("Strict-Transport-Security", "max-age=31536000"),
    ("X-Frame-Options", "DENY"),
    ("X-Content-Type-Options", "nosniff"),
    ("Access-Control-Expose-Headers", "X-As-Given"),
    ("X-As-Given", "one"),
    ("Content-Type", "text/plain; charset=utf-8"),
)
"""What the route gives besides: headers that applications live on."""

_STATUSES = (200, 201, 204, 302, 304, 400, 401, 403, 404, 409, 422, 429, 500, 503)
_NO_BODY = {204, 304}
_MORE: Mapping[int, tuple[str, str]] = {
    302: ("Location", "/as/given?next=%2Fa"),
    401: ("WWW-Authenticate", 'Bearer realm="as given"'),
}
_FIRST_ERROR = 400
_SIZE = 256 * 1024
_SECONDS = 2.5
_COOKIE = 2048  # bytes
_ALLOWED = (
    *("Cache-Control", "Expires", "Pragma", "Age"),
    *("Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"),
)
"""Words by which caches may keep an answer, and pages of other origins may read it."""

_ORIGIN = [("Origin", "https://front.example")]
_FILE = b"Hello from a static file.\n"


@slow
@independent_of(Part.SCHEME, Part.STRATEGY, Part.TRUST)
@needs(Knowledge.UNSAFE, Purpose.ANSWER, Purpose.EVENTS, Purpose.REQUEST, Purpose.STATIC)
def answers(probe: Probe) -> str:
    """Does an answer come back as the application gave it?

    Of every class of status, with the application's own body and headers, once each; HEAD as GET;
    large, slow, unmodified, in part, with a cookie of 2 KiB; without a word of caches or of other
    origins that is not the application's; not compressed for a client that asked for nothing; and
    events that come compressed come one by one. Symptoms: `answer-changed`, `error-page-replaced`,
    `stream-buffered`, `events-lost`.
    """
    first = probe.expect(probe.get(_route(probe)))
    if first.header("X-As-Given") is None and not first.body.startswith(b"answer"):
        probe.fail(WRONG, first, "an answer of this route")
    for status in _STATUSES:
        _judge(probe, probe.get(f"{_route(probe)}?status={status}"), status)
    _judge(probe, probe.get(f"{_route(probe)}?size={_SIZE}"), 200, _SIZE)
    _judge(probe, probe.get(f"{_route(probe)}?seconds={_SECONDS}"), 200)
    _cookie(probe)
    _invalid(probe)
    _added(probe)
    _compressed(probe)
    _head(probe)
    parts = _static(probe)
    return f"{len(_STATUSES)} statuses, {len(GIVEN)} headers, HEAD{parts}: as given"


def _route(probe: Probe) -> str:
    return probe.route(Purpose.ANSWER)


def _judge(probe: Probe, answer: Exchange, status: int, size: int = 0) -> None:
    if not probe.from_app(answer) and status >= _FIRST_ERROR:
        _replaced(probe, answer, status)
    probe.answered(answer)
    if answer.status != status:
        _changed(f"{answer}, expected {status}")
    expected = b"" if status in _NO_BODY else f"answer {status}\n".encode() + b"." * size
    if answer.body != expected:
        _changed(f"{answer}: {len(answer.body)} bytes came, given {len(expected)}")
    given = [*GIVEN, _MORE[status]] if status in _MORE else GIVEN
    _headers(answer, [each for each in given if expected or each[0] != "Content-Type"])


def _replaced(probe: Probe, answer: Exchange, status: int) -> None:
    """A page of the proxy's; it may not have asked the application at all."""
    token = once()
    probe.get(f"{_route(probe)}?status={status}&token={token}")
    asked = probe.ask_again(f"{_route(probe)}ed/{token}")
    if probe.answers(asked) and asked.json()["times"]:
        detail = f"{answer}: the application answered {status}, and the proxy another page"
        raise Failed("error-page-replaced", detail)


def _headers(answer: Exchange, given: Headers) -> None:
    for name in dict.fromkeys(name for name, _ in given):
        expected = [value for key, value in given if key == name]
        came = [value for key, value in answer.headers if key.lower() == name.lower()]
        if came != expected:
            _changed(f"{answer}: {name} came as {came}, given {expected}")


def _invalid(probe: Probe) -> None:
    """The framework's own 422 says which field is wrong."""
    answer = probe.get(f"{_route(probe)}?status=none")
    probe.expect(answer, 422, wrong="answer-changed")
    content = answer.json()
    if not isinstance(content, dict) or "status" not in str(content.get("detail")):
        _changed(f"{answer}: {answer.shown_body()[:60]!r}, expected which field is wrong")


def _added(probe: Probe) -> None:
    """Nobody may be told to keep or to read an answer of which the application did not say so."""
    answer = probe.expect(probe.get(probe.route(Purpose.REQUEST), _ORIGIN))
    for name in _ALLOWED:
        if (value := answer.header(name)) is not None:
            _changed(f"{answer}: {name}: {value}, which the application did not give")
    events = probe.expect(probe.leave(probe.route(Purpose.EVENTS)))
    if (value := events.header("Cache-Control")) != "no-store":
        _changed(f"{events}: Cache-Control: {value}, given no-store")


def _cookie(probe: Probe) -> None:
    """A head has to fit into a proxy's buffer, mostly of 4 KiB."""
    answer = probe.expect(probe.get(f"{_route(probe)}?cookie={_COOKIE}"))
    came = max((len(v) for k, v in answer.headers if k.lower() == "set-cookie"), default=0)
    if came < _COOKIE:
        _changed(f"{answer}: a cookie of {came} bytes came, given {_COOKIE}")


def _compressed(probe: Probe) -> None:
    """Without a word of it, and with one: then it may be, and has to be the same."""
    plain = probe.get(f"{_route(probe)}?size={_SIZE}")
    if coding := plain.header("Content-Encoding"):
        _changed(f"{plain}: {coding}, and the client did not ask for it")
    asked = probe.get(f"{_route(probe)}?size={_SIZE}&gzip", [("Accept-Encoding", "gzip")])
    probe.expect(asked)
    coding = asked.header("Content-Encoding")
    if coding not in {None, "gzip"}:
        _changed(f"{asked}: {coding}, asked for gzip")
    if (gzip.decompress(asked.body) if coding else asked.body) != plain.body:
        _changed(f"{asked}: with gzip another body")
    events, gzipped = probe.route(Purpose.EVENTS), [("Accept-Encoding", "gzip")]
    with probe.begun(events, gzipped) as begun:
        packed = probe.expect(begun).header("Content-Encoding")
    if packed:  # else they come as `stream` judges them
        one_by_one(probe, 2, gzipped)


def _head(probe: Probe) -> None:
    path = f"{_route(probe)}?size=10"
    got, head = probe.get(path), probe.request("HEAD", path)
    probe.expect(head)
    for name in ("Content-Length", "Content-Type", "ETag"):
        if head.header(name) != got.header(name):
            _changed(f"{head}: {name} {head.header(name)}, with GET {got.header(name)}")


def _static(probe: Probe) -> str:
    """What is asked of the file, if it is there: `static` says whether."""
    path = probe.route(Purpose.STATIC)
    whole = probe.get(path)
    if not probe.answers(whole):
        return "; not of the static file, which is not reached"
    tag = whole.header("ETag")
    if whole.body != _FILE or tag is None:
        _changed(f"{whole}: ETag {tag}, {whole.body[:40]!r}")
    asked: Mapping[str, tuple[Headers, int, bytes]] = {
        "If-None-Match": ([("If-None-Match", str(tag))], 304, b""),
        "Range": ([("Range", "bytes=1-4")], 206, _FILE[1:5]),
    }
    for name, (headers, status, body) in asked.items():
        answer = probe.answered(probe.get(path, headers))
        if (answer.status, answer.body) != (status, body):
            _changed(f"{answer} with {name}: {answer.body[:40]!r}, expected {status}, {body!r}")
    return ", 304, 206"


def _changed(detail: str) -> None:
    raise Failed("answer-changed", detail)
