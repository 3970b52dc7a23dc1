"""Every check passes where all is right, and fails in every one of its symptoms where it is not."""

import ast
import inspect
import re
import sys
from dataclasses import replace
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from app import app_argument, forwarded_prefix, plain, router
from app.hypercorn import forwarded_prefix as hypercorn_forwarded_prefix
from app.hypercorn.proxy_fix import behind_proxy
from app.instance import InstanceMiddleware
from app.shared import build_app
from hoplab.client.probe import WHO_ANSWERED
from hoplab.results import Verdict
from hoplab.suites.asking import ask_one
from hoplab.suites.contract.checks import CHECKS
from hoplab.suites.contract.checks.boundary import beside
from hoplab.topology import Cell, Mode, Scheme, Strategy, Trust
from tests.unit.check_cases import CASES, TESTED_BELOW
from tests.unit.check_faults import (
    NOT_FOUND,
    WELCOME,
    Case,
    asks_elsewhere,
    hypercorn_trusts_all,
    location,
    prefix_of_anybody,
    uvicorn_trusts_all,
    websocket_saying,
)
from tests.unit.documented import documented, symptoms_in
from tests.unit.messages import begins_late
from tests.unit.stub import (
    LOOPBACK,
    PREFIX,
    TOPOLOGY,
    Fault,
    Stub,
    all_of,
    altered,
    as_it_is,
    closed_port,
    header,
    instead,
    listening,
    only,
    rescoped,
    scoped,
    status,
    text,
    told,
    tunnelling,
    unaware,
)
from tests.unit.wording import AsWorded

pytestmark = pytest.mark.usefixtures("quick_checks")

STREAM = sys.modules["hoplab.suites.contract.checks.stream"]


# --- each is found ---


@pytest.mark.parametrize(
    ("check", "case"),
    [
        pytest.param(check, case, id=f"{check}: {case.symptom}: {case.title}")
        for check, cases in CASES.items()
        for case in cases
    ],
)
def test_a_fault_is_found_and_named(
    stub: Stub, check: str, case: Case, monkeypatch: pytest.MonkeyPatch, as_worded: AsWorded
) -> None:
    monkeypatch.setattr(STREAM, "_INTERVALS", (0.1, 0.1))  # to wait still less
    monkeypatch.setattr(STREAM, "_SOON", 0.3)
    stub.serve(case.inside, case.outside)

    finding = stub.ask(check, case.scheme)

    assert (finding.verdict, finding.symptom) == (Verdict.FAIL, case.symptom), finding.detail
    assert finding.exchanges, "no evidence"
    as_worded(finding)


@pytest.mark.parametrize("agrees_to", [b"Upgrade: h2c", b"Upgrade: websocket"])
def test_a_tunnel_is_found(stub: Stub, agrees_to: bytes) -> None:
    """One that looks at one value alone is led astray by a second."""
    with tunnelling(stub.endpoint.ports[Scheme.HTTP], agrees_to) as port:
        ports = {**stub.endpoint.ports, Scheme.HTTP: port}
        tunnel, others = stub.ask("boundary", ports=ports), stub.ask("static", ports=ports)

    assert (tunnel.verdict, tunnel.symptom) == (Verdict.FAIL, "tunnel-opened"), tunnel.detail
    assert tunnel.detail.endswith(", expected that the proxy keeps the upgrade to HTTP/2")
    assert others.verdict is Verdict.PASS, others.detail


@pytest.mark.parametrize(
    "believes",
    [
        pytest.param(uvicorn_trusts_all, id="client and scheme (Uvicorn, *)"),
        pytest.param(hypercorn_trusts_all, id="client, scheme and host (ProxyFixMiddleware)"),
        pytest.param(prefix_of_anybody, id="prefix"),
        pytest.param(asks_elsewhere, id="prefix, which leads to 404"),
        pytest.param(
            lambda app: behind_proxy(app, LOOPBACK), id="the client's address is the proxy's"
        ),
    ],
)
def test_a_stranger_past_the_proxy_who_is_believed_is_found(stub: Stub, believes: Fault) -> None:
    with listening(believes(plain.app)) as port:
        finding = stub.ask("bypass", direct=(LOOPBACK, port), source=LOOPBACK)

    assert (finding.verdict, finding.symptom) == (Verdict.FAIL, "direct-spoofable"), finding.detail
    assert f"asked directly, from {LOOPBACK}" in finding.detail
    assert f":{port}/scope" in finding.exchanges[-1].url


