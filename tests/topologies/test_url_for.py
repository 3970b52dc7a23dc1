"""`request.url`, `request.base_url` and `request.url_for` are the public ones."""

import pytest

from tests.topologies.labs import Public


def test_contract(public: Public) -> None:
    assert public.verdict("url-for") == "pass"


@pytest.mark.parametrize(
    ("key", "url"),
    [
        pytest.param("url", "/api/v1/scope?q=1", id="url"),
        pytest.param("base_url", "/api/v1/", id="base_url"),
        pytest.param("url_for", "/api/v1/app", id="url_for"),
    ],
)
def test_url(public: Public, key: str, url: str) -> None:
    assert public.get("/api/v1/scope?q=1").json()[key] == public.origin + url


def test_url_for_answers(public: Public) -> None:
    assert public.get(public.scope()["url_for"]).json()["message"] == "Hello World"
