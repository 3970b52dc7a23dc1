"""Each question about CORS finds every one of its symptoms."""

import ast
import inspect
import sys
from dataclasses import dataclass

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp

from app.instance import InstanceMiddleware
from hoplab.client.probe import WHO_ANSWERED
from hoplab.results import Verdict
from hoplab.suites.cors.checks import CHECKS
from hoplab.suites.cors.right import MAIN, METRICS
from tests.unit.cors_faults import (
    ALLOW,
    BAD_GATEWAY,
    GET_,
    LAYERS_PASSED,
    NOT_FOUND,
    OPTIONS,
    OTHER_METHOD,
    STRANGER,
    VARY,
    adds,
    answers,
    ask,
    at_star,
    body,
    drops,
    many_names,
    names,
    of,
    of_origin,
    reflects,
    replaces,
    star_for_all,
    status_of,
    twice_an_origin,
    variant,
    where,
    with_cookie,
    without_origin,
)
from tests.unit.documented import documented, symptoms_in
from tests.unit.stub import (
    PREFIX,
    Fault,
    Stub,
    all_of,
    altered,
    as_it_is,
    header,
    instead,
    only,
    text,
)
from tests.unit.wording import AsWorded

pytestmark = pytest.mark.usefixtures("no_counts")


# --- the cases ---

SERIES = '{method="GET",route="%s",status="200"} %d\n'
ALWAYS_THE_SAME = "".join(
    name + SERIES % (route, 5)
    for name in ("http_requests_total", "http_request_duration_seconds_count")
    for route in ("/items/", "/metrics/")
).encode()
INVENTED = ("http_invented_total" + SERIES % ("/invented", 1)).encode()


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
        Case(
            "metrics-wrong",
            "always the same",
            body(lambda _: ALWAYS_THE_SAME),
            words="5 after one more, 5 before",
        ),
        Case(
            "metrics-wrong",
            "one invented path",
            body(lambda given: given + INVENTED),
            words="a series for an invented path: /invented",
        ),
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
def test_a_fault_is_found_and_named(
    stub: Stub, check: str, case: Case, as_worded: AsWorded
) -> None:
    stub.serve(case.inside, case.outside, case.app or variant(case.variation))

    finding = ask(stub, check, case.variation)

    assert (finding.verdict, finding.symptom) == (Verdict.FAIL, case.symptom), finding.detail
    assert finding.exchanges, "no evidence"
    assert case.words in finding.detail
    as_worded(finding)


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
