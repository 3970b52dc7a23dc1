"""Whom a browser lets read an answer, what it sends, and which of several problems is told."""

import sys

import pytest

from hoplab.client.probe import Failed
from hoplab.client.wire import Headers
from hoplab.suites.cors import right as cors
from hoplab.suites.cors.checks import CHECKS
from hoplab.suites.cors.checks.judging import Problem, fail_with_the_worst
from hoplab.suites.cors.right import MAIN, METRICS, lets_in, preflight_passes, right_of, values
from tests.catalogue import CATALOGUE
from tests.unit.cors_faults import ALLOW, CREDENTIALS, answered, ask, variant
from tests.unit.documented import documented
from tests.unit.stub import PREFIX, Stub, as_it_is

pytestmark = pytest.mark.usefixtures("no_counts")


# --- the rules of a browser ---

NAMES = ("Access-Control-Allow-Headers", "X-Requested-With")


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
