"""The prefix is a whole path segment, once; the rest of the path arrives as it was written."""

import pytest

from tests.topologies.labs import Public


def test_contract(public: Public) -> None:
    assert public.verdict("boundary") == "pass"


@pytest.mark.parametrize("path", ["/app", "/api/v10/app", "/"])
def test_outside_the_prefix_the_proxy_answers(public: Public, path: str) -> None:
    answer = public.get(path)

    assert answer.status_code == 404
    assert "X-Instance" not in answer.headers


def test_doubled_prefix_is_not_found(public: Public) -> None:
    assert public.get("/api/v1/api/v1/app").status_code == 404


def test_route_that_begins_like_the_prefix_is_found(public: Public) -> None:
    assert public.get("/api/v1/api/v1/nested").json() == {"message": "Hello Nested"}


@pytest.mark.parametrize("path", ["/api/v1", "/api/v1/"])
def test_bare_prefix_ends_at_the_root(public: Public, path: str) -> None:
    answer = public.get(f"{path}?q=1", allow_redirects=True)

    assert answer.status_code == 200
    assert answer.url.startswith(public.origin + "/api/v1")
    assert answer.json() == {"message": "hoplab: see docs, app, scope", "query": "q=1"}


@pytest.mark.parametrize(
    ("rest", "decoded"),
    [
        pytest.param("a%2Fb", "a/b", id="slash"),
        pytest.param("caf%C3%A9", "café", id="utf-8"),
        pytest.param("100%25", "100%", id="percent"),
        pytest.param("a%20b%3Fc", "a b?c", id="space-and-question-mark"),
        pytest.param("api/v1/x", "api/v1/x", id="the-prefix-again"),
    ],
)
def test_rest_of_the_path_arrives_as_written(public: Public, rest: str, decoded: str) -> None:
    scope = public.get(f"/api/v1/scope/{rest}").json()

    assert scope["raw_path"] == f"/api/v1/scope/{rest}"
    assert scope["path"] == f"/api/v1/scope/{decoded}"
