"""Each question about CORS passes where all is right, and finds every one of its symptoms."""

import ast
import importlib
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.cors import parts
from app.instance import InstanceMiddleware
from hoplab.catalogue.variations import Variation
from hoplab.client.probe import WHO_ANSWERED, Failed
from hoplab.client.wire import Exchange, Headers
from hoplab.results import Finding, Verdict
from hoplab.suites import SUITES
from hoplab.suites.asking import ask_one
from hoplab.suites.cors import right as cors
from hoplab.suites.cors.checks import CHECKS
from hoplab.suites.cors.checks.judging import Problem, fail_with_the_worst, judge
from hoplab.suites.cors.right import (
    MAIN,
    METRICS,
    lets_in,
    preflight_passes,
    right_of,
    values,
)
from hoplab.topology import Cell, Scheme, Strategy, Trust
from tests.catalogue import CATALOGUE
from tests.unit.stub import (
    PREFIX,
    TOPOLOGY,
    Answer,
    Fault,
    Stub,
    all_of,
    altered,
    as_it_is,
    closed_port,
    header,
    instead,
    only,
    text,
)
from tests.unit.test_checks import documented, symptoms_in

pytestmark = pytest.mark.usefixtures("no_counts")

STRANGER = "http://stranger.example"
RIGHT = ["cors-single", "cors-router", "cors-route-middleware"]
HTTP = Scheme.HTTP


def variant(name: str) -> ASGIApp:
    """The application of app/cors/ that a variation runs, or of that name."""
    known = CATALOGUE.variations.get(name)
    module = known.application if known else f"app.cors.{name}"
    app: ASGIApp = importlib.import_module(module).app
    return app


def ask(
    stub: Stub, check: str, variation: str = "cors-single", scheme: Scheme = HTTP, **changes: Any
) -> Finding:
    """One check's finding in a cell of this variation; `changes` are the endpoint's."""
    cell = Cell(TOPOLOGY, Strategy.SERVER_OPTION, Trust.PROXY, scheme, variation)
    return ask_one(check, CHECKS[check], stub.target(cell, SUITES["cors"], **changes))


# --- faults ---

Change = Callable[[Scope, Message], None]


def changes(change: Change) -> Fault:
    """A proxy that changes the beginning of answers."""

    def fault(app: ASGIApp) -> ASGIApp:
        async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
            async def send_changed(message: Message) -> None:
                if message["type"] == "http.response.start":
                    message = {**message, "headers": list(message["headers"])}
                    change(scope, message)
                await send(message)

            await app(scope, receive, send_changed)

        return proxy

    return fault


def origin_of(scope: Scope) -> str | None:
    value = dict(scope["headers"]).get(b"origin")
    return value.decode() if value else None


def adds(name: str, value: str) -> Fault:
    """`add_header`: one more, whatever is there."""
    return changes(lambda _, message: message["headers"].append((name.encode(), value.encode())))


def drops(name: str) -> Fault:
    """`proxy_hide_header`."""

    def change(_scope: Scope, message: Message) -> None:
        del MutableHeaders(scope=message)[name]

    return changes(change)


def replaces(name: str, value: str) -> Fault:
    def change(_scope: Scope, message: Message) -> None:
        MutableHeaders(scope=message)[name] = value

    return changes(change)


def names(allowed: Callable[[str], str | None]) -> Fault:
    """A policy of the proxy's own: whom it names to a page of this origin."""

    def change(scope: Scope, message: Message) -> None:
        origin = origin_of(scope)
        given = allowed(origin) if origin else None
        if given:
            MutableHeaders(scope=message)["Access-Control-Allow-Origin"] = given

    return changes(change)


def of(method: str, fault: Fault) -> Fault:
    """The fault, for one method."""
    return where(lambda scope: scope["method"] == method, fault)


def where(condition: Callable[[Scope], bool], fault: Fault) -> Fault:
    """The fault, for some requests."""

    def narrowed(app: ASGIApp) -> ASGIApp:
        faulty = fault(app)

        async def choose(scope: Scope, receive: Receive, send: Send) -> None:
            await (faulty if condition(scope) else app)(scope, receive, send)

        return choose

    return narrowed


def answers(answer: ASGIApp) -> Fault:
    """Somebody else answers, in the place of the application."""
    return lambda _: answer


def policy(*origins: str) -> Fault:
    """A right one: the proxy answers preflights itself, and adds the headers to all the rest."""
    return parts.cors(*origins)


