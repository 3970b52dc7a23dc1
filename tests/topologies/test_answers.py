"""An answer comes as it was given."""

import pytest

from tests.topologies.labs import Public


def test_contract(public: Public) -> None:
    assert public.verdict("answers") == "pass"


@pytest.mark.parametrize("status", [204, 401, 404, 500])
def test_an_answer_comes_as_it_was_given(public: Public, status: int) -> None:
    answer = public.get(f"/api/v1/answer?status={status}")

    assert answer.status_code == status
    assert answer.content == (b"" if status == 204 else f"answer {status}\n".encode())
    cookies = answer.raw.headers.getlist("Set-Cookie")
    assert [cookie.partition(";")[0] for cookie in cookies] == ["a=1", "b=2"]
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_head_has_the_headers_of_get(public: Public) -> None:
    head, got = (public.request(method, "/api/v1/answer") for method in ("HEAD", "GET"))

    assert head.content == b""
    assert head.headers["Content-Length"] == str(len(got.content))
    assert head.headers["ETag"] == got.headers["ETag"]
