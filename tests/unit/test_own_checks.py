"""The questions to any application: each passes where all is right, and finds what it is for."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request
from starlette.middleware.httpsredirect import HTTPSRedirectMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.hypercorn.proxy_fix import behind_proxy
from app.instance import InstanceMiddleware, nonce
from app.own_routes import discovered
from hoplab.client.explored import Explored
from hoplab.client.probe import WHO_ANSWERED
from hoplab.client.target import Limits, Target
from hoplab.results import Finding, Verdict
from hoplab.suites.asking import ask_all_of
from hoplab.suites.own import CHECKS
from hoplab.suites.own.explore import (
    LOGIN,
    METHOD,
    PARAMETERS,
    SKIPPED,
    Wish,
    explore,
    forces_https,
)
from hoplab.topology import Cell, Scheme, Strategy, Trust
from tests.unit import stub as faults
from tests.unit.documented import documented
from tests.unit.own_application import Link, shop
from tests.unit.stub import (
    LOOPBACK,
    PREFIX,
    TOPOLOGY,
    Fault,
    Stub,
    all_of,
    altered,
    as_it_is,
    believing,
    doubled,
    host,
    instead,
    lets_through,
    listening,
    only,
    portless,
    rescoped,
    scoped,
    stripped,
    text,
    tunnelling,
    unaware,
)
from tests.unit.wording import AsWorded


def control(port: int, **changes: Any) -> Target:
    base = f"http://{LOOPBACK}:{port}"
    limits = Limits(seconds=3.0, download=2**20)
    return Target(base, {base: (LOOPBACK, port)}, instance=nonce(), limits=limits, **changes)


def found_in(app: ASGIApp, wish: Wish = Wish(), **changes: Any) -> Explored:  # noqa: B008 - frozen
    with listening(InstanceMiddleware(app)) as port:
        return explore(control(port, **changes), discovered(app), wish)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("static")


@pytest.fixture(scope="module")
def right_app(folder: Path) -> FastAPI:
    return shop(folder)


@pytest.fixture(scope="module")
def right_explored(right_app: FastAPI) -> Explored:
    return found_in(right_app)


Ask = Callable[..., list[Finding]]


@pytest.fixture
def ask(stub: Stub, right_app: FastAPI, right_explored: Explored) -> Ask:
    """One question to the application behind the stub, in which something may be wrong."""

    def asked(
        check: str,
        inside: Fault = as_it_is,
        outside: Fault = as_it_is,
        scheme: Scheme = Scheme.HTTP,
        app: ASGIApp = right_app,
        explored: Explored = right_explored,
        **changes: Any,
    ) -> list[Finding]:
        stub.serve(inside, outside, InstanceMiddleware(app))
        cell = Cell(TOPOLOGY, Strategy.SERVER_OPTION, Trust.PROXY, scheme)
        target = replace(stub.target(cell, **changes), explored=explored)
        return ask_all_of(check, CHECKS[check], target)

    return asked


# --- what there is to ask ---


def test_what_is_found(right_explored: Explored) -> None:
    pages = {page.path: page for page in right_explored.pages}

    assert {"/", "/items/", "/items", "/go", "/static/style.css"} <= set(pages)
    assert {"/sub/things/", "/sub/docs", "/docs", "/openapi.json"} <= set(pages)
    assert {"/broken", "/secret", "/events", "/orders"} & set(pages) == set()
    assert pages["/"].links == {"/items/", "/static/style.css"}
    assert pages["/items"].status == 307
    assert re.fullmatch(r"index(, .*own_application\.py:\d+)?", pages["/"].where)
    assert [socket.path for socket in right_explored.sockets] == ["/ws"]
    [stream] = right_explored.streams
    assert stream.path == "/events"
    assert stream.last - stream.first > 0.4
    assert {"/docs", "/redoc", "/sub/docs"} <= set(right_explored.docs)


def test_what_is_not_judged_is_counted(right_explored: Explored) -> None:
    unjudged = right_explored.unjudged

    assert (unjudged[LOGIN], unjudged[PARAMETERS], unjudged[METHOD]) == (1, 1, 1)


def test_a_text_that_is_no_path_of_the_application_is_no_link(right_explored: Explored) -> None:
    [page] = [page for page in right_explored.pages if page.path == "/items/"]

    assert page.links == {"/items/"}


def test_a_token_opens_what_needs_a_login(right_app: FastAPI) -> None:
    found = found_in(right_app, headers=[("Authorization", "Bearer right")])

    assert "/secret" in {page.path for page in found.pages}
    assert LOGIN not in found.unjudged


def test_unsafe_asks_other_methods(right_app: FastAPI) -> None:
    found = found_in(right_app, Wish(unsafe=True))

    assert ("POST", "/orders") in {(page.method, page.path) for page in found.pages}


def test_nothing_is_asked_that_could_change_something(right_app: FastAPI, ask: Ask) -> None:
    methods: set[str] = set()

    async def noted(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            methods.add(scope["method"])
        await right_app(scope, receive, send)

    with listening(InstanceMiddleware(noted)) as port:
        explored = explore(control(port), discovered(right_app), Wish())
    for check in CHECKS:
        ask(check, app=noted, explored=explored)

    assert "GET" in methods
    assert methods <= {"GET", "HEAD", "OPTIONS"}


def test_skip_and_only(right_app: FastAPI) -> None:
    skipped = found_in(right_app, Wish(skip=("/items*", "/sub/*")))
    only_items = found_in(right_app, Wish(only=("/items*",)))

    assert not [page.path for page in skipped.pages if page.path.startswith(("/items", "/sub"))]
    assert {page.path for page in only_items.pages} == {"/items", "/items/"}
    assert only_items.unjudged[SKIPPED]


def test_most(right_app: FastAPI) -> None:
    assert len(found_in(right_app, Wish(most=3)).pages) <= 3


def test_what_is_too_long_is_left_out() -> None:
    app = FastAPI()

    @app.get("/endless")
    async def endless() -> PlainTextResponse:
        return PlainTextResponse("x" * 2**21)

    with listening(InstanceMiddleware(app)) as port:
        found = explore(control(port), discovered(app), Wish())

    assert "/endless" not in {page.path for page in found.pages}
    assert any("no end" in reason for reason in found.unjudged)


def test_one_that_does_not_accept_the_host_is_not_judged(folder: Path) -> None:
    app = shop(folder)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["elsewhere.example"])

    found = found_in(app)

    assert found.is_empty
    assert any("is the host mysuperapp.com allowed" in reason for reason in found.unjudged)


def test_paths_to_begin_with() -> None:
    async def hidden(scope: Scope, receive: Receive, send: Send) -> None:
        there = scope["path"] == "/hidden/" and scope["query_string"] == b"page=1"
        await PlainTextResponse("", 200 if there else 404)(scope, receive, send)

    found = found_in(hidden, Wish(start=("/hidden/?page=1",)))

    assert [page.path for page in found.pages] == ["/hidden/?page=1"]


def test_a_prefix_in_the_application_s_own_settings_is_no_part_of_a_path(folder: Path) -> None:
    found = found_in(shop(folder, lambda _: f"{PREFIX}/items/"), Wish(prefix=PREFIX))

    [page] = [page for page in found.pages if page.path == "/"]
    assert page.links == {"/items/", "/static/style.css"}


def test_one_that_answers_over_https_alone(ask: Ask, folder: Path) -> None:
    """It is asked as a proxy would ask over https."""
    app = shop(folder)
    app.add_middleware(HTTPSRedirectMiddleware)
    with listening(InstanceMiddleware(app)) as port:
        assert forces_https(control(port))
    with listening(InstanceMiddleware(behind_proxy(app, trusted="*"))) as port:
        as_https = control(port, headers=[("X-Forwarded-Proto", "https")])
        assert not forces_https(as_https)
        found = explore(as_https, discovered(app), Wish(https=True))

    assert found.https_only
    assert {page.path: page.status for page in found.pages}["/"] == 200
    for check in CHECKS:
        [over_http] = ask(check, app=app, explored=found)
        [over_https] = ask(check, app=app, explored=found, scheme=Scheme.HTTPS)
        assert over_https.verdict is Verdict.PASS, over_https.detail
        if check not in {"scope", "forged", "edges"}:
            assert over_http.detail == "the application redirects http to https"


# --- all is right ---


@pytest.mark.parametrize("scheme", Scheme)
@pytest.mark.parametrize("check", CHECKS)
def test_it_passes_where_all_is_right(ask: Ask, check: str, scheme: Scheme) -> None:
    [finding] = ask(check, scheme=scheme)

    assert finding.verdict is Verdict.PASS, finding.detail
    assert finding.detail


@pytest.mark.parametrize("check", CHECKS)
def test_it_needs_to_know_what_is_right(ask: Ask, check: str) -> None:
    [finding] = ask(check, explored=Explored())

    if check in {"paths", "urls", "docs", "sockets", "events"}:
        assert finding.verdict is Verdict.NOT_APPLICABLE
    else:
        assert finding.verdict is Verdict.PASS, finding.detail


# --- faults ---


@rescoped
def as_http(_: Scope) -> dict[str, Any]:
    return {"scheme": "http"}


believes_proto = believing(b"x-forwarded-proto", lambda value: {"scheme": value})
believes_for = believing(b"x-forwarded-for", lambda value: {"client": (value, 0)})
believes_prefix = believing(b"x-forwarded-prefix", lambda value: {"root_path": value})
counts_proxies = believing(b"x-forwarded-for", lambda _: {"client": ("198.51.100.1", 0)})


@rescoped
def believes_host(scope: Scope) -> dict[str, Any]:
    value = dict(scope["headers"]).get(b"x-forwarded-host")
    others = [each for each in scope["headers"] if each[0] != b"host"]
    return {"headers": [(b"host", value), *others]} if value else {}


@rescoped
def of_http(scope: Scope) -> dict[str, Any]:
    """What a proxy that sends nothing makes of a WebSocket over TLS."""
    return {"scheme": "ws"} if scope["type"] == "websocket" else {}


@rescoped
def bare_socket(scope: Scope) -> dict[str, Any]:
    if scope["type"] != "websocket":
        return {}
    return {"root_path": "", "path": scope["path"].removeprefix(PREFIX)}


def buffers(app: ASGIApp) -> ASGIApp:
    """All pieces at the end."""

    async def held(scope: Scope, receive: Receive, send: Send) -> None:
        messages: list[Message] = []

        async def hold(message: Message) -> None:
            messages.append(message)

        await app(scope, receive, hold)
        for message in messages:
            await send(message)

    return only("/events", lambda _: held)(app)


def refuses_sockets(app: ASGIApp) -> ASGIApp:
    async def refusing(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        else:
            await app(scope, receive, send)

    return refusing


NOT_FOUND = PlainTextResponse("404 page not found", 404)


@dataclass(frozen=True)
class Case:
    check: str
    symptom: str
    inside: Fault = as_it_is
    outside: Fault = as_it_is
    scheme: Scheme = Scheme.HTTP

    def __str__(self) -> str:
        return f"{self.check}-{self.symptom}"


CASES = [
    Case("paths", "proxy-has-no-route", outside=instead("/items/", NOT_FOUND)),
    Case("paths", "application-has-no-route", inside=doubled),
    Case("paths", "answer-wrong", outside=altered("/items/", faults.status(202))),
    Case("scope", "root-path-missing", inside=unaware),
    Case("scope", "root-path-wrong", inside=scoped(root_path=f"{PREFIX}/")),
    Case("scope", "scope-path-wrong", inside=stripped),
    Case("scope", "scope-path-wrong", inside=doubled),
    Case("scope", "scheme-wrong", inside=as_http, scheme=Scheme.HTTPS),
    Case("scope", "host-wrong", inside=host("app:8000")),
    Case("scope", "client-wrong", inside=scoped(client=("10.0.0.1", 1))),
    Case("urls", "link-wrong-host", inside=host("app:8000")),
    Case("urls", "link-drops-port", inside=portless),
    Case("urls", "link-wrong-port", inside=host("mysuperapp.com:1")),
    Case("urls", "link-wrong-scheme", inside=as_http, scheme=Scheme.HTTPS),
    Case("urls", "link-drops-prefix", inside=unaware),
    Case("urls", "link-wrong-path", outside=altered("/", text(PREFIX, PREFIX * 2))),
    Case("urls", "servers-drop-prefix", inside=unaware),
    Case("docs", "docs-unreachable", inside=doubled),
    Case("docs", "docs-page-wrong", outside=altered("/docs", text("</html>", ""))),
    Case("docs", "docs-openapi-404", inside=unaware),
    Case("docs", "docs-openapi-wrong", outside=altered("/openapi.json", text("openapi", "x"))),
    Case("forged", "client-spoofable", all_of(lets_through("x-forwarded-for"), believes_for)),
    Case("forged", "scheme-spoofable", all_of(lets_through("x-forwarded-proto"), believes_proto)),
    Case("forged", "prefix-spoofable", all_of(lets_through("x-forwarded-prefix"), believes_prefix)),
    Case("forged", "host-spoofable", all_of(lets_through("x-forwarded-host"), believes_host)),
    Case("forged", "forwarded-misread", all_of(lets_through("x-forwarded-for"), counts_proxies)),
    Case("sockets", "websocket-refused", outside=refuses_sockets),
    Case("sockets", "websocket-wrong-scheme", inside=of_http, scheme=Scheme.HTTPS),
    Case("sockets", "websocket-wrong-root-path", inside=bare_socket),
    Case("events", "stream-buffered", outside=buffers),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_finds_a_fault(ask: Ask, case: Case, as_worded: AsWorded) -> None:
    findings = ask(case.check, case.inside, case.outside, case.scheme)

    assert case.symptom in {finding.symptom for finding in findings}, findings[0].detail
    assert {finding.verdict for finding in findings} == {Verdict.FAIL}
    as_worded(*findings)


def leaking(app: ASGIApp) -> ASGIApp:
    """A proxy that compares letters: what begins like the prefix is passed on."""

    async def passed(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].replace(f"{PREFIX}0/", f"{PREFIX}/")
        await app({**scope, "path": path, "raw_path": path.encode()}, receive, send)

    return passed


def test_a_leak_is_found(ask: Ask) -> None:
    [finding] = ask("edges", outside=leaking)

    assert finding.symptom == "prefix-leaks"


def with_another_site(app: ASGIApp) -> ASGIApp:
    """A proxy that has a page of its own for each path that is not below the prefix."""

    async def passed(scope: Scope, receive: Receive, send: Send) -> None:
        below = f"{scope['path']}/".startswith(f"{PREFIX}/")
        await (app if below else PlainTextResponse("home"))(scope, receive, send)

    return passed


def test_another_site_beside_the_application_is_no_leak(ask: Ask) -> None:
    [finding] = ask("edges", outside=with_another_site)

    assert finding.verdict is Verdict.PASS


def test_a_tunnel_is_found(ask: Ask, stub: Stub) -> None:
    with tunnelling(stub.endpoint.ports[Scheme.HTTP]) as port:
        ports = {**stub.endpoint.ports, Scheme.HTTP: port}
        [finding] = ask("edges", ports=ports)

    assert finding.symptom == "tunnel-opened"


# --- what is wrong in the application itself ---


def at_port(request: Request, port: int | None, path: str) -> str:
    """The application's own URL, with a port that it chose itself."""
    return str(request.url.replace(port=port, path=f"{request.scope['root_path']}{path}"))