def with_cookie(scope: Scope) -> bool:
    return b"cookie" in dict(scope["headers"])


def without_origin(scope: Scope) -> bool:
    return origin_of(scope) is None


def of_origin(origin: str) -> Callable[[Scope], bool]:
    return lambda scope: origin_of(scope) == origin


def at_star(app: ASGIApp) -> ASGIApp:
    """A proxy that fails at `OPTIONS *`."""

    async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
        await (PlainTextResponse("500", 500) if scope["path"] == "*" else app)(scope, receive, send)

    return proxy


def status_of(code: int) -> Fault:
    """The application's own answer, with another status."""

    def change(_scope: Scope, message: Message) -> None:
        message["status"] = code

    return changes(change)


def many_names(scope: Scope) -> bool:
    return len(dict(scope["headers"]).get(b"access-control-request-headers", b"")) > 4096


def twice_an_origin(scope: Scope) -> bool:
    return [name for name, _ in scope["headers"]].count(b"origin") == 2


def body(change: Callable[[bytes], bytes]) -> Fault:
    """Another body of /metrics/."""

    def edit(answer: Answer) -> None:
        answer.body = change(answer.body)

    return altered("/metrics/", edit)


NOT_FOUND = PlainTextResponse("404 page not found", 404)
OTHER_METHOD = PlainTextResponse("", 405)
BAD_GATEWAY = PlainTextResponse("502 Bad Gateway", 502)
ALLOW, VARY, LAYERS_PASSED = "Access-Control-Allow-Origin", "Vary", "X-Middleware"
star_for_all = names(lambda _: "*")
reflects = names(lambda origin: origin)


def main_alone(app: ASGIApp) -> ASGIApp:
    """A proxy that names one origin to everybody: whoever is not it may not read."""
    return replaces(ALLOW, MAIN)(app)


@dataclass(frozen=True)
class Case:
    """A symptom, and the fault by which a check has to find it."""

    symptom: str
    title: str
    outside: Fault = as_it_is
    variation: str = "cors-single"
    app: ASGIApp | None = None
    """Another application than the variation's."""

    inside: Fault = as_it_is
    words: str = ""
    """What has to stand in the detail."""


GET_, OPTIONS = "GET", "OPTIONS"


def who_answered(path: str) -> list[Case]:
    """What the proxy may say in the application's place, at one path below the prefix."""
    too_many = PlainTextResponse("", 429)
    return [
        Case("proxy-has-no-route", f"{path}: 404", instead(path, NOT_FOUND)),
        Case("application-unreachable", f"{path}: 502", instead(path, BAD_GATEWAY)),
        Case("proxy-answered", f"{path}: 429", instead(path, too_many)),
    ]


POLICIES = [
    Case("cors-wrong-policy", "the proxy reflects whoever asks", reflects, words=STRANGER),
    Case("cors-wrong-policy", "a star for everybody", star_for_all),
    Case("cors-wrong-policy", "null is let in", names(lambda o: o if o == "null" else None)),
    Case("cors-wrong-policy", "one origin for all", main_alone, words=METRICS),
    Case("cors-wrong-policy", "without credentials", drops("Access-Control-Allow-Credentials")),
    Case(
        "cors-wrong-policy",
        "credentials in capitals",
        replaces("Access-Control-Allow-Credentials", "True"),
    ),
    Case("cors-wrong-policy", "both layers", variation="cors-both"),
    Case(
        "cors-wrong-policy",
        "one policy where two are wanted",
        variation="cors-route-middleware",
        app=variant("cors-single"),
        words=METRICS,
    ),
    Case("cors-duplicated", "by the proxy too", adds(ALLOW, MAIN), words="twice: Allow-Origin"),
    Case(
        "cors-duplicated",
        "the same credentials twice",
        adds("Access-Control-Allow-Credentials", "true"),
        words="twice: Allow-Credentials",
    ),
    Case(
        "cors-duplicated",
        "both by the proxy",
        all_of(adds(ALLOW, MAIN), adds(ALLOW, MAIN)),
        app=variant("no_layer"),
    ),
]
"""What everybody finds that judges an answer."""

VARIES = [
    Case("cors-vary-missing", "hidden by the proxy", drops(VARY), words="no Vary: Origin"),
    Case("cors-vary-missing", "another Vary", replaces(VARY, "Accept-Encoding, X-Origin")),
    Case("cors-vary-missing", "with a cookie only", where(with_cookie, drops(VARY))),
    Case(
        "cors-vary-missing",
        "without an Origin only",
        where(without_origin, drops(VARY)),
        words="of None: no Vary: Origin",
    ),
]

