"""The model of the application: where it looks for a route, and prefixes that look like one."""

from dataclasses import replace

import pytest
from starlette._utils import get_route_path

from hoplab.catalogue.variations import Symptoms
from hoplab.predictions import body_size, predict
from hoplab.predictions.application import route_path
from hoplab.predictions.transparency import unreached
from hoplab.prefix import parse
from hoplab.topology import Cell, Mode, Scheme, Strategy, Topology, Trust
from tests.catalogue import CATALOGUE

STRIP = Topology("nginx", "uvicorn", Mode.STRIP)


@pytest.mark.parametrize(
    ("path", "root_path", "route"),
    [
        ("/api/v1/x", "/api/v1", "/x"),
        ("/api/v1/", "/api/v1", "/"),
        ("/api/v1", "/api/v1", ""),
        ("/api/v10/x", "/api/v1", "/api/v10/x"),
        ("/x", "/api/v1", "/x"),
        ("/api/v1/api/v1/x", "/api/v1", "/api/v1/x"),
        ("/x", "", "/x"),
    ],
)
def test_a_route_is_looked_for_where_starlette_does(path: str, root_path: str, route: str) -> None:
    assert route_path(path, root_path) == route
    assert get_route_path({"path": path, "root_path": root_path}) == route


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("/api", {}),
        ("/docs", {"docs": "docs-unreachable"}),
        (
            "/openapi.json",
            {"docs": "docs-openapi-404", "servers": "application-has-no-route"},
        ),
        (
            "/ws",
            {"websocket": "websocket-refused", "websocket-messages": "websocket-refused"},
        ),
        ("/events", {"stream": "application-has-no-route"}),
        (
            "/sub",
            {
                "mount": "mount-unreachable",
                "static": "static-unreachable",
                "servers": "mount-unreachable",
                "websocket": "websocket-refused",
            },
        ),
        (
            "/app",
            {
                "reach": "application-has-no-route",
                "servers": "servers-wrong",
                "prefix-once": "prefix-leaks",  # /app twice, and the route: one is taken for it
            },
        ),
    ],
)
def test_a_route_that_looks_like_the_prefix_is_taken_for_the_bare_one(
    prefix: str, expected: Symptoms
) -> None:
    """By a middleware with a fixed prefix, where the proxy has removed it."""
    catalogue = replace(CATALOGUE, prefix=parse(prefix))
    cell = Cell(STRIP, Strategy.FORWARDED_PREFIX, Trust.PROXY, Scheme.HTTP, prefix=catalogue.prefix)

    assert predict(cell, catalogue) == {"prefix-once": "prefix-stripped-twice", **expected}


def test_what_is_told_of_the_request_is_missed_alone_where_only_that_route_is() -> None:
    catalogue = replace(CATALOGUE, prefix=parse("/scope"))
    cell = Cell(STRIP, Strategy.FORWARDED_PREFIX, Trust.PROXY, Scheme.HTTP, prefix=catalogue.prefix)
    found = predict(cell, catalogue)

    asked = {"url-for", "client", "spoof", "bypass", "boundary"}
    assert {found[check] for check in asked} == {"application-has-no-route"}
    assert found.keys().isdisjoint({"reach", "docs", "websocket"})


def test_what_is_like_the_route_of_a_check_is_asked_only_with_that() -> None:
    no_route, refused = "application-has-no-route", "websocket-refused"
    same = ("requests", "answers", "isolation", "routes", "disconnect", "limits")

    assert unreached({"client": no_route, "websocket": refused}) == {
        **dict.fromkeys(same, no_route),
        "websocket-messages": refused,
    }
    assert unreached({"client": no_route}) == {}, "no WebSocket is refused"
    assert unreached({"client": "client-wrong", "websocket": refused}) == {}
    assert unreached({}) == {}


@pytest.mark.parametrize(
    ("setup", "variation", "bytes_"),
    [
        ((Strategy.SERVER_OPTION, Trust.PROXY), "", 16_777_216),
        ((Strategy.NONE, Trust.PROXY), "", 262_144),
        ((Strategy.SERVER_OPTION, Trust.PROXY), "nginx-appends", 1_114_112),
    ],
)
def test_uploads_are_large_where_people_copy_and_above_common_limits_in_variations(
    setup: tuple[Strategy, Trust], variation: str, bytes_: int
) -> None:
    assert body_size(Cell(STRIP, *setup, Scheme.HTTPS, variation), CATALOGUE) == bytes_
