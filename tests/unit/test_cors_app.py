"""The applications with CORS: what a layer does, in which order layers run, what is counted."""

import asyncio
import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.middleware import Middleware
from fastapi.middleware.cors import CORSMiddleware
from prometheus_client.parser import text_string_to_metric_families as parsed
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.cors.metrics import Metrics
from app.cors.parts import MAIN, METRICS, Layer, cors
from hoplab.client.wire import Client, Exchange
from hoplab.topology import Scheme
from tests.catalogue import CATALOGUE
from tests.unit.stub import LOOPBACK, PREFIX, Fault, Stub, as_it_is, listening, scoped

pytestmark = pytest.mark.usefixtures("no_counts")

NAMES = [
    "both",
    "single",
    "single_added",
    "router",
    "route_middleware",
    "inner_only",
    "no_layer",
]
VARIANTS: dict[str, Any] = {name: importlib.import_module(f"app.cors.{name}") for name in NAMES}
SINGLE, BOTH = VARIANTS["single"].app, VARIANTS["both"].app
STRANGER = "http://stranger.example"

Ask = Callable[..., Exchange]


def headers(
    origin: str | None = None,
    *,
    requests: str | None = None,
    names: str | None = None,
    cookie: bool = False,
) -> list[tuple[str, str]]:
    """What a browser sends with a request of a page of this origin; with `requests`, before it."""
    given = {
        "Origin": origin,
        "Access-Control-Request-Method": requests,
        "Access-Control-Request-Headers": names,
        "Cookie": "session=1" if cookie else None,
    }
    return [(name, value) for name, value in given.items() if value]


@pytest.fixture
def ask(stub: Stub) -> Iterator[Ask]:
    """Ask an application, over the wire and as if nothing stood in front of it."""
    origin = stub.endpoint.origin(Scheme.HTTP)
    client = Client({origin: (LOOPBACK, stub.endpoint.ports[Scheme.HTTP])}, stub.endpoint.authority)

    def request(app: ASGIApp, method: str, path: str, sent: Any = ()) -> Exchange:
        stub.deployment = app
        return client.request(method, origin + path, sent)

    yield request
    client.close()


def allowed(answer: Exchange) -> dict[str, str]:
    """The Access-Control-* headers, without that; each may stand there once."""
    named = [(name.lower(), value) for name, value in answer.headers]
    told = {k.removeprefix("access-control-"): v for k, v in named if k.startswith("access-")}
    assert len(told) == len([k for k, _ in named if k.startswith("access-")])
    return told


def varies(answer: Exchange) -> list[str]:
    return (answer.header("Vary") or "").split(", ")


def passed(*layers: str) -> str:
    """X-Middleware of an answer that came through these layers, and back through all of them."""
    return " ".join([*(f">{name}" for name in layers), *(f"<{name}" for name in reversed(layers))])


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


# --- which origins may read what, in the problem and in its fixes ---

ALL, HIS, HERS, NOBODY = {MAIN, METRICS}, {MAIN}, {METRICS}, set[str]()


@pytest.mark.parametrize(
    ("variant", "path", "simple", "preflight"),
    [
        ("both", "/items/", HIS, HIS),
        ("both", "/metrics", HIS, HIS),
        ("both", "/metrics/", ALL, HIS),
        ("both", "/metrics/missing", ALL, HIS),
        ("both", "/metrics/fail", HIS, HIS),
        ("both", "/fail", NOBODY, HIS),
        ("inner_only", "/items/", NOBODY, NOBODY),
        ("inner_only", "/metrics", NOBODY, NOBODY),
        ("inner_only", "/metrics/", HERS, HERS),
        ("inner_only", "/metrics/fail", NOBODY, HERS),
        ("no_layer", "/items/", NOBODY, NOBODY),
        ("no_layer", "/metrics", NOBODY, NOBODY),
        ("no_layer", "/metrics/", NOBODY, NOBODY),
        ("route_middleware", "/items", HIS, HIS),
        ("route_middleware", "/items/", HIS, HIS),
        ("route_middleware", "/missing", HIS, HIS),
        ("route_middleware", "/fail", HIS, HIS),
        ("route_middleware", "/metrics", HERS, HERS),
        ("route_middleware", "/metrics/", HERS, HERS),
        ("route_middleware", "/metrics/missing", HERS, HERS),
        ("route_middleware", "/metrics/fail", HERS, HERS),
        ("router", "/items/", ALL, ALL),
        ("router", "/metrics", ALL, ALL),
        ("router", "/metrics/fail", ALL, ALL),
        ("router", "/fail", ALL, ALL),
        ("single", "/items/", ALL, ALL),
        ("single", "/metrics", ALL, ALL),
        ("single", "/metrics/fail", ALL, ALL),
        ("single", "/fail", ALL, ALL),
        ("single_added", "/items/", ALL, ALL),
        ("single_added", "/metrics/", ALL, ALL),
        ("single_added", "/metrics/fail", ALL, ALL),
        ("single_added", "/fail", NOBODY, ALL),
    ],
)
def test_which_origins_may_read(
    ask: Ask, variant: str, path: str, simple: set[str], preflight: set[str]
) -> None:
    app = VARIANTS[variant].app
    let_in: dict[str, set[str]] = {"GET": set(), "OPTIONS": set()}

    for origin in (MAIN, METRICS, STRANGER, "null"):
        for method, sent in [
            ("GET", headers(origin)),
            ("OPTIONS", headers(origin, requests="GET", names="x-requested-with")),
        ]:
            given = allowed(ask(app, method, path, sent)).get("allow-origin")
            assert given in {origin, None}, "one of them reads what another asked for"
            let_in[method] |= {given} if given else set()

    assert let_in == {"GET": simple, "OPTIONS": preflight}