CASES: dict[str, list[Case]] = {
    "preflight": [
        *POLICIES,
        Case("cors-wrong-policy", "no header name", drops("Access-Control-Allow-Headers")),
        Case(
            "cors-wrong-policy",
            "a star for the header names",
            replaces("Access-Control-Allow-Headers", "*"),
        ),
        Case("cors-wrong-policy", "refused by its status", of(OPTIONS, status_of(403))),
        Case("cors-duplicated", "max-age", adds("Access-Control-Max-Age", "600")),
        Case("cors-preflight-redirected", "the mount's slash", variation="cors-inner-only"),
        Case(
            "cors-preflight-redirected",
            "by the proxy",
            of(OPTIONS, only("/metrics", answers(RedirectResponse(f"{PREFIX}/metrics/", 308)))),
        ),
        Case("cors-missing", "no layer", app=variant("no_layer"), variation="cors-nginx-alone"),
        Case("cors-missing", "hidden", drops(ALLOW), words="allowed: none"),
        Case("cors-missing", "the proxy says 405", of(OPTIONS, answers(OTHER_METHOD))),
        *who_answered("/items/"),
        Case("cors-missing", "one path only", only("/metrics/fail", drops(ALLOW))),
        Case("cors-missing", "one origin only", where(of_origin(METRICS), drops(ALLOW))),
    ],
    "simple": [
        *POLICIES,
        *VARIES,
        Case("cors-wrong-policy", "with a cookie only", where(with_cookie, reflects)),
        Case("cors-wrong-policy", "null, with a cookie", where(with_cookie, star_for_all)),
        Case("cors-wrong-policy", "the redirect", only("/metrics", reflects), words="→ 307"),
        Case("cors-missing", "no layer", app=variant("no_layer")),
        Case("cors-missing", "the mount's alone", variation="cors-inner-only"),
        Case("cors-missing", "hidden", drops(ALLOW), words="allowed: none"),
        Case("cors-missing", "with a cookie only", where(with_cookie, drops(ALLOW))),
        Case("cors-missing", "the redirect only", only("/metrics", drops(ALLOW)), words="→ 307"),
        *who_answered("/metrics/"),
        Case("application-has-no-route", "404", only("/metrics/", status_of(404))),
        Case("proxy-has-no-route", "with a cookie", where(with_cookie, answers(NOT_FOUND))),
        Case("proxy-answered", "the proxy redirects", instead("/metrics", RedirectResponse("/"))),
        Case("answer-wrong", "another status", only("/items/", status_of(203))),
    ],
    "errors": [
        *POLICIES,
        *VARIES,
        Case("cors-wrong-policy", "the 404 only", only("/missing", reflects), words="→ 404"),
        Case("cors-wrong-policy", "a 500 only", only("/metrics/fail", reflects), words="→ 500"),
        Case("cors-missing-on-error", "add_middleware", variation="cors-single-added"),
        Case("cors-missing-on-error", "the mount's alone", variation="cors-inner-only"),
        Case("cors-missing-on-error", "no layer", app=variant("no_layer")),
        Case("cors-missing-on-error", "the 404 only", only("/missing", drops(ALLOW))),
        Case(
            "cors-missing-on-error",
            "without `always`",
            where(lambda scope: "fail" in scope["path"], drops(ALLOW)),
            words="→ 500",
        ),
        *who_answered("/missing"),
        Case("proxy-answered", "the proxy's own 500", instead("/fail", PlainTextResponse("", 500))),
        Case("answer-wrong", "no error at all", only("/metrics/fail", status_of(200))),
        Case("application-error", "another 5xx", only("/fail", status_of(502))),
    ],
    "order": [
        Case("middleware-misordered", "added in another order", app=variant("cors-single-added")),
        Case("middleware-misordered", "one is missing", app=variant("no_layer")),
        Case("middleware-misordered", "one more", app=variant("cors-both")),
        Case(
            "middleware-misordered",
            "the mount's is missing",
            only(
                "/metrics/",
                replaces(LAYERS_PASSED, ">prometheus >main-cors <main-cors <prometheus"),
            ),
            variation="cors-both",
            words="GET /metrics/ passed",
        ),
        Case(
            "middleware-misordered",
            "not mirrored",
            only("/metrics/", replaces(LAYERS_PASSED, ">cors >prometheus <cors <prometheus")),
            words="GET /metrics/ passed >cors >prometheus <cors",
        ),
        Case(
            "middleware-misordered",
            "the application is asked for the preflight",
            of(OPTIONS, replaces(LAYERS_PASSED, ">cors >prometheus <prometheus <cors")),
            words="preflight /items/",
        ),
        Case(
            "middleware-misordered",
            "of the mount alone",
            of(OPTIONS, only("/metrics/", replaces(LAYERS_PASSED, ">prometheus <prometheus"))),
            words="preflight /metrics/",
        ),
        Case("answer-wrong", "nothing is named", drops(LAYERS_PASSED)),
        Case("proxy-answered", "by somebody else", drops("X-Instance")),
        *who_answered("/metrics/"),
    ],
    "hostile": [
        Case("cors-origin-reflected", "whoever asks", reflects),
        Case("cors-origin-reflected", "of GET only", of(GET_, reflects), words="GET /items/"),
        Case("cors-origin-reflected", "of OPTIONS only", of(OPTIONS, reflects), words="OPTIONS "),
        Case("cors-origin-reflected", "/metrics/ only", only("/metrics/", reflects)),
        Case(
            "cors-origin-reflected",
            "a regular expression without its end",
            names(lambda o: o if o.startswith(MAIN) else None),
            words=f"allowed {MAIN}.stranger.example",
        ),
        Case(
            "cors-origin-reflected",
            "case does not count",
            names(lambda o: o if o.lower() == MAIN else None),
            words=f"allowed {MAIN.upper()}",
        ),
        Case(
            "cors-origin-reflected",
            "any port",
            names(lambda o: o if o.rsplit(":", 1)[0] == MAIN else None),
            words=":8080",
        ),
        Case(
            "cors-origin-reflected",
            "any scheme",
            names(lambda o: o if o.partition(":")[2] == MAIN.partition(":")[2] else None),
            words="allowed https://",
        ),
        Case(
            "cors-origin-reflected",
            "the last of two",
            where(twice_an_origin, reflects),
        ),
        Case(
            "cors-origin-reflected",
            "a part of it",
            names(lambda o: o if MAIN in o.split(", ") else None),
            words=f"allowed {MAIN}, http",
        ),
        Case("cors-wrong-policy", "a star", star_for_all, words="allowed *"),
        Case("cors-wrong-policy", "one more", of(OPTIONS, adds(ALLOW, STRANGER))),
        Case("cors-crashes", "many header names", where(many_names, answers(BAD_GATEWAY))),
        Case("cors-crashes", "OPTIONS *", at_star, words="OPTIONS http"),
        Case("cors-crashes", "two origins", where(twice_an_origin, answers(BAD_GATEWAY))),
        Case("cors-crashes", "a strange origin", where(of_origin("*"), status_of(500))),
        Case("cors-crashes", "the application is down", answers(BAD_GATEWAY), words="→ 502"),
    ],
    "metrics": [
        *who_answered("/metrics/"),
        Case("metrics-unreachable", "404", only("/metrics/", status_of(404))),
        Case("proxy-answered", "by somebody else", only("/metrics/", drops("X-Instance"))),
        Case("application-error", "500", only("/metrics/", status_of(500))),
        Case(
            "metrics-unreachable",
            "redirected",
            inside=instead("/metrics/", InstanceMiddleware(RedirectResponse("/metrics"))),
        ),
        Case(
            "metrics-unreachable",
            "a page for people",
            inside=instead("/metrics/", InstanceMiddleware(JSONResponse({"requests": 1}))),
        ),
        Case(
            "metrics-unreachable",
            "no version of the format",
            altered("/metrics/", header("content-type", lambda _: "text/plain; charset=utf-8")),
        ),
        Case("metrics-unreachable", "no type", only("/metrics/", drops("Content-Type"))),
        Case("metrics-wrong", "not the format", altered("/metrics/", text("{", "("))),
        Case("metrics-wrong", "not UTF-8", body(lambda given: given + b"\xff")),
        Case("metrics-wrong", "empty", body(lambda _: b""), words="0 after one more, 0 before"),
        Case("metrics-wrong", "cut short", body(lambda given: given.partition(b"}")[0])),
        Case(
            "metrics-wrong",
            "by path and not by route",
            altered("/metrics/", text("(no route)", "/invented-by-a-stranger")),
            words="a series for an invented path",
        ),
        Case(
            "metrics-wrong",
            "the mount's, by path",
            altered("/metrics/", text("(no route)", "/metrics/invented-by-a-stranger")),
            words="a series for an invented path",
        ),
        Case(
            "metrics-wrong",
            "not counted",
            altered("/metrics/", text("http_requests_total", "requests_total")),
            words="http_requests_total",
        ),
        Case(
            "metrics-wrong",
            "not timed",
            altered("/metrics/", text("http_request_duration_seconds", "seconds")),
            words="http_request_duration_seconds_count",
        ),
        Case(
            "metrics-wrong",
            "by the path's prefix too",
            altered("/metrics/", text('"/items/"', f'"{PREFIX}/items/"')),
        ),
        Case("metrics-wrong", "another status", altered("/metrics/", text('"200"', '"2xx"'))),
        Case(
            "metrics-wrong",
            "nothing asked",
            app=InstanceMiddleware(PlainTextResponse("", media_type="text/plain; version=1.0.0")),
        ),
    ],
}


