"""Every kind of route is treated the same."""

import json

import pytest

from tests.topologies.labs import Public


def test_contract(public: Public) -> None:
    assert public.verdict("routes") == "pass"


@pytest.mark.parametrize("path", ["docs", "openapi.json", "sub/app", "static/hello.txt", "events"])
def test_the_client_is_the_same_everywhere(public: Public, path: str) -> None:
    """Whatever it claims itself."""
    lies = {"X-Forwarded-For": "192.0.2.7", "X-Real-IP": "192.0.2.7"}
    answer = public.get(f"/api/v1/{path}", headers=lies)

    told = json.loads(answer.headers["X-ASGI-Scope"])
    assert told["client"][0] == public.client
    assert told["scheme"] == public.scheme
    assert told["host"] == [public.host]
