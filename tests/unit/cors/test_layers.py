"""What a CORS layer does, and in which order layers run."""

import inspect
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.middleware import Middleware
from fastapi.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp

from app.cors.parts import MAIN, METRICS, Layer, cors
from tests.unit.cors.variants import (
    BOTH,
    ORDER,
    SINGLE,
    STRANGER,
    VARIANTS,
    Ask,
    allowed,
    every_variant,
    headers,
    passed,
    varies,
)
from tests.unit.stub import as_it_is

pytestmark = pytest.mark.usefixtures("no_counts")


# --- the branches of a layer ---


def test_a_request_without_an_origin_passes_on_and_its_answer_says_that_it_depends(
    ask: Ask,
) -> None:
    answer = ask(SINGLE, "GET", "/items/")

    assert (answer.status, answer.json()) == (200, ["plumbus", "portal gun"])
    assert allowed(answer) == {}
    assert varies(answer) == ["Origin"], "a cache would give it to those who send one"
    assert answer.header("X-Middleware") == passed("cors", "prometheus")


def test_options_without_an_origin_is_no_preflight(ask: Ask) -> None:
    answer = ask(SINGLE, "OPTIONS", "/items/", headers(requests="GET"))

    assert (answer.status, allowed(answer)) == (405, {})
    assert answer.header("X-Middleware") == passed("cors", "prometheus")


def test_options_that_asks_for_no_method_is_no_preflight(ask: Ask) -> None:
    answer = ask(SINGLE, "OPTIONS", "/items/", headers(MAIN))

    assert answer.status == 405
    assert allowed(answer) == {"allow-origin": MAIN, "allow-credentials": "true"}
    assert answer.header("X-Middleware") == passed("cors", "prometheus")


@pytest.mark.parametrize("path", ["/items/", "/metrics/", "/missing", "/fail"])
@pytest.mark.parametrize("names", [None, "x-requested-with", "X-Requested-With, content-type"])
@pytest.mark.parametrize("origin", [MAIN, METRICS])
def test_a_preflight_is_answered_by_the_layer_itself(
    ask: Ask, origin: str, names: str | None, path: str
) -> None:
    answer = ask(SINGLE, "OPTIONS", path, headers(origin, requests="GET", names=names))

    assert (answer.status, answer.body) == (200, b"OK")
    assert allowed(answer) == {
        "allow-origin": origin,
        "allow-credentials": "true",
        "allow-methods": "GET",
        "allow-headers": "Accept, Accept-Language, Content-Language, Content-Type,"
        " X-Requested-With",
        "max-age": "600",
    }
    assert "Origin" in varies(answer)
    assert answer.header("X-Middleware") == passed("cors"), "the application was asked"


@pytest.mark.parametrize(
    ("sent", "complaint"),
    [
        pytest.param(headers(STRANGER, requests="GET"), "origin", id="origin"),
        pytest.param(headers("null", requests="GET"), "origin", id="null"),
        pytest.param(headers(STRANGER, requests="PUT"), "origin, method", id="both"),
    ],
)
def test_a_preflight_of_a_stranger_is_refused(ask: Ask, sent: Any, complaint: str) -> None:
    answer = ask(SINGLE, "OPTIONS", "/items/", sent)

    assert (answer.status, answer.body.decode()) == (400, f"Disallowed CORS {complaint}")
    assert "allow-origin" not in allowed(answer)
    assert "Origin" in varies(answer)
    assert answer.header("X-Middleware") == passed("cors")


@pytest.mark.parametrize(
    ("sent", "complaint"),
    [
        pytest.param(headers(MAIN, requests="DELETE"), "method", id="method"),
        pytest.param(headers(MAIN, requests="GET", names="x-other"), "headers", id="header"),
    ],
)
def test_a_preflight_for_more_than_is_allowed_is_refused_by_its_status_alone(
    ask: Ask, sent: Any, complaint: str
) -> None:
    """The origin is still named: whoever looks at Allow-Origin only takes it for a yes."""
    answer = ask(SINGLE, "OPTIONS", "/items/", sent)

    assert (answer.status, answer.body.decode()) == (400, f"Disallowed CORS {complaint}")
    assert allowed(answer)["allow-origin"] == MAIN
    assert answer.header("X-Middleware") == passed("cors")