# --- the order: added last runs first ---

ORDER = {
    "both": (["prometheus", "main-cors"], ["prometheus", "main-cors", "metrics-cors"]),
    "single": (["cors", "prometheus"],) * 2,
    "single_added": (["prometheus", "cors"],) * 2,
    "router": (["cors", "prometheus"],) * 2,
    "route_middleware": (["prometheus", "main-cors"], ["prometheus", "metrics-cors"]),
    "inner_only": (["prometheus"], ["prometheus", "metrics-cors"]),
    "no_layer": (["prometheus"],) * 2,
}
"""By variant: the layers outermost first, in front of the main application and of the mount."""

every_variant = pytest.mark.parametrize("variant", NAMES)


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


# --- behind a proxy ---

WRAPPINGS: dict[str, tuple[Fault, str, list[tuple[str, str]]]] = {
    "app.plain": (scoped(root_path=PREFIX), PREFIX, []),
    "app.forwarded_prefix": (as_it_is, PREFIX, []),
    "app.hypercorn.forwarded_prefix": (as_it_is, "", [("X-Forwarded-Prefix", PREFIX)]),
    "app.hypercorn.plain": (scoped(root_path=PREFIX), PREFIX, []),
}
"""By module: what its server does, what of the prefix arrives in the path, and as a header."""

HTTPS = ("X-Forwarded-Proto", "https")

every_wrapping = pytest.mark.parametrize("wrapping", WRAPPINGS)


@cache
def wrapped(wrapping: str, variant: str) -> ASGIApp:
    """What the module serves in a process whose APPLICATION names the variant."""
    importlib.import_module(wrapping)  # so that it is there again afterwards
    with pytest.MonkeyPatch.context() as patch:
        for module in dict.fromkeys(("app.plain", wrapping)):  # one imports the other
            importlib.import_module(module)
            package, _, name = module.rpartition(".")
            patch.delitem(sys.modules, module)
            patch.delattr(sys.modules[package], name)
        patch.setenv("APPLICATION", f"app.cors.{variant}")
        app: ASGIApp = importlib.import_module(wrapping).app
    return app


@every_wrapping
@every_variant
@pytest.mark.parametrize(("path", "which"), [("/items/", 0), ("/metrics/", 1)])
def test_layers_run_in_the_same_order_behind_a_proxy(
    ask: Ask, wrapping: str, variant: str, path: str, which: int
) -> None:
    server, before, sent = WRAPPINGS[wrapping]

    answer = ask(server(wrapped(wrapping, variant)), "GET", before + path, sent)

    assert answer.status == 200
    assert answer.header("X-Middleware") == passed(*ORDER[variant][which])


@every_wrapping
@every_variant
def test_every_variant_learns_prefix_and_scheme(ask: Ask, wrapping: str, variant: str) -> None:
    server, before, sent = WRAPPINGS[wrapping]
    app = server(wrapped(wrapping, variant))

    scope = ask(app, "GET", f"{before}/scope", [*sent, HTTPS]).json()
    redirect = ask(app, "GET", f"{before}/items", [*sent, HTTPS])

    # Uvicorn reads X-Forwarded-Proto by itself; what is made for Hypercorn has to.
    scheme = "https" if wrapping.startswith("app.hypercorn.") else "http"
    assert (scope["root_path"], scope["path"]) == (PREFIX, f"{PREFIX}/scope")
    assert scope["scheme"] == scheme
    assert re.fullmatch(rf"{scheme}://[^/]+{PREFIX}/items/", redirect.header("Location") or "")


