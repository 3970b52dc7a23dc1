"""`/items` redirects to `/items/`: same scheme, host, port, prefix and query."""

import pytest

from tests.topologies.labs import Public


def test_contract(public: Public) -> None:
    assert public.verdict("slash-redirect") == "pass"


@pytest.mark.parametrize(
    ("asked", "location"),
    [
        pytest.param("/api/v1/items", "/api/v1/items/", id="plain"),
        pytest.param("/api/v1/items?q=1&q=%2F", "/api/v1/items/?q=1&q=%2F", id="query"),
    ],
)
def test_location(public: Public, asked: str, location: str) -> None:
    answer = public.get(asked)

    assert answer.status_code == 307
    assert answer.headers["Location"] == public.origin + location


def test_followed(public: Public) -> None:
    answer = public.get("/api/v1/items?q=1", allow_redirects=True)

    assert answer.url == public.origin + "/api/v1/items/?q=1"
    assert [redirect.status_code for redirect in answer.history] == [307]
    assert answer.json() == ["plumbus", "portal gun"]