@pytest.mark.parametrize(
    ("mode", "app"),
    [
        pytest.param(Mode.STRIP, plain.app, id="strip"),
        pytest.param(Mode.PRESERVE, router.app, id="preserve"),
        pytest.param(Mode.STRIP, behind_proxy(plain.app, "192.0.2.1"), id="another is believed"),
    ],
)
def test_a_stranger_past_the_proxy_who_is_not_believed(
    stub: Stub, mode: Mode, app: ASGIApp
) -> None:
    with listening(app) as port:
        topology = replace(TOPOLOGY, mode=mode)
        finding = stub.ask("bypass", topology=topology, direct=(LOOPBACK, port), source=LOOPBACK)

    assert finding.verdict is Verdict.PASS, finding.detail
    assert finding.detail.endswith("with forwarded headers: nothing changed")


@pytest.mark.skipif(sys.platform != "linux", reason="no other address on loopback")
@pytest.mark.parametrize(
    ("trusted", "verdict"), [("127.0.0.9", Verdict.FAIL), (LOOPBACK, Verdict.PASS)]
)
def test_a_stranger_comes_from_the_client_s_address(
    stub: Stub, trusted: str, verdict: Verdict
) -> None:
    with listening(behind_proxy(plain.app, trusted)) as port:
        finding = stub.ask("bypass", direct=(LOOPBACK, port), source="127.0.0.9")

    assert finding.verdict is verdict, finding.detail


@pytest.mark.parametrize("missing", ["direct", "source"])
def test_without_an_address_of_its_own_nobody_is_asked_directly(stub: Stub, missing: str) -> None:
    with listening(uvicorn_trusts_all(plain.app)) as port:
        known: dict[str, Any] = {"direct": (LOOPBACK, port), "source": LOOPBACK, missing: None}
        finding = stub.ask("bypass", **known)

    assert finding.verdict is Verdict.NOT_APPLICABLE, finding.detail
    assert finding.detail.startswith("not asked past the proxy")


@pytest.mark.parametrize(
    ("trust", "variation", "size"),
    [
        (Trust.PROXY, "", 2**24),
        (Trust.PROXY, "nginx-no-body-size", 2**20 + 2**16),
        (Trust.ANY, "", 2**18),
    ],
)
def test_the_body_is_large_where_it_is_the_recipe(
    stub: Stub, trust: Trust, variation: str, size: int
) -> None:
    cell = Cell(TOPOLOGY, Strategy.SERVER_OPTION, trust, Scheme.HTTP, variation)

    finding = ask_one("stream", CHECKS["stream"], stub.target(cell))

    assert finding.verdict is Verdict.PASS, finding.detail
    [echo] = [each for each in finding.exchanges if each.method == "POST"]
    assert echo.header("X-Body-Length") == str(size)


def test_events_that_the_client_had_no_time_to_read_are_asked_for_again(stub: Stub) -> None:
    late = altered("/events")

    def late_once(app: ASGIApp) -> ASGIApp:
        ways = iter([late(app)])

        async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
            way = next(ways, app) if scope["path"].endswith("/events") else app
            await way(scope, receive, send)

        return proxy

    stub.serve(as_it_is, late_once)

    finding = stub.ask("stream")

    assert finding.verdict is Verdict.PASS, finding.detail
    asked = [each.url.partition("?") for each in finding.exchanges]
    queries = [query for path, _, query in asked if path.endswith("/events")]
    assert queries == ["count=3&interval=0.1", "count=2&interval=0.4", "count=1"]


def test_a_first_event_that_is_as_late_as_any_answer_is_not_late(stub: Stub) -> None:
    stub.serve(as_it_is, all_of(only("/events", begins_late), only("/app", begins_late)))

    finding = stub.ask("stream")

    assert finding.verdict is Verdict.PASS, finding.detail


JUDGED = [name for name in CHECKS if name not in {"direct", "limits", "bypass"}]
"""`bypass` takes an application past the proxy: see above."""


@pytest.mark.parametrize("scheme", Scheme)
@pytest.mark.parametrize("check", JUDGED)
def test_a_right_deployment_passes(
    stub: Stub, check: str, scheme: Scheme, as_worded: AsWorded
) -> None:
    finding = stub.ask(check, scheme)

    assert (finding.verdict, finding.symptom) == (Verdict.PASS, None), finding.detail
    assert finding.exchanges, "no evidence"
    as_worded(finding)


@rescoped
def forwarded(scope: Scope) -> dict[str, Any]:
    """What a right proxy sends along: all headers its own."""
    own = {
        b"x-forwarded-for": scope["client"][0].encode(),
        b"x-forwarded-proto": scope["scheme"].replace("ws", "http").encode(),
        b"x-forwarded-host": dict(scope["headers"])[b"host"],
        b"x-forwarded-prefix": PREFIX.encode(),
    }
    return {"headers": [*(h for h in scope["headers"] if h[0] not in own), *own.items()]}


