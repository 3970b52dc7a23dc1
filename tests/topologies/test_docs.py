"""Swagger UI and ReDoc load, and so does the OpenAPI document that they name."""

import pytest

from tests.topologies.labs import Public


def test_contract(public: Public) -> None:
    assert public.verdict("docs") == "pass"


@pytest.mark.parametrize(
    ("page", "names"),
    [
        pytest.param("/api/v1/docs", "url: '/api/v1/openapi.json'", id="docs"),
        pytest.param("/api/v1/docs", "'/api/v1/docs/oauth2-redirect'", id="docs-oauth2"),
        pytest.param("/api/v1/redoc", 'spec-url="/api/v1/openapi.json"', id="redoc"),
        pytest.param("/api/v1/docs/oauth2-redirect", "oauth2", id="oauth2-redirect"),
    ],
)
def test_page(public: Public, page: str, names: str) -> None:
    answer = public.get(page)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert names in answer.text


def test_openapi(public: Public) -> None:
    answer = public.get("/api/v1/openapi.json")

    assert answer.status_code == 200
    assert answer.json()["info"]["title"] == "hoplab"
    assert "/app" in answer.json()["paths"]