@pytest.mark.parametrize("cookie", [False, True])
@pytest.mark.parametrize("origin", [MAIN, METRICS])
def test_a_simple_request_of_an_allowed_origin_may_be_read(
    ask: Ask, origin: str, *, cookie: bool
) -> None:
    answer = ask(SINGLE, "GET", "/items/", headers(origin, cookie=cookie))

    assert answer.json() == ["plumbus", "portal gun"]
    assert allowed(answer) == {"allow-origin": origin, "allow-credentials": "true"}
    assert varies(answer) == ["Origin"]
    assert answer.header("X-Middleware") == passed("cors", "prometheus")


@pytest.mark.parametrize("cookie", [False, True])
@pytest.mark.parametrize("origin", [STRANGER, "null", f"{MAIN}:8080", MAIN.upper()])
def test_a_simple_request_of_another_origin_is_answered_and_may_not_be_read(
    ask: Ask, origin: str, *, cookie: bool
) -> None:
    """Allow-Credentials stands there all the same, and is worth nothing without Allow-Origin."""
    answer = ask(SINGLE, "GET", "/items/", headers(origin, cookie=cookie))

    assert (answer.status, answer.json()) == (200, ["plumbus", "portal gun"])
    assert allowed(answer) == {"allow-credentials": "true"}
    assert varies(answer) == ["Origin"]
    assert answer.header("X-Middleware") == passed("cors", "prometheus")


def everybody(**options: Any) -> ASGIApp:
    """A layer around a page, for all origins."""
    return CORSMiddleware(PlainTextResponse("page"), allow_origins=["*"], **options)


@pytest.mark.parametrize("cookie", [False, True])
@pytest.mark.parametrize("origin", [MAIN, STRANGER, "null"])
def test_everybody_with_credentials_names_whoever_asks_with_and_without_a_cookie(
    ask: Ask, origin: str, *, cookie: bool
) -> None:
    """Older ones of Starlette say `*` where no cookie came."""
    app = everybody(allow_credentials=True)

    simple = ask(app, "GET", "/", headers(origin, cookie=cookie))
    preflight = ask(app, "OPTIONS", "/", headers(origin, requests="GET", cookie=cookie))

    assert allowed(simple) == {"allow-origin": origin, "allow-credentials": "true"}
    assert varies(simple) == ["Origin"]
    assert allowed(preflight)["allow-origin"] == origin
    assert "Origin" in varies(preflight)


@pytest.mark.parametrize("cookie", [False, True])
def test_everybody_without_credentials_is_a_star(ask: Ask, *, cookie: bool) -> None:
    simple = ask(everybody(), "GET", "/", headers(STRANGER, cookie=cookie))
    preflight = ask(everybody(), "OPTIONS", "/", headers(STRANGER, requests="GET", cookie=cookie))

    assert allowed(simple) == {"allow-origin": "*"}
    assert (preflight.status, allowed(preflight)["allow-origin"]) == (200, "*")
    assert "allow-credentials" not in allowed(preflight)


@pytest.mark.parametrize("options", [{}, {"allow_credentials": True}])
def test_everybody_is_nobody_without_an_origin(ask: Ask, options: dict[str, bool]) -> None:
    answer = ask(everybody(**options), "GET", "/", headers(cookie=True))

    assert (answer.body, allowed(answer), varies(answer)) == (b"page", {}, ["Origin"])


def test_every_header_allowed_is_what_was_asked_for_sent_back(ask: Ask) -> None:
    names = "x-one, x-" + "y" * 1000

    answer = ask(
        everybody(allow_headers=["*"]), "OPTIONS", "/", headers(MAIN, requests="GET", names=names)
    )

    assert allowed(answer)["allow-headers"] == names


def test_the_policy_of_a_layer_is_that_of_its_origins(ask: Ask) -> None:
    app = Layer(PlainTextResponse("page"), "mine", cors(METRICS))

    assert allowed(ask(app, "GET", "/", headers(METRICS)))["allow-origin"] == METRICS
    assert "allow-origin" not in allowed(ask(app, "GET", "/", headers(MAIN)))


