"""Sites that are in no lab: other proxies' habits, other frameworks, and no application at all."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from hoplab.client.wire import Headers
from hoplab.diagnosis.redirects import loaded
from hoplab.diagnosis.site import Site
from hoplab.diagnosis.words import Answer, Fault, Question, Verdict
from tests.doctor.stub import Answering, StubAsker, asgi, examined
from tests.doctor.test_diagnosis import named

HTML: Headers = [("Content-Type", "text/html")]
JSON: Headers = [("Content-Type", "application/json")]
TEXT: Headers = [("Content-Type", "text/plain")]

api = FastAPI()


@api.get("/rooms/")
async def rooms() -> list[str]:
    return []


def behind(application: Answering, strip: str = "", only: str = "") -> Answering:
    """A proxy that removes a prefix, and answers by itself what is not below `only`."""

    def answering(method: str, path: str, headers: Mapping[str, str]) -> tuple[int, Headers, bytes]:
        if only and not (path == only or path.startswith((f"{only}/", f"{only}?"))):
            return 404, HTML, b"<h1>Not here</h1>"
        return application(method, path.removeprefix(strip) or "/", headers)

    return answering


def site(
    answering: Answering, url: str = "https://example.org"
) -> tuple[dict[Question, str], set[Fault], Verdict]:
    sheet, diagnosis = examined(StubAsker(answering), url)
    return sheet.symbols, named(diagnosis), diagnosis.verdict


def test_an_application_at_the_root_is_healthy() -> None:
    _, faults, verdict = site(asgi(api, host="example.org", scheme="https"))

    assert (faults, verdict) == (set(), Verdict.HEALTHY)


def test_tls_that_ends_in_front_shows_at_the_root_too() -> None:
    _, faults, _ = site(asgi(api, host="example.org"))

    assert Fault.NOT_TRUSTED in faults


def prepending(root_path: str) -> ASGIApp:
    """The application under a server that puts its root path in front of the path."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await api({**scope, "path": f"{root_path}{scope['path']}"}, receive, send)

    return app


def test_a_root_path_where_there_is_no_prefix_is_named() -> None:
    app = prepending("/backend")

    _, faults, _ = site(asgi(app, host="example.org", scheme="https", root_path="/backend"))

    assert faults == {Fault.OTHER_ROOT_PATH}


def test_a_root_path_that_is_only_a_label_does_no_harm_without_a_prefix() -> None:
    """Every URL that it gives leads to the application, which answers with and without it."""
    label = asgi(api, host="example.org", scheme="https", root_path="/backend")

    _, faults, verdict = site(label)

    assert (faults, verdict) == (set(), Verdict.HEALTHY)


def test_the_host_of_the_upstream_is_named() -> None:
    _, faults, _ = site(asgi(api, host="backend:8000", scheme="https"))

    assert faults == {Fault.HOST_UPSTREAM}


def test_a_proxy_that_rewrites_location_doubles_the_prefix() -> None:
    """As one that replaces the upstream's URL in Location: Apache's ProxyPassReverse."""

    inner = asgi(prepending("/shop"), host="127.0.0.1:8000", root_path="/shop")

    def rewriting(method: str, path: str, headers: Mapping[str, str]) -> tuple[int, Headers, bytes]:
        status, answered, body = inner(method, path, headers)
        changed = [
            (k, v.replace("http://127.0.0.1:8000/", "https://example.org/shop/"))
            for k, v in answered
        ]
        return status, changed, body

    _, faults, _ = site(behind(rewriting, "/shop", "/shop"), "https://example.org/shop")

    assert faults == {Fault.LOCATION_REWRITTEN}


def test_docs_and_documents_are_places_to_begin() -> None:
    application = behind(asgi(api, host="example.org", scheme="https"), "/a/b", "/a/b")

    for end in ("", "/", "/docs", "/openapi.json", "/rooms/"):
        sheet, diagnosis = examined(StubAsker(application), f"https://example.org/a/b{end}")
        assert named(diagnosis) == {Fault.UNTOLD_STRIPPED}, end
        assert sheet.symbols[Question.DOCS_LINK] == "without-prefix"