@pytest.mark.parametrize(
    ("check", "case"),
    [
        pytest.param(check, case, id=f"{check}: {case.symptom}: {case.title}, {case.variation}")
        for check, cases in CASES.items()
        for case in cases
    ],
)
def test_a_fault_is_found_and_named(stub: Stub, check: str, case: Case) -> None:
    stub.serve(case.inside, case.outside, case.app or variant(case.variation))

    finding = ask(stub, check, case.variation)

    assert (finding.verdict, finding.symptom) == (Verdict.FAIL, case.symptom), finding.detail
    assert finding.exchanges, "no evidence"
    assert finding.detail
    assert case.words in finding.detail


# --- what is right, and what is as the variation says ---


@pytest.mark.parametrize("scheme", Scheme)
@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("variation", RIGHT)
def test_a_right_deployment_passes(stub: Stub, variation: str, check: str, scheme: Scheme) -> None:
    stub.serve(as_it_is, as_it_is, variant(variation))

    finding = ask(stub, check, variation, scheme)

    assert (finding.verdict, finding.symptom) == (Verdict.PASS, None), finding.detail
    assert finding.exchanges, "no evidence"
    assert finding.detail


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("variation", ["cors-nginx-alone", "cors-traefik-alone"])
def test_a_proxy_that_has_the_policy_passes(stub: Stub, variation: str, check: str) -> None:
    """It answers preflights itself: they name no layer, and no instance."""
    stub.serve(as_it_is, policy(MAIN, METRICS), variant("no_layer"))

    finding = ask(stub, check, variation)

    assert (finding.verdict, finding.symptom) == (Verdict.PASS, None), finding.detail


