"""What the applications with CORS count for Prometheus."""

import asyncio
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families as parsed
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.cors.metrics import Metrics
from app.cors.parts import MAIN, Layer
from hoplab.client.wire import Client
from tests.unit.cors.variants import (
    BOTH,
    NAMES,
    ORDER,
    SINGLE,
    VARIANTS,
    WRAPPINGS,
    Ask,
    every_variant,
    every_wrapping,
    headers,
    passed,
    wrapped,
)
from tests.unit.stub import LOOPBACK, Stub, listening

pytestmark = pytest.mark.usefixtures("no_counts")


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