def test_a_given_prefix_is_believed() -> None:
    application = behind(asgi(api, host="example.org", scheme="https"), "/a", "/a")

    _, diagnosis = examined(StubAsker(application), "https://example.org/a/rooms/", "/a")

    assert named(diagnosis) == {Fault.UNTOLD_STRIPPED}


def test_a_static_site_is_no_application() -> None:
    def answering(_: str, path: str, __: Mapping[str, str]) -> tuple[int, Headers, bytes]:
        if path == "/":
            return 200, HTML, b"<a href='/pictures/'>pictures</a>"
        if path == "/pictures":
            return 301, [*HTML, ("Location", "http://example.org/pictures/")], b"<h1>Moved</h1>"
        return (200, HTML, b"a cat") if path == "/pictures/" else (404, HTML, b"<h1>404</h1>")

    sheet, diagnosis = examined(StubAsker(answering, socket=200), "https://example.org/")

    assert diagnosis.verdict is Verdict.UNCLEAR
    assert "nothing tells that this is an ASGI application" in diagnosis.why
    assert not sheet.findings


def test_an_application_whose_docs_are_switched_off_is_not_judged() -> None:
    """Not found, in FastAPI's own words, at every path: nothing is wrong that can be seen."""
    nothing = (404, JSON, b'{"detail":"Not Found"}')

    _, diagnosis = examined(StubAsker(lambda *_: nothing), "https://example.org/")

    assert diagnosis.verdict is Verdict.UNCLEAR
    assert "404 at every path" in diagnosis.why


@pytest.mark.parametrize(
    ("element", "found"),
    [
        ("<link rel=canonical href=http://example.org/shop/>", False),
        ("<link rel='alternate' href='http://example.org/shop/feed'>", False),
        ('<link rel="stylesheet" href="http://example.org/shop/x.css">', True),
        ('<script src="http://example.org/shop/x.js"></script>', True),
    ],
)
def test_only_what_a_page_loads_tells_a_scheme(element: str, *, found: bool) -> None:
    page = (200, HTML, f"<html><head>{element}</head></html>".encode())
    site = Site(StubAsker(lambda *_: page), "https://example.org/shop", "https://example.org")
    site.get("/shop")

    (told,) = loaded(site)

    assert (isinstance(told, Answer) and told.symbol == "http") is found


def test_an_application_without_docs_and_start_page_is_not_called_sick() -> None:
    """As Starlette with a mounted admin: where it is well, its base is a 404 as well."""

    async def admin(_: object) -> PlainTextResponse:
        return PlainTextResponse("fine")

    inside = Starlette(routes=[Route("/admin", admin)])
    right = asgi(inside, host="example.org", scheme="https", root_path="/staff")

    _, diagnosis = examined(StubAsker(behind(right, "", "/staff")), "https://example.org/staff")

    assert diagnosis.verdict is Verdict.UNCLEAR
    assert "name one that it has, with --prefix /staff" in diagnosis.why


def test_a_page_that_a_person_names_should_be_there() -> None:
    """Preserved, and the application is not told: it has /admin, and no /staff/admin."""
    inside = asgi(Starlette(routes=[]), host="example.org", scheme="https")

    _, diagnosis = examined(
        StubAsker(behind(inside, "", "/staff")), "https://example.org/staff/admin", "/staff"
    )

    assert Fault.UNTOLD_PRESERVED in named(diagnosis)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((200, HTML, b"<div id=root></div>"), "the same page"),
        ((200, TEXT, b""), "empty"),
        ((401, TEXT, b"no"), "a login"),
        ((302, [("Location", "/login?next=x")], b""), "redirected to /login"),
        ((404, HTML, b"<h1>404</h1>"), "nothing tells"),
        ((0, (), b""), "no answer"),
    ],
)
def test_a_site_that_says_nothing_is_not_judged(
    answer: tuple[int, Headers, bytes], why: str
) -> None:
    _, diagnosis = examined(StubAsker(lambda *_: answer), "https://example.org/shop")

    assert diagnosis.verdict is Verdict.UNCLEAR
    assert why in diagnosis.why


def test_a_gateway_without_an_application_is_named() -> None:
    _, faults, _ = site(lambda *_: (502, HTML, b"Bad gateway"), "https://example.org/shop")

    assert faults == {Fault.UNREACHABLE}


