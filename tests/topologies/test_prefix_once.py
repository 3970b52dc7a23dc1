"""The prefix is removed once: twice in a path, and alone."""

import pytest

from tests.topologies.labs import Public


def test_contract(public: Public) -> None:
    assert public.verdict("prefix-once") == "pass"


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