@pytest.mark.parametrize("check", [name for name in JUDGED if name != "stream"])
@pytest.mark.parametrize(
    ("strategy", "app", "inside"),
    [
        pytest.param(Strategy.ROUTER, router.app, scoped(root_path=""), id="router"),
        pytest.param(
            Strategy.FORWARDED_PREFIX,
            hypercorn_forwarded_prefix.app,
            all_of(forwarded, unaware),
            id="forwarded-prefix, strip",
        ),
        pytest.param(
            Strategy.FORWARDED_PREFIX,
            forwarded_prefix.app,
            scoped(root_path=""),
            id="forwarded-prefix, preserve",
        ),
    ],
)
def test_other_right_strategies_pass(
    stub: Stub, check: str, strategy: Strategy, app: ASGIApp, inside: Fault
) -> None:
    stub.serve(inside, as_it_is, app)

    finding = stub.ask(check, strategy=strategy)

    assert (finding.verdict, finding.symptom) == (Verdict.PASS, None), finding.detail


@pytest.mark.parametrize("message", ["hello", "{}", '["headers"]', None])
def test_a_websocket_that_does_not_tell_its_headers_is_for_another_check(
    stub: Stub, message: str | None
) -> None:
    stub.serve(as_it_is, instead("/ws", InstanceMiddleware(websocket_saying(message))))

    finding = stub.ask("spoof")

    assert finding.verdict is Verdict.PASS, finding.detail


def relative(*keys: str) -> Any:
    """These URLs of an answer are paths alone, as browsers understand them too."""
    origin = re.compile("^[a-z]+://[^/]+")
    return told(lambda answer: {key: origin.sub("", answer[key]) for key in keys})


@pytest.mark.parametrize(
    ("check", "outside"),
    [
        ("slash-redirect", location("^http://[^/]+", "")),
        ("mount", location("^http://[^/]+", "", "/sub/items")),
        ("static", altered("/scope", relative("static_url"))),
        ("docs", altered("/docs", text(f"'{PREFIX}/openapi.json'", "'openapi.json'"))),
        ("url-for", altered("/scope", relative("url", "url_for", "base_url"))),
    ],
)
def test_a_url_without_scheme_and_host_is_right(stub: Stub, check: str, outside: Fault) -> None:
    stub.serve(as_it_is, outside)

    finding = stub.ask(check)

    assert (finding.verdict, finding.symptom) == (Verdict.PASS, None), finding.detail


@pytest.mark.parametrize(
    "of_the_mount",
    [
        {"root_path": f"{PREFIX}/sub", "app_root_path": PREFIX},
        {"root_path": f"{PREFIX}/sub", "app_root_path": f"{PREFIX}/"},
    ],
)
def test_the_base_url_is_the_outermost_application_s(
    stub: Stub, of_the_mount: dict[str, str]
) -> None:
    stub.serve(as_it_is, altered("/scope", told(lambda _: of_the_mount)))

    finding = stub.ask("url-for")

    assert (finding.verdict, finding.symptom) == (Verdict.PASS, None), finding.detail


def test_the_base_url_is_that_of_root_path_where_no_other_is_told(stub: Stub) -> None:
    stub.serve(as_it_is, altered("/scope", text('"app_root_path"', '"other"')))

    assert stub.ask("url-for").verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("prefix", "paths"),
    [
        ("/api/v1", ["/api/v10/app", "/api/v1-beta/app", "/app", "/API/V1/app"]),
        ("/1", ["/10/app", "/1-beta/app", "/app"]),
    ],
)
def test_what_is_asked_beside_a_prefix(prefix: str, paths: list[str]) -> None:
    """One without letters has no other case."""
    assert beside(prefix, "/app") == paths


def test_without_a_prefix_its_edge_is_not_asked_for(stub: Stub) -> None:
    cell = Cell(TOPOLOGY, Strategy.NONE, Trust.PROXY, Scheme.HTTP)
    with listening(plain.app) as port:
        origin = f"http://mysuperapp.com:{port}"
        target = replace(stub.target(cell), base=origin, addresses={origin: (LOOPBACK, port)})
        finding = ask_one("boundary", CHECKS["boundary"], target)

    assert finding.verdict is Verdict.PASS, finding.detail
    assert finding.detail == "no prefix; encoded slash, UTF-8; no h2c"


# --- docs without a CDN ---


@pytest.mark.parametrize("page", ["/docs", "/redoc", "/sub/docs"])
def test_a_page_may_have_letters_that_are_no_utf_8(stub: Stub, page: str) -> None:
    def in_latin_1(answer: Any) -> None:
        answer.body = answer.body.replace(b"<title>", b"<title>Caf\xe9 ")

    stub.serve(as_it_is, altered(page, in_latin_1))

    for check in ("docs", "mount"):
        finding = stub.ask(check)
        assert finding.verdict is Verdict.PASS, finding.detail


BUNDLE = "/docs/files/swagger-ui-bundle.js"