@pytest.mark.parametrize("url", ["https://example.org", "https://example.org/shop"])
def test_a_gateway_is_named_by_few_answers_as_each_may_take_long(url: str) -> None:
    """All of them, nine seconds each, are within the minute that the doctor has."""
    asker = StubAsker(lambda *_: (503, HTML, b"<h1>503 Service Unavailable</h1>"))

    sheet, diagnosis = examined(asker, url)

    assert named(diagnosis) == {Fault.UNREACHABLE}
    needed = [each.url for each in sheet.answers[Question.ROUTE].exchanges]
    assert asker.asked.index(urlsplit(needed[0]).path) < 6
    assert asker.requests < 8


def test_a_gateway_that_reaches_the_application_at_some_paths_is_not_called_unreachable() -> None:
    """As HAProxy whose condition for the backend is asked again after the prefix is removed."""

    def answering(_: str, path: str, __: Mapping[str, str]) -> tuple[int, Headers, bytes]:
        if path.startswith("/api/api/"):
            return 404, JSON, b'{"detail":"Not Found"}'
        return 503, HTML, b"<h1>503 Service Unavailable</h1>"

    _, diagnosis = examined(StubAsker(answering), "https://example.org/api")

    assert diagnosis.verdict is Verdict.UNCLEAR
    assert not diagnosis.groups
    assert "the proxy reaches it" in diagnosis.why


ENVOY = ("x-envoy-upstream-service-time", "3")


@pytest.mark.parametrize(
    ("refusal", "marks", "symbol"),
    [
        ((403, (), b""), (), "passed"),
        ((403, JSON, b'{"detail":"Not authenticated"}'), (), "passed"),
        ((404, TEXT, b"Not Found"), (), "passed"),
        ((403, HTML, b"<center>nginx</center>"), (), None),
        ((404, TEXT, b"404 page not found"), (), None),
        ((403, JSON, b'{"message":"Forbidden"}'), (), None),
        ((403, (), b""), [ENVOY], None),
        ((403, [ENVOY], b""), [ENVOY], "passed"),
    ],
)
def test_a_handshake_that_a_proxy_refuses_has_not_arrived(
    refusal: tuple[int, Headers, bytes], marks: Headers, symbol: str | None
) -> None:
    application = asgi(api, host="example.org", scheme="https")

    def marked(method: str, path: str, headers: Mapping[str, str]) -> tuple[int, Headers, bytes]:
        status, answered, body = application(method, path, headers)
        return status, [*answered, *marks], body

    asker = StubAsker(marked, *refusal)

    sheet, diagnosis = examined(asker, "https://example.org")

    assert sheet.symbols.get(Question.UPGRADE) == symbol
    assert named(diagnosis) == set()


def test_a_proxy_that_adds_the_prefix_again_is_one_of_those_behind_a_404() -> None:
    """The application knows its prefix, and is asked for it twice."""
    inside = asgi(api, host="example.org", scheme="https", root_path="/shop")

    def adding(method: str, path: str, headers: Mapping[str, str]) -> tuple[int, Headers, bytes]:
        return inside(method, f"/shop{path}", headers)

    _, faults, verdict = site(behind(adding, "", "/shop"), "https://example.org/shop")

    assert Fault.PREFIX_AGAIN in faults
    assert verdict is Verdict.SICK


def test_a_prefix_with_encoded_characters_is_diagnosed_like_any_other() -> None:
    for public, decoded in (("/caf%C3%A9", "/café"), ("/a%20b/c", "/a b/c")):
        right = asgi(api, host="example.org", scheme="https", root_path=decoded)
        _, faults, verdict = site(behind(right, "", public), f"https://example.org{public}")
        assert (faults, verdict) == (set(), Verdict.HEALTHY)
        lost = behind(asgi(api, host="example.org", scheme="https"), public, public)
        _, faults, _ = site(lost, f"https://example.org{public}")
        assert faults == {Fault.UNTOLD_STRIPPED}


