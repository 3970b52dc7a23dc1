"""What a client says of itself in forwarded headers changes nothing."""

import pytest

from tests.topologies.labs import Public

LIES = {
    "for": {"X-Forwarded-For": "192.0.2.7"},
    "for-several": {"X-Forwarded-For": "127.0.0.1, 192.0.2.7"},
    "proto-http": {"X-Forwarded-Proto": "http"},
    "proto-https": {"X-Forwarded-Proto": "https"},
    "host": {"X-Forwarded-Host": "canary.invalid"},
    "port": {"X-Forwarded-Port": "1"},
    "prefix": {"X-Forwarded-Prefix": "/canary"},
    "prefix-host": {"X-Forwarded-Prefix": "//canary.invalid"},
    "real-ip": {"X-Real-IP": "192.0.2.7"},
    "forwarded-http": {"Forwarded": "for=192.0.2.7;host=canary.invalid;proto=http"},
    "forwarded-https": {"Forwarded": "for=192.0.2.7;host=canary.invalid;proto=https"},
    "odd-case": {"x-fORWARDED-fOR": "192.0.2.7", "x-fORWARDED-pREFIX": "/canary"},
    "underscores": {"X_Forwarded_For": "192.0.2.7", "X_Forwarded_Prefix": "/canary"},
}


def test_contract(public: Public) -> None:
    assert public.verdict("spoof") == "pass"


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_lie(public: Public, lie: dict[str, str]) -> None:
    scope = public.scope(headers=lie)
    redirect = public.get("/api/v1/items", headers=lie)

    assert scope["client"][0] == public.client
    assert scope["scheme"] == public.scheme
    assert scope["root_path"] == "/api/v1"
    assert scope["url"] == public.origin + "/api/v1/scope"
    assert redirect.headers["Location"] == public.origin + "/api/v1/items/"


def test_all_lies_over_a_websocket(public: Public) -> None:
    scheme = {"http": "ws", "https": "wss"}[public.scheme]
    lies = {name: value for lie in LIES.values() for name, value in lie.items()}

    scope = public.receive("/api/v1/ws", headers=lies)

    assert scope["client"][0] == public.client
    assert scope["url"] == f"{scheme}://{public.host}/api/v1/ws"
    assert scope["root_path"] == "/api/v1"