OF_THE_APPLICATION_ALONE = [
    v for v in CATALOGUE.variations.values() if v.suite == "cors" and not v.changes
]


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("variation", OF_THE_APPLICATION_ALONE, ids=lambda v: v.name)
def test_a_variant_fails_as_its_file_says(stub: Stub, variation: Variation, check: str) -> None:
    stub.serve(as_it_is, as_it_is, variant(variation.name))
    symptoms = next(iter(variation.symptoms.values())) or {}

    finding = ask(stub, check, variation.name)

    assert finding.symptom == symptoms.get(check), finding.detail
    assert finding.verdict is (Verdict.FAIL if finding.symptom else Verdict.PASS), finding.detail


def test_a_preflight_that_the_proxy_answers_is_right_where_that_is_the_design(stub: Stub) -> None:
    stub.serve(as_it_is, policy(MAIN, METRICS), variant("cors-single"))

    swallowed = ask(stub, "order")
    by_design = ask(stub, "order", "cors-traefik-too")

    assert (swallowed.verdict, swallowed.symptom) == (Verdict.FAIL, "proxy-answered")
    assert by_design.verdict is Verdict.PASS, by_design.detail


def test_vary_of_everything_is_enough(stub: Stub) -> None:
    stub.serve(as_it_is, replaces(VARY, "*"), variant("cors-single"))

    assert ask(stub, "simple").verdict is Verdict.PASS


def test_vary_that_is_missing_for_a_stranger_is_found(stub: Stub) -> None:
    """A cache would give the stranger's answer, without Allow-Origin, to a page that may read."""
    stub.serve(as_it_is, where(of_origin(STRANGER), drops(VARY)), variant("cors-single"))

    assert ask(stub, "simple").symptom == "cors-vary-missing"