@pytest.fixture
def offline(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> ASGIApp:
    """The application with DOCS_OFFLINE=1, whose pages name scripts of its own."""
    monkeypatch.setenv("DOCS_OFFLINE", "1")
    app = build_app()
    stub.serve(as_it_is, as_it_is, app)
    return app


@pytest.mark.usefixtures("offline")
def test_scripts_of_the_application_s_own_are_loaded(stub: Stub) -> None:
    finding = stub.ask("docs")

    assert finding.verdict is Verdict.PASS, finding.detail
    assert [e.status for e in finding.exchanges if e.url.endswith(BUNDLE)] == [200]


@pytest.mark.parametrize(
    ("fault", "symptom"),
    [
        (instead(BUNDLE, NOT_FOUND), "proxy-has-no-route"),
        (altered(BUNDLE, status(404)), "docs-page-wrong"),
        (altered(BUNDLE, header("content-type", lambda _: "text/html")), "docs-page-wrong"),
    ],
)
def test_a_script_of_its_own_that_does_not_load_is_found(
    stub: Stub, offline: ASGIApp, fault: Fault, symptom: str
) -> None:
    stub.serve(as_it_is, fault, offline)

    assert stub.ask("docs").symptom == symptom


# --- questions that are not judged ---


def test_client_without_known_address_is_not_applicable(stub: Stub) -> None:
    finding = stub.ask("client", client=None)

    assert (finding.verdict, finding.symptom) == (Verdict.NOT_APPLICABLE, None)
    assert finding.detail.endswith("the client's address is not known here")


def test_direct_without_address_is_not_applicable(stub: Stub) -> None:
    finding = stub.ask("direct", direct=None)

    assert (finding.verdict, finding.exchanges) == (Verdict.NOT_APPLICABLE, [])


def test_direct_without_a_way_is_not_applicable(stub: Stub) -> None:
    """Docker Desktop knows addresses that this machine has no way to."""
    finding = stub.ask("direct", direct=(LOOPBACK, closed_port()))

    assert finding.verdict is Verdict.NOT_APPLICABLE
    assert "Connection refused" in finding.detail


@pytest.mark.parametrize(("check", "route"), [("direct", "/app"), ("bypass", "/scope")])
def test_direct_answer_of_somebody_else_is_an_error(stub: Stub, check: str, route: str) -> None:
    with listening(WELCOME) as port:
        finding = stub.ask(check, direct=(LOOPBACK, port), source=LOOPBACK)

    assert (finding.verdict, finding.symptom) == (Verdict.ERROR, None)
    told = f"GET http://{LOOPBACK}:{port}{route} → 200: somebody else answers there"
    assert finding.detail == told


@pytest.mark.parametrize("scheme", Scheme)
@pytest.mark.parametrize(
    ("app", "options", "status"),
    [(plain.app, {"root_path": PREFIX}, 404), (app_argument.app, {}, 200)],
    ids=["uvicorn --root-path", "FastAPI(root_path=)"],
)
def test_direct_records_where_the_guide_is_right_and_where_not(
    stub: Stub, scheme: Scheme, app: ASGIApp, options: dict[str, str], status: int
) -> None:
    with listening(app, **options) as port:
        finding = stub.ask("direct", scheme, direct=(LOOPBACK, port))

    assert (finding.verdict, finding.symptom) == (Verdict.RECORDED, None)
    assert finding.detail == (
        '/app: 200 {"message":"Hello World","root_path":"/api/v1"};'
        f" with the prefix: {status}; the OpenAPI document that /docs names: {status}"
    )


# --- the tables and the docstrings agree ---


@pytest.mark.parametrize("check", [*CASES, *(TESTED_BELOW.keys() - CASES.keys()), "direct"])
def test_every_documented_symptom_has_a_case_and_every_case_is_documented(check: str) -> None:
    tested = {case.symptom for case in CASES.get(check, [])} | TESTED_BELOW.get(check, set())

    assert tested - set(WHO_ANSWERED) == documented(CHECKS[check])


@pytest.mark.parametrize("check", CHECKS)
def test_docstrings_begin_with_the_question(check: str) -> None:
    assert (inspect.getdoc(CHECKS[check]) or "").splitlines()[0].endswith("?")


@pytest.mark.parametrize("check", CHECKS)
def test_every_symptom_in_the_source_is_documented(check: str) -> None:
    source = inspect.getsource(sys.modules[CHECKS[check].__module__])

    assert set(symptoms_in(ast.parse(source))) - documented(CHECKS[check]) == set()


def test_the_source_is_read() -> None:
    """Else the test above proves nothing: what it finds is what all docstrings name."""
    found: set[str] = set()
    for check in CHECKS.values():
        found |= set(symptoms_in(ast.parse(inspect.getsource(sys.modules[check.__module__]))))

    assert found == {symptom for check in CHECKS.values() for symptom in documented(check)}