# --- the order: added last runs first ---


def test_what_fastapi_is_given_runs_in_its_order_and_what_is_added_runs_before(ask: Ask) -> None:
    """The opposite of add_middleware."""
    given = [Middleware(Layer, name=name, middleware=as_it_is) for name in ("first", "second")]
    app = FastAPI(middleware=given)
    app.add_middleware(Layer, name="added", middleware=as_it_is)
    app.add_middleware(Layer, name="added-last", middleware=as_it_is)

    answer = ask(app, "GET", "/openapi.json")

    assert answer.header("X-Middleware") == passed("added-last", "added", "first", "second")


def test_a_router_of_fastapi_has_no_middleware() -> None:
    assert not hasattr(APIRouter(), "middleware")
    assert "middleware" not in inspect.signature(APIRouter).parameters


@every_variant
@pytest.mark.parametrize("path", ["/items/", "/metrics/"])
@pytest.mark.parametrize("origin", [None, STRANGER])
def test_cors_is_no_access_control(ask: Ask, variant: str, path: str, origin: str | None) -> None:
    """Whatever the policy: the answer is there, and only a browser keeps it from a page."""
    answer = ask(VARIANTS[variant].app, "GET", path, headers(origin))

    assert answer.status == 200
    assert answer.body
    assert "allow-origin" not in allowed(answer)


@every_variant
@pytest.mark.parametrize(
    ("path", "which"),
    [("/items/", 0), ("/missing", 0), ("/metrics/", 1), ("/metrics/missing", 1)],
)
def test_layers_run_from_the_one_added_last_inwards_and_back(
    ask: Ask, variant: str, path: str, which: int
) -> None:
    answer = ask(VARIANTS[variant].app, "GET", path)

    assert answer.header("X-Middleware") == passed(*ORDER[variant][which])


@every_variant
@pytest.mark.parametrize(("path", "which"), [("/items/", 0), ("/metrics/", 1)])
def test_a_preflight_turns_back_at_the_outermost_cors_layer(
    ask: Ask, variant: str, path: str, which: int
) -> None:
    layers = ORDER[variant][which]
    last = next((n for n, layer in enumerate(layers, 1) if layer.endswith("cors")), len(layers))

    answer = ask(VARIANTS[variant].app, "OPTIONS", path, headers(MAIN, requests="GET"))

    assert answer.header("X-Middleware") == passed(*layers[:last])


@pytest.mark.parametrize("variant", ["both", "inner_only", "single_added"])
def test_what_is_added_is_inside_of_what_answers_500(ask: Ask, variant: str) -> None:
    """So that the answer passes none of the layers, and has none of their headers."""
    answer = ask(VARIANTS[variant].app, "GET", "/fail", headers(MAIN))

    assert answer.status == 500
    assert answer.header("X-Instance"), "it can't be told who answered"
    assert answer.header("X-Middleware") is None
    assert allowed(answer) == {}


def test_a_mounted_500_is_answered_outside_of_the_mount_s_layer_and_inside_of_the_main_one_s(
    ask: Ask,
) -> None:
    answer = ask(BOTH, "GET", "/metrics/fail", headers(METRICS))

    assert answer.status == 500
    assert answer.header("X-Middleware") == (
        ">prometheus >main-cors >metrics-cors <main-cors <prometheus"
    )
    assert "allow-origin" not in allowed(answer)


@pytest.mark.parametrize("variant", ["single", "router", "route_middleware"])
@pytest.mark.parametrize("path", ["/fail", "/metrics/fail"])
def test_what_stands_around_the_application_sees_its_500(ask: Ask, variant: str, path: str) -> None:
    origin = METRICS if path.startswith("/metrics") else MAIN

    answer = ask(VARIANTS[variant].app, "GET", path, headers(origin))

    assert (answer.status, allowed(answer)["allow-origin"]) == (500, origin)
    assert (answer.header("X-Middleware") or "").startswith(">")