@every_wrapping
@every_variant
def test_what_is_wrapped_is_the_application_that_is_named(wrapping: str, variant: str) -> None:
    assert VARIANTS[variant].app in list(inside(wrapped(wrapping, variant)))


def inside(app: Any) -> Iterator[Any]:
    """The application, what it wraps, and so on."""
    while app is not None:
        yield app
        if inspect.isfunction(app):
            app = inspect.getclosurevars(app).nonlocals.get("app")
        else:
            app = getattr(app, "app", None)


@every_wrapping
def test_without_a_variant_it_is_the_usual_application(wrapping: str) -> None:
    """Also after a test has served another."""
    wrapped(wrapping, "both")
    usual = importlib.import_module(wrapping).app

    assert {getattr(each, "title", "hoplab") for each in inside(usual)} == {"hoplab"}


def test_the_variations_serve_every_variant_and_nothing_else() -> None:
    served = {each.application for each in CATALOGUE.variations.values() if each.suite == "cors"}

    assert served == {f"app.cors.{name}" for name in NAMES}


# --- Prometheus ---

NO_ROUTE = "(no route)"
SCRAPE = ("GET", "/metrics/", "200")

Labels = tuple[str, str, str]


class Counts:
    """What an application's /metrics/ says between two scrapes."""

    def __init__(self, ask: Ask, app: ASGIApp) -> None:
        self.ask = ask
        self.app = app
        self.before = self.scrape()

    def scrape(self) -> dict[tuple[str, Labels], float]:
        answer = self.ask(self.app, "GET", "/metrics/")
        assert answer.status == 200
        assert (answer.header("Content-Type") or "").startswith("text/plain; version=")
        wanted = {
            "http_requests_total",
            "http_request_duration_seconds_count",
            "http_request_duration_seconds_sum",
        }
        return {
            (s.name, (s.labels["method"], s.labels["route"], s.labels["status"])): s.value
            for family in parsed(answer.body.decode())
            for s in family.samples
            if s.name in wanted
        }

    def since(self) -> dict[Labels, float]:
        """How often what was counted since, without the scrape itself; it was timed as often."""
        after = self.scrape()
        self.before[("http_requests_total", SCRAPE)] = 1 + self.before.get(
            ("http_requests_total", SCRAPE), 0
        )
        counted = {
            labels: value - self.before.get((name, labels), 0)
            for (name, labels), value in after.items()
            if name == "http_requests_total"
        }
        for labels in counted:
            requests = after["http_requests_total", labels]
            assert after["http_request_duration_seconds_count", labels] == requests
            assert after["http_request_duration_seconds_sum", labels] > 0
        return {labels: value for labels, value in counted.items() if value}


FOUND: list[tuple[str, str, Labels]] = [
    ("GET", "/items/", ("GET", "/items/", "200")),
    ("GET", "/items/?q=1", ("GET", "/items/", "200")),
    ("POST", "/items/", ("POST", "/items/", "405")),
    ("GET", "/fail", ("GET", "/fail", "500")),
    ("GET", "/metrics/", ("GET", "/metrics/", "200")),
    ("GET", "/metrics/fail", ("GET", "/metrics/fail", "500")),
    ("PROPFIND", "/items/", ("other", "/items/", "405")),
]
NOT_FOUND: list[tuple[str, str, Labels]] = [
    ("GET", "/items", ("GET", NO_ROUTE, "307")),
    ("GET", "/", ("GET", NO_ROUTE, "404")),
    ("GET", "/invented/by/a/stranger", ("GET", NO_ROUTE, "404")),
    ("GET", "/metrics/invented", ("GET", NO_ROUTE, "404")),
]


@every_variant
@pytest.mark.parametrize(("method", "path", "labels"), FOUND, ids=str)
def test_a_request_is_counted_by_method_template_and_status(
    ask: Ask, variant: str, method: str, path: str, labels: Labels
) -> None:
    app = VARIANTS[variant].app
    counts = Counts(ask, app)

    answers = [ask(app, method, path) for _ in range(2)]

    assert {str(answer.status) for answer in answers} == {labels[2]}
    assert counts.since() == {labels: 2}


@pytest.mark.parametrize(
    "variant",
    NAMES,
)
@pytest.mark.parametrize(("method", "path", "labels"), NOT_FOUND, ids=str)
def test_a_redirect_and_a_404_have_no_route(
    ask: Ask, variant: str, method: str, path: str, labels: Labels
) -> None:
    app = VARIANTS[variant].app
    counts = Counts(ask, app)

    answer = ask(app, method, path)

    assert str(answer.status) == labels[2]
    assert counts.since() == {labels: 1}


