"""What the application gets is what the client sent, and the reverse."""

import pytest

from tests.topologies.labs import Public


@pytest.mark.parametrize(
    "check",
    ["requests", "answers", "isolation", "routes", "websocket-messages", "disconnect"],
)
def test_contract(public: Public, check: str) -> None:
    assert public.verdict(check) == "pass"


def test_limits_are_told(public: Public) -> None:
    assert public.verdict("limits") == "recorded"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_request_arrives_as_it_was_sent(public: Public, method: str) -> None:
    headers = {"Authorization": "Basic YTpi", "X-Custom": "a, b"}
    answer = public.request(method, "/api/v1/request?b=1&a=%2F", data=b"xyz", headers=headers)

    told = answer.json()
    assert told["method"] == method
    assert told["query_string"] == "b=1&a=%2F"
    assert told["length"] == 3
    assert ["authorization", "Basic YTpi"] in told["headers"]
    assert ["x-custom", "a, b"] in told["headers"]


@pytest.mark.parametrize("status", [204, 401, 404, 500])
def test_an_answer_comes_as_it_was_given(public: Public, status: int) -> None:
    answer = public.get(f"/api/v1/answer?status={status}")

    assert answer.status_code == status
    assert answer.content == (b"" if status == 204 else f"answer {status}\n".encode())
    assert answer.cookies.get_dict() == {"a": "1", "b": "2"}
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_head_has_the_headers_of_get(public: Public) -> None:
    head, got = (public.request(method, "/api/v1/answer") for method in ("HEAD", "GET"))

    assert head.content == b""
    assert head.headers["Content-Length"] == str(len(got.content))
    assert head.headers["ETag"] == got.headers["ETag"]