def test_a_framework_with_relative_redirects_is_not_judged_by_them() -> None:
    """As Django's APPEND_SLASH: a relative Location says nothing of scheme and host."""

    def answering(_: str, path: str, __: Mapping[str, str]) -> tuple[int, Headers, bytes]:
        if path == "/":
            return 200, HTML, b"<a href='/news/'>news</a>"
        if path == "/news":
            return 301, [*HTML, ("Location", "/news/")], b""
        return (200, HTML, b"none") if path == "/news/" else (404, HTML, b"<h1>Not Found</h1>")

    sheet, diagnosis = examined(StubAsker(answering), "https://example.org/")

    assert sheet.symbols[Question.REDIRECT_PATH] == "kept"
    assert Question.REDIRECT_SCHEME not in sheet.symbols
    assert diagnosis.verdict is Verdict.HEALTHY


def test_an_application_that_serves_pages_everywhere_still_has_docs() -> None:
    """A single-page application at every path that nothing else has."""
    pages = FastAPI()

    @pages.get("/{path:path}", include_in_schema=False)
    async def page(path: str) -> PlainTextResponse:  # noqa: ARG001 - as FastAPI calls it
        return PlainTextResponse("<div id=root></div>", media_type="text/html")

    sheet, diagnosis = examined(
        StubAsker(asgi(pages, host="example.org", scheme="https")), "https://example.org"
    )

    assert sheet.symbols[Question.ROUTE] == "found"
    assert diagnosis.verdict is Verdict.HEALTHY


def test_a_document_that_is_hostile_is_no_error() -> None:
    bad = b'{"openapi": 1, "paths": {"/a/": 7, "//": {"get": 1}}, "servers": [7, {"url": "http://[x"}]}'

    def answering(_: str, path: str, __: Mapping[str, str]) -> tuple[int, Headers, bytes]:
        if path == "/docs":
            return 200, HTML, b"<script>SwaggerUIBundle({url: 'http://[bad'})</script> swagger-ui"
        return (200, JSON, bad) if path == "/openapi.json" else (404, TEXT, b"Not Found")

    _, diagnosis = examined(StubAsker(answering), "https://example.org")

    assert diagnosis.verdict is Verdict.UNCLEAR
    assert not diagnosis.groups


FORGED = {
    "X-Forwarded-Proto": ["http", "https"],
    "X-Forwarded-Host": ["one.invalid", "two.invalid"],
    "X-Forwarded-Prefix": ["/canary-one", "/canary-two"],
}


def test_forged_headers_are_sent_with_two_values_and_a_query_of_their_own() -> None:
    application = asgi(api, host="example.org", scheme="https")
    sent: list[tuple[str, str, str]] = []

    def noting(method: str, path: str, headers: Mapping[str, str]) -> tuple[int, Headers, bytes]:
        sent.extend((name, headers[name], path) for name in FORGED if name in headers)
        return application(method, path, headers)

    sheet, _ = examined(StubAsker(noting), "https://example.org")

    assert sheet.symbols[Question.SPOOFED_SCHEME] == "ignored"
    assert sheet.symbols[Question.SPOOFED_HOST] == "ignored"
    assert sheet.symbols[Question.SPOOFED_PREFIX] == "ignored"
    assert {name: [v for n, v, _ in sent if n == name] for name in FORGED} == FORGED
    queries = [path.partition("?")[2] for _, _, path in sent]
    assert all(queries)
    assert len({*queries}) == len(queries)


@pytest.mark.parametrize(
    ("believes", "symbol"), [(["http", "https"], "believed"), (["https"], "ignored")]
)
def test_one_value_alone_proves_no_belief(believes: list[str], symbol: str) -> None:
    """The site is https anyway: only a value that changes the answer was believed."""

    def answering(method: str, path: str, headers: Mapping[str, str]) -> tuple[int, Headers, bytes]:
        told = headers.get("X-Forwarded-Proto", "https")
        scheme = told if told in believes else "https"
        return asgi(api, host="example.org", scheme=scheme)(method, path, headers)

    sheet, _ = examined(StubAsker(answering), "https://example.org")

    assert sheet.symbols[Question.SPOOFED_SCHEME] == symbol


