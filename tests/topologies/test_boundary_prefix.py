"""The prefix is a whole path segment; the rest of the path arrives as it was written."""

import pytest

from tests.topologies.labs import Public


def test_contract(public: Public) -> None:
    assert public.verdict("boundary") == "pass"


@pytest.mark.parametrize("path", ["/app", "/api/v10/app", "/"])
def test_outside_the_prefix_the_proxy_answers(public: Public, path: str) -> None:
    answer = public.get(path)

    assert answer.status_code == 404
    assert "X-Instance" not in answer.headers


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