def test_a_star_without_credentials_depends_on_nobody() -> None:
    """Vary is not missing where the answer is the same for all; who gets in is another question."""
    answer = answered([(ALLOW, "*"), CREDENTIALS])

    assert [p.symptom for p in judge(answer, MAIN, [MAIN])] == ["cors-wrong-policy"]


def test_a_preflight_needs_no_vary(stub: Stub) -> None:
    stub.serve(as_it_is, of(OPTIONS, drops(VARY)), variant("cors-single"))

    for check in ("preflight", "simple", "errors"):
        assert ask(stub, check).verdict is Verdict.PASS


# --- the lab's own trouble ---


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize(
    "fault", [pytest.param(as_it_is, id="right"), pytest.param(reflects, id="wrong")]
)
def test_an_answer_of_another_instance_is_no_finding(stub: Stub, fault: Fault, check: str) -> None:
    stub.serve(as_it_is, all_of(replaces("X-Instance", "another"), fault), variant("cors-single"))

    finding = ask(stub, check)

    assert (finding.verdict, finding.symptom) == (Verdict.ERROR, None), finding.detail
    assert "answered by the instance 'another'" in finding.detail


@pytest.mark.parametrize("check", ["preflight", "order", "hostile"])
def test_a_preflight_of_another_instance_is_no_finding(stub: Stub, check: str) -> None:
    stub.serve(as_it_is, of(OPTIONS, replaces("X-Instance", "another")), variant("cors-single"))

    finding = ask(stub, check)

    assert (finding.verdict, finding.symptom) == (Verdict.ERROR, None), finding.detail


@pytest.mark.parametrize("check", CHECKS)
def test_no_answer_at_all_is_no_finding(stub: Stub, check: str) -> None:
    finding = ask(stub, check, ports=dict.fromkeys(Scheme, closed_port()))

    assert (finding.verdict, finding.symptom) == (Verdict.ERROR, None), finding.detail
    assert "no answer" in finding.detail


# --- the rules of a browser ---

CREDENTIALS = ("Access-Control-Allow-Credentials", "true")
NAMES = ("Access-Control-Allow-Headers", "X-Requested-With")


def answered(told: Headers, status: int = 200, method: str = "GET") -> Exchange:
    return Exchange(method, "http://x/", (), status, told)


@pytest.mark.parametrize(
    ("told", "with_credentials", "without"),
    [
        pytest.param([], False, False, id="nothing"),
        pytest.param([CREDENTIALS], False, False, id="credentials alone"),
        pytest.param([(ALLOW, MAIN), CREDENTIALS], True, True, id="this origin"),
        pytest.param([(ALLOW.lower(), MAIN), CREDENTIALS], True, True, id="in small letters"),
        pytest.param([(ALLOW, MAIN)], False, True, id="without credentials"),
        pytest.param([(ALLOW, "*")], False, True, id="*"),
        pytest.param([(ALLOW, "*"), CREDENTIALS], False, True, id="* and credentials"),
        pytest.param([(ALLOW, METRICS), CREDENTIALS], False, False, id="another"),
        pytest.param([(ALLOW, "null"), CREDENTIALS], False, False, id="null"),
        pytest.param([(ALLOW, f"{MAIN}/"), CREDENTIALS], False, False, id="with a slash"),
        pytest.param([(ALLOW, MAIN.upper()), CREDENTIALS], False, False, id="in capitals"),
        pytest.param([(ALLOW, f"{MAIN}:80"), CREDENTIALS], False, False, id="its default port"),
        pytest.param([(ALLOW, MAIN)] * 2 + [CREDENTIALS], False, False, id="twice"),
        pytest.param([(ALLOW, "*")] * 2, False, False, id="* twice"),
        pytest.param([(ALLOW, MAIN), (ALLOW, METRICS), CREDENTIALS], False, False, id="two"),
        pytest.param([(ALLOW, f"{MAIN}, {METRICS}"), CREDENTIALS], False, False, id="a list"),
        pytest.param([(ALLOW, f"{MAIN} {METRICS}"), CREDENTIALS], False, False, id="with a blank"),
        pytest.param(
            [(ALLOW, MAIN), CREDENTIALS, CREDENTIALS], False, True, id="credentials twice"
        ),
        pytest.param([(ALLOW, MAIN), (CREDENTIALS[0], "True")], False, True, id="True"),
        pytest.param([(ALLOW, MAIN), (CREDENTIALS[0], "false")], False, True, id="false"),
        pytest.param([(ALLOW, MAIN), (CREDENTIALS[0], "1")], False, True, id="1"),
    ],
)
@pytest.mark.parametrize("status", [200, 307, 404, 500])
def test_whom_an_answer_lets_in(
    told: Headers, status: int, *, with_credentials: bool, without: bool
) -> None:
    """Fetch, "CORS check": whatever the status is."""
    answer = answered(told, status)

    assert lets_in(answer, MAIN, credentials=True) is with_credentials
    assert lets_in(answer, MAIN, credentials=False) is without