WRONG_LINKS: dict[str, Link] = {
    "link-drops-prefix": lambda _: "/items/",
    "link-wrong-path": lambda request: (
        f"{request.scope['root_path']}{request.url_for('read_items').path}"
    ),
    "link-wrong-host": lambda _: "http://localhost:8000/items/",
    "link-drops-port": lambda request: at_port(request, None, "/items/"),
    "link-wrong-port": lambda request: at_port(request, 1, "/items/"),
    "link-wrong-scheme": lambda request: str(request.url_for("read_items").replace(scheme="http")),
}


@pytest.mark.parametrize("symptom", WRONG_LINKS)
def test_a_url_that_the_application_writes_itself(ask: Ask, folder: Path, symptom: str) -> None:
    app = shop(folder, WRONG_LINKS[symptom])

    findings = ask("urls", app=app, explored=found_in(app), scheme=Scheme.HTTPS)

    assert [finding.symptom for finding in findings] == [symptom]
    assert "/: <a href> is " in findings[0].detail
    assert "/go: the Location header is " in findings[0].detail
    assert "index" in findings[0].detail
    [scope] = ask("scope", app=app, scheme=Scheme.HTTPS)
    assert scope.verdict is Verdict.PASS


def test_another_service_of_the_same_host_is_not_its_own(ask: Ask, folder: Path) -> None:
    app = shop(folder, lambda request: f"http://{request.url.hostname}:3000/items/")

    [finding] = ask("urls", app=app, explored=found_in(app), scheme=Scheme.HTTPS)

    assert finding.verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("path", "symptoms"), [("/", [None]), (PREFIX, [None]), ("/shop", ["cookie-path-wrong"])]
)
def test_the_path_of_a_cookie(
    ask: Ask, folder: Path, path: str, symptoms: list[str | None]
) -> None:
    app = shop(folder, cookie=path)

    findings = ask("urls", app=app, explored=found_in(app))

    assert [finding.symptom for finding in findings] == symptoms


def test_a_label_in_front_of_a_mount(ask: Ask) -> None:
    """What a server's root path option does that only labels: mounts are 404s."""
    findings = ask("paths", stripped)

    assert "application-has-no-route" in {finding.symptom for finding in findings}


def test_what_answers_now_this_now_that_is_not_judged(ask: Ask) -> None:
    seen: list[str] = []

    def moody(app: ASGIApp) -> ASGIApp:
        wrong = altered("/items/", faults.status(202))(app)

        async def choose(scope: Scope, receive: Receive, send: Send) -> None:
            seen.append(scope["path"])
            first = seen.count(f"{PREFIX}/items/") == 1
            await (wrong if first else app)(scope, receive, send)

        return choose

    [finding] = ask("paths", outside=moody)

    assert finding.verdict is Verdict.PASS, finding.detail


def test_every_documented_symptom_has_a_case() -> None:
    for name, check in CHECKS.items():
        tested = {case.symptom for case in CASES if case.check == name}
        tested |= set(WRONG_LINKS) | {"cookie-path-wrong"} if name == "urls" else set()
        tested |= {"prefix-leaks", "tunnel-opened"} if name == "edges" else set()
        assert tested - set(WHO_ANSWERED) == documented(check), name
