"""A request arrives as it was sent."""

import pytest

from tests.topologies.labs import Public


def test_contract(public: Public) -> None:
    assert public.verdict("requests") == "pass"


def test_the_application_did_drop_the_connection(public: Public) -> None:
    """Under every server, so that the question whether a POST is repeated was asked at all."""
    asked = public.finding("requests").exchanges
    [dropped] = [each for each in asked if "drop=1" in each.url]

    assert dropped.status == 502
    assert dropped.header("X-Instance") is None


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