@pytest.mark.parametrize("credentials", [True, False])
def test_null_is_an_origin_like_any_other(*, credentials: bool) -> None:
    assert lets_in(answered([(ALLOW, "null"), CREDENTIALS]), "null", credentials=credentials)


RIGHT_ANSWER = [(ALLOW, MAIN), CREDENTIALS, NAMES]


@pytest.mark.parametrize("credentials", [True, False])
@pytest.mark.parametrize(
    ("told", "status", "passes"),
    [
        pytest.param(RIGHT_ANSWER, 200, True, id="200"),
        pytest.param(RIGHT_ANSWER, 204, True, id="204"),
        pytest.param(RIGHT_ANSWER, 299, True, id="299"),
        pytest.param(RIGHT_ANSWER, 300, False, id="300"),
        pytest.param(RIGHT_ANSWER, 307, False, id="307"),
        pytest.param(RIGHT_ANSWER, 308, False, id="308"),
        pytest.param(RIGHT_ANSWER, 400, False, id="400"),
        pytest.param(RIGHT_ANSWER, 401, False, id="401"),
        pytest.param(RIGHT_ANSWER, 405, False, id="405"),
        pytest.param(RIGHT_ANSWER, 500, False, id="500"),
        pytest.param(RIGHT_ANSWER, 101, False, id="101"),
        pytest.param(RIGHT_ANSWER[1:], 200, False, id="no origin"),
        pytest.param([(ALLOW, METRICS), CREDENTIALS, NAMES], 200, False, id="another origin"),
        pytest.param([(ALLOW, MAIN), *RIGHT_ANSWER], 200, False, id="twice the origin"),
        pytest.param(RIGHT_ANSWER[:2], 200, False, id="no header name"),
        pytest.param([*RIGHT_ANSWER[:2], (NAMES[0], "X-Other")], 200, False, id="another name"),
        pytest.param([*RIGHT_ANSWER[:2], (NAMES[0], "")], 200, False, id="empty"),
        pytest.param(
            [*RIGHT_ANSWER[:2], (NAMES[0], "x-requested-with")], 200, True, id="small letters"
        ),
        pytest.param(
            [*RIGHT_ANSWER[:2], (NAMES[0], "Accept,X-REQUESTED-WITH , X-Other")],
            200,
            True,
            id="among others",
        ),
        pytest.param([(NAMES[0], "X-Other"), *RIGHT_ANSWER], 200, True, id="in another header"),
        pytest.param(
            [*RIGHT_ANSWER, ("Access-Control-Allow-Methods", "POST")],
            200,
            True,
            id="GET needs no permission",
        ),
    ],
)
def test_whose_preflight_passes(
    told: Headers, status: int, *, passes: bool, credentials: bool
) -> None:
    """Fetch, "CORS-preflight fetch"."""
    answer = answered(told, status, "OPTIONS")

    assert preflight_passes(answer, MAIN, credentials=credentials) is passes


def test_credentials_are_a_preflight_s_matter_too() -> None:
    answer = answered([(ALLOW, MAIN), NAMES], 200, "OPTIONS")

    assert not preflight_passes(answer, MAIN, credentials=True)
    assert preflight_passes(answer, MAIN, credentials=False)


def test_a_star_for_header_names_is_a_name_like_any_other_with_credentials() -> None:
    answer = answered([(ALLOW, MAIN), CREDENTIALS, (NAMES[0], "*")], 200, "OPTIONS")

    assert not preflight_passes(answer, MAIN, credentials=True)


def test_a_star_for_header_names_is_every_name_without_credentials() -> None:
    answer = answered([(ALLOW, "*"), (NAMES[0], "*")], 200, "OPTIONS")

    assert preflight_passes(answer, MAIN, credentials=False)


# --- what is wanted, and what is sent ---


