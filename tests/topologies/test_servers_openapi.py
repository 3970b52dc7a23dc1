"""The OpenAPI document's `servers`: the prefix first, then the author's own."""

from typing import Any

import pytest

from tests.topologies.labs import Public

STAGING = {"url": "https://stag.example.com", "description": "Staging environment"}
PRODUCTION = {"url": "https://prod.example.com", "description": "Production environment"}


def test_contract(public: Public) -> None:
    assert public.verdict("servers") == "pass"


@pytest.mark.parametrize(
    ("at", "servers"),
    [
        pytest.param("/api/v1", [{"url": "/api/v1"}], id="prefix"),
        pytest.param(
            "/api/v1/extra-servers",
            [{"url": "/api/v1/extra-servers"}, STAGING, PRODUCTION],
            id="extra-servers",
        ),
        pytest.param("/api/v1/no-root-path-in-servers", [PRODUCTION], id="no-root-path"),
    ],
)
def test_servers(public: Public, at: str, servers: list[dict[str, Any]]) -> None:
    assert public.get(f"{at}/openapi.json").json()["servers"] == servers


def test_operations_exist_at_the_server(public: Public) -> None:
    paths = public.get("/api/v1/openapi.json").json()["paths"]

    for path in ("/", "/app", "/items/", "/scope"):
        assert path in paths
        assert public.get("/api/v1" + path).status_code == 200