@every_variant
def test_metrics_without_its_slash_is_a_route_where_it_is_no_redirect(
    ask: Ask, variant: str
) -> None:
    app = VARIANTS[variant].app
    counts = Counts(ask, app)
    routed = variant in {"router", "route_middleware", "no_layer"}

    ask(app, "GET", "/metrics")

    assert counts.since() == {("GET", *(("/metrics", "200") if routed else (NO_ROUTE, "307"))): 1}


@every_variant
def test_invented_paths_are_no_series_of_their_own(ask: Ask, variant: str) -> None:
    app = VARIANTS[variant].app
    for path in ("/first-invented", "/metrics/first-invented", "/metrics/"):
        ask(app, "GET", path)
    before = set(Counts(ask, app).before)

    for number in range(5):
        ask(app, "GET", f"/invented-{number}")
        ask(app, "GET", f"/metrics/invented-{number}/{number}")

    assert set(Counts(ask, app).before) == before


@pytest.mark.parametrize(
    ("variant", "labels"),
    [
        ("both", {("OPTIONS", NO_ROUTE, "200"): 1}),
        ("single_added", {("OPTIONS", NO_ROUTE, "200"): 1}),
        ("no_layer", {("OPTIONS", "/items/", "405"): 1}),
        ("single", {}),
        ("router", {}),
    ],
)
def test_a_preflight_is_counted_where_prometheus_is_outside_of_the_layer(
    ask: Ask, variant: str, labels: dict[Labels, float]
) -> None:
    app = VARIANTS[variant].app
    counts = Counts(ask, app)

    ask(app, "OPTIONS", "/items/", headers(MAIN, requests="GET"))

    assert counts.since() == labels


@every_wrapping
@every_variant
def test_the_prefix_is_no_part_of_the_template(ask: Ask, wrapping: str, variant: str) -> None:
    server, before, sent = WRAPPINGS[wrapping]
    app = server(wrapped(wrapping, variant))
    counts = Counts(ask, VARIANTS[variant].app)

    ask(app, "GET", f"{before}/items/", sent)
    ask(app, "GET", f"{before}/metrics/fail", sent)

    assert counts.since() == {("GET", "/items/", "200"): 1, ("GET", "/metrics/fail", "500"): 1}


def test_an_invented_method_is_other(stub: Stub) -> None:
    """h11 lets any through; llhttp, of httptools, knows a list."""
    metrics = Metrics()
    app = Layer(PlainTextResponse("page"), "prometheus", metrics.middleware)
    with listening(app, http="h11") as port:
        origin = f"http://mysuperapp.com:{port}"
        client = Client({origin: (LOOPBACK, port)}, stub.endpoint.authority)
        statuses = [client.request(m, f"{origin}/").status for m in ("BREW", "X1", "X2", "get")]
        client.close()

    assert statuses == [200] * 4
    assert samples(metrics) == {("other", NO_ROUTE, "200"): 4}


def samples(metrics: Metrics) -> dict[Labels, float]:
    return {
        (s.labels["method"], s.labels["route"], s.labels["status"]): s.value
        for family in metrics.registry.collect()
        for s in family.samples
        if s.name == "http_requests_total"
    }


def call(app: ASGIApp, scope: dict[str, Any]) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(_message: Any) -> None:
        return

    async def run() -> None:
        await app(scope, receive, send)

    asyncio.run(run())


def test_what_is_raised_counts_as_500_and_is_raised() -> None:
    async def broken(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise LookupError("on purpose")

    metrics = Metrics()

    with pytest.raises(LookupError):
        call(metrics.middleware(broken), {"type": "http", "method": "GET"})

    assert samples(metrics) == {("GET", NO_ROUTE, "500"): 1}


@pytest.mark.parametrize("kind", ["websocket", "lifespan"])
def test_what_is_no_request_passes_uncounted_and_unnamed(kind: str) -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(dict(scope))

    metrics = Metrics()

    call(Layer(app, "prometheus", metrics.middleware), {"type": kind})

    assert seen == [{"type": kind}]
    assert samples(metrics) == {}


def test_registries_of_two_variants_do_not_mix(ask: Ask) -> None:
    counts = {name: Counts(ask, VARIANTS[name].app) for name in NAMES}

    for number, name in enumerate(NAMES, 1):
        for _ in range(number):
            ask(VARIANTS[name].app, "GET", "/items/")

    for number, name in enumerate(NAMES, 1):
        assert counts[name].since() == {("GET", "/items/", "200"): number}


def test_what_was_passed_is_told_anew_for_each_request(ask: Ask) -> None:
    for _ in range(2):
        assert ask(BOTH, "GET", "/items/").header("X-Middleware") == passed(*ORDER["both"][0])
        assert ask(SINGLE, "GET", "/items/").header("X-Middleware") == passed(*ORDER["single"][0])