@pytest.mark.parametrize(
    ("variation", "path", "origins"),
    [
        ("cors-both", "/items/", [MAIN]),
        ("cors-both", "/fail", [MAIN]),
        ("cors-both", "/metrics", [METRICS]),
        ("cors-both", "/metrics/", [METRICS]),
        ("cors-both", "/metrics/fail", [METRICS]),
        ("cors-single", "/items/", [MAIN, METRICS]),
        ("cors-single", "/metrics/", [MAIN, METRICS]),
    ],
)
def test_whom_a_path_should_let_in(variation: str, path: str, origins: list[str]) -> None:
    right = right_of(CATALOGUE.variations[variation].right)

    assert list(right.wanted(path)) == origins


def test_what_a_browser_sends() -> None:
    assert cors.headers(None) == []
    assert cors.headers(None, cookie=True) == [("Cookie", "session=1")]
    assert cors.headers(MAIN, preflight=True) == [
        ("Origin", MAIN),
        ("Access-Control-Request-Method", "GET"),
        ("Access-Control-Request-Headers", "x-requested-with"),
    ]


def test_values_are_those_of_every_header_of_the_name() -> None:
    answer = answered([("vary", "Origin"), ("X", "y"), ("Vary", "Accept, Cookie")])

    assert values(answer, "VARY") == ["Origin", "Accept, Cookie"]


@pytest.mark.parametrize("check", ["preflight", "simple", "errors"])
def test_every_origin_is_asked_for_every_path(stub: Stub, check: str) -> None:
    stub.serve(as_it_is, as_it_is, variant("cors-single"))

    asked = {
        (e.url.partition(PREFIX)[2], dict(e.sent).get("Origin"), "Cookie" in dict(e.sent))
        for e in ask(stub, check).exchanges
    }

    paths = sys.modules[f"hoplab.suites.cors.checks.{check}"].PATHS
    origins = [o for o in cors.ORIGINS.values() if o or check != "preflight"]
    cookies = [False] if check == "preflight" else [False, True]
    assert asked == {(p, o, c) for p in paths for o in origins for c in cookies}


# --- the worst of several ---

WORST_FIRST = [
    "cors-wrong-policy",
    "cors-duplicated",
    "cors-preflight-redirected",
    "cors-missing",
    "cors-missing-on-error",
    "cors-vary-missing",
]


def test_the_worst_of_several_is_told() -> None:
    for number, worst in enumerate(WORST_FIRST):
        problems = [Problem(each, f"GET {each}") for each in reversed(WORST_FIRST[number:])]

        with pytest.raises(Failed) as failed:
            fail_with_the_worst(problems)

        first, *others = failed.value.detail.splitlines()
        assert (failed.value.symptom, first) == (worst, f"GET {worst}")
        assert others == [f"also {each}: GET {each}" for each in WORST_FIRST[number + 1 :]]


def test_of_many_answers_some_are_shown() -> None:
    with pytest.raises(Failed) as failed:
        fail_with_the_worst([Problem("cors-missing", str(number)) for number in range(7)])

    assert failed.value.detail.splitlines() == ["0", "1", "2", "3", "and 3 more"]


def test_without_a_problem_nothing_fails() -> None:
    fail_with_the_worst([])


def test_every_symptom_of_a_judged_answer_has_its_place() -> None:
    judged = [documented(CHECKS[check]) for check in ("preflight", "simple", "errors")]

    assert set().union(*judged) == set(WORST_FIRST)


# --- the tables and the docstrings agree ---


@pytest.mark.parametrize("check", CHECKS)
def test_every_documented_symptom_has_a_case_and_every_case_is_documented(check: str) -> None:
    found = {case.symptom for case in CASES[check]}

    assert found - set(WHO_ANSWERED) == documented(CHECKS[check])


@pytest.mark.parametrize("check", CHECKS)
def test_docstrings_begin_with_the_question(check: str) -> None:
    assert (inspect.getdoc(CHECKS[check]) or "").splitlines()[0].endswith("?")


@pytest.mark.parametrize("check", CHECKS)
def test_every_symptom_in_the_source_is_documented(check: str) -> None:
    source = inspect.getsource(sys.modules[CHECKS[check].__module__])

    assert set(symptoms_in(ast.parse(source))) <= documented(CHECKS[check])


@pytest.mark.parametrize("check", ["order", "hostile", "metrics"])
def test_the_source_is_read(check: str) -> None:
    """Else the test above proves nothing; of the others, judging.py names the symptoms."""
    source = inspect.getsource(sys.modules[CHECKS[check].__module__])

    assert set(symptoms_in(ast.parse(source))) == documented(CHECKS[check])