def test_an_edge_that_takes_h2c_itself_is_not_blamed() -> None:
    """As Apache httpd with `Protocols h2c`: it answers 101 at every path, its own as well."""
    for url, everywhere in (
        ("http://example.org", True),
        ("http://example.org/shop", True),
        ("http://example.org/shop", False),
    ):
        application = behind(
            asgi(api, host="example.org", root_path=""), "/shop" if "shop" in url else "", ""
        )

        def taking(
            method: str,
            path: str,
            headers: Mapping[str, str],
            *,
            application: Answering = application,
            everywhere: bool = everywhere,
        ) -> tuple[int, Headers, bytes]:
            if "Upgrade" in headers and (everywhere or path.startswith("/shop")):
                return 101, [("Upgrade", "h2c")], b""
            return application(method, path, headers)

        symbols, faults, _ = site(taking, url)

        passed_on = not everywhere
        assert (Fault.ANY_UPGRADE in faults) is passed_on
        assert (symbols.get(Question.TUNNEL) == "opened") is passed_on


def test_a_whole_url_of_the_right_scheme_says_nothing_of_the_deployment() -> None:
    """Its author may have written it by hand."""
    page = b"<link rel=stylesheet href='https://example.org/style.css'>"

    def answering(_: str, path: str, __: Mapping[str, str]) -> tuple[int, Headers, bytes]:
        return (200, HTML, page) if path == "/" else (404, TEXT, b"Not Found")

    symbols, _, verdict = site(answering)

    assert symbols[Question.LINK_SCHEME] == "same"
    assert verdict is Verdict.UNCLEAR


def test_a_page_in_place_of_the_openapi_document_is_wrong() -> None:
    """A single-page application that answers index.html for whatever it does not know."""
    docs = b"<script>SwaggerUIBundle({url: '/openapi.json'})</script> swagger-ui"

    def answering(_: str, path: str, __: Mapping[str, str]) -> tuple[int, Headers, bytes]:
        return 200, HTML, docs if path == "/docs" else b"<div id=root></div>"

    sheet, diagnosis = examined(StubAsker(answering), "https://example.org")

    assert "an HTML page is: the docs stay empty" in sheet.answers[Question.DOCS_LINK].wrong
    assert diagnosis.verdict is Verdict.SICK
    assert not diagnosis.groups, "no cause that is known explains it"


def test_a_plain_application_is_judged_by_its_links() -> None:
    async def start(_: object) -> PlainTextResponse:
        return PlainTextResponse("<a href='/list/'>list</a>", media_type="text/html")

    async def listed(_: object) -> PlainTextResponse:
        return PlainTextResponse("one")

    plain = Starlette(routes=[Route("/", start), Route("/list/", listed)])

    _, faults, _ = site(
        behind(asgi(plain, host="example.org", scheme="https"), "/x", "/x"), "https://example.org/x"
    )

    assert faults >= {Fault.UNTOLD_STRIPPED}


def test_a_gateway_is_named_though_the_bare_prefix_is_a_404() -> None:
    """As where a proxy matches the prefix with its slash alone."""

    def answering(_: str, path: str, __: Mapping[str, str]) -> tuple[int, Headers, bytes]:
        below = path.startswith("/shop/")
        return (503, HTML, b"Unavailable") if below else (404, HTML, b"Not Found")

    _, faults, _ = site(answering, "https://example.org/shop")

    assert faults == {Fault.UNREACHABLE}


def test_an_upstream_on_the_same_machine_differs_in_its_port() -> None:
    _, faults, _ = site(asgi(api, host="127.0.0.1:8000"), "http://127.0.0.1:8080")

    assert faults == {Fault.HOST_UPSTREAM, Fault.HOST_OTHER_PORT}


@pytest.mark.parametrize(("scheme", "wrong"), [("http", True), ("https", False)])
def test_what_a_page_loads_tells_the_scheme_too(scheme: str, *, wrong: bool) -> None:
    """Of an application without docs and redirects: a style sheet by url_for."""

    async def start(request: Request) -> PlainTextResponse:
        sheet = request.url_for("style")
        return PlainTextResponse(f"<link rel=stylesheet href='{sheet}'>", media_type="text/html")

    async def style(_: object) -> PlainTextResponse:
        return PlainTextResponse("body {}", media_type="text/css")

    plain = Starlette(routes=[Route("/", start), Route("/style.css", style, name="style")])
    plain.router.redirect_slashes = False

    symbols, faults, verdict = site(asgi(plain, host="example.org", scheme=scheme))

    assert symbols[Question.LINK_SCHEME] == ("http" if wrong else "same")
    assert (Fault.NOT_TRUSTED in faults, verdict is Verdict.SICK) == (wrong, wrong)
